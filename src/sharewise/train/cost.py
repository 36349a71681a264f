"""What a way of sharing costs over a table, told before it is built for all tasks."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from ..base import catalogue
from ..share import Separate, describe
from .architecture import Architecture, build, names
from .recipe import Recipe

COUNTED = (2, 3, 4)  # tasks of the networks that are built to be counted
EXAMPLE = Recipe({name: [0.0] for name in "abcd"}, 64, 64, 2, 0.0, 0, 0)
EXAMPLE_WORDS = "4 tasks of one number each, 64 inputs, trunks of 2 layers of 64, steps of 64 rows"
ROWS = 64  # of their batch: what is done once for all rows is spread over them


def per_row(architecture: Architecture, tasks: int, inputs: int, hidden: int, depth: int) -> tuple[float, float]:
    """Multiply-adds of one row's forward pass for all of so many tasks, and parameters.

    Both grow with the square of the tasks at most (what pairs of tasks have), so that three small networks tell all.
    """
    counts = _counted(architecture.name, tuple(architecture.options.items()), inputs, hidden, depth)
    rows, weights = (float(np.polyval(np.polyfit(COUNTED, column, 2), tasks)) for column in zip(*counts, strict=True))
    return rows, weights


@lru_cache(maxsize=64)
def _counted(name: str, options: tuple, inputs: int, hidden: int, depth: int) -> list[tuple[float, float]]:
    found = []
    for count in COUNTED:
        recipe = Recipe({str(at): [0.0] for at in range(count)}, inputs, hidden, depth, 0.0, 0, 0)
        cost = describe(Architecture(name, dict(options)).build(recipe), torch.zeros(ROWS, inputs))
        found.append((cost.multiply_adds / ROWS, float(cost.parameters)))
    return found


def example(name: str) -> str:
    """The cost of a way of sharing in ``EXAMPLE``, in words; empty for one that is not built of trunks and heads."""
    kind = catalogue.load("share", name)
    if kind is not Separate and name not in names():
        return ""
    model = build(kind, EXAMPLE)
    cost = describe(model, torch.zeros(ROWS, EXAMPLE.inputs))
    own = sum(cost.own_parameters.values()) / len(model.tasks)
    return (f"{_short(cost.shared_parameters)} parameters shared, {_short(own)} a task; "
            f"{_short(cost.multiply_adds / ROWS)} multiply-adds a row for all, "
            f"{_short(sum(cost.task_multiply_adds.values()) / ROWS)} one by one; "
            f"{_short(cost.step_bytes)}B a step for all, {_short(sum(cost.task_step_bytes.values()))}B one by one")


def _short(number: float) -> str:
    """Three digits, in thousands from a thousand on, in millions from a million on."""
    size, unit = next((size, unit) for size, unit in ((1e6, "M"), (1e3, "k"), (1.0, "")) if number >= size or not unit)
    return f"{number / size:.3g}{unit}"
