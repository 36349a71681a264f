"""The portfolio: which candidates compete, cheap before dear, and separate ones with a head start.

Separate and shared learners get equal effort: each family stands on both sides with the same strengths of
regularisation, since the verdict on sharing flips with the strength.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from ..base.checks import one_of
from ..base.estimator import Estimator
from ..relate import group, label_affinity
from ..solve.chain import Stacked
from ..solve.linear import Linear, MeanRegularized
from ..solve.trees import (BoostedTrees, ExtraTrees, JointBoostedTrees, JointExtraTrees, JointRandomForest,
                           PooledExtraTrees, PooledTrees, RandomForest)
from ..task import Task
from ..train import Network
from .candidate import Candidate
from .effort import Size, guess_seconds
from .plan import Plan

if TYPE_CHECKING:
    from .prepare import Prepared

Array = np.ndarray
FAMILIES = ("linear", "trees", "network", "chain")
DECAYS = {"light": 0.1, "strong": 2.0}  # of a network's weights
FORESTS = {"light": (1, 1.0), "strong": (5, 0.35)}  # least rows of a leaf, and share of features tried at a split
HEAD_START = 0.3  # separate candidates go before shared ones of more than this share of their cost
ROWS_A_LEAF = 4000  # so many rows make a forest's smallest leaf one row larger: its size must not grow without end
TREES = 100  # a fold's forest: five of them serve together
Maker = Callable[[Sequence[Task]], Estimator]


def portfolio(prepared: Prepared, plan: str | Plan | Path, families: Sequence[str] | None,
              seed: int) -> list[Candidate]:
    """The candidates for a prepared table, in the order in which they are to be fitted."""
    found = candidates_for(prepared.tasks, prepared.Y, plan, seed)
    kept = [candidate for candidate in found if candidate.family in (families or FAMILIES)]
    size = Size.of(prepared.X, prepared.Y)
    timed = [replace(candidate, seconds=guess_seconds(candidate, size)) for candidate in kept]
    return sorted(timed, key=lambda candidate: candidate.seconds * (1.0 if candidate.shares else HEAD_START))


def candidates_for(tasks: Sequence[Task], Y: Float[Array, "N W"],
                   plan: str | Plan | Path = "auto", seed: int = 0) -> list[Candidate]:
    """Every candidate of every family that a plan allows."""
    names = [task.name for task in tasks]
    leaf_rows = max(1, len(Y) // ROWS_A_LEAF)
    found = _separate(tasks, leaf_rows, seed)  # for a given plan, too: the report compares with them
    if plan != "separate" and len(names) > 1:
        for title, one in _plans(tasks, Y, plan).items():
            found += _shared(tasks, title, one.check_tasks(names), leaf_rows, seed)
    return found


def _separate(tasks: Sequence[Task], leaf_rows: int, seed: int) -> list[Candidate]:
    """Every family, each task alone."""
    plan = Plan.separate([task.name for task in tasks])
    makers: dict[str, Estimator] = {
        "linear": Linear(tasks, seed=seed),
        **{f"extra trees, {word}": ExtraTrees(tasks, trees=TREES, leaf_rows=rows * leaf_rows, features=share,
                                                 seed=seed) for word, (rows, share) in FORESTS.items()},
        "random forest": RandomForest(tasks, trees=TREES, leaf_rows=2 * leaf_rows, seed=seed),
        **{f"boosted trees, {word}": BoostedTrees(tasks, regularisation=word, seed=seed) for word in DECAYS},
        **{f"network, {word}": Network(tasks, sharing="separate", weight_decay=decay, seed=seed)
           for word, decay in DECAYS.items()}}
    return [Candidate(f"{name}, separate", plan, (estimator,)) for name, estimator in makers.items()]


def _shared(tasks: Sequence[Task], title: str, plan: Plan, leaf_rows: int, seed: int) -> list[Candidate]:
    """Every family, the tasks of each group together."""
    by_name = {task.name: task for task in tasks}
    groups = [[by_name[name] for name in one.learns] for one in plan.groups]
    makers: dict[str, Maker] = {"mean-regularised linear": lambda own: MeanRegularized(own, seed=seed)}
    if tasks[0].task_column:
        makers |= {f"pooled boosted trees, {word}": lambda own, word=word: PooledTrees(own, regularisation=word, seed=seed)
                   for word in DECAYS}
        makers |= {f"pooled extra trees, {word}": lambda own, rows=rows, share=share: PooledExtraTrees(
            own, trees=TREES, leaf_rows=rows * leaf_rows, features=share, seed=seed)
            for word, (rows, share) in FORESTS.items()}
    else:
        makers |= {f"joint extra trees, {word}": lambda own, rows=rows, share=share: JointExtraTrees(
            own, trees=TREES, leaf_rows=rows * leaf_rows, features=share, seed=seed)
            for word, (rows, share) in FORESTS.items()}
        makers["joint random forest"] = lambda own: JointRandomForest(own, trees=TREES, leaf_rows=2 * leaf_rows, seed=seed)
        makers["joint boosted trees"] = lambda own: JointBoostedTrees(own, seed=seed)
        makers["stacked extra trees"] = lambda own: Stacked(
            own, ExtraTrees(own, trees=TREES // 2, leaf_rows=2 * leaf_rows, seed=seed), seed=seed)
        makers["stacked boosted trees"] = lambda own: Stacked(own, BoostedTrees(own, regularisation="strong", seed=seed),
                                                              seed=seed)
    found = [Candidate(f"{name}, {title}", plan, tuple(make(own) for own in groups)) for name, make in makers.items()]
    lists = [list(one.learns) for one in plan.groups]
    return found + [Candidate(f"network, {word}, {title}", plan,
                              (Network(tasks, sharing=lists, weight_decay=decay, seed=seed),))
                    for word, decay in DECAYS.items()]


def _plans(tasks: Sequence[Task], Y: Float[Array, "N W"], plan: str | Plan | Path) -> dict[str, Plan]:
    """The shared plans that compete, by a word for each. Groups come from the labels alone: groups from models of the
    features would have seen the held-out rows that judge them."""
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
