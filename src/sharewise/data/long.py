"""The long layout: which task each row belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from ..base import DataError
from ..task import Task
from .column import native
from .infer_target import need_column


def wanted_rows(table: pd.DataFrame, tasks: Sequence[Task]) -> Bool[np.ndarray, "N T"]:
    """Which task predictions are asked for in which rows: all in the wide layout, each row's own in the long one.

    DataError, naming the row and the value, where a row belongs to none of the tasks.

    >>> from sharewise.task import Regression
    >>> tasks = [Task(f"y[{v}]", Regression(), ("y",), "", "shop", v) for v in ("a", "b")]
    >>> wanted_rows(pd.DataFrame({"shop": ["b", "a", "b"]}), tasks).tolist()
    [[False, True], [True, False], [False, True]]
    """
    wanted = np.zeros((len(table), len(tasks)), dtype=bool)
    for column, members in by_task_column(tasks).items():
        if column is None:
            wanted[:, members] = True
            continue
        owners: dict[Any, list[int]] = {}
        for at in members:
            owners.setdefault(tasks[at].task_value, []).append(at)
        values = list(owners)
        codes = row_codes(table, column, values)
        _check_known(table[column], column, codes, values)
        width = max(map(len, owners.values()))
        place = np.array([owners[value] + owners[value][:1] * (width - len(owners[value])) for value in values])
        wanted[np.arange(len(table))[:, None], place[codes]] = True
    return wanted


def long_name(target: str, value: Any) -> str:
    """The name of a task of the long layout."""
    return f"{target}[{value}]"


def names_of(task: Task) -> tuple[str, ...]:
    """The names under which a kind can be set for a task: its column, and in the long layout its own name or its value.

    >>> from sharewise.task import Regression
    >>> names_of(Task("y[a]", Regression(), ("y",), "", "shop", "a"))
    ('y', 'y[a]', 'a')
    """
    own = () if task.task_column is None else (task.name, str(task.task_value))
    return (task.columns[0], *own)


def by_task_column(tasks: Sequence[Task]) -> dict[str | None, list[int]]:
    """Places of the tasks by their task column; None holds those of the wide layout."""
    groups: dict[str | None, list[int]] = {}
    for at, task in enumerate(tasks):
        groups.setdefault(task.task_column, []).append(at)
    return groups


def row_codes(table: pd.DataFrame, column: str, values: Sequence[Any]) -> Int[np.ndarray, "N"]:
    """For each row the place of its task value among ``values``, -1 where it is none of them."""
    place = {value: at for at, value in enumerate(values)}
    codes, found = pd.factorize(need_column(table, column, "task column").astype(object), use_na_sentinel=True)
    known = np.array([*(place.get(native(value), -1) for value in found), -1], dtype=np.intp)
    return known[codes]


def _check_known(column: pd.Series, name: str, codes: Int[np.ndarray, "N"], values: Sequence[Any]) -> None:
    lost = np.flatnonzero(codes < 0)
    if len(lost):
        shown = ", ".join(map(repr, values[:6])) + (f", ... ({len(values)} in all)" if len(values) > 6 else "")
        raise DataError(f"task column {name!r}", f"has {native(column.iloc[lost[0]])!r} in row {column.index[lost[0]]}",
                        f"the known tasks are {shown}", "Drop the row, or fit again with rows of that task.")
