"""The part of a table that the leak watch looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from ...task import Kind, Task, slices

Array = np.ndarray
MOST_ROWS = 5000
ROWS_A_CLASS = 100
ENOUGH_GROUPS = 200


class Target(NamedTuple):
    """One column of targets: the task's name and, in a multilabel task, the label; NaN where not observed.
    ``classes`` is 0 for numbers. In the long layout the tasks of one column and kind are one
    target, named after the column, or where that has several kinds after the first of them."""

    task: str
    label: str
    values: Float[Array, "N"]
    classes: int

    @property
    def words(self) -> str:
        """How a message continues after the task's name."""
        return f"has the label {self.label!r}, which " if self.label else ""


def targets_of(Y: Float[Array, "N W"], tasks: Sequence[Task]) -> list[Target]:
    """The columns of Y as targets of their own; those of the long layout pooled."""
    found: list[Target] = []
    pooled: dict[tuple[tuple[str, ...], Kind], list[tuple[Task, slice]]] = {}
    for task, part in zip(tasks, slices(tasks).values(), strict=True):
        if task.task_column is not None:
            pooled.setdefault((task.columns, task.kind), []).append((task, part))
            continue
        for at in range(part.start, part.stop):
            label = str(task.kind.classes[at - part.start]) if task.kind.width > 1 else ""
            classes = 2 if task.kind.width > 1 else len(task.kind.classes)
            found.append(Target(task.name, label, Y[:, at], classes))
    for (columns, kind), members in pooled.items():
        values = np.full(len(Y), np.nan)
        for _, part in members:
            own = Y[:, part.start]
            np.copyto(values, own, where=~np.isnan(own))
        several = sum(columns == other for other, _ in pooled) > 1
        found.append(Target(members[0][0].name if several else columns[0], "", values, len(kind.classes)))
    return found


def sample_rows(copies: Int[Array, "N"], targets: Sequence[Target], allowed: Bool[Array, "N"],
                groups: Int[Array, "N"] | None, seed: int) -> Int[Array, "n"]:
    """Up to 5,000 of the ``allowed`` rows and up to 100 rows of each class.

    Of rows that are copies (of equal number in ``copies``) one is kept, and of a group one where there are 200 groups
    or more: else a row could be told from its copy, and every feature would seem to give the target away.
    """
    rng = np.random.default_rng(seed)
    rows = rng.permutation(np.flatnonzero(allowed))
    rows = rows[np.sort(np.unique(copies[rows], return_index=True)[1])]
    if groups is not None and len(np.unique(groups[rows])) >= ENOUGH_GROUPS:
        rows = rows[np.sort(np.unique(groups[rows], return_index=True)[1])]
    keep = np.zeros(len(rows), dtype=bool)
    keep[:MOST_ROWS] = True
    if len(rows) > MOST_ROWS and len(targets) <= 100:
        for target in targets:
            for code in range(target.classes):
                keep[np.flatnonzero(target.values[rows] == code)[:ROWS_A_CLASS]] = True
    return np.sort(rows[keep])


def copies_of(table: pd.DataFrame, columns: Sequence[str]) -> Int[Array, "N"]:
    """A number for every row, equal where all ``columns`` are."""
    text = table[list(columns)].copy(deep=False)
    for name in text.columns:
        if text[name].dtype == object:
            text[name] = text[name].map(str, na_action="ignore")
    return pd.factorize(pd.util.hash_pandas_object(text, index=False, categorize=True))[0]
