"""The kind of a target as a user writes it: ``ordinal:low<mid<high``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from ..base import DataError, UsageError
from ..base.checks import one_of
from ..task import Binary, Count, Kind, Multiclass, Multilabel, Ordinal, Regression
from .column import distinct, native, sort_of, text_numbers, tidy
from .label_sets import find_separator, set_labels
from .positive import positive_first
from .word_scales import word_order

WORDS = ("regression", "count", "binary", "multiclass", "ordinal", "multilabel")


def parse_kind(spec: str | Kind, values: pd.Series) -> Kind:
    """The kind that ``spec`` says, with its classes taken from ``values`` where the spec leaves them open.

    ``regression``, ``count``; ``binary`` or ``binary:POSITIVE``; ``multiclass`` or ``multiclass:a,b,c``;
    ``ordinal`` (an ordered category, numbers, or words of a known scale) or ``ordinal:low<mid<high``;
    ``multilabel`` or ``multilabel:;`` with the separator of the labels in a cell. Classes are written as in the
    table and come back as plain Python values.

    UnknownNameError on an unknown word, UsageError on a part that it can't have, DataError where the values do not
    fit: a value that is none of the classes, more than two values for binary, no order to be seen for ordinal.

    >>> parse_kind("ordinal:low<mid<high", pd.Series(["mid", "low", "high"], name="grade")).classes
    ('low', 'mid', 'high')
    >>> parse_kind("binary:no", pd.Series(["no", "yes"], name="kept")).classes
    ('yes', 'no')
    """
    if isinstance(spec, Kind):
        return spec
    if not isinstance(spec, str):
        raise UsageError(f"kind of target {str(values.name)!r}", f"is {spec!r}", "it must be a Kind or a text",
                         f"Write one of {', '.join(WORDS)}.")
    word, _, rest = spec.strip().partition(":")
    word, rest, column = word.strip().lower(), rest.strip(), tidy(values)
    one_of(f"kind of target {str(values.name)!r}", word, WORDS)
    if word in ("regression", "count"):
        if rest:
            raise UsageError(f"kind {spec!r}", f"has {rest!r} after the colon", f"{word} takes nothing there",
                             f"Write {word}.")
        return Regression() if word == "regression" else Count()
    if word == "multilabel":
        return _multilabel(rest, column)
    if word == "binary":
        return _binary(rest, column)
    return _multiclass(rest, column) if word == "multiclass" else _ordinal(rest, column)


def _binary(rest: str, column: pd.Series) -> Kind:
    found = distinct(column)
    if len(found) > 2:
        raise DataError(f"target {column.name!r}", f"has {len(found)} distinct values ({_few(found)})",
                        "a binary target has 2", "Set another kind for it.")
    if not rest:
        _need_two(found, column)
        return Binary(tuple(positive_first(found)[0][::-1]))
    positive = _as_in_table([rest], column)[0]
    others = [value for value in found if value != positive]
    if len(others) != 1:
        raise DataError(f"target {column.name!r}", f"has the values {_few(found)}",
                        f"a binary target with the positive class {positive!r} has that and one other",
                        "Name one of its values after the colon.")
    return Binary((others[0], positive))


def _multiclass(rest: str, column: pd.Series) -> Kind:
    classes = _as_in_table(rest.split(","), column) if rest else distinct(column)
    _need_two(classes, column)
    return Multiclass(tuple(_checked(classes, column)))


def _ordinal(rest: str, column: pd.Series) -> Kind:
    if rest:
        return Ordinal(tuple(_checked(_as_in_table(rest.split("<"), column), column)))
    order = natural_order(column)
    if order is None:
        raise DataError(f"target {column.name!r}", f"has the values {_few(distinct(column))}, whose order is not known",
                        "an ordinal target needs its levels from low to high", "Write ordinal:LOW<MID<HIGH.")
    _need_two(order, column)
    return Ordinal(tuple(order))


def natural_order(column: pd.Series) -> list[Any] | None:
    """The levels from low to high where the column says them: an ordered category, numbers, words of a scale."""
    if isinstance(column.dtype, pd.CategoricalDtype) and column.dtype.ordered:
        return [native(level) for level in column.dtype.categories]
    found = distinct(column)
    if all(isinstance(value, (bool, int, float)) for value in found):
        return found
    if not all(isinstance(value, str) for value in found):
        return None
    first = column.dropna().astype("str").drop_duplicates().sort_values()  # with the rows where they stand
    numbers = text_numbers(first, f"target {column.name!r}")
    return word_order(found) if numbers is None else first.iloc[numbers.to_numpy().argsort(kind="stable")].tolist()


def _multilabel(rest: str, column: pd.Series) -> Kind:
    sets = sort_of(column, f"target {column.name!r}") == "sets"
    separator = "" if sets else rest or find_separator(column) or ";"
    labels = set_labels(column, separator)
    if len(labels) < 2:
        raise DataError(f"target {column.name!r}", f"has {len(labels)} labels when cut at {separator!r}",
                        "a multilabel target needs 2 or more", "Name the separator: multilabel:SEPARATOR.")
    return Multilabel(tuple(labels), separator=separator)


def _as_in_table(words: Sequence[str], column: pd.Series) -> list[Any]:
    """Words of the spec as values of the column's own type."""
    known = {str(value).strip(): value for value in distinct(column)}
    known |= {word.lower(): value for word, value in known.items() if isinstance(value, bool)}
    numeric = any(isinstance(value, (int, float)) for value in known.values())
    made = []
    for word in (word.strip() for word in words):
        try:
            made.append(known[word] if word in known else native(float(word)) if numeric else word)
        except ValueError:
            raise UsageError(f"class {word!r} of target {column.name!r}", "is not a number",
                             f"its values are {_few(list(known.values()))}", "Write classes as in the table.") from None
    return made


def _checked(classes: list[Any], column: pd.Series) -> list[Any]:
    known = set(classes)
    strange = [value for value in distinct(column) if value not in known]
    if strange:
        row = column.index[(column == strange[0]).to_numpy().argmax()]
        raise DataError(f"target {column.name!r}", f"has {strange[0]!r} in row {row}",
                        f"its classes were given as {_few(classes)}", "Add it to the kind, or empty those cells.")
    return classes


def _need_two(found: Sequence[Any], column: pd.Series) -> None:
    if len(found) < 2:
        raise DataError(f"target {column.name!r}", f"has {len(found)} distinct values in {len(column)} rows",
                        "it needs 2 or more", "Drop it from the targets.")


def _few(values: Sequence[Any]) -> str:
    shown = ", ".join(repr(value) for value in values[:8])
    return shown if len(values) <= 8 else f"{shown}, ... ({len(values)} in all)"
