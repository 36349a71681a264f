"""Seats: which task sits in which slot, so that networks of different groups have one shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..task import Task


class Seat(NamedTuple):
    """The place of a task; not ``real``: only the shape of the slot, and nothing is observed there."""

    task: int
    real: bool


Seats = tuple[Seat, ...]


def take_seats(groups: Sequence[tuple[int, ...]], tasks: Sequence[Task]) -> list[Seats]:
    """For each group a slot a task; where groups differ, as many slots of each shape as the largest needs, and a task
    that is only there for the shape of the slot where a group has fewer."""
    if len(set(groups)) == 1:
        return [tuple(Seat(at, True) for at in groups[0])] * len(groups)
    by_shape = [_by_shape(group, tasks) for group in groups]
    widest: dict[object, list[int]] = {}
    for found in by_shape:
        for shape, places in found.items():
            widest[shape] = max(widest.get(shape, []), places, key=len)
    return [tuple(Seat(places[slot], True) if slot < len(places := found.get(shape, [])) else Seat(stand_in, False)
                  for shape, most in widest.items() for slot, stand_in in enumerate(most)) for found in by_shape]


def _by_shape(group: tuple[int, ...], tasks: Sequence[Task]) -> dict[object, list[int]]:
    found: dict[object, list[int]] = {}
    for at in group:
        found.setdefault(shape_of(tasks[at]), []).append(at)
    return found


def shape_of(task: Task) -> tuple[object, ...]:
    """Tasks of one shape can be computed together."""
    return task.kind.name, task.kind.raw_size, task.kind.width, task.kind.variant
