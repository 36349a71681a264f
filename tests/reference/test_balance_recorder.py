"""What is kept of a training's steps, and what is said of it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sharewise import balance
from sharewise.base import UsageError

NAN = float("nan")
ROWS = [[[3.0, 0.0], [0.0, 2.0], [-1.0, 1.0]], [[1.0, 0.0], [NAN, NAN], [1.0, 1.0]],
        [[2.0, 0.0], [0.0, 0.0], [0.0, 5.0]]]


def run(balancer: balance.Balancer, steps=ROWS) -> list[torch.Tensor]:
    """What the shared parameters get in each step from losses with these gradients; a row of NaN: not observed."""
    got = []
    for rows in torch.tensor(steps, dtype=torch.float64):
        shared = torch.ones(rows.shape[1], dtype=torch.float64, requires_grad=True)
        balance.backward({name: row @ shared for name, row in zip("abc", rows, strict=True)}, [shared], balancer)
        got.append(shared.grad)
    return got


@pytest.mark.parametrize("inner", [balance.MGDA, balance.GradDrop, balance.Equal])
def test_the_update_is_that_of_the_balancer_inside(inner):
    for ours, theirs in zip(run(balance.Recorder(inner(), list("abc"))), run(inner()), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_norms_cosines_and_conflicts_are_those_of_the_gradients():
    balancer = balance.Recorder(balance.UPGrad(), list("abc"))
    run(balancer)
    record = balancer.record()
    assert record.tasks == ("a", "b", "c") and record.steps.tolist() == [0, 1, 2]
    np.testing.assert_allclose(record.norms, [[3, 2, 2**0.5], [1, NAN, 2**0.5], [2, 0, 5]], rtol=1e-6)
    half = 0.5**0.5
    np.testing.assert_allclose(record.cosines[:, 0, 1], [0, NAN, NAN], atol=1e-7)
    np.testing.assert_allclose(record.cosines[:, 0, 2], [-half, half, 0], rtol=1e-6)
    np.testing.assert_array_equal(record.cosines, record.cosines.transpose(0, 2, 1))
    np.testing.assert_allclose(record.conflict_rate, [1 / 3, 0, 0])
    assert np.isnan(record.weights).tolist() == [[False] * 3, [False, True, False], [False] * 3]


def test_shares_are_lengths_of_what_each_task_adds():
    run(balancer := balance.Recorder(balance.Normalize(balance.Fixed([1.0, 1.0, 2.0])), list("abc")))
    # unit gradients times 1, 1 and 2: 3 steps of a, 1 of b (absent, then zero), 3 of c
    np.testing.assert_allclose(balancer.record().shares, np.array([3, 1, 6]) / 10, rtol=1e-6)


def test_only_the_last_steps_are_kept_oldest_first():
    balancer = balance.Recorder(balance.MGDA(), list("abc"), size=2)
    run(balancer, ROWS * 2 + ROWS[:1])
    record = balancer.record()
    assert record.steps.tolist() == [5, 6]
    np.testing.assert_allclose(record.norms[:, 0], [2, 3])


@pytest.mark.parametrize("inner", [balance.Equal(), balance.Every(2, balance.MGDA(), list("abc"))])
def test_nothing_is_computed_for_the_record_alone(inner, monkeypatch):
    calls = []
    gramian = balance.Signal.gramian.func
    counted = lambda self: calls.append(1) or gramian(self)  # noqa: E731
    monkeypatch.setattr(balance.Signal.gramian, "func", counted)
    balancer = balance.Recorder(inner, list("abc"))
    run(balancer)
    known = ~np.isnan(balancer.record().norms[:, 0])
    assert len(calls) == known.sum() == (0 if isinstance(inner, balance.Equal) else 2)
    assert not np.isnan(balancer.record().weights[:, 0]).any()


def test_a_direction_has_no_weights():
    run(balancer := balance.Recorder(balance.GradDrop(), list("abc")))
    assert np.isnan(balancer.record().weights).all() and not np.isnan(balancer.record().norms[0]).any()
    assert np.isnan(balancer.record().shares).all()


def test_a_task_that_supplies_most_is_named():
    steps = [[[8.0, 0.0], [0.0, 1.0], [1.0, 0.0]]] * 3
    gradnorm = balance.GradNorm(list("abc"))  # its weights are 1 in the beginning
    run(plain := balance.Recorder(gradnorm), steps)
    assert find(plain) == ["Task 'a' dominates: it supplies 80 % of the update."]
    assert balance.find_troubles(plain.record(), most=0.75) == []
    run(normed := balance.Recorder(balance.Normalize(balance.Equal()), list("abc")), steps)
    assert find(normed) == []


def test_one_task_does_not_dominate():
    balancer = balance.Recorder(balance.MGDA(), ["a"])
    shared = torch.ones(2, requires_grad=True)
    balance.backward({"a": shared.sum()}, [shared], balancer)
    assert find(balancer) == []


def find(balancer: balance.Recorder) -> list[str]:
    return balance.find_troubles(balancer.record())


def test_tasks_that_pull_against_each_other_are_named_and_noise_is_not():
    chance = np.random.default_rng(0)
    against = np.array([1.0, 0.0, 0.0, 0.0])
    steps = chance.normal(size=(60, 3, 4)) + np.array([against, -against, 0 * against])
    run(balancer := balance.Recorder(balance.MGDA(), list("abc")), steps)
    found = find(balancer)
    assert len(found) == 1 and found[0].startswith("Tasks 'a' and 'b' are in conflict: mean cosine -0.")


def test_a_conflict_too_weak_to_matter_is_not_named():
    cosines = np.full((400, 2, 2), np.nan)
    cosines[:, 0, 1] = cosines[:, 1, 0] = np.where(np.arange(400) % 2, 0.1, -0.18)  # mean -0.04, standard error 0.007
    record = balance.Record(("a", "b"), np.arange(400), np.ones((400, 2)), np.ones((400, 2)), cosines)
    assert balance.find_troubles(record) == []
    assert balance.find_troubles(record, least=0.0) == [
        "Tasks 'a' and 'b' are in conflict: mean cosine -0.04, negative in 50 % of 400 steps."]


def test_names_are_needed_and_a_ring_holds_one_step_or_more():
    with pytest.raises(UsageError, match="Name them"):
        balance.Recorder(balance.MGDA())
    with pytest.raises(UsageError):
        balance.Recorder(balance.MGDA(), ["a"], size=0)


def test_without_steps_or_gradients_nothing_is_said():
    assert find(balance.Recorder(balance.MGDA(), list("abc"))) == []
    run(balancer := balance.Recorder(balance.Equal(), list("abc")))
    assert find(balancer) == []
