"""First guesses of how long a candidate takes, and how much effort each sort of model may make within a budget.

The schedule corrects the guesses as soon as a candidate has finished.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np
from jaxtyping import Float
from sklearn.base import clone

from ..relate import FoundGroups
from ..solve.labels import LabelMethod
from ..solve.linear.blocks import MOST_COPIES
from ..solve.linear.lessons import MOST_ROWS
from ..solve.linear.line_fit import LEAST_SEEN
from .candidate import Candidate
from .grouped import Grouped
from .label_effort import label_seconds

if TYPE_CHECKING:
    from ..task import Task
    from ..train import Network


@dataclass(frozen=True)
class Size:
    """Rows that a task is observed in (mean over tasks), all rows, features, target columns. ``bins``: what the
    features cost a boosted tree, where a flag costs less than a number; ``bases``: how many different sets of rows
    the target columns are observed in; ``scores``: trees in a round of boosting, of a class each."""

    rows_a_task: float
    rows: int
    features: int
    targets: int
    bins: float
    bases: int
    scores: int

    @classmethod
    def of(cls, X: Float[np.ndarray, "N D"], Y: Float[np.ndarray, "N W"], tasks: Sequence[Task]) -> Size:
        """The size of a piece of work."""
        seen = ~np.isnan(Y)
        few = X[:FEW_ROWS]
        bins = sum(min(len(np.unique(column)), MOST_BINS) for column in few.T) / min(MOST_BINS, max(len(few), 1))
        return cls(float(seen.sum() / Y.shape[1]), len(X), X.shape[1], Y.shape[1], max(bins, 1.0),
                   len({column.tobytes() for column in seen.T}),
                   sum(max(task.kind.width, task.kind.raw_size) for task in tasks))


FEW_ROWS, MOST_BINS, FEWEST_BINS = 256, 64, 8.0  # a round of boosting costs something on a single feature, too
FOLDS = 5
MULTIPLY_ADDS = 3e10  # of a network in a second, where it is large; small ones are slower, and have formulas
INNER_FOLDS = 5  # lines of found groups can't ask the other folds how strongly to penalise
MAPPED = 2.5  # a network whose members are mapped over, over one that is batched by hand, at equal multiply-adds
BASIS, PASSES = 2.7e-11, 6.1e-9  # seconds: of an operation on a line's basis, of a target's search over an entry of X

TREES = 500  # of all folds, which serve together
MOST_TRIED = 100  # features at a split: more cost time and bring little
SPLIT, FEW_TARGETS = 8e-10, 50  # seconds; up to so many targets the formulas of forests hold

GROUPING, MOST_OF_GROUPING = 1.1e-8, 0.05  # seconds; share of the budget: more is not worth looking

FINISH_TARGET, FINISH_VALUE = 1e-2, 4e-6  # seconds, as tables of 28 and of 617 targets took

MOST_SLOWNESS = 3.0  # of a machine that others work on; reading from a slow disk looks the same

# Constant and exponents of rows, features and target columns: seconds = exp(constant) * rows^a * features^b * targets^c
FORMULAS: dict[str, tuple[float, float, float, float]] = {
    "trivial, separate": (-7.7, 0.20, 0.09, 0.37),
    "linear, separate": (-5.8, 0.32, 0.0, 0.46),
    "extra trees, light, separate": (-6.0, 0.84, 0.31, 1.0),
    "extra trees, strong, separate": (-5.5, 0.65, 0.25, 1.05),
    "random forest, separate": (-5.4, 0.74, 0.34, 1.12),
    "boosted trees, light, separate": (-7.5, 0.66, 0.67, 0.98),
    "boosted trees, strong, separate": (-7.7, 0.66, 0.67, 0.98),
    "network, light, separate": (-2.1, 0.56, 0.09, 0.42),
    "network, strong, separate": (-3.2, 0.62, 0.14, 0.83),
    "mean-regularised linear, together": (-6.6, 0.37, 0.25, 0.97),
    "pooled boosted trees, light, together": (-6.4, 0.6, 0.3, 0.0),
    "pooled boosted trees, strong, together": (-6.7, 0.6, 0.3, 0.0),
    "pooled extra trees, light, together": (-9.5, 1.2, 0.4, 0.0),
    "pooled extra trees, strong, together": (-10.0, 1.2, 0.4, 0.0),
    "joint extra trees, light, together": (-6.0, 0.82, 0.36, 0.17),
    "joint extra trees, strong, together": (-5.9, 0.64, 0.34, 0.31),
    "joint random forest, together": (-6.7, 0.89, 0.41, 0.32),
    "joint boosted trees, together": (-6.0, 0.70, 0.46, 0.8),
    "stacked extra trees, together": (-3.6, 0.53, 0.19, 1.13),
    "stacked boosted trees, together": (-6.7, 0.91, 0.45, 0.98),
    "chained linear, together": (-4.7, 0.32, 0.22, 1.74),
    "chained extra trees, together": (-4.9, 0.63, 0.28, 1.55),
    "neighbour regression, separate": (-8.0, 0.67, 0.28, 0.81),
    "neighbour regression, together": (-8.0, 0.67, 0.28, 0.81),
    "network, light, together": (-2.7, 0.58, 0.16, 0.0),
    "network, strong, together": (-3.1, 0.67, 0.13, 0.0),
}


class Pace(NamedTuple):
    """The share of its full effort that each sort of model makes: fewer trees, larger steps of boosting, fewer steps of
    training. It is one share for learning apart and together, or else the effort would decide between them."""

    forests: float = 1.0
    boosting: float = 1.0
    networks: float = 1.0

    @classmethod
    def within(cls, budget: float | None, candidates: Sequence[Candidate], size: Size) -> Pace:
        """So that the dearest separate candidate of each sort takes no more than a share of the budget, if the least
        effort allows it. Where learning apart does not fit at all, as with hundreds of tasks, what serves hangs on the
        joint ones: then the cheapest forest and the cheapest network take no more than a share each."""
        if budget is None:
            return cls()
        guesses = [(candidate, sort_of(candidate.name), guess_seconds(candidate, size)) for candidate in candidates]
        dearest, cheapest = dict.fromkeys(cls._fields, 0.0), dict.fromkeys(cls._fields, float("inf"))
        for candidate, sort, seconds in guesses:
            if sort:
                cheapest[sort] = min(cheapest[sort], seconds)
                dearest[sort] = max(dearest[sort], 0.0 if candidate.shares else seconds)
        most = budget * MOST_OF_BUDGET
        pace = cls(**{sort: max(LEAST[sort], most / max(seconds, most)) for sort, seconds in dearest.items()})
        apart = [pace.seconds(candidate, size) for candidate, _, _ in guesses if not candidate.shares]
        if len(apart) < 2 or sorted(apart)[1] <= budget * TOO_DEAR:  # the cheapest is the trivial one
            return pace
        most = budget * MOST_OF_ONE
        return cls(**{sort: max(HURRIED[sort], min(share, most / max(cheapest[sort], most)))
                      for sort, share in pace._asdict().items()})

    @property
    def hurries(self) -> bool:
        """Whether there is hardly time for a few joint candidates: then no groups are worth looking for."""
        return any(share < LEAST[sort] for sort, share in self._asdict().items())

    def seconds(self, candidate: Candidate, size: Size) -> float:
        """The guess for a candidate at this pace."""
        sort = sort_of(candidate.name)
        return guess_seconds(candidate, size) * (getattr(self, sort) if sort else 1.0)


MOST_OF_BUDGET = 1 / 8
LEAST = {"forests": 0.3, "boosting": 0.6, "networks": 0.25}  # with less they would not be what their names say
TOO_DEAR, MOST_OF_ONE = 0.5, 0.3  # shares of the budget: no separate one fits into the first; a joint one gets so much
HURRIED = {"forests": 0.04, "boosting": 0.6, "networks": 0.02}  # a few trees or passes say more than nothing


def sort_of(name: str) -> str | None:
    """The field of Pace that a candidate's effort follows, by its name; None: it has one effort alone."""
    words = {"boosted": "boosting", "network": "networks", "trees": "forests", "forest": "forests"}
    return next((sort for word, sort in words.items() if word in name), None)


def guess_seconds(candidate: Candidate, size: Size) -> float:
    """Seconds for all folds of a candidate on one core. ``benchmarks/effort.py`` measures the formulas; those of
    boosted and pooled trees, whose rounds hang on the data, are rounded towards what real tables took. What grows
    fastest in lines, which small tables do not show, is counted."""
    methods = [part for part in candidate.parts if isinstance(part, LabelMethod)]
    if methods:
        return sum(label_seconds(one, size.rows, size.features, FOLDS) for one in methods)
    words = candidate.name.split(", ")
    name = ", ".join([*words[:min(len(words) - 1, 2)], "together"]) if candidate.shares else candidate.name
    constant, rows, features, targets = FORMULAS[name]
    count = size.rows if candidate.shares else size.rows_a_task
    boosted = "boosted" in name
    wide, columns = (max(size.bins, FEWEST_BINS), size.scores) if boosted else (size.features, size.targets)
    seconds = float(np.exp(constant) * count**rows * wide**features * columns**targets)
    if candidate.parts[0].family == "network":
        part = cast("Network", candidate.parts[0])
        asked = (size.rows, size.features, FOLDS, size.rows_a_task / size.rows)
        cost = part.cost(*asked)
        if part.architecture is not None:
            seconds *= MAPPED * cost / clone(part).set_params(architecture=None).cost(*asked)
        elif isinstance(part.sharing, FoundGroups):  # one loop for all groups: what grows is the work in a step
            seconds *= (1 + cost / clone(part).set_params(sharing="hard").cost(*asked)) / 2
        return max(seconds, cost / part.effort / MULTIPLY_ADDS)
    if candidate.parts[0].family == "trees" and name.startswith("joint") and not boosted:
        return seconds + joint_splits(size)
    if isinstance(candidate.parts[0], Grouped) and candidate.parts[0].family == "linear":
        seconds *= INNER_FOLDS
    if candidate.parts[0].family != "linear" or name.startswith("trivial"):
        return seconds
    return seconds + FOLDS * (line_bases(size, candidate.shares) + line_searches(size))


def finish_seconds(Y: Float[np.ndarray, "N W"]) -> float:
    """Seconds for choosing and judging once all is fitted: of each target, and of each value that it has."""
    return FINISH_TARGET * Y.shape[1] + FINISH_VALUE * float(np.count_nonzero(~np.isnan(Y)))


def grouping_seconds(targets: int) -> float:
    """Seconds for finding groups in labels and in models of the features, which decompose [T, T] several times."""
    return GROUPING * targets**3


def joint_splits(size: Size) -> float:
    """Seconds of all trees of a joint forest in targets beyond FEW_TARGETS: every row adds all of its targets up, for
    every feature that is tried, on every level of a tree."""
    tried = min(MOST_TRIED, size.features)
    return SPLIT * TREES * tried * size.rows * np.log2(max(size.rows, 2)) * max(size.targets - FEW_TARGETS, 0)


def slowness(wall: float, processor: float) -> float:
    """How many times longer work takes than on an idle machine, from the seconds that went by and those that this
    process was given of them: 1 to MOST_SLOWNESS.

    >>> slowness(6.0, 3.0), slowness(5.0, 6.0)
    (2.0, 1.0)
    """
    return float(np.clip(wall / max(processor, 1e-9), 1.0, MOST_SLOWNESS))


def line_bases(size: Size, shares: bool) -> float:
    """Seconds of one fold in singular bases: one for each set of rows, or one for all where lines are drawn together or
    gaps are masked; then about half of the targets, the numbers, need each its own Gram matrix's."""
    def seconds(rows: float, most: float) -> float:
        rank = min(rows, size.features)
        return BASIS * rank**2 * (2 * min(rows, most) + 10 * rank)
    if shares:
        return seconds(size.rows, np.inf)
    if size.bases * size.rows_a_task > MOST_COPIES * size.rows and size.rows_a_task > LEAST_SEEN * size.rows:
        return seconds(size.rows, np.inf) + 0.5 * size.bases * seconds(size.rows_a_task, MOST_ROWS)
    return size.bases * seconds(size.rows_a_task, np.inf)


def line_searches(size: Size) -> float:
    """Seconds of one fold in Newton's steps: for the strength on rows that are drawn, five times as many as at last."""
    return PASSES * size.targets * size.features * (size.rows_a_task + 5 * min(size.rows_a_task, MOST_ROWS))
