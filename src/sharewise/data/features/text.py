"""Columns of free text."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float

from .feature import Array, Feature, Options
from .levels import to_levels
from .text_space import TextSpace


class Text(Feature):
    """A text's place in a space of its words, the number of its words, and whether it is missing."""

    type = "text"

    def __init__(self, name: str, has_missing: bool, space: TextSpace) -> None:
        self.name, self.has_missing, self.space = name, has_missing, space

    @classmethod
    def fit(cls, name: str, column: pd.Series, options: Options) -> Self | None:
        codes, found = to_levels(name, cls.type, column)
        space = TextSpace.fit(found, "word", options.text_size, options.seed)
        return None if space is None else cls(name, bool((codes < 0).any()), space)

    @property
    def names(self) -> list[str]:
        made = [*(f"{self.name}:topic{at}" for at in range(self.space.size)), f"{self.name}:words"]
        return made + [f"{self.name}=(missing)"] * self.has_missing

    def transform(self, column: pd.Series) -> Float[Array, "N d"]:
        codes, found = to_levels(self.name, self.type, column)
        size = self.space.size
        table = np.zeros((len(found) + 1, len(self.names)), dtype=np.float32)
        if found:
            table[:-1, :size] = self.space.transform(found)
            table[:-1, size] = [len(text.split()) for text in found]
        table[-1, size + 1:] = 1.0
        return table[codes]

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        space, arrays = self.space.to_state()
        return {"name": self.name, "has_missing": self.has_missing, "space": space}, arrays

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: dict[str, Array]) -> Self:
        return cls(state["name"], state["has_missing"], TextSpace.from_state(state["space"], arrays))
