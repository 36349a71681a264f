"""CSV and its cousins: comma, semicolon, tab or bar between the cells."""

from __future__ import annotations

import csv
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

from ...base import DataError
from .broken import broken, open_text

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "NULL", "null", "<NA>", "?")  # but not the word None
DELIMITERS = ",;\t|"
ONE_COLUMN = "\x1f"  # a sign that stands in no text: nothing is cut
COMMA_NUMBER, POINT_NUMBER = re.compile(r"^-?\d+,\d+$"), re.compile(r"^-?\d+\.\d+$")
THOUSANDS = re.compile(r"^-?\d{1,3},\d{3}$")


def read_delimited(path: Path) -> pd.DataFrame:
    """A table of delimited text; the delimiter is the one that cuts the first lines into most equal parts."""
    delimiter, sample = sniff(path)
    header = sample[0]
    if any(header.count(name) > 1 for name in header if name.strip()):
        doubles = sorted({name for name in header if name.strip() and header.count(name) > 1})
        raise DataError(f"table {str(path)!r}", f"has the column {', '.join(map(repr, doubles[:5]))} more than once",
                        "each column name may stand once", "Rename or drop the doubles.")
    cells = [cell for row in sample[1:] for cell in row]
    found = [cell for cell in cells if COMMA_NUMBER.match(cell)]
    comma = delimiter != "," and bool(found) and not any(map(POINT_NUMBER.match, cells))
    if delimiter != ";":  # there 1,200 may be a thousand
        comma = comma and not all(map(THOUSANDS.match, found))
    spaced = any(name.startswith(" ") for name in header[1:])
    try:
        with open_text(path) as file, warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # it would lose cells
            frame = pd.read_csv(file, sep=delimiter, na_values=list(MISSING), keep_default_na=False, low_memory=False,
                                index_col=False, decimal="," if comma else ".", skipinitialspace=spaced,
                                skip_blank_lines=len(header) > 1)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning, csv.Error) as error:
        raise broken(path, error) from error
    return _name_blanks(frame, header, path)


def sniff(path: Path, lines: int = 50) -> tuple[str, list[list[str]]]:
    """The delimiter, and the first rows as it cuts them."""
    with open_text(path) as file:
        text = [line for _, line in zip(range(lines), file, strict=False)]
    if not any(line.strip() for line in text):
        raise DataError(f"table {str(path)!r}", "is an empty file", "it must have a header and rows",
                        "Check the export.")
    cut = {}
    for delimiter in (ONE_COLUMN, *DELIMITERS):
        try:
            cut[delimiter] = [row for row in csv.reader(text, delimiter=delimiter) if row]
        except csv.Error as error:
            raise broken(path, error) from error
    best = max(cut, key=lambda delimiter: _evenness(cut[delimiter]))
    if best == ONE_COLUMN:
        _refuse_a_title(path, cut)
    return best, cut[best]


def _evenness(rows: list[list[str]]) -> tuple[float, int]:
    """The share of rows as wide as the header, and its width; nothing for a header of one column."""
    width = len(rows[0])
    even = float(np.mean([len(row) == width for row in rows[:-1] or rows]))  # the last row may go on beyond the sample
    return (even, width) if width > 1 else (0.0, 0)


def _refuse_a_title(path: Path, cut: dict[str, list[list[str]]]) -> None:
    """DataError where one name stands above rows of several cells each: a title or a comment, not a header."""
    for rows in (cut[delimiter][1:] for delimiter in DELIMITERS):
        widths = {len(row) for row in rows}
        prose = any(cell.startswith(" ") for row in rows for cell in row[1:])
        if len(rows) > 1 and len(widths) == 1 and widths != {1} and not prose:
            raise broken(path, f"the first line names 1 column, the other lines hold {widths.pop()} cells")


def _name_blanks(frame: pd.DataFrame, header: list[str], path: Path) -> pd.DataFrame:
    """A nameless first column that numbers or names the rows, as R and pandas write it, goes (with a warning); any
    other nameless column is refused."""
    blank = [at for at, name in enumerate(header) if not name.strip()]
    first = frame.iloc[:, 0]
    if blank == [0] and len(header) > 1 and first.is_unique and not pd.api.types.is_float_dtype(first.dtype):
        verb = "numbers" if _numbers_rows(first) else "names"
        warnings.warn(f"table {str(path)!r}: the first column has no name and {verb} the rows; it is left out",
                      stacklevel=2)
        return frame.iloc[:, 1:]
    if blank:
        raise DataError(f"table {str(path)!r}", f"has no name for column {blank[0] + 1}",
                        "every column needs a name in the first line", "Name it or drop it.")
    return frame


def _numbers_rows(column: pd.Series) -> bool:
    if not pd.api.types.is_integer_dtype(column.dtype) or not len(column):
        return False
    values = column.to_numpy()
    return bool(values[0] in (0, 1) and (np.diff(values) == 1).all())
