"""Rounds of boosting on folds: no row has a say in the rounds of the model that it judges."""

from __future__ import annotations

import numpy as np
import pytest

from sharewise.base.estimator import fit_scales
from sharewise.solve.trees import BoostedTrees, JointBoostedTrees, PooledTrees
from sharewise.solve.trees.fold_rounds import FEW_ROWS, best_rounds, is_stale, rounds_by_neighbours
from sharewise.task import Binary, Regression, Task


def masks(folds: int, rows: int) -> np.ndarray:
    return np.arange(rows) % folds != np.arange(folds)[:, None]


@pytest.mark.parametrize(("folds", "rows", "judges"), [(4, 40, 3), (5, 40, 4), (10, 40, 4), (5, 5 * FEW_ROWS, 2)])
def test_a_fold_is_told_its_rounds_by_rows_and_models_that_know_nothing_of_it(folds, rows, judges):
    train = masks(folds, rows)
    told: dict[int, list[int]] = {fold: [] for fold in range(folds)}

    def watch(fold, learns, held):
        places = [int(np.flatnonzero(~train[:, part].any(axis=1))[0]) for part in held]
        assert places[0] == fold
        for place in places:
            assert not (learns & ~train[place]).any()  # no row of either fold was learned from
            told[place].append(places[1 - places.index(place)])
        return [np.eye(folds)[place] * -1 for place in places]  # the curve on fold j is best after j rounds

    rounds = rounds_by_neighbours(train, watch)
    assert {len(set(others)) for others in told.values()} == {judges}
    for fold, others in told.items():
        assert len(others) == judges  # no pair twice
        assert fold not in others
        assert rounds[fold] == min(others)  # the first of the best rounds


def test_the_best_rounds_are_those_of_the_mean_curve_and_a_short_curve_goes_on_level():
    assert best_rounds([np.array([3.0, 1.0]), None, np.array([3.0, 3.0, 2.0, 4.0])]) == 2
    assert best_rounds([None, None]) == 0


def test_a_curve_is_stale_once_it_has_not_fallen_for_so_long():
    assert is_stale([1.0, 0.5, 0.6, 0.6], patience=2)
    assert not is_stale([1.0, 0.9, 0.8, 0.9], patience=2)


@pytest.mark.parametrize("make", [BoostedTrees, JointBoostedTrees, PooledTrees])
def test_targets_of_noise_are_not_predicted_better_than_by_the_trivial_predictor(make):
    rng = np.random.default_rng(0)
    tasks = [Task(f"t{at}", Binary() if at % 2 else Regression()) for at in range(12)]
    X, Y = rng.normal(size=(150, 10)).astype(np.float32), rng.normal(size=(150, 12))
    Y[:, 1::2] = Y[:, 1::2] > 0
    train, scales = masks(5, 150), fit_scales(tasks, Y)
    losses = []
    for copy, rows in zip(make(tasks, regularisation="strong").fit_folds(X, Y, train), train, strict=True):
        means = copy.predict_mean(X[~rows])
        losses.append([task.kind.row_loss(means[task.name], Y[~rows, at:at + 1]).mean() / scales[task.name].unit
                       for at, task in enumerate(tasks)])
    assert 0.995 < np.mean(losses) < 1.06
