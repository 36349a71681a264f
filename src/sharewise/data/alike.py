"""Which tasks of the long layout ask the same sort of question, as far as their values tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from math import exp, factorial
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .label_sets import find_separator
from .sample import ENOUGH_ROWS, Sample

CLASSES = ("binary", "multiclass", "ordinal")
ENOUGH_OF_VALUE = 5  # rows: where a task has some value less often, it may have others that did not come up
WOULD_BE_SEEN = 20.0  # rows of values that others have, if the task asked what they ask
MOST_STEPS = 20  # of a scale with halves, on which some keep to whole ones
LARGER_COUNTS = 5.0  # rows that a Poisson count of this mean would have above the task's largest value

Team = list[int]


def alike_tasks(parts: Sequence[pd.Series]) -> list[Team]:
    """Teams of the numbers of tasks whose values, ``parts``, are of one sort; one team where nothing speaks against it.

    Numbers, words, truth values and sets stand apart. Of numbers, tasks of 20 rows or more that hold a few whole ones
    have classes, each set of values its own, where others hold fractions (but for those of a scale in a few steps, such
    as half stars) or more values than a count of theirs would; counts stand apart from fractions. Of words, tasks that
    share none have classes of their own; and so have tasks that lack a word or a code which others often have, unless
    this is common, as where people answer on one scale and some never say 1. A task of few rows follows the fewest
    classes that hold its values.

    >>> answers = [[0, 1, 1] * 10, [1, 0, 0] * 10, [0.5, 3.25, 4.0] * 10, ["a", "b"] * 10, [1, 1, 0]]
    >>> alike_tasks([pd.Series(values, dtype=object) for values in answers])
    [[2], [0, 1, 4], [3]]
    """
    if isinstance(parts[0].dtype, pd.CategoricalDtype) and parts[0].dtype.ordered:
        return [list(range(len(parts)))]  # a scale by its type
    samples = [Sample.of(part) for part in parts]
    by_sort: dict[str, Team] = {}
    for at, sample in enumerate(samples):
        by_sort.setdefault(sample.sort, []).append(at)
    empty, teams = by_sort.pop("empty", []), []
    for sort, team in by_sort.items():
        if sort == "number":
            teams += _numbers(samples, team)
        elif sort == "text" and not find_separator(pd.concat([parts[at] for at in team])):
            teams += [part for whole in _overlapping(samples, team) for part in _with_classes(samples, whole)]
        else:
            teams.append(team)
    largest = max(teams, key=lambda team: _rows(samples, team), default=None)
    if empty and largest is None:
        return [empty]
    return [sorted(team + empty) if team is largest else sorted(team) for team in teams]


def _numbers(samples: Sequence[Sample], team: Team) -> list[Team]:
    """Tasks on a scale, those that count where others have fractions, and a team for each set of codes."""
    wide = [at for at in team if samples[at].wide]
    fractions = [at for at in wide if any(value != round(value) for value in samples[at].values if np.isfinite(value))]
    whole = [at for at in wide if at not in set(fractions)]
    steps = {value for at in fractions for value in samples[at].values}
    coded = [at for at in team if at not in set(wide) and not (whole and _may_count(samples[at]))
             and not (len(steps) <= MOST_STEPS and _steps_along(samples[at], steps))]
    groups = _with_classes(samples, coded, leave=bool(wide)) if coded else []
    taken = {at for group in groups for at in group}
    rest = [at for at in team if at not in taken and at not in set(wide)]
    counts = [at for at in whole if samples[at].kind == "count"] if fractions else []
    scale = [at for at in wide if at not in set(counts)]
    (counts or scale).extend(rest)
    return [one for one in (scale, counts, *groups) if one]


def _steps_along(sample: Sample, steps: set[Any]) -> bool:
    """Whether a task's values are some of the steps, and not what yes and no are written as."""
    return sample.values.keys() <= steps and not sample.values.keys() <= {0.0, 1.0}


def _may_count(sample: Sample) -> bool:
    """Whether small whole numbers may be counts, of which larger ones did not come up."""
    largest, mean = max(sample.values), sum(value * count for value, count in sample.values.items()) / sample.rows
    if min(sample.values) < 0:
        return False
    below = sum(mean**k / factorial(k) for k in range(int(largest) + 1)) * exp(-mean) if largest <= 100 else 1.0
    return sample.rows * (1.0 - below) < LARGER_COUNTS


def _with_classes(samples: Sequence[Sample], team: Team, leave: bool = False) -> list[Team]:
    """A team for each set of classes, which tasks of few rows follow; those whose values none holds join the largest
    one, or are left out where ``leave``."""
    sure = [at for at in team if samples[at].kind in CLASSES and samples[at].rows >= ENOUGH_ROWS]
    groups = [] if not sure else [part for whole in _overlapping(samples, sure) for part in _by_values(samples, whole)]
    if not groups:
        return [] if leave else [team]
    held = [{value for at in group for value in samples[at].values} for group in groups]
    largest = max(range(len(groups)), key=lambda at: _rows(samples, groups[at]))
    taken = {at for group in groups for at in group}
    for at in (at for at in team if at not in taken):
        homes = [number for number, values in enumerate(held) if samples[at].values.keys() <= values]
        if homes or not leave:
            groups[min(homes, key=lambda number: len(held[number]), default=largest)].append(at)
    return groups


def _by_values(samples: Sequence[Sample], team: Team) -> list[Team]:
    """Tasks with overlapping classes, by their sets of classes: all as one where most of those that lack some may lack
    them by chance; else the few of that sort are left to follow others."""
    groups: dict[frozenset[Any], Team] = {}
    for at in team:
        groups.setdefault(frozenset(samples[at].values), []).append(at)
    counts = {values: _counted(samples, own) for values, own in groups.items()}
    every = frozenset[Any]().union(*groups)
    short, by_chance = 0, set()
    for values, own in groups.items():
        if lacking := every - values:
            share = _share(lacking, counts)
            short += len(own)
            by_chance |= {at for at in own if min(samples[at].values.values()) < ENOUGH_OF_VALUE
                          or samples[at].rows * share < WOULD_BE_SEEN}
    if 2 * len(by_chance) >= short:
        return [team]
    left = [[at for at in own if at not in by_chance] for own in groups.values()]
    return [own for own in left if own]


def _counted(samples: Sequence[Sample], team: Team) -> Counter[Any]:
    total: Counter[Any] = Counter()
    for at in team:
        total.update(samples[at].values)
    return total


def _share(lacking: frozenset[Any], counts: Mapping[frozenset[Any], Counter[Any]]) -> float:
    """How often tasks that have any of the values have them."""
    others = [counted for values, counted in counts.items() if not lacking.isdisjoint(values)]
    return sum(one[value] for one in others for value in lacking) / sum(one.total() for one in others)


def _overlapping(samples: Sequence[Sample], team: Team) -> list[Team]:
    """Tasks that have values in common, with each other or through others."""
    place: dict[Any, int] = {}
    pairs = [(at, len(team) + place.setdefault(value, len(place))) for at, task in enumerate(team)
             for value in samples[task].values]
    size = len(team) + len(place)
    graph = coo_array((np.ones(len(pairs)), tuple(zip(*pairs, strict=True))), shape=(size, size))
    label = connected_components(graph, directed=False)[1][:len(team)]
    return [[team[at] for at in np.flatnonzero(label == one)] for one in dict.fromkeys(label.tolist())]


def _rows(samples: Sequence[Sample], team: Team) -> int:
    return sum(samples[at].rows for at in team)
