"""What kinds the tasks of a long table have, where that may surprise."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float

from ...task import Kind, Task, slices
from .finding import Finding, listed

Array = np.ndarray
MOST_CLASSES = 6
FEWEST_OF_VALUE = 3  # rows: two values that both come up so often may be classes


def kind_findings(Y: Float[Array, "N W"], tasks: Sequence[Task]) -> Iterator[Finding]:
    """A note where the tasks of one target are of several kinds, and one on each task of two whole numbers that is
    learned as a number because most others are."""
    by_target: dict[tuple[str, ...], dict[Kind, list[Task]]] = {}
    for task in tasks:
        if task.task_column is not None:
            by_target.setdefault(task.columns, {}).setdefault(task.kind, []).append(task)
    for columns, by_kind in by_target.items():
        if len(by_kind) > 1:
            said = "; ".join(f"{_words(kind)} in {listed([str(task.task_value) for task in own])}"
                             for kind, own in by_kind.items())
            one = shlex.quote(f"{next(iter(by_kind.values()))[0].task_value}=KIND")
            yield Finding("note", "several-kinds", columns[0], columns, "holds values of several sorts, and each task "
                          f"has the kind of its own: {said}",
                          f"If one is wrong, set it: --kind {one} for a task, --kind {columns[0]}=KIND for all.")
    parts = slices(tasks)
    for task in tasks:
        if task.task_column is not None and task.kind.name in ("regression", "count"):
            yield from _two_numbers(task, Y[:, parts[task.name]])


def _two_numbers(task: Task, target: Float[Array, "N 1"]) -> Iterator[Finding]:
    values, sizes = np.unique(target[~np.isnan(target)], return_counts=True)
    if len(values) == 2 and (values == np.round(values)).all() and sizes.min() >= FEWEST_OF_VALUE:
        yield Finding("note", "kind-of-others", task.name, task.columns,
                      f"holds {values[0]:g} and {values[1]:g} alone in its {sizes.sum()} rows, and is learned as "
                      f"{_words(task.kind)} like others of its target, of whose values they may be the only ones that "
                      "came up", f"If they are classes, say so: --kind {shlex.quote(f'{task.task_value}=binary')}.")


def _words(kind: Kind) -> str:
    if not kind.classes:
        return "a number" if kind.name == "regression" else "a count"
    shown = ", ".join(map(str, kind.classes[:MOST_CLASSES]))
    return f"{kind.name} ({shown}{', ...' if len(kind.classes) > MOST_CLASSES else ''})"
