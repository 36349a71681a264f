"""How a forest grows over one or many target columns, some of them with gaps."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_array
from sklearn.base import RegressorMixin

from ...base.errors import JobError
from .forest import Forest

Array = np.ndarray


class Columns(NamedTuple):
    """Target columns of a forest: ``target`` [N, C] with NaN = not observed; ``weight`` [C] scales each column in the
    choice of splits; ``prior`` [C] is the trivial prediction; ``shrink`` [C] the weight, in rows, of a node's parent
    in the value of the node."""

    target: Float[Array, "N C"]
    weight: Float[Array, "C"]
    prior: Float[Array, "C"]
    shrink: Float[Array, "C"]


def grow(X: Float[Array, "N D"], columns: Columns, maker: RegressorMixin) -> Forest:
    """A forest that splits for all columns at once and answers from observed targets only.

    Splits lessen the summed squared error of the weighted columns (for 0/1 columns that is the Gini impurity). Gaps
    are filled for the choice of splits alone: by the trivial prediction for a first small forest, by that forest's
    answer for the forest proper. Every leaf is then valued from the targets observed among its own training rows.
    """
    gaps = np.isnan(columns.target)
    filled = columns.target
    if gaps.any():
        start = np.where(gaps, columns.prior, columns.target)
        trees = maker.n_estimators
        first = maker.set_params(n_estimators=max(10, trees // 8)).fit(X, start * columns.weight)
        guess = valued(first, X, columns).predict(X)
        maker.set_params(n_estimators=trees)
        filled = np.where(gaps, guess, columns.target)
    scaled = filled * columns.weight
    return valued(maker.fit(X, scaled if scaled.shape[1] > 1 else scaled[:, 0]), X, columns)


def valued(grown: Any, X: Float[Array, "N D"], columns: Columns) -> Forest:
    """The splits of a fitted scikit-learn forest as a Forest, with the leaves valued from observed targets."""
    trees = [estimator.tree_ for estimator in grown.estimators_]
    starts = np.cumsum([0, *(tree.node_count for tree in trees)])
    left, right, feature, threshold, missing_left = (
        np.concatenate([np.asarray(getattr(tree, name)) for tree in trees])
        for name in ("children_left", "children_right", "feature", "threshold", "missing_go_to_left"))
    leaf = right < 0
    own = np.arange(len(right)) - np.repeat(starts[:-1], np.diff(starts))
    if (left[~leaf] != own[~leaf] + 1).any():
        raise JobError("scikit-learn", "has laid out a tree in another order", "the left child must be the next node",
                       "Grow trees without max_leaf_nodes.")
    forest = Forest(starts, right.astype(np.int32),
                    np.where(leaf, 0, feature).astype(np.uint16 if X.shape[1] < 65_536 else np.int32),
                    floor_single(np.where(leaf, 0.0, threshold)), missing_left.astype(np.uint8),
                    np.zeros((leaf.sum(), columns.target.shape[1]), dtype=np.float32), X.shape[1])
    samples = grown.estimators_samples_
    step = max(1, int(1e7 / (columns.target.shape[1] * max(int(np.diff(starts).max()), len(X)))))
    for low in range(0, len(trees), step):
        fill_values(forest, range(low, min(low + step, len(trees))), X, columns, samples)
    return forest


def floor_single(threshold: Float[Array, "M"]) -> Float[Array, "M"]:
    """The largest float32 that is not above: ``x <= threshold`` says the same of it, for every float32 x."""
    with np.errstate(over="ignore"):
        near = threshold.astype(np.float32)
        return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)


def fill_values(forest: Forest, trees: range, X: Array, columns: Columns, samples: list[Array]) -> None:
    """Value the leaves of some trees: the mean of the observed targets, drawn towards the parent node's value
    (hierarchical shrinkage, Agarwal and others 2022, with weights that are counts); the parent's value where a leaf
    has no observed target."""
    base, end = forest.starts[trees[0]], forest.starts[trees[-1] + 1]
    sums, counts = leaf_sums(forest, trees, X, columns, samples)
    right = forest.right[base:end]
    offset = np.repeat(forest.starts[trees[0]:trees[-1] + 1], np.diff(forest.starts[trees[0]:trees[-1] + 2])) - base
    levels = [forest.starts[trees[0]:trees[-1] + 1] - base]
    while len(inner := levels[-1][right[levels[-1]] >= 0]):
        levels.append(np.concatenate([inner + 1, offset[inner] + right[inner]]))
    for level in levels[-2::-1]:
        inner = level[right[level] >= 0]
        for total in (sums, counts):
            total[inner] = total[inner + 1] + total[offset[inner] + right[inner]]
    above = np.broadcast_to(columns.prior, (len(levels[0]), sums.shape[1]))
    for level in levels:
        count = counts[level]
        shrink = np.where(count > 0, columns.shrink, 1.0)
        value = (sums[level] + shrink * above) / (count + shrink)
        inner = right[level] >= 0
        forest.values[forest.leaf[base + level[~inner]]] = value[~inner]
        above = np.concatenate([value[inner], value[inner]])


def leaf_sums(forest: Forest, trees: range, X: Array, columns: Columns, samples: list[Array]) -> tuple[Array, Array]:
    """Sum and number [m, C] of the observed targets among each node's own training rows (0 in inner nodes)."""
    base, end = forest.starts[trees[0]], forest.starts[trees[-1] + 1]
    drawn = np.concatenate([samples[tree] for tree in trees])
    nodes = np.concatenate([forest.leaves(tree, X)[samples[tree]] for tree in trees]) - base
    members = csr_array((np.ones(len(drawn)), (nodes, drawn)), shape=(int(end - base), len(X)))
    seen = ~np.isnan(columns.target)
    return members @ np.where(seen, columns.target, 0.0), members @ seen.astype(np.float64)
