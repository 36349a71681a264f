"""The tree of a network that branches: who shares which stage, within a budget."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from scipy.cluster.hierarchy import cut_tree

from ..base.checks import at_least_one, whole, within
from .grouping import check_affinity, teams_of
from .hierarchical import merges

Array = np.ndarray
USUAL_BUDGET = 1.5  # networks
PRICE = 0.05  # of a further group at any stage, in units of the cost of one group for all
EQUAL = 1e-9  # of that cost: what differs by less is equal


def branches(affinity: Float[Array, "T T"], names: Sequence[str], stages: int,
             budget: float | None = None) -> list[list[list[str]]]:
    """For each stage of a network the groups of tasks that share it, which only ever part: what ``share.Branching``
    takes as ``groups``.

    The merges of ``Hierarchical`` are cut into k_s groups at stage s, k_1 <= ... <= k_S, so that
    sum_s (s / S) c(k_s) + 0.05 c(1) k_s is least where sum_s k_s <= ``budget`` S; c(k) is the mean over tasks of how
    far the others of its group are from it (their mean distance, 0 alone; the nearest two tasks of all are at 0). Late
    stages count for more, as early ones serve most tasks alike; a group more must pay, as tasks that are near should
    learn together. Vandenhende, Georgoulis, De Brabandere, Van Gool 2020, Branched multi-task networks: Deciding what
    layers to share, section 3 (least cost of all clusters within a budget). Departures: one affinity for all stages,
    hence their weights; the price of a group; all cuts are of one clustering, so that the search is exact; a mean in
    the place of the largest distance, which a noisy affinity has anywhere.

    ``stages``: S; ``budget``: as many stages in all as so many networks have, 1 (all tasks in one) or more; None: 1.5,
    so that of two stages all share the first. UsageError for numbers out of range and an affinity that is none.

    >>> near = np.array([[0, 0.9, 0.4], [0.9, 0, 0.4], [0.4, 0.4, 0]])
    >>> branches(near, ["a", "b", "c"], stages=2)
    [[['a', 'b', 'c']], [['a', 'b'], ['c']]]
    """
    at_least_one("the names of tasks", names)
    affinity = check_affinity(affinity, names)
    count, stages = len(names), whole("stages", stages, 1, 10_000)
    budget = USUAL_BUDGET if budget is None else within("budget", budget, 1.0)
    if count == 1:
        return [[list(names)] for _ in range(stages)]
    merged = merges(affinity)
    numbers = _numbers(_apart(merged), stages, int(min(budget, count) * stages + EQUAL))
    labels = cut_tree(merged, n_clusters=numbers)
    found = [[team.learns for team in teams_of(column, names)] for column in labels.T]
    place = {name: at for at, name in enumerate(names)}
    return [sorted(groups, key=lambda group: place[group[0]]) for groups in found]


def _apart(merged: Float[Array, "M 4"]) -> Float[Array, "T"]:
    """c(1), ..., c(T): every merge's height is the mean distance between the tasks of its two parts."""
    count = len(merged) + 1
    sizes, sums, costs = [1] * count, [0.0] * count, [0.0]  # of each group: tasks, and the distances of all its pairs
    spread = lambda at: 2 * sums[at] / max(sizes[at] - 1, 1)  # noqa: E731
    for left, right, height, _ in merged.tolist():
        one, other = int(left), int(right)
        sums.append(sums[one] + sums[other] + height * sizes[one] * sizes[other])
        sizes.append(sizes[one] + sizes[other])
        costs.append(costs[-1] + spread(len(sums) - 1) - spread(one) - spread(other))
    return np.array(costs[::-1]) / count


def _numbers(apart: Float[Array, "T"], stages: int, most: int) -> list[int]:
    """How many groups each stage has, at most so many in all: from the last stage on, for every number of groups that a
    stage has at least and every number that is left, the least cost."""
    widest = min(len(apart), most - stages + 1)
    price, tolerance = PRICE * apart[0], EQUAL * apart[0]
    after = np.zeros((widest + 2, most + 1))
    picks: list[Int[Array, "K B"]] = []
    for stage in range(stages, 0, -1):
        best, pick = np.full((widest + 2, most + 1), np.inf), np.zeros((widest + 2, most + 1), dtype=int)
        for groups in range(widest, 0, -1):
            own = np.full(most + 1, np.inf)
            own[groups:] = stage / stages * apart[groups - 1] + price * groups + after[groups, :most + 1 - groups]
            fewer = own <= best[groups + 1] + tolerance
            best[groups] = np.where(fewer, own, best[groups + 1])
            pick[groups] = np.where(fewer, groups, pick[groups + 1])
        after = best
        picks.insert(0, pick)
    numbers, least, left = [], 1, most
    for pick in picks:
        least = int(pick[least, left])
        left -= least
        numbers.append(least)
    return numbers
