"""The tree of a network that branches, from features and targets."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ..task import Task
from .affinities.absolute import Absolute
from .affinities.ridge_cosine import RidgeCosine
from .branches import branches
from .features import standard_features
from .found_groups import MOST_INPUTS
from .targets import task_targets

Array = np.ndarray
AFFINITY = Absolute(RidgeCosine())  # one trunk serves both signs


def find_tree(X: Float[Array, "N D"], Y: Float[Array, "N W"], tasks: Sequence[Task], stages: int,
              budget: float | None = None) -> list[list[list[str]]]:
    """For each stage the groups of tasks that share it, by which features the tasks read: ``branches`` of
    ``Absolute(RidgeCosine())``.

    A tree that is found once, from all rows, has seen the rows that judge it: a network finds it in every fold from
    the fold's own rows. ``Y`` has the columns of the tasks in their order, NaN where not observed; ``stages``,
    ``budget``: see ``branches``.

    >>> from sharewise.task import Regression
    >>> X = np.random.default_rng(0).normal(size=(64, 4))
    >>> Y = X[:, [0, 1, 0, 1]] * [1.0, 2.0, -3.0, 1.0]
    >>> find_tree(X, Y, [Task(name, Regression()) for name in "abcd"], stages=2)
    [[['a', 'b', 'c', 'd']], [['a', 'c'], ['b', 'd']]]
    """
    names = [task.name for task in tasks]
    if len(names) < 2:
        return branches(np.zeros((len(names),) * 2), names, stages, budget)
    found = AFFINITY.find(standard_features(X, MOST_INPUTS), task_targets(Y, tasks))
    return branches(found.matrix, names, stages, budget)
