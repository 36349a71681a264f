"""Groups by merging what is nearest, and the tree that this draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from ..base.checks import whole
from .grouping import Grouping, Team, check_affinity, teams_of

Array = np.ndarray
Branch = str | list["Branch"]


class Hierarchical(Grouping):
    """At most ``count`` groups, by average linkage: the two groups with the largest mean affinity between them merge
    first.

    The affinity is made symmetric by its mean with its transpose; its scale and level do not matter. For thousands of
    tasks: time and memory grow as T^2. Sokal, Michener 1958, A statistical method for evaluating systematic
    relationships. UsageError where ``count`` is no whole number from 1 up.

    >>> Hierarchical(2).find(np.array([[1, 0.9, 0.0], [0.9, 1, 0.1], [0.0, 0.1, 1]]), ["a", "b", "c"])
    [Team(learns=['a', 'b'], serves=['a', 'b']), Team(learns=['c'], serves=['c'])]
    """

    def __init__(self, count: int) -> None:
        self.count = count
        whole("count", count, 1, 2**31)

    def _find(self, affinity: Float[Array, "T T"], names: Sequence[str]) -> list[Team]:
        return teams_of(fcluster(merges(affinity), self.count, "maxclust"), names)


def tree(affinity: Float[Array, "T T"], names: Sequence[str]) -> list[Branch]:
    """Who stays together how long, as nested lists of names: the deeper two tasks part, the nearer they are.

    The merges of ``Hierarchical``; ``branches`` cuts them into the stages of a network. Lu, Kumar, Zhai, Cheng, Javidi,
    Feris 2017, Fully-adaptive feature sharing in multi-task networks, section 3 (groups of tasks by affinity, from the
    heads down).

    >>> tree(np.array([[0, 0.9, 0.0], [0.9, 0, 0.1], [0.0, 0.1, 0]]), ["a", "b", "c"])
    ['c', ['a', 'b']]
    """
    affinity = check_affinity(affinity, names)
    if len(names) < 2:
        return list(names)
    built: list[Branch] = list(names)
    for left, right in merges(affinity)[:, :2].astype(int):
        built.append([built[left], built[right]])
    return built[-1] if isinstance(built[-1], list) else [built[-1]]


def merges(affinity: Float[Array, "T T"]) -> Float[Array, "M 4"]:
    """SciPy's table of merges by average linkage: two parts, the mean distance between their tasks, tasks in both."""
    near = affinity + affinity.T
    distance = near.max() - near
    np.fill_diagonal(distance, 0.0)
    return linkage(squareform(distance, checks=False), "average")
