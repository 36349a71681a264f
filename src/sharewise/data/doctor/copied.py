"""Targets that are copies of one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from jaxtyping import Float

from .finding import Finding
from .sample import Target

Array = np.ndarray
FEWEST_ROWS = 20
SAME_NUMBERS, SAME_LABELS, BEYOND_CHANCE = 0.999, 0.995, 0.98
MOST_CLASSES = 50


def copied_targets(targets: Sequence[Target]) -> Iterator[Finding]:
    """Pairs of targets with a correlation above 0.999 in size, or with the same labels, up to their names, in more
    than 99.5 % of the rows that have both (and 98 % of the way from the commonest class to full agreement)."""
    if len(targets) < 2:
        return
    size = _correlation(np.stack([target.values for target in targets], axis=1))
    for i, j in combinations(range(len(targets)), 2):
        first, second = targets[i], targets[j]
        if first.classes > 2 or second.classes > 2:
            share = _agreement(first, second)
            if share < SAME_LABELS:
                continue
            how = f"the same labels as {_name(second)}, up to their names, in {share:.1%} of the rows that have both"
        elif abs(size[i, j]) > SAME_NUMBERS or (first.classes and second.classes and abs(size[i, j]) > BEYOND_CHANCE):
            how = f"a correlation of {size[i, j]:.4f} with {_name(second)}"
        else:
            continue
        yield Finding("warning", "copied-target", first.task, tuple(dict.fromkeys((first.task, second.task))),
                      f"{(first.words and first.words + 'has ') or 'has '}{how}",
                      "Leave one of the two out: it makes the other look easy to help.")


def _name(target: Target) -> str:
    return f"{target.task!r}" + (f" (label {target.label!r})" if target.label else "")


def _correlation(Y: Float[Array, "N T"]) -> Float[Array, "T T"]:
    """Correlations over the rows that have both; 0 where there are fewer than 20 or one of the two is constant."""
    seen = (~np.isnan(Y)).astype(np.float64)
    number = np.maximum(seen.sum(axis=0), 1)
    Z = np.where(seen > 0, Y - np.where(seen > 0, Y, 0).sum(axis=0) / number, 0.0)
    scale = np.sqrt(np.square(Z).sum(axis=0) / number)
    Z = Z / np.where(scale > 0, scale, 1)
    rows = seen.T @ seen
    mean = (Z.T @ seen) / np.maximum(rows, 1)  # of the column i over the rows that have j too
    cross = (Z.T @ Z) / np.maximum(rows, 1) - mean * mean.T
    variance = ((Z**2).T @ seen) / np.maximum(rows, 1) - mean**2
    spread = np.sqrt(np.maximum(variance * variance.T, 0))
    return np.where((rows >= FEWEST_ROWS) & (spread > 1e-9), cross / np.maximum(spread, 1e-9), 0.0)


def _agreement(first: Target, second: Target) -> float:
    """The share of rows that agree under the best one-to-one naming of classes; 0 where chance would do as well."""
    if not 2 < first.classes == second.classes <= MOST_CLASSES:
        return 0.0
    both = ~np.isnan(first.values) & ~np.isnan(second.values)
    if both.sum() < FEWEST_ROWS:
        return 0.0
    table = np.zeros((first.classes, second.classes))
    np.add.at(table, (first.values[both].astype(int), second.values[both].astype(int)), 1)
    best = table.argmax(axis=1)
    kept = table.sum(axis=1) > 0
    if len(set(best[kept])) < kept.sum():
        return 0.0
    share, chance = table.max(axis=1).sum() / both.sum(), table.sum(axis=0).max() / both.sum()
    return float(share) if share - chance > BEYOND_CHANCE * (1 - chance) else 0.0
