"""What the rows of one task of the long layout say of its target, before anything is said of its kind."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..base import DataError
from .column import sort_of, text_numbers
from .infer_numbers import MOST_LEVELS, infer_number

ENOUGH_ROWS = 20  # of a task, before the few values in them are its classes


class Sample(NamedTuple):
    """The values of one task: what they are (``sort``), how often each stands there, the ``kind`` that they look like
    by themselves ("" where they do not tell), and whether they are ``wide``: on a scale, and not a few whole ones."""

    sort: str
    values: dict[Any, int]
    kind: str = ""
    wide: bool = False

    @property
    def rows(self) -> int:
        return sum(self.values.values())

    @classmethod
    def of(cls, part: pd.Series) -> Sample:
        """The sample in a task's rows of a target column."""
        seen = part.dropna()
        if not len(seen):
            return cls("empty", {})
        if isinstance(seen.dtype, pd.CategoricalDtype):
            seen = seen.astype(object)
        try:
            sort = sort_of(seen, "")
        except DataError:
            sort = "mixed"  # an error that inference tells
        numbers = seen.astype(float) if sort == "number" else _read_numbers(seen) if sort == "text" else None
        if numbers is not None:
            return cls._of_numbers(numbers)
        if sort != "text":
            return cls(sort, dict.fromkeys(range(len(seen)), 1))
        values = Counter(seen.tolist())
        return cls(sort, values, "multiclass" if 1 < len(values) <= len(seen) / 2 else "")

    @classmethod
    def _of_numbers(cls, numbers: pd.Series) -> Sample:
        values, sizes = np.unique(numbers.to_numpy(), return_counts=True)
        counted = dict(zip(values.tolist(), sizes.tolist(), strict=True))
        finite = bool(np.isfinite(values).all())
        kind = infer_number(numbers)[0].name if finite and len(values) > 1 else ""
        fractions = not finite or bool((values != np.round(values)).any())
        few = len(values) <= MOST_LEVELS and not (kind == "count" and len(numbers) >= ENOUGH_ROWS)
        return cls("number", counted, kind, fractions or not few)


def _read_numbers(text: pd.Series) -> pd.Series | None:
    if not any(map(str.isdigit, text.iloc[0])):
        return None  # spares the reading: all cells must be numbers
    try:
        return text_numbers(text, "")
    except DataError:
        return None  # words among numbers: what inference says of all of them
