"""Columns of categories, few or many."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..column import native
from ..word_scales import word_order
from .feature import Array, Feature, Options
from .levels import to_levels
from .text_space import TextSpace


class Category(Feature):
    """A column of 0 and 1 for each level, all 0 for a level that the training rows do not have.

    Gaps have a level of their own if the training rows have any. Levels with a known order also give their rank.
    Where there are more levels than ``one_hot_levels``, the most frequent ones get columns, and each level its share
    of the training rows and its place in a space of character n-grams, where alike spellings are near.
    """

    type = "category"

    def __init__(self, name: str, levels: list[str], has_missing: bool, order: list[str],
                 shares: dict[str, float] | None = None, space: TextSpace | None = None) -> None:
        self.name, self.levels, self.has_missing, self.order = name, levels, has_missing, order
        self.shares, self.space = shares, space
        self._place = {level: at for at, level in enumerate(levels)}
        self._width = len(self.names)
        self._rank = {level: float(at) for at, level in enumerate(order)}

    @classmethod
    def fit(cls, name: str, column: pd.Series, options: Options) -> Self | None:
        codes, found = to_levels(name, cls.type, column)
        counts = np.bincount(codes + 1, minlength=len(found) + 1)
        has_missing = bool(counts[0])
        by_count = sorted(range(len(found)), key=lambda at: (-counts[at + 1], found[at]))
        by_count = [at for at in by_count if counts[at + 1]]
        if len(by_count) + has_missing < 2:
            return None
        if len(by_count) <= options.one_hot_levels:
            levels = [found[at] for at in by_count]
            return cls(name, sorted(levels), has_missing, level_order(column, levels))
        top = [found[at] for at in by_count[:options.one_hot_levels] if counts[at + 1] > 1]
        shares = {found[at]: float(counts[at + 1] / len(codes)) for at in by_count}
        space = TextSpace.fit(list(shares), "char_wb", options.character_size, options.seed)
        return cls(name, top, has_missing, [], shares, space)

    @property
    def names(self) -> list[str]:
        made = [f"{self.name}={level}" for level in self.levels]
        made += [f"{self.name}=(missing)"] * self.has_missing + [f"{self.name}:order"] * bool(self.order)
        if self.shares is None:
            return made
        size = self.space.size if self.space else 0
        return [*made, f"{self.name}:share", *(f"{self.name}:letters{at}" for at in range(size))]

    def transform(self, column: pd.Series) -> Float[Array, "N d"]:
        codes, found = to_levels(self.name, self.type, column)
        return self._table(found)[codes]

    def _table(self, found: Sequence[str]) -> Float[Array, "U1 d"]:
        """The rows of X for each level that was found, and last the one for a gap."""
        hot = len(self.levels)
        table = np.zeros((len(found) + 1, self._width), dtype=np.float32)
        for row, level in enumerate(found):
            if level in self._place:
                table[row, self._place[level]] = 1.0
        at = hot + self.has_missing
        table[-1, hot:at] = 1.0
        if self.order:
            table[:, at] = [*(self._rank.get(level, np.nan) for level in found), np.nan]
        if self.shares is not None:
            table[:-1, at] = [self.shares.get(level, 0.0) for level in found]
            if self.space is not None and len(found):
                table[:-1, at + 1:] = self.space.transform(found)
        return table

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        space, arrays = self.space.to_state() if self.space else (None, {})
        return {"name": self.name, "levels": self.levels, "has_missing": self.has_missing, "order": self.order,
                "shares": self.shares, "space": space}, arrays

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: dict[str, Array]) -> Self:
        space = TextSpace.from_state(state["space"], arrays) if state["space"] else None
        return cls(**{**state, "space": space})


def level_order(column: pd.Series, levels: list[str]) -> list[str]:
    """Three or more levels from low to high where the column or the words say so; else none."""
    if len(levels) < 3:
        return []
    if isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
        return [level for level in (str(native(level)) for level in column.dtype.categories) if level in levels]
    return word_order(levels) or []
