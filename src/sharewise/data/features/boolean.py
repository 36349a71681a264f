"""Columns of yes and no, in whatever words."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float

from .feature import Array, Feature, Options, wrong_type
from .levels import to_levels

PAIRS = (("yes", "no"), ("true", "false"), ("y", "n"), ("t", "f"))
TRUE = frozenset(("1", *(yes for yes, _ in PAIRS)))
FALSE = frozenset(("0", *(no for _, no in PAIRS)))


class Boolean(Feature):
    """1 for yes, 0 for no, NaN where missing or another word."""

    type = "boolean"

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def fit(cls, name: str, column: pd.Series, options: Options) -> Self | None:
        values = cls(name).transform(column)
        return None if not np.isnan(values).any() and values.min() == values.max() else cls(name)

    @property
    def names(self) -> list[str]:
        return [self.name]

    def transform(self, column: pd.Series) -> Float[Array, "N 1"]:
        if column.dtype == np.bool_:
            return column.to_numpy(dtype=np.float32)[:, None]
        codes, found = to_levels(self.name, self.type, column)
        truth = np.array([*(_truth(level) for level in found), np.nan], dtype=np.float32)
        if pd.api.types.is_numeric_dtype(column.dtype) and np.isnan(truth[:-1]).any():
            at = int(np.isnan(truth).argmax())
            raise wrong_type(self.name, self.type, f"has {found[at]} in row {column.index[(codes == at).argmax()]}")
        return truth[codes][:, None]

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {"name": self.name}, {}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: dict[str, Array]) -> Self:
        return cls(**state)


def is_yes_or_no(levels: list[str]) -> bool:
    """Whether two levels are a yes and its no."""
    return {level.strip().lower() for level in levels} in [set(pair) for pair in PAIRS] and len(levels) == 2


def _truth(level: str) -> float:
    word = level.strip().lower()
    return 1.0 if word in TRUE else 0.0 if word in FALSE else np.nan
