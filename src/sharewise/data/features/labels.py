"""Columns whose cells are sets of labels."""

from __future__ import annotations

from collections import Counter
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float

from ...base import DataError
from ..column import sort_of, tidy
from ..label_sets import labels_of
from .feature import Array, Feature, Options, wrong_type

MOST_LABELS = 64


class Labels(Feature):
    """A column of 0 and 1 for each of the most frequent labels, the size of the set, and whether it is missing."""

    type = "labels"

    def __init__(self, name: str, labels: list[str], separator: str, has_missing: bool) -> None:
        self.name, self.labels, self.separator, self.has_missing = name, labels, separator, has_missing
        self._place = {label: at for at, label in enumerate(labels)}

    @classmethod
    def fit(cls, name: str, column: pd.Series, options: Options, separator: str = "") -> Self | None:
        feature = cls(name, [], separator, bool(column.isna().any()))
        sets = [labels for labels in feature._sets(column) if labels is not None]
        counts = Counter(label for labels in sets for label in set(labels))
        if len(counts) > max(MOST_LABELS, len(sets)):
            raise DataError(f"column {name!r}", f"holds lists of {len(counts)} different things",
                            "a cell must hold one value or a set of labels that recur", "Spread it over columns.")
        if not counts or (not feature.has_missing and set(counts.values()) == {len(sets)}):
            return None
        labels = sorted(counts, key=lambda label: (-counts[label], label))[:MOST_LABELS]
        return cls(name, labels, separator, feature.has_missing)

    @property
    def names(self) -> list[str]:
        made = [*(f"{self.name}={label}" for label in self.labels), f"{self.name}:size"]
        return made + [f"{self.name}=(missing)"] * self.has_missing

    def transform(self, column: pd.Series) -> Float[Array, "N d"]:
        values = np.zeros((len(column), len(self.names)), dtype=np.float32)
        size = len(self.labels)
        for row, labels in enumerate(self._sets(column)):
            if labels is None:
                values[row, size + 1:] = 1.0
                continue
            values[row, [self._place[label] for label in labels if label in self._place]] = 1.0
            values[row, size] = len(labels)
        return values

    def _sets(self, column: pd.Series) -> list[list[str] | None]:
        column = tidy(column)
        sort = sort_of(column, f"column {self.name!r}")
        if sort not in ("sets", "text", "empty"):
            raise wrong_type(self.name, "labels", f"holds {sort}s")
        lost = column.isna().to_numpy()
        return [None if gap else labels_of(cell, self.separator or ";") if isinstance(cell, str) else
                [str(label) for label in cell] for gap, cell in zip(lost, column.to_numpy(dtype=object), strict=True)]

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        return {"name": self.name, "labels": self.labels, "separator": self.separator,
                "has_missing": self.has_missing}, {}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: dict[str, Array]) -> Self:
        return cls(**state)
