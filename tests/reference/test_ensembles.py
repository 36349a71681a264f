"""Which candidates serve a task: hand numbers, limits, and planted truth with few rows and heavy tails."""

import numpy as np
import pytest

from sharewise.plan.choice import choose
from sharewise.plan.ensemble import PICKS, Bench, pick_for_all, pick_from, select
from sharewise.plan.votes import drawn_losses, votes
from sharewise.task import Binary, Regression, Task


def bench(means, target, kind=None):
    return Bench(kind or Regression(), np.array(means, dtype=float)[:, :, None],
                 np.array(target, dtype=float)[:, None], 1.0)


def constants(biases, target):
    """Candidates that say one number for every row."""
    return bench(np.repeat(np.array(biases)[:, None], len(target), axis=1), target)


def test_two_candidates_with_opposite_errors_are_mixed_half_and_half():
    target = np.arange(400.0)
    one = bench([target + 1, target - 1, target + 5], target)
    common = pick_for_all([one])
    assert common.tolist() == [PICKS // 2, PICKS // 2, 0]
    np.testing.assert_allclose(pick_from([one], [common / PICKS])[0], [0.5, 0.5, 0.0], atol=0.5 / PICKS + 1e-9)
    np.testing.assert_allclose(select([one])[0], [0.5, 0.5, 0.0], atol=0.5 / PICKS + 1e-9)


def test_a_task_of_classes_with_few_rows_follows_what_all_tasks_picked():
    many, few = np.tile([0.0, 1.0], 2000), np.array([0.0, 1.0])

    def of(target, good):
        sure, turned = np.where(target > 0, 0.9, 0.1), np.where(target > 0, 0.1, 0.9)
        return bench([sure, turned] if good else [turned, sure], target, Binary())
    *_, small = select([of(many, True), of(many, True), of(many, True), of(few, False)])
    common = pick_for_all([of(many, True), of(many, True), of(many, True), of(few, False)]) / PICKS
    np.testing.assert_allclose(small, common, atol=1e-9)


def test_votes_are_shares_of_draws_and_few_rows_follow_the_mean_over_tasks():
    own = np.repeat([[1.0], [1.2]], 20, axis=1)
    own[:, :4] = own[::-1, :4]
    others = np.repeat([[1.2], [1.0]], 20, axis=1)
    np.testing.assert_allclose(votes(own, own, 100.0), [0.8, 0.2])
    assert votes(own, others, 1.0).tolist() == [0.0, 1.0]
    np.testing.assert_allclose(votes(own, others, 1000.0), [0.8, 0.2])


def test_who_has_hardly_a_vote_gets_no_place_unless_nobody_has_more():
    own = np.ones((30, 60))
    own[0, :58] = own[1, 58:] = 0.0  # 2 of 60 are less than a twentieth
    assert votes(own, own, 10.0).tolist() == [1.0] + [0.0] * 29
    each = 1.0 - np.eye(60)
    np.testing.assert_allclose(votes(each, each, 10.0), 1 / 60)


def test_rows_of_a_group_are_drawn_together():
    losses = np.random.default_rng(0).random((3, 8))
    np.testing.assert_allclose(drawn_losses(np.repeat(losses, 5, axis=1), np.repeat(np.arange(8), 5), 0),
                               drawn_losses(losses, None, 0))


def test_the_votes_follow_the_chance_to_be_the_better_one():
    """Two candidates whose losses differ by d_i: the vote is the share of draws with a mean above 0, which with many
    rows is the normal chance Phi(mean / error)."""
    surplus = np.random.default_rng(0).normal(0.05, 1.0, size=500)
    drawn = drawn_losses(np.stack([np.zeros(500), surplus]), None, 0)
    from scipy.stats import norm
    expected = norm.cdf(surplus.mean() / (surplus.std() / np.sqrt(500)))
    assert votes(drawn, drawn, 500.0)[0] == pytest.approx(expected, abs=0.1)


def test_a_task_without_rows_takes_what_is_best_over_the_others():
    target = np.zeros(300)
    nothing = bench(np.zeros((2, 0)), np.zeros(0))
    *_, found = select([constants([0.1, 1.0], target), constants([0.1, 1.0], target), nothing])
    assert found.tolist() == [1.0, 0.0]


def test_the_order_of_tasks_changes_nothing():
    chance = np.random.default_rng(0)
    several = [constants([0.0, 0.2, 0.4], chance.normal(at / 10, 1.0, size=30 + at)) for at in range(5)]
    for one, other in zip(select(several), select(several[::-1])[::-1], strict=True):
        np.testing.assert_allclose(one, other)


def true_loss(weights, biases, centre):
    return (weights @ np.array(biases) - centre) ** 2


def test_tasks_that_differ_are_each_served_by_their_own_candidate():
    chance = np.random.default_rng(0)
    centres = [-1.0] * 10 + [1.0] * 10
    found = select([constants([-1.0, 1.0], chance.normal(centre, 1.0, size=25)) for centre in centres])
    assert min(weights[0] for weights in found[:10]) > 0.8
    assert min(weights[1] for weights in found[10:]) > 0.8


@pytest.mark.parametrize("freedom", [2.1, 30.0])
def test_with_few_rows_the_votes_lose_less_than_the_least_mean_loss_also_where_tails_are_heavy(freedom):
    biases, chance, lost = [-1.0, -0.5, 0.0, 0.5, 1.0], np.random.default_rng(1), np.zeros((150, 2))
    for at in range(150):
        one = constants(biases, chance.standard_t(freedom, size=15))
        lost[at] = [true_loss(select([one])[0], biases, 0.0),
                    true_loss(np.eye(5)[one.relative_loss(one.means).argmin()], biases, 0.0)]
    gap = lost[:, 1] - lost[:, 0]
    assert gap.mean() > 2 * gap.std(ddof=1) / np.sqrt(150)


def world(gains, tails=0.3, seed=0, rows=60):
    """What is chosen for tasks with rows of their own and heavy-tailed noise; learning apart errs by +1 or -1, together
    by 1 - gain to the same side, and by a third of noise of its own."""
    chance, count = np.random.default_rng(seed), len(gains)
    owner = np.repeat(np.arange(count), rows)
    noise = tails * chance.standard_t(2.1, size=len(owner))
    Y = np.where(owner[:, None] == np.arange(count), noise[:, None], np.nan)
    apart = np.sign(chance.normal(size=len(owner)))
    together = apart * (1 - np.array(gains))[owner] + 0.3 * chance.normal(size=len(owner))
    tasks = [Task(f"t{at}", Regression()) for at in range(count)]
    means = [{task.name: side[:, None] for task in tasks} for side in (apart, together)]
    return choose(tasks, Y, np.arange(len(owner)) % 5, means, [False, True], {task.name: 1.0 for task in tasks})


def test_sharing_serves_the_tasks_that_gain_and_leaves_those_that_lose():
    found = world([0.5] * 6 + [-0.5] * 6)
    assert [one.shared for one in found.values()] == [True] * 6 + [False] * 6
    assert all(one.weights["chosen"][1] > 0.5 for one in list(found.values())[:6])
    assert all(one.weights["chosen"].tolist() == [1.0, 0.0] for one in list(found.values())[6:])


def test_tasks_that_gain_nothing_are_served_apart():
    shared = [one.shared for seed in range(4) for one in world([0.0] * 4, seed=seed).values()]
    assert np.mean(shared) <= 0.05
