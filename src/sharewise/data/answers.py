"""Mean predictions back to a frame in the targets' own labels and units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int

from ..task import Kind, Task
from .column import NUMBERS
from .long import row_codes

Array = np.ndarray
Means = dict[str, Float[Array, "N C"]]
Gathered = tuple[Task, Float[Array, "_ _"], Int[Array, "_"]]


def format_predictions(means: Means, tasks: Sequence[Task], table: pd.DataFrame) -> pd.DataFrame:
    """One row for each row of the table, with the best single value of every target in its own labels or units.

    Wide: a column for each task; a multilabel task over several columns gives a column ``task.label`` for each label,
    one over a set-valued column gives the sets back as they were written. Long: a column for each target, holding
    the prediction of the row's own task: of numbers where all its tasks are of numbers, else as each task has them.
    Missing where a mean is NaN.

    >>> from sharewise.task import Binary
    >>> task = Task("sold", Binary(("no", "yes")))
    >>> format_predictions({"sold": np.array([[0.9], [0.2]])}, [task], pd.DataFrame({"x": [0, 1]}))
      sold
    0  yes
    1   no
    """
    made: dict[str, Any] = {}
    for name, found in _gather(means, tasks, table).items():
        task, mean, _ = found[0]
        if len(found) > 1:
            made[name] = _side_by_side([(_values(one.kind, own), own_rows) for one, own, own_rows in found], len(table))
        elif task.kind.width > 1 and len(task.columns) > 1:
            missing, best = _best(task.kind, mean)
            made |= {f"{name}.{label}": _with_gaps(best[:, at], missing) for at, label in enumerate(task.kind.classes)}
        else:
            made[name] = _values(task.kind, mean)
    return pd.DataFrame(made, index=table.index)


def format_probabilities(means: Means, tasks: Sequence[Task], table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """For each target with classes (or labels) a frame of their probabilities; the key in the long layout is the
    target, and each row holds those of its own task: with tasks of several kinds, the classes of all of them stand
    side by side, and are missing where they are none of the row's.

    >>> from sharewise.task import Binary
    >>> task = Task("sold", Binary(("no", "yes")))
    >>> format_probabilities({"sold": np.array([[0.75]])}, [task], pd.DataFrame({"x": [0]}))["sold"]
         no   yes
    0  0.25  0.75
    """
    made = {}
    for name, found in _gather(means, tasks, table).items():
        labels = list(dict.fromkeys(label for task, _, _ in found for label in task.kind.classes))
        if not labels:
            continue
        place = {label: at for at, label in enumerate(labels)}
        chances = np.full((len(table), len(labels)), np.nan)
        for task, mean, rows in found:
            if task.kind.classes:
                both = np.hstack([1 - mean, mean]) if mean.shape[1] == 1 else mean
                chances[rows[:, None], [place[label] for label in task.kind.classes]] = both
        made[name] = pd.DataFrame(chances, index=table.index, columns=labels)
    return made


def _gather(means: Means, tasks: Sequence[Task], table: pd.DataFrame) -> dict[str, list[Gathered]]:
    """The mean of each target, with its rows; the tasks of one target and kind in the long layout become one, row by
    row. Rows of no task stand with the first."""
    targets: dict[str, dict[Kind, list[Task]]] = {}
    for task in tasks:
        targets.setdefault(target_name(task), {}).setdefault(task.kind, []).append(task)
    everywhere = np.arange(len(table))
    gathered: dict[str, list[Gathered]] = {}
    for name, by_kind in targets.items():
        gathered[name] = []
        for members in by_kind.values():
            first = members[0]
            if first.task_column is None:
                gathered[name].append((first, np.asarray(means[first.name], dtype=np.float64), everywhere))
                continue
            codes = row_codes(table, first.task_column, [task.task_value for task in members])
            mean = np.full((len(table), first.kind.outputs), np.nan)
            order = np.argsort(codes, kind="stable")
            starts = np.searchsorted(codes[order], np.arange(len(members) + 1))
            for task, low, high in zip(members, starts[:-1], starts[1:], strict=True):
                rows = order[low:high]
                if len(rows):
                    mean[rows] = means[task.name][rows]
            own = everywhere if len(by_kind) == 1 else np.flatnonzero(codes >= 0)
            gathered[name].append((first, mean[own], own))
    return gathered


def target_name(task: Task) -> str:
    """The name of the target behind a task: without the ``[value]`` of the long layout."""
    return task.name if task.task_column is None else task.name.removesuffix(f"[{task.task_value}]")


def _best(kind: Kind, mean: Float[Array, "n C"]) -> tuple[Bool[Array, "n"], Array]:
    """Where the mean is not known, and the best values."""
    missing = np.isnan(mean).any(axis=1)
    return missing, kind.decode(np.where(missing[:, None], 0.0, mean))


def _values(kind: Kind, mean: Float[Array, "n C"]) -> Any:
    """The best value of each row as one column."""
    missing, best = _best(kind, mean)
    return _with_gaps(best if best.ndim == 1 else _sets(best, kind), missing)


def _side_by_side(parts: Sequence[tuple[Any, Int[Array, "_"]]], size: int) -> pd.Series:
    """The values of tasks of several kinds as one column: of numbers where all are numbers, else of objects."""
    whole = np.full(size, None, dtype=object)
    for values, rows in parts:
        own = np.empty(len(rows), dtype=object)
        own[:] = list(values)
        whole[rows] = own
    column = pd.Series(whole, dtype=object)
    return column.astype(float) if pd.api.types.infer_dtype(column, skipna=True) in NUMBERS else column


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
