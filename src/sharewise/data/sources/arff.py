"""ARFF, the format of Weka, Mulan and MEKA: dense and sparse rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ...base import DataError
from .arff_header import Attribute, cut_cells, read_header, unquote
from .arff_labels import find_labels
from .broken import broken, open_text

PAIR = re.compile(r"""\s*(\d+)\s+('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^,]*?)\s*(?:,|$)""")


def read_arff(path: Path) -> pd.DataFrame:
    """The table in an ARFF file; labels named by Mulan's XML or MEKA's ``-C`` stand in ``attrs["labels"]``."""
    with open_text(path) as file:
        lines = ((number, line.strip()) for number, line in enumerate(file, start=1))
        relation, attributes = read_header(path, lines)
        _rows(path, lines, attributes)
    names = [attribute.name for attribute in attributes]
    doubles = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if doubles:
        raise DataError(f"table {str(path)!r}", f"has the column {', '.join(map(repr, doubles[:5]))} more than once",
                        "each column name may stand once", "Rename or drop the doubles.")
    frame = pd.DataFrame({attribute.name: _column(path, attribute) for attribute in attributes})
    labels = find_labels(path, relation, names)
    if labels:
        frame.attrs["labels"] = labels
    return frame


def _rows(path: Path, lines: Iterable[tuple[int, str]], attributes: list[Attribute]) -> None:
    rows = 0
    for number, line in lines:
        if not line or line.startswith("%"):
            continue
        if line.startswith("{"):
            _sparse_row(path, number, line, attributes, rows)
        else:
            cells = cut_cells(line)
            if len(cells) != len(attributes):
                raise broken(path, f"line {number} has {len(cells)} cells for {len(attributes)} attributes")
            for attribute, cell in zip(attributes, cells, strict=True):
                attribute.fill(rows)
                attribute.cells.append(cell)
        rows += 1
    for attribute in attributes:
        attribute.fill(rows)


def _sparse_row(path: Path, number: int, line: str, attributes: list[Attribute], row: int) -> None:
    """Only what is said is stored; what is left out is filled in when the next value comes."""
    inner, at = line[1:].rstrip().removesuffix("}").strip(), 0
    while at < len(inner):
        match = PAIR.match(inner, at)
        if match is None or int(match[1]) >= len(attributes):
            raise broken(path, f"line {number} has no attribute for {inner[at:at + 20]!r}")
        attribute, at = attributes[int(match[1])], match.end()
        if len(attribute.cells) > row:
            raise broken(path, f"line {number} has attribute {match[1]} twice")
        attribute.fill(row)
        attribute.cells.append(match[2])


def _column(path: Path, attribute: Attribute) -> Any:
    """Cells to a column; nominal values that are all whole numbers become numbers."""
    values = {cell: _value(attribute, cell) for cell in set(attribute.cells)}
    odd = {cell for cell, value in values.items() if value is None and cell != "?"}
    if odd:
        row = next(row for row, cell in enumerate(attribute.cells) if cell in odd)
        raise broken(path, f"attribute {attribute.name!r} has {unquote(attribute.cells[row])!r} in row {row}, "
                           f"which is {'not declared' if attribute.type == 'nominal' else f'no {attribute.type}'}")
    cells = [values[cell] for cell in attribute.cells]
    if attribute.type == "number":
        return np.array([np.nan if cell is None else cell for cell in cells] if None in values.values() else cells)
    if attribute.type == "date":
        return pd.Series(cells, dtype="datetime64[us]")
    if attribute.type == "string":
        return pd.Series(cells, dtype="str")
    if all(re.fullmatch(r"-?\d{1,15}", value) for value in attribute.values):
        numbers = {value: np.nan if value is None else int(value) for value in (*attribute.values, None)}
        return np.array([numbers[cell] for cell in cells])
    return pd.Series(pd.Categorical(cells, categories=list(dict.fromkeys(attribute.values))))


def _value(attribute: Attribute, cell: str) -> Any:
    """What a cell says, None where that is not what the attribute holds, or missing."""
    if cell == "?":
        return None
    text = unquote(cell)
    try:
        if attribute.type == "number":
            return float(text)
        if attribute.type == "date":
            return datetime.strptime(text, attribute.date_format).replace(tzinfo=None)
    except ValueError:
        return None
    return text if attribute.type == "string" or text in attribute.values else None
