"""What the networks of each fold of benchmarks/portfolio.py read: made from the fold's own training rows alone.

Held-out rows must meet a model as test rows do. Where principal components or scales had seen them, or only test rows
were clipped, out-of-fold gains of oes97 stood at -5 % where the same networks gained +14 % on test rows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from portfolio_sets import Data
from sharewise.train.features import fit_features

MOST_INPUTS = 64

Array = np.ndarray


class Folds(NamedTuple):
    """Of each of K folds: inputs ``X`` [K, N, F] and ``X_test`` [K, N', F]; ``Z`` [K, N, T], targets less the
    ``centre`` [K, T] of the fold's training rows (0 of binary tasks)."""

    X: Array
    X_test: Array
    Z: Array
    centre: Array

    @classmethod
    def of(cls, data: Data, folds: Array) -> Folds:
        """Numbers as the library's networks read them (scaled by quantiles, smoothly clipped, flags for gaps), at most
        64 principal components of them; all fitted without the fold's held-out rows."""
        train = np.stack([folds != fold for fold in range(folds.max() + 1)])
        features = fit_features(data.X, train, bins=0)
        parts, centres = [], []
        for fold, kept in enumerate(train):
            both = [features.embed(torch.from_numpy(X).float()[None], torch.tensor([fold]))[0].numpy()
                    for X in (data.X, data.X_test)]
            parts.append(components(both, kept) if both[0].shape[1] > MOST_INPUTS else both)
            sums, counts = np.nansum(data.Z[kept], axis=0), np.maximum((~np.isnan(data.Z[kept])).sum(axis=0), 1)
            centres.append(np.where(data.binary, 0.0, sums / counts))
        X, X_test = (np.stack([part[at] for part in parts]).astype(np.float32) for at in (0, 1))
        return cls(X, X_test, data.Z - np.stack(centres)[:, None], np.stack(centres))


def components(parts: list[Array], kept: Array) -> list[Array]:
    """The leading principal components of the kept rows, with a mean variance of 1."""
    middle = parts[0][kept].mean(axis=0)
    axes = np.linalg.svd(parts[0][kept] - middle, full_matrices=False)[2][:MOST_INPUTS].T
    scale = ((parts[0][kept] - middle) @ axes).std(axis=0).mean()
    return [(part - middle) @ axes / scale for part in parts]
