"""ARFF, the format of Weka, Mulan and MEKA: dense and sparse rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    appends = [attribute.cells.append for attribute in attributes]
    for number, line in lines:
        if not line or line.startswith("%"):
            continue
        row = _sparse_row(path, number, line, attributes) if line.startswith("{") else cut_cells(line)
        if len(row) != len(appends):
            raise broken(path, f"line {number} has {len(row)} cells for {len(appends)} attributes")
        for append, cell in zip(appends, row, strict=True):
            append(cell)


def _sparse_row(path: Path, number: int, line: str, attributes: list[Attribute]) -> list[str]:
    row: list[str] = [attribute.default for attribute in attributes]
    inner, at = line[1:].rstrip().removesuffix("}").strip(), 0
    while at < len(inner):
        match = PAIR.match(inner, at)
        if match is None or int(match[1]) >= len(row):
            raise broken(path, f"line {number} has no attribute for {inner[at:at + 20]!r}")
        row[int(match[1])], at = match[2], match.end()
    return row


def _column(path: Path, attribute: Attribute) -> Any:
    """Cells to a column; nominal values that are all whole numbers become numbers."""
    plain = {cell: None if cell == "?" else unquote(cell) for cell in set(attribute.cells)}
    cells = [plain[cell] for cell in attribute.cells]
    if attribute.type == "string":
        return pd.Series(cells, dtype="str")
    if attribute.type == "date":
        dates = pd.to_datetime(pd.Series(cells, dtype="str"), format=attribute.date_format, errors="coerce")
        return _checked(path, attribute, cells, dates)
    if attribute.type == "number":
        return _checked(path, attribute, cells, pd.to_numeric(pd.Series(cells, dtype=object), errors="coerce"))
    known = set(attribute.values)
    odd = next((row for row, cell in enumerate(cells) if cell is not None and cell not in known), None)
    if odd is not None:
        raise broken(path, f"attribute {attribute.name!r} has {cells[odd]!r} in row {odd}, which it does not declare")
    if all(re.fullmatch(r"-?\d{1,15}", value) for value in attribute.values):
        return _checked(path, attribute, cells, pd.to_numeric(pd.Series(cells, dtype=object)))
    return pd.Series(pd.Categorical(cells, categories=list(dict.fromkeys(attribute.values))))


def _checked(path: Path, attribute: Attribute, cells: list[Any], column: pd.Series) -> pd.Series:
    wrong = np.flatnonzero(column.isna().to_numpy() & np.array([cell is not None for cell in cells], dtype=bool))
    if len(wrong):
        raise broken(path, f"attribute {attribute.name!r} has {cells[wrong[0]]!r} in row {wrong[0]}, "
                           f"which is no {attribute.type}")
    return column
