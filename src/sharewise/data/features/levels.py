"""A column as codes and levels of text: what categories, yes and no, and free text start from."""

from __future__ import annotations

import numpy as np
import pandas as pd
from jaxtyping import Int

from ..column import native, sort_of, tidy
from .feature import wrong_type

FEW = 64  # rows; so few are read cell by cell, which is faster than any whole-column method


def to_levels(name: str, type: str, column: pd.Series) -> tuple[Int[np.ndarray, "N"], list[str]]:
    """For each row the place of its level in a list of levels as text, -1 (the last place) for a gap.

    Numbers and booleans are levels too, by what they look like in text: a new table may hold just the levels 1 and 2
    where the training rows held 1, 2 and B. DataError on dates, sets and mixed types.
    """
    found: list[object]
    if isinstance(column.array, pd.Categorical):
        codes, found = _compact(column.array)
    elif len(column) < FEW:
        codes, found = _cell_by_cell(name, type, column)
    else:
        _check(name, type, column)
        codes, index = pd.factorize(column)
        codes, found = _without_blanks(codes, list(index))
    return codes, [level if isinstance(level, str) else str(native(level)) for level in found]


def _compact(array: pd.Categorical) -> tuple[Int[np.ndarray, "N"], list[object]]:
    """Codes and levels of a categorical, without the levels that no row has where these may be many."""
    codes = array.codes.astype(np.intp)
    if len(codes) >= FEW and len(codes) >= len(array.categories):
        return codes, array.categories.tolist()
    used, places = np.unique(codes, return_inverse=True)
    gap = int(used[0] < 0) if len(used) else 0
    return places - gap, [array.categories[at] for at in used[gap:].tolist()]


def _without_blanks(codes: Int[np.ndarray, "N"], found: list[object]) -> tuple[Int[np.ndarray, "N"], list[object]]:
    """Blank text as a gap."""
    blank = np.array([*(_is_gap(level) for level in found), True])
    if not blank[:-1].any():
        return codes, found
    place = np.where(blank, -1, np.cumsum(~blank) - 1)
    return place[codes], [level for level in found if not _is_gap(level)]


def _cell_by_cell(name: str, type: str, column: pd.Series) -> tuple[Int[np.ndarray, "N"], list[object]]:
    cells = column.tolist()
    if not all(isinstance(cell, str) or _is_gap(cell) for cell in cells):
        column = tidy(column)
        _check(name, type, column)
        cells = column.tolist()
    found = list(dict.fromkeys(cell for cell in cells if not _is_gap(cell)))
    place = {level: at for at, level in enumerate(found)}
    return np.array([place.get(cell, -1) for cell in cells], dtype=np.intp), found


def _is_gap(cell: object) -> bool:
    if isinstance(cell, str):
        return not cell.strip()
    return cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, float) and cell != cell)


def _check(name: str, type: str, column: pd.Series) -> None:
    sort = sort_of(column, f"column {name!r}")
    if sort not in ("text", "number", "boolean", "empty"):
        raise wrong_type(name, type, f"holds {sort}s")
