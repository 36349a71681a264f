"""The true gains of a cell's groups, and how well anything knew them: arithmetic of ``relations.py``."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.stats import spearmanr


def spearman(left: np.ndarray, right: np.ndarray) -> float:
    """Rank correlation where both are known; 0 where one of them is constant."""
    known = ~np.isnan(left) & ~np.isnan(right)
    if known.sum() < 3 or np.ptp(left[known]) == 0 or np.ptp(right[known]) == 0:
        return 0.0
    return float(spearmanr(left[known], right[known])[0])


def gains(cell: dict, what: str, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Groups [G, T], and the gain over learning alone of each member [G, T]."""
    alone = np.array(cell["alone"][side])[:, 0]
    groups = np.zeros((len(cell[what]["groups"]), cell["tasks"]), dtype=bool)
    found = np.full(groups.shape, np.nan)
    for at, (members, losses) in enumerate(zip(cell[what]["groups"], cell[what][side], strict=True)):
        groups[at, members] = True
        found[at, members] = 1 - np.array(losses) / alone[members]
    return groups, found


def as_matrix(cell: dict, pairs: np.ndarray) -> np.ndarray:
    """Gains of the members of all pairs [P, T] as [T, T]: of task j in the pair {i, j}, NaN on the diagonal."""
    matrix = np.full((cell["tasks"], cell["tasks"]), np.nan)
    for row, (i, j) in zip(pairs, cell["pairs"]["groups"], strict=True):
        matrix[i, j], matrix[j, i] = row[j], row[i]
    return matrix


def pair_matrix(cell: dict, side: str) -> np.ndarray:
    """Gain of task j in the pair {i, j} [T, T]."""
    return as_matrix(cell, gains(cell, "pairs", side)[1])


def in_the_others(truths: list[np.ndarray]) -> list[np.ndarray]:
    """For each seed the mean gain in all other seeds."""
    total = np.sum(truths, axis=0)
    return [(total - truth) / (len(truths) - 1) for truth in truths]


def mean_score(matrices: list[np.ndarray], truths: list[np.ndarray]) -> float:
    """Rank correlation of each seed's matrix with the mean gain in the other seeds, mean over seeds."""
    return float(np.mean([spearman(*pair) for pair in zip(matrices, in_the_others(truths), strict=True)]))


def without_one_seed(matrices: list[np.ndarray], truths: list[np.ndarray]) -> np.ndarray:
    """``mean_score`` without each seed in turn [S]: the jackknife, as seeds share the truths."""
    kept = [[seed for seed in range(len(truths)) if seed != left_out] for left_out in range(len(truths))]
    return np.array([mean_score([matrices[s] for s in own], [truths[s] for s in own]) for own in kept])


def jackknife_error(values: np.ndarray) -> float:
    """Standard error from the scores without each seed [S]."""
    return float(np.sqrt((len(values) - 1) * np.var(values)))


def hit_rate(matrix: np.ndarray, truth: np.ndarray) -> float:
    """Share of the tasks whose best helper is named; chance is 1 / (T - 1)."""
    named, best = (np.where(np.isnan(truth), -np.inf, part).argmax(axis=0) for part in (matrix, truth))
    return float((named == best).mean())


def reliability(truths: list[np.ndarray]) -> float:
    """Rank correlation between the means of the two halves of the seeds, mean over all ways to halve them, stepped up
    to all seeds (Spearman-Brown)."""
    seeds = range(len(truths))
    found = [spearman(np.mean([truths[s] for s in half], axis=0),
                      np.mean([truths[s] for s in seeds if s not in half], axis=0))
             for half in combinations(seeds, len(truths) // 2)]
    mean = float(np.mean(found))
    return 2 * mean / (1 + mean) if mean > 0 else mean
