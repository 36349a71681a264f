"""FoundGroups: groups of tasks as a rule, for learners that must find them anew from the rows that they train on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ..base import UsageError
from ..base.checks import whole
from ..task import Task
from .affinity import Affinity
from .features import standard_features
from .grouping import Grouping
from .targets import task_targets

Array = np.ndarray
MOST_INPUTS = 64
USUAL = 3  # groups, where the matrix tells their number


class FoundGroups:
    """An affinity and a grouping: from features and targets to groups of names.

    Groups that are found once, from all rows, have seen the rows that judge them. A learner that is given the rule
    finds them in every fold from the rows of the fold alone. What a team learns without serving it is left out of it.

    ``affinity``: one that reads X, Y or both; ``grouping``: see Grouping; ``inputs``: more features are turned to as
    many principal components, so that the small models of 500 tasks take a second. UsageError for an affinity that
    reads anything else.

    >>> from sharewise.relate import Hierarchical, RidgeCosine
    >>> from sharewise.task import Regression
    >>> X = np.random.default_rng(0).normal(size=(64, 4))
    >>> Y = X[:, [0, 1, 0, 1]] * [1.0, 2.0, 3.0, 1.0]
    >>> FoundGroups(RidgeCosine(), Hierarchical(2)).find(X, Y, [Task(name, Regression()) for name in "abcd"])
    [['a', 'c'], ['b', 'd']]
    """

    def __init__(self, affinity: Affinity, grouping: Grouping, inputs: int = MOST_INPUTS) -> None:
        self.affinity, self.grouping = affinity, grouping
        self.inputs = whole("inputs", inputs, 1, 2**31)
        if not set(affinity.needs) <= {"X", "Y"}:
            raise UsageError(f"affinity {type(affinity).__name__}", f"reads {' and '.join(affinity.needs)}",
                             "groups of a table can only be found by one that reads X and Y", "Name another.")

    def find(self, X: Float[Array, "N D"], Y: Float[Array, "N W"], tasks: Sequence[Task]) -> list[list[str]]:
        """The groups, each task in one, by the first task of each; ``Y`` has the columns of the tasks in their order,
        NaN where not observed."""
        names = [task.name for task in tasks]
        if len(names) < 2:
            return [names] if names else []
        matrix = self.affinity.find(standard_features(X, self.inputs), task_targets(Y, tasks)).matrix
        return [team.serves for team in self.grouping.find(matrix, names)]

    def guess(self, names: Sequence[str]) -> list[list[str]]:
        """Groups of equal size, as many as may be expected before anything is seen: what the cost is guessed from."""
        count = min(getattr(self.grouping, "count", None) or USUAL, len(names))
        return [list(names[at::count]) for at in range(count)]

    def __repr__(self) -> str:
        return f"FoundGroups({self.affinity!r}, {self.grouping!r})"
