"""Calibration against planted truth, reliability by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from sharewise.base import UsageError
from sharewise.judge import Calibration, calibrate_held_out, calibration_error, fit_calibration, reliability
from sharewise.judge.calibration import rising_line, soften
from sharewise.task import Binary, Kind, Multiclass, Multilabel, Ordinal, Regression, Task

CLASSES = (Binary(), Multiclass(("a", "b", "c")), Ordinal(("a", "b", "c")), Multilabel(("a", "b")))


def planted(kind: Kind, rows: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True chances [N, C] and targets drawn from them [N, W]."""
    rng = np.random.default_rng(seed)
    if kind.width == kind.outputs:
        chance = rng.uniform(0.03, 0.97, size=(rows, kind.outputs))
        return chance, (rng.random(chance.shape) < chance).astype(float)
    chance = rng.dirichlet(np.ones(kind.outputs), size=rows)
    return chance, (rng.random((rows, 1)) > chance.cumsum(axis=1)[:, :-1]).sum(axis=1, keepdims=True).astype(float)


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.name)
@pytest.mark.parametrize("temperature", [0.5, 2.5])
def test_a_planted_temperature_is_found(kind: Kind, temperature: float) -> None:
    chance, target = planted(kind, 900)
    exclusive = kind.width != kind.outputs
    fitted = fit_calibration(Task("it", kind), soften(chance, 1 / temperature, exclusive), target)
    assert fitted.method == "temperature"
    assert fitted.temperature == pytest.approx(temperature, rel=0.2)
    assert np.abs(fitted.apply(soften(chance, 1 / temperature, exclusive)) - chance).mean() < 0.03


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.name)
def test_what_is_calibrated_is_left_as_it_is(kind: Kind) -> None:
    kept = [fit_calibration(Task("it", kind), *planted(kind, 400, seed)).method for seed in range(10)]
    assert kept.count("none") >= 8


def test_numbers_and_few_rows_are_left_as_they_are() -> None:
    rng = np.random.default_rng(0)
    mean = rng.normal(size=(100, 1))
    assert fit_calibration(Task("it", Regression()), mean, 3 * mean) == Calibration(rows=100)
    chance, target = planted(Binary(), 20)
    assert fit_calibration(Task("it", Binary()), soften(chance, 0.2), target).method == "none"
    assert Calibration().apply(mean) is mean


def test_isotonic_mends_what_a_temperature_can_not() -> None:
    chance, target = planted(Binary(), 4000)
    task, said = Task("it", Binary()), chance**3
    fitted = fit_calibration(task, said, target)
    assert fitted.method == "isotonic"
    assert np.abs(fitted.apply(said) - chance).mean() < 0.05
    assert 0 < fitted.apply(np.array([[0.0]]))[0, 0] < fitted.apply(np.array([[1.0]]))[0, 0] < 1


def test_calibration_is_the_same_after_json() -> None:
    chance, target = planted(Binary(), 2000)
    for said in (chance**3, soften(chance, 0.4), chance):
        fitted = fit_calibration(Task("it", Binary()), said, target)
        again = Calibration.from_json(fitted.to_json())
        assert again == fitted
        assert np.array_equal(again.apply(said), fitted.apply(said))


def test_a_row_is_corrected_alike_in_any_company() -> None:
    mean = np.array([[0.3, 0.7], [0.9, 0.6]])  # the first row of labels happens to sum to 1
    fitted = Calibration("temperature", temperature=2.0)
    assert np.array_equal(fitted.apply(mean)[:1], fitted.apply(mean[:1]))


def test_corrected_probabilities_of_classes_sum_to_one_and_nan_stays() -> None:
    mean = np.array([[0.2, 0.5, 0.3], [np.nan] * 3, [1.0, 0.0, 0.0]])
    after = Calibration("temperature", temperature=3.0, exclusive=True).apply(mean)
    assert after[[0, 2]].sum(axis=1) == pytest.approx([1.0, 1.0])
    assert np.isnan(after[1]).all()


def test_the_held_out_correction_is_honest_and_leaves_unobserved_rows() -> None:
    task = Task("it", Binary())
    chance, target = planted(Binary(), 600)
    said = soften(chance, 0.3)
    target[:50] = np.nan
    fitted = fit_calibration(task, said, target)
    after = calibrate_held_out(task, said, target, fitted)
    assert np.array_equal(after[:50], said[:50])
    assert not np.array_equal(after[50:], fitted.apply(said)[50:])
    assert np.nanmean(task.kind.row_loss(after, target)) < np.nanmean(task.kind.row_loss(said, target))


def test_a_calibration_that_can_not_be_is_refused() -> None:
    with pytest.raises(UsageError, match="temperature"):
        Calibration("temperature", temperature=0.0)
    with pytest.raises(UsageError, match="near names are 'isotonic'"):
        Calibration("isotonics")


def test_reliability_of_a_calibrated_task_lies_on_the_diagonal() -> None:
    for kind in CLASSES:
        task, (chance, target) = Task("it", kind), planted(kind, 4000)
        bins = reliability(task, chance, target)
        assert len(bins) == 10
        assert calibration_error(task, bins) < 0.03
        assert np.mean([bin.low <= bin.predicted <= bin.high for bin in bins]) >= 0.7


def test_reliability_of_numbers_sees_a_shift() -> None:
    task = Task("it", Regression())
    target = np.linspace(0, 10, 400)[:, None]
    bins = reliability(task, target + 2, target)
    assert [bin.predicted - bin.observed for bin in bins] == pytest.approx([2.0] * 10)
    assert calibration_error(task, bins, spread=4.0) == pytest.approx(0.5)


def test_no_observed_row_gives_no_bin() -> None:
    task = Task("it", Binary())
    assert reliability(task, np.full((3, 1), 0.5), np.full((3, 1), np.nan)) == []
    assert np.isnan(calibration_error(task, []))


def test_the_interval_of_a_bin_is_wilsons() -> None:
    # Wilson (1927): 8 of 10 at 95 %: 0.490 to 0.943
    bins = reliability(Task("it", Binary()), np.full((10, 1), 0.7), np.r_[np.ones(8), np.zeros(2)][:, None])
    assert (bins[0].low, bins[0].high) == pytest.approx((0.490, 0.943), abs=5e-4)


def test_the_rising_line_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    for digits in (1, 9):
        x = np.round(rng.random(500), digits)
        y = (rng.random(500) < x).astype(float)
        theirs = IsotonicRegression(out_of_bounds="clip").fit(x, y)
        knots, values = rising_line(x, y)
        np.testing.assert_allclose(knots, theirs.X_thresholds_)
        np.testing.assert_allclose(values, theirs.y_thresholds_, atol=1e-12)
