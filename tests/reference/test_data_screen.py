"""The first glance over many pairs: the shares of variance are those of cells taken one by one."""

from __future__ import annotations

import numpy as np
import pandas as pd

from sharewise.data.doctor.explain import Levels, levels
from sharewise.data.doctor.screen import CELLS, GLANCE, GLANCE_OF_CLASSES, MOST_PAIRS, _cells, worth_a_look


def left_by_cells(feature: Levels, target: np.ndarray) -> float:
    """The variance of an observed target within the cells of a feature, over all its variance."""
    seen = ~np.isnan(target)
    if not seen.any() or np.ptp(target[seen]) == 0:
        return 0.0
    values, cell = target[seen], _cells(feature)[seen]
    within = sum(np.square(values[cell == at] - values[cell == at].mean()).sum() for at in np.unique(cell))
    return float(within / np.square(values - values.mean()).sum())


def test_features_that_may_explain_a_target_are_found_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 45))
    X[:, :15] = rng.random((400, 15)) < 0.03  # flags, seldom on
    X[:, 15:20] = rng.integers(0, 5, size=(400, 5))
    X[rng.random(X.shape) < 0.1] = np.nan
    features = [levels(pd.Series(column)) for column in X.T] + [levels(pd.Series(rng.choice(list("abc"), 400)))]
    targets = [np.nan_to_num(X[:, at % 45]) + rng.normal(size=400) * (at % 5) / 2 for at in range(110)]
    targets += [(target > 0).astype(float) for target in targets[:15]]
    targets += [np.digitize(target, [-1, 0, 1]).astype(float) for target in targets[20:26]]
    classes = [0] * 110 + [2] * 15 + [4] * 6 + [0, 2]
    targets = [np.where(rng.random(400) < 0.3, np.nan, target) for target in targets]
    targets += [np.full(400, np.nan), np.ones(400)]
    assert len(targets) * len(features) > MOST_PAIRS
    left = np.array([[left_by_cells(feature, target) for feature in features] for target in targets])
    limit = np.where(np.array(classes) <= 2, GLANCE, GLANCE_OF_CLASSES)[:, None]
    clear = np.abs(left - limit) > 1e-9
    found = worth_a_look(features, targets, classes)
    np.testing.assert_array_equal(found[clear], (left < limit)[clear])
    assert 0.02 < found.mean() < 0.5 and CELLS == 12


def test_few_pairs_are_all_worth_a_look() -> None:
    feature = levels(pd.Series(np.arange(30.0)))
    assert worth_a_look([feature], [np.arange(30.0)], [0]).tolist() == [[True]]
