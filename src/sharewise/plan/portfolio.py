"""The portfolio: which candidates compete.

Separate and shared learners get equal effort: each family stands on both sides with the same strengths of
regularisation, since the verdict on sharing flips with the strength.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float

from ..balance import Balancer
from ..base import UsageError
from ..base.checks import one_of
from ..base.estimator import Estimator
from ..relate import group, label_affinity
from ..solve.chain import Chains, Stacked
from ..solve.labels import NeighbourRegression
from ..solve.labels.label_method import LABELS
from ..solve.linear import Linear, MeanRegularized, Trivial
from ..solve.trees import (
    BoostedTrees,
    ExtraTrees,
    JointBoostedTrees,
    JointExtraTrees,
    JointRandomForest,
    PooledExtraTrees,
    PooledTrees,
    RandomForest,
)
from ..task import Task
from ..train import Architecture, Network
from .balancers import Wanted, make_balancers
from .candidate import Candidate
from .effort import MOST_OF_GROUPING, MOST_TRIED, TREES, Pace, Size, grouping_seconds
from .grouped import Grouped
from .groupings import groupings
from .label_methods import label_candidates
from .plan import Plan
from .sharing import check_sizes, ways
from .within_kinds import kind_and_size, within_kinds

if TYPE_CHECKING:
    from .prepare import Prepared

Array = np.ndarray
FAMILIES = ("linear", "trees", "network", "chain", "labels")
DECAYS = {"light": 0.1, "strong": 2.0}  # of a network's weights
RATES = {"light": 0.06, "strong": 0.12}  # of boosting: small trees take more rounds
JOINT_RATE = 0.1
FORESTS = {"light": (1, 1.0), "strong": (3, 0.6)}  # least rows of a leaf, and share of features tried at a split
USUAL_FOREST = (2, 0.5)
ROWS_A_LEAF = 4000  # so many rows make a forest's smallest leaf one row larger: its size must not grow without end
HARD_ALONE: Mapping[str, Architecture | None] = {"": None}
Maker = Callable[[Sequence[Task]], Estimator]


class Grove(NamedTuple):
    """How models grow on a table: trees of a forest in a fold, least rows of the smallest leaf, the largest share of
    features that is tried at a split; and the pace."""

    trees: int
    leaf_rows: int
    share: float
    pace: Pace

    @classmethod
    def of(cls, rows: int, features: int, folds: int, pace: Pace | None = None) -> Grove:
        """For a table of so many rows and features, and so many folds; without a pace, at full effort."""
        pace = pace or Pace()
        return cls(-(-round(TREES * pace.forests) // folds), max(1, rows // ROWS_A_LEAF),
                   min(1.0, MOST_TRIED / features), pace)

    def boosting(self, regularisation: str) -> dict[str, Any]:
        """The options of boosted trees with this word for their regularisation."""
        return {"regularisation": regularisation, "learning_rate": RATES[regularisation] / self.pace.boosting}

    def options(self, leaf_rows: int, share: float) -> dict[str, Any]:
        """A forest's options for leaves and features as small data would have them."""
        return {"trees": self.trees, "leaf_rows": leaf_rows * self.leaf_rows, "features": min(share, self.share)}


def portfolio(prepared: Prepared, plan: str | Plan | Path, families: Sequence[str] | None,
              seed: int, budget: float | None = None, balance: Sequence[Wanted] = (),
              share: Sequence[str] | None = None, labels: Sequence[str] = ()) -> list[Candidate]:
    """The candidates for a prepared table, each with a guess of its cost, and none too dear for the budget in seconds
    if a smaller effort can help it; ``labels`` are label methods that compete by name."""
    size = Size.of(prepared.X, prepared.Y, prepared.tasks)
    folds = int(prepared.folds.max()) + 1
    auto, ends = plan == "auto", "together" if plan == "auto" else plan
    full = candidates_for(prepared.tasks, prepared.Y, Grove.of(size.rows, size.features, folds), ends, seed)
    pace = Pace.within(budget, full, size)
    looking = grouping_seconds(len(prepared.tasks))
    if pace.hurries or (budget is not None and looking > MOST_OF_GROUPING * budget):
        plan = ends
    grove = Grove.of(size.rows, size.features, folds, pace)
    balancers = make_balancers(balance, prepared.tasks)
    found = candidates_for(prepared.tasks, prepared.Y, grove, plan, seed, balancers, ways(share, prepared.tasks))
    if plan == "auto":
        found += grouped_candidates(prepared.tasks, prepared.X, prepared.Y, grove, seed)
    if len(labels):
        plans = {} if plan == "separate" else _plans(prepared.tasks, prepared.Y, plan)
        found += label_candidates(labels, prepared.tasks, prepared.Y, plans, auto,
                                  label_bases(prepared.tasks, grove, seed), seed)
    kept = [candidate for candidate in found if candidate.family in (families or FAMILIES)]
    if not kept:
        raise UsageError(f"families {', '.join(families or ())}", "have no candidate for these targets and this plan",
                         f"here are {', '.join(dict.fromkeys(one.family for one in found))}", "Name one of them.")
    check_sizes(kept, size, folds)
    return [replace(candidate, seconds=pace.seconds(candidate, size)) for candidate in kept]


def candidates_for(tasks: Sequence[Task], Y: Float[Array, "N W"], grove: Grove, plan: str | Plan | Path = "auto",
                   seed: int = 0, balancers: Mapping[str, Balancer] | None = None,
                   architectures: Mapping[str, Architecture | None] = HARD_ALONE) -> list[Candidate]:
    """Every candidate of every family that a plan allows; shared networks also with each of ``balancers``, and in each
    of the ``architectures``."""
    names = [task.name for task in tasks]
    apart = _separate(tasks, grove, seed)  # for a given plan, too: the report compares with them
    found = list(apart)
    plans = {} if plan == "separate" else _plans(tasks, Y, plan)
    for title, one in plans.items():
        one.check_tasks(names)
        found += _shared(tasks, title, one, grove, seed, balancers or {}, architectures) if len(names) > 1 else []
    if plan != "auto":
        return found
    is_long = bool(tasks[0].task_column)
    alike_only = ("linear", "trees") if is_long else ("linear",)
    kept = [one for one in found if one.family not in alike_only or not one.shares or _has_alike(one)]
    return [within_kinds(one, tasks, apart) for one in kept] if is_long else kept


def _separate(tasks: Sequence[Task], grove: Grove, seed: int) -> list[Candidate]:
    """Every family, each task alone."""
    plan = Plan.separate([task.name for task in tasks])
    makers: dict[str, Estimator] = {
        "trivial": Trivial(tasks, seed=seed),
        "linear": Linear(tasks, seed=seed),
        **{f"extra trees, {word}": ExtraTrees(tasks, **grove.options(*sizes), seed=seed)
           for word, sizes in FORESTS.items()},
        "random forest": RandomForest(tasks, **grove.options(*USUAL_FOREST), seed=seed),
        **{f"boosted trees, {word}": BoostedTrees(tasks, **grove.boosting(word), seed=seed) for word in RATES},
        **{f"network, {word}": Network(tasks, sharing="separate", weight_decay=decay, effort=grove.pace.networks,
                                       seed=seed) for word, decay in DECAYS.items()}}
    if not tasks[0].task_column and all(task.kind.name in LABELS for task in tasks) and \
            (len(tasks) > 1 or tasks[0].kind.name == "multilabel"):
        makers["neighbour regression"] = NeighbourRegression(tasks, alone=len(tasks) > 1, seed=seed)
    return [Candidate(f"{name}, separate", plan, (estimator,)) for name, estimator in makers.items()]


def label_bases(tasks: Sequence[Task], grove: Grove, seed: int) -> dict[str, Estimator]:
    """What label methods are built on, by the names under which the same learns labels apart."""
    return {"linear": Linear(tasks, seed=seed),
            "random forest": RandomForest(tasks, **grove.options(*USUAL_FOREST), seed=seed)}


def _shared(tasks: Sequence[Task], title: str, plan: Plan, grove: Grove, seed: int,
            balancers: Mapping[str, Balancer], architectures: Mapping[str, Architecture | None]) -> list[Candidate]:
    """Every family, the tasks of each group together."""
    by_name = {task.name: task for task in tasks}
    groups = [[by_name[name] for name in one.learns] for one in plan.groups]
    makers: dict[str, Maker] = {"mean-regularised linear": partial(MeanRegularized, seed=seed),
              **(_pooled(grove, seed) if tasks[0].task_column else _joint(grove, seed))}
    if not tasks[0].task_column and all(task.kind.name in LABELS for task in tasks):
        makers["neighbour regression"] = partial(NeighbourRegression, seed=seed)
    found = [Candidate(f"{name}, {title}", plan, tuple(make(own) for own in groups)) for name, make in makers.items()]
    lists = [list(one.learns) for one in plan.groups]
    networks: dict[str, dict[str, Any]] = {name: {"architecture": one} for name, one in architectures.items()}
    networks |= {f", {name}": {"balancer": one} for name, one in balancers.items()}
    return found + [Candidate(f"network, {word}{name}, {title}", plan,
                              (Network(tasks, sharing=lists, weight_decay=decay, effort=grove.pace.networks, seed=seed,
                                       **options),))
                    for name, options in networks.items() for word, decay in DECAYS.items()]


def _has_alike(candidate: Candidate) -> bool:
    """Whether two tasks that learn together are of one kind and size: lines of others share nothing, nor do
    pooled trees."""
    return any(len({kind_and_size(task) for task in part.tasks}) < len(part.tasks)
               for part in candidate.parts)


def grouped_candidates(tasks: Sequence[Task], X: Float[Array, "N D"], Y: Float[Array, "N W"], grove: Grove,
                       seed: int) -> list[Candidate]:
    """Lines, forests and networks of the groups that cheap models of the features suggest (``groupings``). Every fold
    finds its own, without the rows that judge it; the plan of a candidate says what the same rule finds in all rows."""
    found = []
    for word, (rule, plan, _) in groupings(tasks, X, Y, seed).items():
        bases: dict[str, Estimator] = {"mean-regularised linear": MeanRegularized(tasks, seed=seed)}
        forest, kind = ("pooled", PooledExtraTrees) if tasks[0].task_column else ("joint", JointExtraTrees)
        bases |= {f"{forest} extra trees, {name}": kind(tasks, **grove.options(*sizes), seed=seed)
                  for name, sizes in FORESTS.items()}
        makers: dict[str, Estimator] = {name: Grouped(tasks, base, rule) for name, base in bases.items()}
        makers |= {f"network, {name}": Network(tasks, sharing=rule, weight_decay=decay, effort=grove.pace.networks,
                                               seed=seed) for name, decay in DECAYS.items()}
        found += [Candidate(f"{name}, {word}", plan, (estimator,)) for name, estimator in makers.items()]
    return found


def _pooled(grove: Grove, seed: int) -> dict[str, Maker]:
    """Trees for the long layout: every row is one task's."""
    makers: dict[str, Maker] = {}
    for word, sizes in FORESTS.items():
        makers[f"pooled boosted trees, {word}"] = partial(PooledTrees, **grove.boosting(word), seed=seed)
        makers[f"pooled extra trees, {word}"] = partial(PooledExtraTrees, **grove.options(*sizes), seed=seed)
    return makers


def _joint(grove: Grove, seed: int) -> dict[str, Maker]:
    """Trees for the wide layout: one model for all targets of a row, and chains."""
    makers: dict[str, Maker] = {}
    for word, sizes in FORESTS.items():
        makers[f"joint extra trees, {word}"] = partial(JointExtraTrees, **grove.options(*sizes), seed=seed)
    makers["joint random forest"] = partial(JointRandomForest, **grove.options(*USUAL_FOREST), seed=seed)
    makers["joint boosted trees"] = partial(JointBoostedTrees, learning_rate=JOINT_RATE / grove.pace.boosting,
                                            seed=seed)
    half = {**grove.options(2, 0.7), "trees": -(-grove.trees // 2)}
    makers["stacked extra trees"] = lambda own: Stacked(own, ExtraTrees(own, **half, seed=seed), seed=seed)
    makers["stacked boosted trees"] = lambda own: Stacked(
        own, BoostedTrees(own, **grove.boosting("strong"), seed=seed), seed=seed)
    makers["chained linear"] = lambda own: Chains(own, Linear(own, seed=seed), order="learned", seed=seed)
    makers["chained extra trees"] = lambda own: Chains(own, ExtraTrees(own, **half, seed=seed), orders=1,
                                                       order="learned", seed=seed)
    return makers


def _plans(tasks: Sequence[Task], Y: Float[Array, "N W"], plan: str | Plan | Path) -> dict[str, Plan]:
    """The shared plans that compete, by a word for each. These groups come from the labels alone: fixed groups from
    models of the features would have seen the held-out rows that judge them."""
    names = [task.name for task in tasks]
    if isinstance(plan, Plan):
        return {"given plan": plan}
    if plan not in ("auto", "together"):
        if isinstance(plan, str) and not plan.endswith(".json") and not Path(plan).exists():
            one_of("plan", plan, ("auto", "separate", "together"))
        return {"given plan": Plan.read(plan)}
    plans = {"together": Plan.together(names)}
    if plan == "auto" and len(names) >= 4 and not tasks[0].task_column:
        plans["grouped"] = Plan.of(group(label_affinity(Y, tasks), names, count=min(max(len(names) // 3, 2), 5)))
    return plans
