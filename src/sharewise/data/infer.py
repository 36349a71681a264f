"""From the names of targets to tasks: what kind each is, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

import numpy as np
import pandas as pd

from ..base import DataError, UnknownNameError
from ..base.checks import at_least_one, no_duplicates
from ..task import Kind, Multilabel, Task
from .column import distinct, native, sort_of, tidy
from .infer_kind import check_repeats, infer_kind
from .parse_kind import parse_kind
from .sources.read import check_names

LEAST_SPAN, MOST_SPAN = 1e-100, 1e100  # of a target's numbers: their squares must be numbers too


def infer_tasks(table: pd.DataFrame, targets: Sequence[str | Task], kinds: dict[str, str | Kind] | None = None,
                task_column: str | None = None) -> list[Task]:
    """The tasks behind the ``targets`` of a table, each with its kind and the reason for it.

    A target is a column's name, a ``Task``, or ``name=a+b+c``: the binary columns a, b and c as the one multilabel
    task ``name``. ``kinds`` sets a target's kind, as a ``Kind`` or in words (see ``parse_kind``); what it does not
    set is inferred from all observed values. With a ``task_column`` (the long layout) each target becomes one task
    for each value of that column, named ``target[value]``, of one kind over all of them.

    DataError on an unknown column (with the near name), on a target that is constant, nowhere observed,
    infinite, of mixed types, or a class that is different in every row, and on a row without a task; it names all
    targets with such a trouble.

    >>> table = pd.DataFrame({"price": [1.5, 2.0, 3.1, 4.7], "sold": ["no", "yes", None, "yes"]})
    >>> for task in infer_tasks(table, ["price", "sold"]):
    ...     print(task.name, task.kind, "--", task.reason)
    price Regression() -- 4 distinct numbers with fractions
    sold Binary(classes=('no', 'yes')) -- 2 distinct values (no, yes); 'yes' is positive
    """
    at_least_one("targets", list(targets))
    given = dict(kinds or {})
    tasks: list[Task] = []
    troubles: dict[str, DataError] = {}
    for target in targets:
        try:
            tasks.append(_as_given(table, target) if isinstance(target, Task) else _infer(table, target, given))
        except DataError as error:
            troubles[target.name if isinstance(target, Task) else target] = error
    for first in list(troubles.values())[:1]:
        raise first.and_more(list(troubles)[1:]) from first
    names = [task.name for task in tasks]
    no_duplicates("targets", names)
    strange = [name for name in given if name not in names]
    if strange:
        raise UnknownNameError.near("target with a set kind", strange[0], names)
    return tasks if task_column is None else [part for task in tasks for part in _long(table, task, task_column)]


def need_column(table: pd.DataFrame, name: str, what: str) -> pd.Series:
    """The column ``name``; DataError with the near names where the table has none."""
    if not table.columns.is_unique:
        check_names(table.columns, "the table")
    if name in table.columns:
        return table[name]
    known = [str(column) for column in table.columns]
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    must = f"near names are {', '.join(map(repr, near))}" if near else \
        f"its columns are {', '.join(map(repr, known[:8]))}{', ...' if len(known) > 8 else ''}"
    raise DataError(f"{what} {name!r}", "is not a column of the table", must, "Check the spelling.")


def _as_given(table: pd.DataFrame, task: Task) -> Task:
    columns = [tidy(need_column(table, name, "target")) for name in task.columns]
    for column in columns[:1] if len(columns) == 1 else []:
        _check_observed(column)
    task.kind.encode(pd.concat(columns, axis=1))
    return task if task.reason else replace(task, reason="set by the caller")


def _infer(table: pd.DataFrame, target: str, kinds: dict[str, str | Kind]) -> Task:
    if target not in table.columns and "=" in target:
        return _group(table, target, kinds)
    column = tidy(need_column(table, target, "target"))
    _check_observed(column)
    if target not in kinds:
        kind, reason = infer_kind(column)
        return Task(target, kind, reason=reason)
    kind = parse_kind(kinds[target], column)
    if kind.name in ("binary", "multiclass", "ordinal"):
        check_repeats(column, distinct(column))
    kind.encode(column.to_frame())
    return Task(target, kind, reason="set by the caller")


def _group(table: pd.DataFrame, target: str, kinds: dict[str, str | Kind]) -> Task:
    """``name=a+b+c`` as one multilabel task; a column whose own name holds a plus sign may stand in it too."""
    name, _, rest = target.partition("=")
    name, pieces, columns = name.strip(), rest.split("+"), []
    while pieces:  # the longest name that is a column
        size = next((size for size in range(len(pieces), 1, -1) if "+".join(pieces[:size]).strip() in table), 1)
        columns.append("+".join(pieces[:size]).strip())
        pieces = pieces[size:]
    no_duplicates(f"the labels of target {name!r}", columns)
    frame = pd.concat([tidy(need_column(table, column, f"label of target {name!r}:")) for column in columns], axis=1)
    for column in columns:
        strange = [value for value in distinct(frame[column]) if value not in (0, 1)]
        if strange:
            row = frame.index[(frame[column] == strange[0]).to_numpy().argmax()]
            raise DataError(f"column {column!r} of target {name!r}", f"has {strange[0]!r} in row {row}",
                            "a label is 0, 1 or empty", "Recode it, or predict it as a target of its own.")
    if frame.isna().to_numpy().all():
        raise DataError(f"target {name!r}", f"has no label in any of {len(frame)} rows", "it needs 2 or more",
                        "Drop it from the targets.")
    given = kinds.get(name)
    kind = given if isinstance(given, Kind) else Multilabel(tuple(columns))
    if kind.name != "multilabel" or (isinstance(given, str) and given.strip() != "multilabel"):
        raise DataError(f"target {name!r}", f"is set to {given!r}", "a group of columns is multilabel",
                        "Drop the kind, or the group.")
    return Task(name, kind, tuple(columns), reason=f"{len(columns)} binary columns as one set of labels")


def _check_observed(column: pd.Series) -> None:
    thing = f"target {column.name!r}"
    seen = column.dropna()
    if not len(seen):
        raise DataError(thing, f"has no value in any of {len(column)} rows", "it needs 2 different ones",
                        "Drop it from the targets.")
    sort = sort_of(column, thing)
    if sort in ("number", "boolean", "text") and _is_constant(seen):
        raise DataError(thing, f"has the one value {native(seen.iloc[0])!r} in {len(seen)} row{'s' * (len(seen) > 1)}",
                        "it needs 2 different ones", "Drop it from the targets.")
    if sort == "number":
        numbers = seen.to_numpy(dtype=np.float64)
        span = float(numbers.max() - numbers.min())
        if not LEAST_SPAN < span < MOST_SPAN and np.isfinite(span):
            raise DataError(thing, f"spans {span:.3g}", f"its numbers must lie {LEAST_SPAN:g} to {MOST_SPAN:g} apart",
                            "Give it in other units.")


def _is_constant(seen: pd.Series) -> bool:
    values = seen.to_numpy()
    return bool((values == values[0]).all()) if values.dtype.kind in "biuf" else seen.nunique() == 1


def _long(table: pd.DataFrame, task: Task, task_column: str) -> list[Task]:
    values = need_column(table, task_column, "task column")
    if task_column in task.columns:
        raise DataError(f"task column {task_column!r}", "is also a target", "it must say which task a row belongs to",
                        "Name another column.")
    lost = np.flatnonzero(tidy(values).isna().to_numpy())
    if len(lost):
        more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
        raise DataError(f"task column {task_column!r}", f"is empty in row {values.index[lost[0]]}{more}",
                        "every row must belong to a task", "Fill it or drop the row.")
    return [replace(task, name=f"{task.name}[{value}]", task_column=task_column, task_value=value)
            for value in distinct(values)]
