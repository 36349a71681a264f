"""How sure it is that one method is ahead of another out of fold: rows' shares in each measure, whose mean is the
measure and whose spread gives its standard error (the delta method, where a measure is no mean over rows)."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata


def lead(ours: np.ndarray, theirs: np.ndarray) -> float:
    """By how many standard errors of the difference the mean of ``ours`` [N] is above that of ``theirs`` [N]."""
    gap = ours - theirs
    error = gap.std() / np.sqrt(len(gap))
    return float(gap.mean() / error) if error > 0 else 0.0


def shares_of_sets(Y: np.ndarray, said: np.ndarray) -> dict[str, np.ndarray]:
    """Of label sets [N, L]: hamming_loss, and the three F1."""
    true, said = Y > 0, said > 0
    hits, both = (true & said).astype(float), true.astype(float) + said
    met = both.sum(axis=0) > 0
    f1 = 2 * hits[:, met].sum(axis=0) / both[:, met].sum(axis=0)
    micro = 2 * hits.sum() / max(both.sum(), 1)
    rows = both.sum(axis=1)
    return {"hamming_loss": (true != said).mean(axis=1),
            "example_f1": np.where(rows > 0, 2 * hits.sum(axis=1) / np.maximum(rows, 1), 1.0),
            "micro_f1": micro + len(Y) * (2 * hits.sum(axis=1) - micro * rows) / max(both.sum(), 1),
            "macro_f1": f1.mean() + len(Y) * ((2 * hits[:, met] - f1 * both[:, met])
                                              / both[:, met].sum(axis=0)).mean(axis=1)}


def shares_of_ranking(Y: np.ndarray, chances: np.ndarray) -> dict[str, np.ndarray]:
    """Of probabilities [N, L]: ranking_precision, coverage, ranking_loss and macro_auroc."""
    true, places = Y > 0, rankdata(-chances, axis=1, method="max")
    some = true.any(axis=1)
    deepest = np.where(true, places, 1).max(axis=1) - 1.0
    coverage = deepest[some].mean()
    precision, loss = np.ones(len(Y)), np.zeros(len(Y))
    for row in np.flatnonzero(some & ~true.all(axis=1)):
        on, off = chances[row, true[row]], chances[row, ~true[row]]
        mine = places[row, true[row]]
        precision[row] = np.mean((mine <= mine[:, None]).sum(axis=1) / mine)
        loss[row] = (on[:, None] <= off).mean()
    return {"ranking_precision": precision, "ranking_loss": loss, "macro_auroc": _auroc(true, chances),
            "coverage": coverage + some * (deepest - coverage) / some.mean()}


def _auroc(true: np.ndarray, chances: np.ndarray) -> np.ndarray:
    """Each row's share in the mean over labels (DeLong and others 1988, Comparing the areas under two or more
    correlated ROC curves)."""
    rows = len(true)
    found = []
    for on, chance in zip(true.T, chances.T, strict=True):
        if on.any() and not on.all():
            places, ons, offs = rankdata(chance), on.sum(), rows - on.sum()
            share = np.empty(rows)
            share[on] = (places[on] - rankdata(chance[on])) / offs
            share[~on] = 1 - (places[~on] - rankdata(chance[~on])) / ons
            area = share[on].mean()
            found.append(area + (share - area) * rows / np.where(on, ons, offs))
    return np.mean(found, axis=0)
