"""The plans that benchmarks/portfolio.py trains: who learns with whom, found anew in every fold."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

import numpy as np

COUNTS = (2, 3, 5)  # of groups
HELPERS = 4  # tasks that are learned for a task's sake, where each has a network of its own
TURNS = 3  # as many random groupings of each count as there are affinities
STARTS = {"separate": 2, "together": 9}  # more networks that differ in their start alone: as many as a portfolio has
MOST_IN_FULL = 6  # tasks up to which all partitions are trained

Teams = list[tuple[list[int], list[int]]]  # of each network the tasks that it learns, and those that it serves
Rule = Callable[[np.ndarray, np.ndarray], Teams]  # X, Z of the rows that may be seen


class Way(NamedTuple):
    """A plan, and where its networks start."""

    rule: Rule
    start: int = 0


def plans_for(Z: np.ndarray, seed: int) -> dict[str, Way]:
    """Every plan that is trained, by name."""
    from sharewise.relate import Absolute, CrossPrediction, GradientOuterProduct, LabelCorrelation, RidgeCosine

    tasks = Z.shape[1]
    alone: Teams = [([at], [at]) for at in range(tasks)]
    everything: Teams = [(list(range(tasks)), list(range(tasks)))]
    ends = {"separate": alone, "together": everything}
    plans = {name: Way(fixed(teams)) for name, teams in ends.items()}
    plans |= {f"{name} again {start}": Way(fixed(ends[name]), start) for name, most in STARTS.items()
              for start in range(1, most)}
    affinities = {"ridge": Absolute(RidgeCosine()), "outer": GradientOuterProduct(),
                  "cross": Absolute(CrossPrediction())}
    counts = [count for count in COUNTS if count < tasks]
    plans |= {f"{name} {count}": Way(clustered(one, count)) for name, one in affinities.items() for count in counts}
    plans |= {f"even {name} {count}": Way(even(one, count)) for name, one in affinities.items() for count in counts}
    helpers = min(HELPERS, tasks // 2)
    every = list(affinities.values())
    plans |= {"helped 1": Way(helped(lambda X, Z: agreed(every, X, Z), helpers)),
              "overlap 3": Way(overlapping(lambda X, Z: agreed(every, X, Z), 3))}
    plans |= {f"random {count} {turn}": Way(at_random(count, 100 * seed + 10 * turn + count)) for turn in range(TURNS)
              for count in counts}
    noise = np.random.default_rng(seed).random((tasks, tasks))
    plans |= {"chance helped 1": Way(helped(lambda X, Z: noise, helpers)),
              "chance overlap 3": Way(overlapping(lambda X, Z: noise + noise.T, 3))}
    if (~np.isnan(Z)).sum(axis=1).max() > 1:
        plans["labels 3"] = Way(clustered(Absolute(LabelCorrelation()), 3))
    if tasks <= MOST_IN_FULL:
        plans |= {",".join(map(str, own)): Way(fixed([(list(own), list(own))]))
                  for size in range(1, tasks + 1) for own in combinations(range(tasks), size)}
    return plans


def fixed(teams: Teams) -> Rule:
    """The same in every fold."""
    return lambda X, Z: teams


def clusters(matrix: np.ndarray, count: int) -> list[list[int]]:
    """Groups by an affinity."""
    from sharewise.relate import Hierarchical

    teams = Hierarchical(count).find(matrix, [str(at) for at in range(len(matrix))])
    return [[int(name) for name in team.serves] for team in teams]


def clustered(affinity, count: int) -> Rule:
    """Groups by an affinity."""
    return lambda X, Z: [(own, own) for own in clusters(affinity.find(X, Z).matrix, count)]


def even(affinity, count: int) -> Rule:
    """Groups of nearly equal size by an affinity: from the clusters on, tasks are dealt to the places of the groups by
    their mean affinity to them, until nothing moves."""
    from scipy.optimize import linear_sum_assignment

    def rule(X: np.ndarray, Z: np.ndarray) -> Teams:
        matrix = affinity.find(X, Z).matrix
        near = (matrix + matrix.T) / 2
        np.fill_diagonal(near, 0.0)
        tasks = len(near)
        place = np.arange(tasks) % count  # of each group as many places as its share
        group = np.zeros(tasks, dtype=int)
        for number, own in enumerate(clusters(near, count)):
            group[own] = number
        for _ in range(20):
            inside = np.eye(count)[group]
            others = np.maximum(inside.sum(axis=0) - inside, 1)
            chosen, at = linear_sum_assignment(-(near @ inside / others)[:, place])
            moved = place[at[np.argsort(chosen)]]
            if (moved == group).all():
                break
            group = moved
        return [(own, own) for number in range(count) if (own := np.flatnonzero(group == number).tolist())]
    return rule


def at_random(count: int, seed: int) -> Rule:
    """Random groups of nearly equal size."""
    def rule(X: np.ndarray, Z: np.ndarray) -> Teams:
        order = np.random.default_rng(seed).permutation(Z.shape[1])
        return [(part.tolist(), part.tolist()) for part in np.array_split(order, min(count, len(order)))]
    return rule


def agreed(affinities, X: np.ndarray, Z: np.ndarray) -> np.ndarray:
    """Mean of the ranks that several affinities give to the helpers of each task."""
    ranks = [affinity.find(X, Z).matrix.argsort(axis=0).argsort(axis=0) for affinity in affinities]
    return np.mean(ranks, axis=0)


def helped(find, helpers: int) -> Rule:
    """Each task has a network of its own, which also learns the tasks that help it most."""
    def rule(X: np.ndarray, Z: np.ndarray) -> Teams:
        matrix = find(X, Z).copy()
        np.fill_diagonal(matrix, -np.inf)
        best = np.argsort(-matrix, axis=0, kind="stable")[:helpers].T
        return [(sorted([at, *own.tolist()]), [at]) for at, own in enumerate(best)]
    return rule


def overlapping(find, count: int) -> Rule:
    """Groups that also learn, half as many again, the tasks that are nearest to them."""
    def rule(X: np.ndarray, Z: np.ndarray) -> Teams:
        matrix = find(X, Z)
        teams = []
        for own in clusters((matrix + matrix.T) / 2, count):
            outside = np.setdiff1d(np.arange(len(matrix)), own)
            nearest = outside[np.argsort(-matrix[np.ix_(outside, own)].mean(axis=1), kind="stable")]
            teams.append((sorted([*own, *nearest[: -(-len(own) // 2)].tolist()]), own))
        return teams
    return rule
