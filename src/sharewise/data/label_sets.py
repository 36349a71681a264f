"""Columns whose cells are sets of labels: lists, or text with a separator."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

SEPARATORS = (";", "|", ",")
MOST_READ = 3000  # cells, evenly spread; more tell no more


def find_separator(column: pd.Series) -> str | None:
    """The separator of a column of label sets, or None where the cells are no sets.

    Labels recur in different sets: there must be fewer labels than distinct cells, each must stand in a few, and the
    sets must differ in size.
    """
    seen = column.dropna()
    cells = Counter(str(cell) for cell in seen.iloc[:: max(1, len(seen) // MOST_READ)])
    for separator in SEPARATORS:
        if not any(separator in cell for cell in cells):
            continue
        cut = {cell: labels_of(cell, separator) for cell in cells}
        several = sum(count for cell, count in cells.items() if len(cut[cell]) > 1)
        labels = Counter(label for cell, count in cells.items() for label in cut[cell] for _ in range(min(count, 9)))
        if several < 0.05 * cells.total() or not labels or len(labels) >= len(cells):
            continue
        sizes = {len(found) for found in cut.values()}
        doubles = any(len(set(found)) < len(found) for found in cut.values())
        words = max(len(label.split()) for label in labels)
        if not doubles and len(sizes) > 1 and words <= 5 and labels.total() >= 3 * len(labels):
            return separator
    return None


def set_labels(column: pd.Series, separator: str) -> list[Any]:
    """All labels of a set-valued column, sorted where they can be."""
    found = {label for cell in column.dropna().to_numpy(dtype=object)
             for label in (labels_of(cell, separator) if isinstance(cell, str) else list(cell))}
    plain = [label.item() if hasattr(label, "item") else label for label in found]
    return sorted(plain, key=lambda label: (not isinstance(label, (int, float)), label)
                  if isinstance(label, (int, float, str)) else (True, str(label)))


def labels_of(cell: str, separator: str) -> list[str]:
    """The labels in one cell of text."""
    return [label.strip() for label in cell.split(separator) if label.strip()]
