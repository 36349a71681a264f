"""Which groups of tasks are worth training: those that both halves of the rows show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.metrics import adjusted_rand_score

from ..relate import Absolute, Affinity, FoundGroups, Grouping, Hierarchical, RidgeCosine, SelfExpressive, Spectral
from ..relate.features import standard_features
from ..relate.found_groups import MOST_INPUTS
from ..relate.halves import half_of_rows
from ..relate.targets import Targets, task_targets
from ..task import Task
from .plan import Plan

Array = np.ndarray
AFFINITIES: tuple[Affinity, ...] = (RidgeCosine(), Absolute(SelfExpressive()))
GROUPINGS: dict[str, Grouping] = {"2 groups": Hierarchical(2), "3 groups": Hierarchical(3),
                                  "groups by the spectrum": Spectral()}
FEWEST_TASKS = 4  # that are worth grouping
SPLITS, TASKS_SPLIT = 10, 1000  # of the rows into halves, and fewer where they split more tasks in all: each tells more
LEAST_AGREEMENT = 0.5  # adjusted Rand index, mean over the splits


class Found(NamedTuple):
    """A rule, the groups that it finds in all rows, and how well halves of the rows agree on groups by it."""

    rule: FoundGroups
    plan: Plan
    agreement: float


def groupings(tasks: Sequence[Task], X: Float[Array, "N D"], Y: Float[Array, "N W"], seed: int) -> dict[str, Found]:
    """The rules worth trying, by a word for each.

    For each number of groups the affinity counts by which random halves of the rows agree best on them; where they
    agree less than LEAST_AGREEMENT, what is found is noise, and training it would change no plan. What is one group,
    or every task alone, is tried anyway."""
    if len(tasks) < FEWEST_TASKS:
        return {}
    names = [task.name for task in tasks]
    targets = task_targets(Y, tasks)
    inputs = standard_features(X, MOST_INPUTS)
    best: dict[str, Found] = {}
    for affinity in AFFINITIES:
        matrix = affinity.find(inputs, targets).matrix
        halves = [[affinity.find(inputs, part).matrix for part in parts] for parts in _halves(targets, seed)]
        for word, grouping in GROUPINGS.items():
            labels = _labels(grouping, matrix, names)
            if len(set(labels)) in (1, len(names)):
                continue
            agreement = float(np.mean([adjusted_rand_score(*(_labels(grouping, half, names) for half in pair))
                                       for pair in halves]))
            plan = Plan.of([[name for name, own in zip(names, labels, strict=True) if own == group]
                            for group in dict.fromkeys(labels)])
            if agreement > max(best[word].agreement if word in best else 0.0, LEAST_AGREEMENT):
                best[word] = Found(FoundGroups(affinity, grouping), plan, agreement)
    alike: dict[Plan, str] = {}
    for word in (word for word in GROUPINGS if word in best):
        alike.setdefault(best[word].plan, word)
    return {word: best[word] for word in alike.values()}


def _halves(targets: Targets, seed: int) -> Iterator[tuple[Targets, Targets]]:
    for split in range(min(max(TASKS_SPLIT // targets.task_count, 2), SPLITS)):
        half = half_of_rows(targets, (seed + split) % 2**31)
        yield targets.keep(half), targets.keep(~half)


def _labels(grouping: Grouping, matrix: Float[Array, "T T"], names: Sequence[str]) -> list[int]:
    """The group of each task, numbered in their order."""
    group = {name: at for at, team in enumerate(grouping.find(matrix, names)) for name in team.serves}
    return [group[name] for name in names]
