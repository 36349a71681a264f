"""Which feature a column becomes."""

from __future__ import annotations

import pandas as pd

from ..column import native, sort_of, text_numbers, tidy
from ..label_sets import find_separator
from .boolean import Boolean, is_yes_or_no
from .category import Category
from .date import Date, date_format
from .feature import Feature, Options
from .labels import Labels
from .number import Number
from .text import Text

WORDS = 4  # a column of so many words a cell, most of them different, is free text


def fit_feature(name: str, column: pd.Series, options: Options) -> Feature | str:
    """The fitted feature of a column, or in words why there is none.

    DataError, naming the column and the first odd row, on mixed types and infinite numbers.
    """
    column = tidy(column)
    thing = f"column {name!r}"
    sort = sort_of(column, thing)
    if not column.notna().any():
        return "it has no value"
    made: Feature | None
    if sort == "text" or isinstance(column.dtype, pd.CategoricalDtype):
        made = _fit_words(name, column, options)
    else:
        kinds: dict[str, type[Feature]] = {"number": Number, "duration": Number, "boolean": Boolean, "date": Date,
                                           "sets": Labels}
        made = kinds[sort].fit(name, column, options)
    return f"it has the one value {native(column.dropna().iloc[0])!r}" if made is None else made


def _fit_words(name: str, column: pd.Series, options: Options) -> Feature | None:
    levels = [str(level) for level in column.dropna().unique()]
    if is_yes_or_no(levels):
        return Boolean.fit(name, column, options)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return Category.fit(name, column, options)
    if text_numbers(column, f"column {name!r}") is not None:
        return Number.fit(name, column, options)
    if date_format(column) is not None:
        return Date.fit(name, column, options)
    if len(levels) > options.one_hot_levels:
        separator = find_separator(column)
        if separator:
            return Labels.fit(name, column, options, separator)
        words = sum(len(level.split()) for level in levels) / len(levels)
        if words >= WORDS and len(levels) > 0.3 * int(column.notna().sum()):
            text = Text.fit(name, column, options)
            if text is not None:
                return text
    return Category.fit(name, column, options)
