"""What 'not observed' means, settled once: NaN in Y, the [N, W] array that holds the targets of all tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

if TYPE_CHECKING:
    from .task import Task

Array = np.ndarray


def slices(tasks: Sequence[Task]) -> dict[str, slice]:
    """Which columns of Y belong to each task: one a task, but L for a multilabel task of L labels.

    >>> from sharewise.task import Multilabel, Regression, Task
    >>> slices([Task("price", Regression()), Task("tags", Multilabel(("new", "red")))])
    {'price': slice(0, 1, None), 'tags': slice(1, 3, None)}
    """
    ends = np.cumsum([0, *(task.kind.width for task in tasks)]).tolist()
    return {task.name: slice(low, high) for task, low, high in zip(tasks, ends[:-1], ends[1:], strict=True)}


def observed_rows(Y: Float[Array, "N W"], tasks: Sequence[Task]) -> Bool[Array, "N T"]:
    """True where a task has a target in a row (for a multilabel task: at least one of its labels).

    >>> from sharewise.task import Regression, Task
    >>> observed_rows(np.array([[1.0, np.nan]]), [Task("a", Regression()), Task("b", Regression())]).tolist()
    [[True, False]]
    """
    seen = ~np.isnan(Y)
    return np.stack([seen[:, part].any(axis=1) for part in slices(tasks).values()], axis=1)
