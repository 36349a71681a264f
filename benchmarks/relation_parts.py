"""Where the gains of pairs come from: receivers, helpers, pairs; and what of each comes back in other rows and runs."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from relation_predictor import Run, pairs_in_units
from relation_truth import in_the_others, pair_matrix, spearman


def effects(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The effect of the receiver, of the helper and the rest of each pair [T, T] by least squares, each of mean 0; they
    and the mean add up to the matrix. The diagonal is NaN."""
    tasks, off = len(matrix), ~np.eye(len(matrix), dtype=bool)
    helper, receiver = np.nonzero(off)
    design = np.hstack([np.eye(tasks)[receiver], np.eye(tasks)[helper]])
    found = np.linalg.lstsq(design, matrix[off], rcond=None)[0].reshape(2, tasks)
    found -= found.mean(axis=1, keepdims=True)
    gaps = np.where(off, 0.0, np.nan)
    received, helped = gaps + found[0], gaps + found[1][:, None]
    return received, helped, matrix - np.nanmean(matrix) - received - helped


def shared(left: np.ndarray, right: np.ndarray) -> list[float]:
    """Covariance of each effect in two matrices; of a matrix with itself its variance."""
    return [float(np.nanmean(a * b)) for a, b in zip(effects(left), effects(right), strict=True)]


def come_back(runs: list[Run]) -> tuple[float, float, float]:
    """Rank correlation of the mean pair gains of half the seeds with those of the other half, mean over all ways to
    halve them: validation with validation, test with test, validation with test."""
    seen, truth = ([pair_matrix(cell, side) for cell, _ in runs] for side in ("validation", "test"))
    seeds, found = range(len(runs)), []
    for half in combinations(seeds, len(runs) // 2):
        rest = [seed for seed in seeds if seed not in half]
        v, w, t, u = (np.mean([part[seed] for seed in which], axis=0)
                      for part, which in ((seen, half), (seen, rest), (truth, half), (truth, rest)))
        found.append((spearman(v, w), spearman(t, u), spearman(v, u)))
    return tuple(np.mean(found, axis=0).tolist())


def parts_table(cells: dict[str, list[Run]]) -> list[str]:
    """Variances of the parts and what of them holds, a line a set."""
    page = ["## Where a gain comes from", "",
            "Variance of the validation gains of pairs in one run, in squares of their unit (`gain_unit`), by receiver "
            "/ helper / the pair beyond both; its part that the test gains of the same run share, and those of other "
            "seeds. What is left is luck: of the receiver, the one run of it alone, which is in all its gains, and few "
            "rows. The last three: rank correlation of the means over half of the seeds with those over the other "
            "half. Where validation gains come back in validation rows and not in test rows, the rows to be served "
            "are others (rf1: a flood), and no choice by validation rows can know.", "",
            "| set | one run | shared with its test gains | with other seeds | validation again | test again |"
            " test from validation |", "|---|--:|--:|--:|--:|--:|--:|"]
    rows = []
    for runs in cells.values():
        units = [pairs_in_units(cell) for cell, _ in runs]
        others = in_the_others([truth for _, truth in units])
        own = [shared(seen, seen) for seen, _ in units]
        same = [shared(seen, truth) for seen, truth in units]
        beyond = [shared(seen, other) for (seen, _), other in zip(units, others, strict=True)]
        rows.append(np.concatenate([np.mean(part, axis=0) for part in (own, same, beyond)] + [come_back(runs)]))
    page += [_line(name, row) for name, row in zip(cells, rows, strict=True)]
    return [*page, _line("mean", np.mean(rows, axis=0)), ""]


def _line(name: str, row: np.ndarray) -> str:
    three = [" / ".join(f"{value:.2f}" for value in row[at:at + 3]) for at in (0, 3, 6)]
    return f"| {name} | {' | '.join(three)} | {' | '.join(f'{value:.2f}' for value in row[9:])} |"
