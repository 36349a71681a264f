"""From the names of targets to tasks: what kind each is, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from ..base import DataError, UnknownNameError
from ..base.checks import at_least_one, no_duplicates
from ..task import Kind, Multilabel, Task
from .column import distinct, tidy
from .infer_target import check_observed, infer_target, need_column
from .long import names_of
from .long_kinds import as_long, long_tasks, task_values

Kinds = Mapping[str, str | Kind]


def infer_tasks(table: pd.DataFrame, targets: Sequence[str | Task], kinds: Kinds | None = None,
                task_column: str | None = None) -> list[Task]:
    """The tasks behind the ``targets`` of a table, each with its kind and the reason for it.

    A target is a column's name, a ``Task``, or ``name=a+b+c``: the binary columns a, b and c as the one multilabel
    task ``name``. ``kinds`` sets a target's kind, as a ``Kind`` or in words (see ``parse_kind``); what it does not
    set is inferred from all observed values. With a ``task_column`` (the long layout) each target becomes one task
    for each value of that column, named ``target[value]``. These have the kind of all values together, unless the
    tasks differ in the sort of their values (``alike_tasks``); ``kinds`` may name them by their names or values.

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
    given = {str(name): kind for name, kind in (kinds or {}).items()}
    titles = [target.name if isinstance(target, Task) else target for target in targets]
    values = None if task_column is None else task_values(table, task_column, titles)
    found: dict[str, list[Task]] = {}
    troubles: dict[str, DataError] = {}
    for title, target in zip(titles, targets, strict=True):
        try:
            if isinstance(target, str) and target in table.columns and task_column is not None and values is not None:
                found.setdefault(target, []).extend(long_tasks(table, target, task_column, values, given))
                continue
            task = _as_given(table, target) if isinstance(target, Task) else _infer(table, target, given)
            parts = [task] if task_column is None or values is None else as_long(task, task_column, values)
            found.setdefault(task.name, []).extend(parts)
        except DataError as error:
            troubles[title] = error
    for first in list(troubles.values())[:1]:
        raise first.and_more(list(troubles)[1:]) from first
    tasks = [task for parts in found.values() for task in parts]
    no_duplicates("targets", [task.name for task in tasks])
    known = [*found, *(name for task in tasks for name in names_of(task))]
    strange = [name for name in given if name not in known]
    if strange:
        what = "target" if task_column is None else "target or task"
        raise UnknownNameError.near(f"{what} with a set kind", strange[0], list(dict.fromkeys(known)))
    return tasks


def _as_given(table: pd.DataFrame, task: Task) -> Task:
    columns = [tidy(need_column(table, name, "target")) for name in task.columns]
    for column in columns[:1] if len(columns) == 1 else []:
        check_observed(column)
    task.kind.encode(pd.concat(columns, axis=1))
    return task if task.reason else replace(task, reason="set by the caller")


def _infer(table: pd.DataFrame, target: str, kinds: Kinds) -> Task:
    if target not in table.columns and "=" in target:
        return _group(table, target, kinds)
    kind, reason = infer_target(tidy(need_column(table, target, "target")), kinds.get(target))
    return Task(target, kind, reason=reason)


def _group(table: pd.DataFrame, target: str, kinds: Kinds) -> Task:
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
