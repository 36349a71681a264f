"""Target columns of a table to the array Y that all estimators learn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..task import Task, slices
from .column import tidy
from .infer_target import need_column
from .long import row_codes


def side_by_side(columns: Sequence[pd.Series]) -> pd.DataFrame:
    """The columns as a table; one alone without the cost of joining."""
    return columns[0].to_frame() if len(columns) == 1 else pd.concat(columns, axis=1)


def encode_targets(table: pd.DataFrame, tasks: Sequence[Task]) -> Float[np.ndarray, "N W"]:
    """Y [N, W]: numbers and class codes of all tasks side by side (``task.slices`` says which are whose).

    NaN where a target is not observed and, in the long layout, where the row belongs to another task. A column that
    several tasks share is encoded once. DataError, naming column and row, where a value does not fit its kind.

    >>> from sharewise.task import Binary, Regression
    >>> table = pd.DataFrame({"y": [1.5, None, 2.5], "shop": ["a", "b", "b"], "ok": ["no", "yes", "no"]})
    >>> long = [Task(f"y[{v}]", Regression(), ("y",), "", "shop", v) for v in ("a", "b")]
    >>> encode_targets(table, [*long, Task("ok", Binary(("no", "yes")))]).tolist()
    [[1.5, nan, 0.0], [nan, nan, 1.0], [nan, 2.5, 0.0]]
    """
    columns = slices(tasks)
    Y = np.full((len(table), sum(task.kind.width for task in tasks)), np.nan)
    groups: dict[Any, list[Task]] = {}
    for task in tasks:
        groups.setdefault((task.columns, task.kind, task.task_column), []).append(task)
    several = Counter((names, task_column) for names, _, task_column in groups)
    for (names, kind, task_column), members in groups.items():
        values = side_by_side([tidy(need_column(table, name, "target")) for name in names])
        if task_column is None:
            target = kind.encode(values)
            for task in members:
                Y[:, columns[task.name]] = target
            continue
        codes = row_codes(table, task_column, [task.task_value for task in members])
        if several[names, task_column] > 1:  # the rows of other kinds are none of this one's
            values = values.astype(object).where((codes >= 0)[:, None])
        target = kind.encode(values)
        rows = np.flatnonzero(codes >= 0)
        starts = np.array([columns[task.name].start for task in members])[codes[rows]]
        Y[rows[:, None], starts[:, None] + np.arange(kind.width)] = target[rows]
    return Y
