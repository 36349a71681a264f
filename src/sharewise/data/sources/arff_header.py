"""The header of an ARFF file: relation and attributes; and how its cells are cut and quoted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .broken import broken

PIECE = re.compile(r"""\s*('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^,]*?)\s*(?:,|$)""")
ATTRIBUTE = re.compile(r"""@attribute\s+('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|[^\s{]+)\s*(.+)$""", re.IGNORECASE)
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

    def fill(self, rows: int) -> None:
        """Let the cells that sparse rows left out, up to ``rows`` of them, be what they are by default."""
        gap = rows - len(self.cells)
        if gap:
            self.cells += [self.default] * gap

    @property
    def default(self) -> Any:
        """What stands where a sparse row says nothing: 0, the first value, or missing."""
        return {"nominal": self.values[0] if self.values else "?", "number": "0"}.get(self.type, "?")


def read_header(path: Path, lines: Iterator[tuple[int, str]]) -> tuple[str, list[Attribute]]:
    """The relation and the attributes; the lines are left where the data starts."""
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
    name, kind = unquote(match[1]), match[2].strip()
    word = kind.split()[0].lower()
    if kind.startswith("{"):
        return Attribute(name, "nominal", tuple(unquote(cell) for cell in cut_cells(kind.strip("{} \t"))))
    if word in ("numeric", "real", "integer"):
        return Attribute(name, "number")
    if word == "string":
        return Attribute(name, "string")
    if word == "date":
        return Attribute(name, "date", date_format=_date_format(unquote(kind[4:].strip()) or "yyyy-MM-dd'T'HH:mm:ss"))
    raise broken(path, f"line {number} has the attribute type {word!r}; known are numeric, nominal, string, date")


def _date_format(pattern: str) -> str:
    """A Java date pattern as strptime's."""
    pattern = pattern.replace("'", "")
    for java, python in DATE_WORDS:
        pattern = pattern.replace(java, python) if not (java == "yy" and "%Y" in pattern) else pattern
    return pattern


def cut_cells(line: str) -> list[str]:
    """The cells of a line, still quoted; commas inside quotes do not cut."""
    if "'" not in line and '"' not in line:
        return [cell.strip() for cell in line.split(",")] if line.strip() else []
    cells: list[str] = []
    at = 0
    while at <= len(line):
        match = PIECE.match(line, at)
        if match is None:
            return [*cells, line[at:].strip()]
        cells.append(match[1])
        if match.end() == len(line) and not line.endswith(",", at):
            break
        at = match.end()
    return cells


def unquote(cell: str) -> str:
    """A cell without its quotes."""
    if len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", cell[1:-1])
    return cell
