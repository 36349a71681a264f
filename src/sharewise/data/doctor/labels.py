"""What is wrong with the targets by themselves: none, one value, too few."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float

from ...task import Task, slices
from .finding import Finding, listed

Array = np.ndarray
FEW_ROWS, FEW_OF_CLASS = 20, 5
FEW_TOGETHER = 10
MOST_SINGLE = 5  # tasks of one sort that are reported one by one; more of them share a finding


def label_findings(Y: Float[Array, "N W"], tasks: Sequence[Task], train: Bool[Array, "N"]) -> Iterator[Finding]:
    """Targets without values, with one value, with few; classes seen once or seldom; pairs never seen together."""
    found: list[Finding] = []
    for task, part in zip(tasks, slices(tasks).values(), strict=True):
        values, everywhere = Y[train, part], Y[:, part][~np.isnan(Y[:, part])]
        changes = len(np.unique(everywhere)) > 1
        seen = int((~np.isnan(values)).any(axis=1).sum())
        if task.kind.width > 1:
            found.extend(_of_labels(task, values))
        elif seen and np.nanmin(values) == np.nanmax(values):
            found.append(_constant(task, seen, changes))
        elif seen and task.kind.classes:
            once = np.bincount(everywhere.astype(int)) == 1
            found.extend(_of_classes(task, values[~np.isnan(values)].astype(int), np.flatnonzero(once)))
        if not seen:
            elsewhere = " to train on (all are in the test rows)" if (~np.isnan(Y[:, part])).any() else ""
            found.append(Finding("error", "no-target", task.name, task.columns, f"has no observed target{elsewhere}",
                                 "Leave it out of the targets, or bring rows that have it."))
        elif seen < FEW_ROWS:
            found.append(Finding("warning", "few-labels", task.name, task.columns,
                                 f"has {seen} observed targets; what is said of it will be uncertain",
                                 f"Bring {FEW_ROWS} or more, or leave out {_left_out(task)}."))
    yield from gathered(found)
    yield from _overlap(Y[train], tasks)


def _left_out(task: Task) -> str:
    return "the task's rows" if task.task_column else "the target"


def _constant(task: Task, seen: int, changes: bool) -> Finding:
    if task.task_column or changes:
        where = "training row" if changes else "row"
        return Finding("warning", "constant-target", task.name, task.columns,
                       f"has one and the same value in all of its {seen} {where}{'s' if seen > 1 else ''}",
                       "Bring rows with other values; as it is, that value will be predicted for all.")
    return Finding("error", "constant-target", task.name, task.columns, f"has one and the same value in {seen} rows",
                   "Leave it out of the targets: there is nothing to learn.")


def _of_classes(task: Task, codes: Array, once: Array) -> Iterator[Finding]:
    """``codes`` of the training rows; ``once``: the classes that the whole table has once."""
    names = [str(task.kind.classes[code]) for code in once]
    if names:
        yield Finding("warning" if task.task_column else "error", "class-seen-once", task.name, task.columns,
                      f"has {listed(names)} in one row only",
                      f"Merge the class with another one, empty that cell, or leave out {_left_out(task)}.")
    count = np.bincount(codes, minlength=len(task.kind.classes))
    few = [f"{task.kind.classes[code]} ({count[code]})"
           for code in np.flatnonzero((count > 0) & (count < FEW_OF_CLASS)) if code not in once]
    if few:
        yield Finding("warning", "few-labels", task.name, task.columns,
                      f"has fewer than {FEW_OF_CLASS} training rows of {listed(few)}",
                      "Bring more rows, or merge the class with another one.")


def _of_labels(task: Task, values: Float[Array, "n L"]) -> Iterator[Finding]:
    seen, on = (~np.isnan(values)).sum(axis=0), np.nansum(values, axis=0)
    rare = np.minimum(on, seen - on)
    for code, level, low, high, message in (
            ("constant-label", "warning", 0, 0, "never change"),
            ("few-labels", "warning", 1, FEW_OF_CLASS - 1, f"are on (or off) in fewer than {FEW_OF_CLASS} rows")):
        names = [str(task.kind.classes[at]) for at in np.flatnonzero((rare >= low) & (rare <= high))]
        if names:
            yield Finding(level, code, task.name, task.columns, f"has labels that {message}: {listed(names)}",
                          "Leave these labels out, or bring more rows.")


def gathered(found: Sequence[Finding]) -> Iterator[Finding]:
    """The findings; where many tasks have the same, one that names them (all of them, if it is an error)."""
    for key in dict.fromkeys((one.level, one.code) for one in found):
        same = [one for one in found if (one.level, one.code) == key]
        if len(same) <= (1 if key[0] == "error" else MOST_SINGLE):
            yield from same
            continue
        columns = tuple(dict.fromkeys(column for one in same for column in one.columns))
        others = listed([one.subject for one in same[1:]], most=100 if key[0] == "error" else 6)
        yield Finding(*key, same[0].subject, columns, f"{same[0].message}, and much the same is true of {others}",
                      same[0].remedy)


def _overlap(Y: Float[Array, "N W"], tasks: Sequence[Task]) -> Iterator[Finding]:
    """Pairs of tasks of the wide layout that are hardly ever observed in one row."""
    wide = [(task, part) for task, part in zip(tasks, slices(tasks).values(), strict=True) if not task.task_column]
    if len(wide) < 2:
        return
    seen = np.stack([(~np.isnan(Y[:, part])).any(axis=1) for _, part in wide], axis=1).astype(np.float32)
    together = seen.T @ seen
    pairs = [(i, j) for i, j in zip(*np.triu_indices(len(wide), 1), strict=True)
             if together[i, j] < FEW_TOGETHER <= min(together[i, i], together[j, j])]
    if pairs:
        shown = ", ".join(f"{wide[i][0].name!r} and {wide[j][0].name!r} ({int(together[i, j])})"
                          for i, j in pairs[:MOST_SINGLE])
        more = f" and {len(pairs) - MOST_SINGLE} more pairs" if len(pairs) > MOST_SINGLE else ""
        names = list(dict.fromkeys(wide[at][0].name for pair in pairs for at in pair))
        yield Finding("note", "no-overlap", names[0], tuple(names),
                      f"is one of {len(names)} tasks that are hardly ever observed in one row: {shown}{more}",
                      "Their labels can't show whether they are related; what they share is learned from features.")
