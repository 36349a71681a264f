"""Features that together give a class away: thresholds on two or three of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int

from .explain import Levels

Array = np.ndarray
MOST_PARTS = 3
MOST_FEATURES = 15
DEPTH = 4
FEWEST_ROWS, FEWEST_IN_LEAF = 100, 3
PARTS = 5
QUICK_ROWS = 1000  # for a first glance: most targets have no rule
GLANCE = 0.9  # a feature that leaves more says nothing by itself, and a tree finds no rule from there


def rule_of(target: Int[Array, "N"], features: dict[str, Levels], left: dict[str, float],
            limit: float) -> tuple[tuple[str, ...], float] | None:
    """The features, two or three, that give a class by a rule, and the share that is left; None where none do.

    A shallow decision tree over the 15 features that leave least by themselves (``left``); then one over the two, then
    the three, that serve it most. These are judged on rows that they have not seen, a fifth at a time: less than
    ``limit`` of the variance, and half of what the best feature alone leaves, may be left. A pressure of 140 over
    anything, or anything over 90, thus is a rule for high blood pressure; honest features leave far more.

    Trees: Breiman, Friedman, Olshen, Stone 1984, Classification and Regression Trees.
    """
    names = sorted((name for name in features if left[name] < 1), key=left.__getitem__)[:MOST_FEATURES]
    if len(target) < FEWEST_ROWS or len(names) < 2 or left[names[0]] > GLANCE:
        return None
    X = np.stack([_steps(features[name]) for name in names], axis=1)
    few = slice(None, None, max(1, len(target) // QUICK_ROWS))
    if _left(target[few], _tree().fit(X[few], target[few]).predict(X[few])) > 2 * limit:
        return None
    tree = _tree().fit(X, target)
    if _left(target, tree.predict(X)) > limit:
        return None
    order = np.argsort(-tree.feature_importances_, kind="stable")[:np.count_nonzero(tree.feature_importances_)]
    for parts in range(2, min(MOST_PARTS, len(order)) + 1):
        chosen = order[:parts]
        share = _left_unseen(X[:, chosen], target)
        if share < min(limit, left[names[0]] / 2):
            return tuple(names[place] for place in chosen), share
    return None


def _steps(feature: Levels) -> Float[Array, "N"]:
    """The levels by their number, missing ones as NaN; a threshold asks for no more than their order."""
    return np.where(feature.missing, np.nan, feature.code).astype(np.float32)


def _tree() -> Any:
    from sklearn.tree import DecisionTreeClassifier

    return DecisionTreeClassifier(max_depth=DEPTH, min_samples_leaf=FEWEST_IN_LEAF, random_state=0)


def _left(target: Int[Array, "N"], told: Int[Array, "N"]) -> float:
    """The share of the classes' variance that is left, where single classes are told."""
    share = np.bincount(target) / len(target)
    return float(2 * np.mean(told != target) / max(1 - np.square(share).sum(), 1e-300))


def _left_unseen(X: Float[Array, "N k"], target: Int[Array, "N"]) -> float:
    told = np.empty_like(target)
    part = np.arange(len(target)) % PARTS
    for own in range(PARTS):
        told[part == own] = _tree().fit(X[part != own], target[part != own]).predict(X[part == own])
    return _left(target, told)
