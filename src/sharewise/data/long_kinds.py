"""From a target of the long layout to tasks: one for each value of the task column, each with its kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from ..base import DataError
from ..task import Kind, Task
from .alike import alike_tasks
from .column import distinct, tidy
from .infer_kind import Found
from .infer_target import infer_target, need_column
from .long import long_name, row_codes

WIDE_WORDS, LONG_WORDS = "Drop it from the targets", "Drop the rows of that task"


def task_values(table: pd.DataFrame, task_column: str, targets: Sequence[str]) -> list[Any]:
    """The values of the task column. DataError where it is a target too, is empty in a row, or holds two values that
    are written alike."""
    values, thing = need_column(table, task_column, "task column"), f"task column {task_column!r}"
    if task_column in targets:
        raise DataError(thing, "is also a target", "it must say which task a row belongs to", "Name another column.")
    lost = np.flatnonzero(tidy(values).isna().to_numpy())
    if len(lost):
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise DataError(thing, f"is empty in row {values.index[lost[0]]}{more}", "every row must belong to a task",
                        "Fill it or drop the row.")
    found = distinct(values)
    words = [str(value) for value in found]
    twice = [word for word in words if words.count(word) > 1] if len(set(words)) < len(words) else []
    if twice:
        raise DataError(thing, f"holds two values that are both written {twice[0]!r}", "every task needs its own name",
                        "Make numbers of all values, or text of all.")
    return found


def as_long(task: Task, task_column: str, values: Sequence[Any]) -> list[Task]:
    """The task once for each value of the task column, of one kind over all."""
    return [replace(task, name=long_name(task.name, value), task_column=task_column, task_value=value)
            for value in values]


def long_tasks(table: pd.DataFrame, target: str, task_column: str, values: Sequence[Any],
               kinds: Mapping[str, str | Kind]) -> list[Task]:
    """The tasks of a target column. Those whose values are of one sort (``alike_tasks``) get the kind that the values
    of all of them have: the kind of the whole column, unless tasks differ. ``kinds``: for the target, or for a task by
    its name or value, where they are given.

    DataError, naming the target or the tasks, where nothing can be learned.
    """
    column = tidy(need_column(table, target, "target"))
    names = [long_name(target, value) for value in values]
    own = {at: kinds[key] for at, value in enumerate(values) for key in (str(value), names[at])
           if key in kinds and key != target}
    rest = [at for at in range(len(values)) if at not in own]
    order, ends = _rows_by_task(table, task_column, values)
    rows = [order[low:high] for low, high in pairwise(ends)]
    teams = [rest] if target in kinds or not rest else [
        [rest[at] for at in team] for team in alike_tasks([column.iloc[rows[at]] for at in rest])]
    found: dict[int, Found] = {}
    troubles: dict[str, DataError] = {}
    for team, given in [*((team, kinds.get(target)) for team in teams), *(([at], spec) for at, spec in own.items())]:
        whole = len(team) == len(values)
        own_rows = np.sort(np.concatenate([rows[at] for at in team]))
        part = column if whole else column.iloc[own_rows].rename(names[team[0]])
        try:
            found |= dict.fromkeys(team, infer_target(part, given))
        except DataError as error:
            do = error.do if whole else error.do.replace(WIDE_WORDS, LONG_WORDS)
            troubles[names[team[0]]] = DataError(error.thing, error.was, error.must, do)
    for first in list(troubles.values())[:1]:
        raise first.and_more(list(troubles)[1:])
    return [Task(names[at], found[at][0], (target,), found[at][1], task_column, value)
            for at, value in enumerate(values)]


def _rows_by_task(table: pd.DataFrame, task_column: str, values: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers in the order of their tasks, and where each task begins and ends."""
    codes = row_codes(table, task_column, values)
    order = np.argsort(codes, kind="stable")
    return order, np.searchsorted(codes[order], np.arange(len(values) + 1))
