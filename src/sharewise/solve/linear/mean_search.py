"""How strongly to penalise, and how much of it to share: chosen by held-out rows in two stages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from .blocks import Block
from .families import Family
from .newton import LOOSE, minimise
from .objective import Objective
from .penalties import Together
from .strength import is_over

Array = np.ndarray
STRENGTHS = (3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 0.003)  # times the mean number of rows a task, strong first
SIMILARITIES = (0.3, 1.0, 3.0, 10.0, 50.0)


class Course(NamedTuple):
    """A training of a family: blocks of its rows with those that it keeps out, where to start, and ``unit``, the
    strength at step 1."""

    family: Family
    blocks: list[Block]
    theta: Float[Array, "r1 K"]
    unit: float

    def fit(self, step: float, similarity: float, theta: Float[Array, "r1 K"],
            tolerance: float) -> Float[Array, "r1 K"]:
        """The best theta, from near the one given. Both penalties are chosen so that a weight has the prior variance
        1 / strength, of which the part s / (1 + s) is common."""
        own = step * self.unit * (1.0 + similarity)
        family, penalty = self.family, Together(self.family.groups, own / similarity, own)
        return minimise(Objective(self.blocks, family.loss, family.classes, penalty, family.start), theta, tolerance)

    def loss(self, theta: Float[Array, "r1 K"]) -> float:
        """The summed loss on the rows that were kept out."""
        family = self.family
        return sum(float(block.held_losses(theta, family.loss, family.classes).sum()) for block in self.blocks)


class Point(NamedTuple):
    """What was tried: step and similarity, and theta and held-out loss of each course."""

    step: float
    similarity: float
    thetas: list[Array]
    losses: Float[Array, "K"]


def search(courses: Sequence[Course], judges: Bool[Array, "M K"], steps: Sequence[float],
           similarities: Sequence[float]) -> list[Point]:
    """For each chooser the point with the least loss of its judges: first the steps, from strong to weak, at similarity
    1 (or the nearest to it), until the losses have grown twice in a row; then from each chooser's best point downhill.
    Each fit starts from its neighbour."""
    middle = int(np.argmin(np.abs(np.log(similarities))))
    points: dict[tuple[int, int], Point] = {}
    thetas = [course.theta for course in courses]
    for row, step in enumerate(steps):
        points[row, middle] = attempt(courses, step, similarities[middle], thetas)
        thetas = points[row, middle].thetas
        if is_over([point.losses for point in points.values()], judges):
            break
    return [descend(points, courses, one, steps, similarities) for one in judges]


def descend(points: dict[tuple[int, int], Point], courses: Sequence[Course], judge: Bool[Array, "K"],
            steps: Sequence[float], similarities: Sequence[float]) -> Point:
    """The best point for one chooser. Its neighbours, one step, one similarity or both away, join the points until none
    is better: both numbers trade off, so that the best similarity at one step is not yet the best."""
    while True:
        best = min(points, key=lambda at: float(points[at].losses[judge].sum()))
        rows, columns = (range(max(place - 1, 0), min(place + 2, len(values)))
                         for place, values in zip(best, (steps, similarities), strict=True))
        near = [at for at in product(rows, columns) if at not in points]
        if not near:
            return points[best]
        points |= {(row, column): attempt(courses, steps[row], similarities[column], points[best].thetas)
                   for row, column in near}


def attempt(courses: Sequence[Course], step: float, similarity: float, thetas: Sequence[Array]) -> Point:
    """All courses at one point."""
    found = [course.fit(step, similarity, theta, LOOSE) for course, theta in zip(courses, thetas, strict=True)]
    return Point(step, similarity, found, np.array([course.loss(theta) for course, theta in
                                                    zip(courses, found, strict=True)]))
