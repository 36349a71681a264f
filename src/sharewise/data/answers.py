"""Mean predictions back to a frame in the targets' own labels and units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..task import Kind, Task
from .long import row_codes

Array = np.ndarray
Means = dict[str, Float[Array, "N C"]]


def format_predictions(means: Means, tasks: Sequence[Task], table: pd.DataFrame) -> pd.DataFrame:
    """One row for each row of the table, with the best single value of every target in its own labels or units.

    Wide: a column for each task; a multilabel task over several columns gives a column ``task.label`` for each label,
    one over a set-valued column gives the sets back as they were written. Long: a column for each target, holding
    the prediction of the row's own task. Missing where a mean is NaN.

    >>> from sharewise.task import Binary
    >>> task = Task("sold", Binary(("no", "yes")))
    >>> format_predictions({"sold": np.array([[0.9], [0.2]])}, [task], pd.DataFrame({"x": [0, 1]}))
      sold
    0  yes
    1   no
    """
    made: dict[str, Any] = {}
    for name, (task, mean) in _gather(means, tasks, table).items():
        missing = np.isnan(mean).any(axis=1)
        best = task.kind.decode(np.where(missing[:, None], 0.0, mean))
        if best.ndim == 1:
            made[name] = _with_gaps(best, missing)
        elif len(task.columns) > 1:
            made |= {f"{name}.{label}": _with_gaps(best[:, at], missing) for at, label in enumerate(task.kind.classes)}
        else:
            made[name] = _with_gaps(_sets(best, task.kind), missing)
    return pd.DataFrame(made, index=table.index)


def format_probabilities(means: Means, tasks: Sequence[Task], table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """For each target with classes (or labels) a frame of their probabilities; the key in the long layout is the
    target, and each row holds those of its own task.

    >>> from sharewise.task import Binary
    >>> task = Task("sold", Binary(("no", "yes")))
    >>> format_probabilities({"sold": np.array([[0.75]])}, [task], pd.DataFrame({"x": [0]}))["sold"]
         no   yes
    0  0.25  0.75
    """
    made = {}
    for name, (task, mean) in _gather(means, tasks, table).items():
        if task.kind.classes:
            both = np.hstack([1 - mean, mean]) if mean.shape[1] == 1 else mean
            made[name] = pd.DataFrame(both, index=table.index, columns=list(task.kind.classes))
    return made


def _gather(means: Means, tasks: Sequence[Task], table: pd.DataFrame) -> dict[str, tuple[Task, Float[Array, "N C"]]]:
    """The mean of each target; the tasks of one target in the long layout become one, row by row."""
    targets: dict[str, list[Task]] = {}
    for task in tasks:
        targets.setdefault(target_name(task), []).append(task)
    gathered = {}
    for name, members in targets.items():
        first = members[0]
        if first.task_column is None:
            gathered[name] = (first, np.asarray(means[first.name], dtype=np.float64))
            continue
        codes = row_codes(table, first.task_column, [task.task_value for task in members])
        mean = np.full((len(table), first.kind.outputs), np.nan)
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(members) + 1))
        for task, low, high in zip(members, starts[:-1], starts[1:], strict=True):
            rows = order[low:high]
            if len(rows):
                mean[rows] = means[task.name][rows]
        gathered[name] = (first, mean)
    return gathered


def target_name(task: Task) -> str:
    """The name of the target behind a task: without the ``[value]`` of the long layout."""
    return task.name if task.task_column is None else task.name.removesuffix(f"[{task.task_value}]")


def _with_gaps(values: Any, missing: Array) -> Any:
    """Values with None (NaN for numbers) where missing."""
    if not missing.any():
        return list(values) if isinstance(values, np.ndarray) and values.dtype == object else values
    if isinstance(values, np.ndarray) and values.dtype.kind == "f":
        return np.where(missing, np.nan, values)
    return [None if gap else value for value, gap in zip(values, missing.tolist(), strict=True)]


def _sets(best: Array, kind: Kind) -> list[Any]:
    """Rows of 0 and 1 as sets of labels: joined text where the table has text, else lists."""
    classes, separator = kind.classes, getattr(kind, "separator", "")
    sets = [[label for label, on in zip(classes, row, strict=True) if on] for row in best.tolist()]
    return [separator.join(map(str, labels)) for labels in sets] if separator else sets
