"""A table's columns as numbers, for the baselines: simple, and on purpose not the encoder that is being judged."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype


def encode(train: pd.DataFrame, test: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Numbers with NaN where missing; categories one-hot as in ``train`` (an unseen one is all zeros)."""
    parts = [_column(train[name], test[name]) for name in train.columns]
    X, X_test = (np.hstack([part[side] for part in parts]).astype(np.float32) for side in (0, 1))
    varies = np.nan_to_num(X, nan=np.pi).std(axis=0) > 0
    return np.ascontiguousarray(X[:, varies]), np.ascontiguousarray(X_test[:, varies])


def _column(train: pd.Series, test: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    if is_bool_dtype(train) or is_numeric_dtype(train):
        return train.to_numpy(dtype=np.float32)[:, None], test.to_numpy(dtype=np.float32)[:, None]
    known = train.astype(object).value_counts().index.to_numpy()
    return tuple((side.astype(object).to_numpy()[:, None] == known).astype(np.float32) for side in (train, test))


class Dense:
    """Median for gaps, a column that marks them, zero mean and unit spread, clipped at 8: fitted on training rows."""

    def __init__(self, X: np.ndarray) -> None:
        with np.errstate(all="ignore"):
            seen = ~np.isnan(X).all(axis=0)
            self.middle = np.where(seen, np.nanmedian(np.where(seen, X, 0.0), axis=0), 0.0)
        self.gaps = np.flatnonzero(np.isnan(X).any(axis=0))
        filled = self._fill(X)
        self.centre, spread = filled.mean(axis=0), filled.std(axis=0)
        self.spread = np.where(spread > 1e-9, spread, 1.0)

    def __call__(self, X: np.ndarray) -> np.ndarray:
        return np.clip((self._fill(X) - self.centre) / self.spread, -8, 8).astype(np.float32)

    def _fill(self, X: np.ndarray) -> np.ndarray:
        gap = np.isnan(X)
        return np.hstack([np.where(gap, self.middle, X).astype(np.float64), gap[:, self.gaps]])
