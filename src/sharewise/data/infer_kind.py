"""The kind of one target, read from its values, and the reason in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from ..base import DataError
from ..task import Binary, Kind, Multiclass, Multilabel, Ordinal
from .column import distinct, sort_of, text_numbers
from .features.date import date_format
from .infer_numbers import infer_number
from .label_sets import find_separator, set_labels
from .parse_kind import natural_order
from .positive import positive_first

Found = tuple[Kind, str]


def infer_kind(column: pd.Series) -> Found:
    """Kind and reason of a tidy column with two or more distinct values.

    DataError where no kind fits: dates, mixed types, text that is different in every row.
    """
    thing = f"target {column.name!r}"
    sort = sort_of(column, thing)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return _category(column)
    readers: dict[str, Callable[[pd.Series], Found]] = {"number": _numbers, "boolean": _classes, "text": _text,
                                                        "sets": _sets}
    if sort not in readers:
        raise _no_number(column, sort)
    return readers[sort](column)


def _no_number(column: pd.Series, sort: str) -> DataError:
    return DataError(f"target {column.name!r}", f"holds {sort}s",
                     "a target must hold numbers, classes or sets of labels",
                     "Turn it into a number, such as days from a fixed date.")


def _numbers(column: pd.Series) -> Found:
    return infer_number(pd.Series(column.to_numpy(dtype=np.float64, na_value=np.nan), column.index, name=column.name))


def _text(column: pd.Series) -> Found:
    numbers = text_numbers(column, f"target {column.name!r}")
    if numbers is not None:
        kind, reason = infer_number(numbers)
        if kind.classes:  # the labels stay text, as in the table
            ordered = natural_order(column) or []
            kind = type(kind)(tuple(ordered))  # type: ignore[call-arg]
        return kind, f"numbers written as text; {reason}"
    separator = find_separator(column)
    if separator:
        labels = set_labels(column, separator)
        return Multilabel(tuple(labels), separator=separator), f"sets of {len(labels)} labels, cut at {separator!r}"
    return _classes(column)


def _sets(column: pd.Series) -> Found:
    labels = set_labels(column, "")
    if len(labels) < 2:
        raise DataError(f"target {column.name!r}", f"has {len(labels)} labels in its sets", "it needs 2 or more",
                        "Drop it from the targets.")
    return Multilabel(tuple(labels)), f"lists of {len(labels)} labels"


def _category(column: pd.Series) -> Found:
    order = natural_order(column) if column.dtype.ordered else None  # type: ignore[union-attr]
    if order and len(order) > 2:
        return Ordinal(tuple(order)), f"an ordered category ({few(order, ' < ')})"
    if order:
        return Binary(tuple(order)), f"an ordered category of 2 levels, {order[1]!r} is positive"
    return _classes(column)


def _classes(column: pd.Series) -> Found:
    found = distinct(column)
    if len(found) == 2:
        order, why = positive_first(found, column.name)
        return Binary(tuple(order[::-1])), f"2 distinct values ({few(found)}); {why}"
    check_repeats(column, found)
    rising = natural_order(column) if all(isinstance(value, str) for value in found) else None
    if rising:
        return Ordinal(tuple(rising)), f"words in an order ({few(rising, ' < ')})"
    return Multiclass(tuple(found)), f"{len(found)} classes ({few(found)})"


def check_repeats(column: pd.Series, found: list[Any]) -> None:
    """DataError where classes are different in every row: names or ids, which nothing can be learned from."""
    if len(found) == int(column.notna().sum()) and len(found) > 2:
        if sort_of(column, "") == "text" and date_format(column) is not None:
            raise _no_number(column, "date")
        raise DataError(f"target {column.name!r}", f"has {len(found)} distinct values in {len(found)} rows, like an id",
                        "a class must stand in several rows", "Drop it from the targets.")


def few(values: list[Any], between: str = ", ") -> str:
    """The first values, and how many there are."""
    shown = between.join(str(value) for value in values[:7])
    return shown if len(values) <= 7 else f"{shown}{between}... {values[-1]}"
