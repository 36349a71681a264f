"""ARFF, the format of Weka, Mulan and MEKA: dense and sparse rows; which attributes are labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd

from ...base import DataError
from .broken import broken, open_text

PIECE = re.compile(r"""\s*('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^,]*?)\s*(?:,|$)""")
PAIR = re.compile(r"""\s*(\d+)\s+('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^,]*?)\s*(?:,|$)""")
ATTRIBUTE = re.compile(r"""@attribute\s+('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\s{]+)\s*(.+)$""", re.IGNORECASE)
MEKA_LABELS = re.compile(r"-C\s+(-?\d+)")
DATE_WORDS = (("yyyy", "%Y"), ("yy", "%y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("ss", "%S"),
              ("SSS", "%f"), ("Z", "%z"))


@dataclass
class Attribute:
    """A column as the header declares it: ``type`` is number, nominal, string or date."""

    name: str
    type: str
    values: tuple[str, ...] = ()
    date_format: str = ""
    cells: list[Any] = field(default_factory=list)

    @property
    def default(self) -> Any:
        """What a sparse row leaves out."""
        return self.values[0] if self.type == "nominal" else "0"


def read_arff(path: Path) -> pd.DataFrame:
    """The table in an ARFF file; labels named by Mulan's XML or MEKA's ``-C`` stand in ``attrs["labels"]``."""
    with open_text(path) as file:
        lines = ((number, line.strip()) for number, line in enumerate(file, start=1))
        relation, attributes = _header(path, lines)
        _rows(path, lines, attributes)
    names = [attribute.name for attribute in attributes]
    doubles = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if doubles:
        raise DataError(f"table {str(path)!r}", f"has the column {', '.join(map(repr, doubles[:5]))} more than once",
                        "each column name may stand once", "Rename or drop the doubles.")
    frame = pd.DataFrame({attribute.name: _column(path, attribute) for attribute in attributes})
    labels = _labels(path, relation, names)
    if labels:
        frame.attrs["labels"] = labels
    return frame


def _header(path: Path, lines: Iterator[tuple[int, str]]) -> tuple[str, list[Attribute]]:
    relation, attributes = "", []
    for number, line in lines:
        word = line[:10].lower()
        if word.startswith("@relation"):
            relation = line[9:].strip()
        elif word.startswith("@attribute"):
            attributes.append(_attribute(path, number, line))
        elif word.startswith("@data"):
            if not attributes:
                raise broken(path, "there is no @attribute before @data")
            return relation, attributes
        elif line and not line.startswith("%"):
            raise broken(path, f"line {number} is not an ARFF header line: {line[:40]!r}")
    raise broken(path, "there is no @data")


def _attribute(path: Path, number: int, line: str) -> Attribute:
    match = ATTRIBUTE.match(line)
    if not match:
        raise broken(path, f"line {number} declares no attribute: {line[:60]!r}")
    name, kind = _unquote(match[1]), match[2].strip()
    word = kind.split()[0].lower()
    if kind.startswith("{"):
        return Attribute(name, "nominal", tuple(_unquote(cell) for cell in _cut(kind.strip("{} \t"))))
    if word in ("numeric", "real", "integer"):
        return Attribute(name, "number")
    if word == "string":
        return Attribute(name, "string")
    if word == "date":
        return Attribute(name, "date", date_format=_date_format(_unquote(kind[4:].strip()) or "yyyy-MM-dd'T'HH:mm:ss"))
    raise broken(path, f"line {number} has the attribute type {word!r}; known are numeric, nominal, string, date")


def _date_format(pattern: str) -> str:
    """A Java date pattern as strptime's."""
    pattern = pattern.replace("'", "")
    for java, python in DATE_WORDS:
        pattern = pattern.replace(java, python) if not (java == "yy" and "%Y" in pattern) else pattern
    return pattern


def _rows(path: Path, lines: Iterable[tuple[int, str]], attributes: list[Attribute]) -> None:
    appends = [attribute.cells.append for attribute in attributes]
    for number, line in lines:
        if not line or line.startswith("%"):
            continue
        if line.startswith("{"):
            row = _sparse_row(path, number, line, attributes)
        else:
            row = _cut(line)
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


def _cut(line: str) -> list[str]:
    """The cells of a line, still quoted; commas inside quotes do not cut."""
    if "'" not in line and '"' not in line:
        return [cell.strip() for cell in line.split(",")] if line.strip() else []
    cells, at = [], 0
    while at <= len(line):
        match = PIECE.match(line, at)
        if match is None:
            return [*cells, line[at:].strip()]
        cells.append(match[1])
        if match.end() == len(line) and not line.endswith(",", at):
            break
        at = match.end()
    return cells


def _unquote(cell: str) -> str:
    if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", cell[1:-1])
    return cell


def _column(path: Path, attribute: Attribute) -> Any:
    """Cells to a column; nominal values that are all whole numbers become numbers."""
    cells = [None if cell == "?" else _unquote(cell) for cell in attribute.cells]
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


def _labels(path: Path, relation: str, names: list[str]) -> list[str]:
    """Labels by Mulan's XML beside the file (also of NAME for NAME-train and NAME-test), else by MEKA's -C n."""
    stem = path.name[:path.name.lower().index(".arff")]
    for name in dict.fromkeys((stem, re.sub(r"[-_](train|test|f\d+)$", "", stem, flags=re.IGNORECASE))):
        beside = path.with_name(name + ".xml")
        if beside.is_file():
            return _mulan_labels(beside, names)
    meka = MEKA_LABELS.search(relation)
    if not meka or not int(meka[1]):
        return []
    count = int(meka[1])
    return names[:count] if count > 0 else names[count:]


def _mulan_labels(path: Path, names: list[str]) -> list[str]:
    try:
        root = ElementTree.fromstring(path.read_bytes())
    except ElementTree.ParseError as error:
        raise DataError(f"label list {str(path)!r}", f"can't be read ({error})", "it must be Mulan's XML",
                        "Mend or remove it.") from error
    labels = [str(node.get("name")) for node in root.iter() if node.tag.rpartition("}")[2] == "label"]
    strange = [label for label in labels if label not in set(names)]
    if strange:
        raise DataError(f"label list {str(path)!r}", f"names {strange[0]!r}", "each label must be an attribute",
                        "Mend or remove it.")
    return labels
