"""Transfer gain, its interval, its test: against numbers worked by hand and against planted truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sharewise.base import DataError
from sharewise.judge import Gain, compare, delta_m, holm, mean_gain, verdict
from sharewise.judge.resampling import overlap_factor
from sharewise.judge.transfer import paired


def test_holm_is_as_worked_by_hand() -> None:
    # 0.01 * 4, 0.02 * 3, 0.03 * 2, 0.5 * 1, made monotone
    assert holm([0.03, 0.01, 0.5, 0.02]) == pytest.approx([0.06, 0.04, 0.5, 0.06])


def test_holm_leaves_out_what_was_not_tested() -> None:
    found = holm([0.02, float("nan"), 0.04])
    assert found[0] == pytest.approx(0.04)
    assert found[2] == pytest.approx(0.04)
    assert np.isnan(found[1])
    assert holm([]) == []


def test_gain_and_interval_on_a_test_part_are_as_worked_by_hand() -> None:
    r, c = np.array([1.0, 2.0, 3.0, 6.0]), np.array([1.0, 1.0, 2.0, 2.0])
    influence = c / 1.5 - r / 3.0  # 1/3, 0, 1/3, -2/3
    error = np.sqrt(np.sum(influence**2) / 3 / 4)
    half = stats.t.ppf(0.975, 3) * error
    gain = compare(r, c)
    assert gain.estimate == pytest.approx(0.5)
    assert (gain.low, gain.high) == pytest.approx((1 - 0.5 * np.exp(half), 1 - 0.5 * np.exp(-half)))
    assert gain.p_value == pytest.approx(2 * stats.t.sf(np.log(2) / error, 3))
    assert gain.rows == 4


def test_out_of_fold_rows_get_the_nadeau_bengio_variance() -> None:
    # 5 folds: (1/5 + (n/5) / (4n/5)) * s^2_fold, where s^2_fold = s^2_row / (n/5): 9/20 * 5/n = 2.25/n
    rng = np.random.default_rng(0)
    r, c = rng.gamma(2.0, size=100), rng.gamma(2.0, size=100)
    folds = np.arange(100) % 5
    width = [np.log((1 - gain.low) / (1 - gain.high)) for gain in (compare(r, c), compare(r, c, folds))]
    assert width[1] / width[0] == pytest.approx(np.sqrt((1 / 5 + 1 / 4) * 5))
    assert overlap_factor(np.arange(10)) == pytest.approx(1 + 10 / 9)


def test_swapping_the_two_turns_the_verdict_around() -> None:
    rng = np.random.default_rng(1)
    r = rng.gamma(2.0, size=300)
    c = 0.8 * r + 0.1 * rng.random(300)
    one, other = compare(r, c), compare(c, r)
    assert one.p_value == pytest.approx(other.p_value)
    assert verdict(one, one.p_value) == "helped"
    assert verdict(other, other.p_value) == "hurt"
    assert verdict(one, 0.06) == "no difference"
    assert verdict(one, float("nan")) == "no difference"


def test_gain_does_not_depend_on_the_unit_of_the_loss() -> None:
    rng = np.random.default_rng(2)
    r, c = rng.gamma(2.0, size=50), rng.gamma(2.0, size=50)
    near, far = compare(r, c), compare(1e6 * r, 1e6 * c)
    assert (near.estimate, near.low, near.high) == pytest.approx((far.estimate, far.low, far.high))


def test_unobserved_rows_do_not_count() -> None:
    r, c = np.array([1.0, np.nan, 2.0, 3.0]), np.array([1.0, 5.0, 1.0, np.nan])
    assert compare(r, c) == compare(np.array([1.0, 2.0]), np.array([1.0, 1.0]))


def test_rows_of_one_group_count_as_one() -> None:
    rng = np.random.default_rng(3)
    r, c = rng.gamma(2.0, size=40), rng.gamma(2.0, size=40)
    once, often = compare(r, c), compare(np.repeat(r, 10), np.repeat(c, 10), groups=np.repeat(np.arange(40), 10))
    assert (often.low, often.high) == pytest.approx((once.low, once.high))


def test_the_very_same_predictions_are_no_difference() -> None:
    r = np.random.default_rng(4).gamma(2.0, size=30)
    gain = compare(r, r, np.arange(30) % 5)
    assert (gain.estimate, gain.low, gain.high, gain.p_value) == (0.0, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("size", [0, 1])
def test_too_few_rows_say_nothing(size: int) -> None:
    gain = compare(np.ones(size), np.ones(size))
    assert np.isnan([gain.estimate, gain.low, gain.high, gain.p_value]).all()
    assert verdict(gain, gain.p_value) == "no difference"


def test_a_perfect_learner_is_no_division_by_zero() -> None:
    r = np.array([1.0, 2.0, 1.5, 1.2, 1.7])
    assert compare(r, 0 * r).estimate == 1.0
    assert verdict(compare(r, 0 * r), compare(r, 0 * r).p_value) == "helped"
    assert compare(0 * r, r).estimate == -np.inf
    assert verdict(compare(0 * r, r), compare(0 * r, r).p_value) == "hurt"
    assert compare(0 * r, 0 * r).estimate == 0.0


def test_losses_of_different_rows_are_refused() -> None:
    with pytest.raises(DataError, match="same rows"):
        paired(np.ones(3), np.ones(4))
    with pytest.raises(DataError, match="finite"):
        compare(np.array([1.0, np.inf]), np.ones(2))


def test_delta_m_is_the_t_interval_over_tasks() -> None:
    gains = [Gain(value, 0.0, 0.0, 0.5, 10) for value in (0.1, 0.2, 0.6)]
    half = stats.t.ppf(0.975, 2) * np.std([0.1, 0.2, 0.6], ddof=1) / np.sqrt(3)
    found = delta_m(gains)
    assert (found.estimate, found.low, found.high) == pytest.approx((0.3, 0.3 - half, 0.3 + half))
    assert found.rows == 3
    assert np.isnan(delta_m(gains[:1]).low)
    assert delta_m([*gains, compare(np.ones(1), np.ones(1))]) == found


def test_mean_gain_of_copied_tasks_is_as_unsure_as_one_of_them() -> None:
    rng = np.random.default_rng(5)
    r = rng.gamma(2.0, size=60)
    c = 0.9 * r + 0.2 * rng.random(60)
    one = mean_gain({"a": r}, {"a": c})
    copies = mean_gain({"a": r, "b": r, "c": r}, {"a": c, "b": c, "c": c})
    assert (copies.low, copies.high) == pytest.approx((one.low, one.high))
    assert copies.estimate == pytest.approx(compare(r, c).estimate)


def test_mean_gain_of_unrelated_tasks_is_surer() -> None:
    rng = np.random.default_rng(6)
    tasks = {name: rng.gamma(2.0, size=400) for name in "abcd"}
    better = {name: 0.9 * loss + 0.3 * rng.random(400) for name, loss in tasks.items()}
    width = [np.subtract(*(lambda gain: (gain.high, gain.low))(mean_gain({n: tasks[n] for n in names},
                                                                         {n: better[n] for n in names})))
             for names in ("a", "abcd")]
    assert width[1] == pytest.approx(width[0] / 2, rel=0.25)


def test_intervals_on_a_test_part_cover_a_planted_gain() -> None:
    rng = np.random.default_rng(7)
    covered = []
    for _ in range(400):
        shared = rng.normal(size=80)
        r, c = (shared + rng.normal(size=80)) ** 2, (0.9 * shared + 0.8 * rng.normal(size=80)) ** 2
        gain = compare(r, c)
        covered.append(gain.low <= 1 - (0.81 + 0.64) / 2 <= gain.high)
    assert 0.92 <= np.mean(covered) <= 0.98


def test_verdicts_from_overlapping_fits_keep_the_family_wise_error() -> None:
    """Ridge on exchangeable halves of the features, 10 tasks, 5 folds: no task has a gain."""
    rng = np.random.default_rng(8)
    folds, any_verdict = np.arange(100) % 5, []
    for _ in range(60):
        first = rng.normal(size=(20, 10)) / 4
        world = np.vstack([first, rng.permuted(first, axis=0)])
        X = rng.normal(size=(100, 40))
        Y = X @ world + rng.normal(size=(100, 10))
        losses = np.empty((2, 100, 10))
        for k in range(5):
            for side, part in enumerate((X[:, :20], X[:, 20:])):
                train = part[folds != k]
                w = np.linalg.solve(train.T @ train + np.eye(20), train.T @ Y[folds != k])
                losses[side, folds == k] = (Y[folds == k] - part[folds == k] @ w) ** 2
        p_values = holm([compare(losses[0, :, t], losses[1, :, t], folds).p_value for t in range(10)])
        any_verdict.append(min(p_values) <= 0.05)
    assert np.mean(any_verdict) <= 0.08
