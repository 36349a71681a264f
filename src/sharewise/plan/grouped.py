"""Any estimator, one a group of tasks, for groups that are found from the rows that it learns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from ..base.estimator import Estimator, Means
from ..relate import FoundGroups
from ..solve.chain.folds import base_for
from ..task import Task, slices

Array = np.ndarray


class Grouped(Estimator):
    """Finds groups by a ``rule`` and fits a copy of ``base`` (an unfitted estimator for the same tasks) to each.

    In ``fit_folds`` every fold finds its own groups, so that the rows which judge it had no say in them. A copy learns
    from the rows in which one of its tasks is observed. Groups before training as in Standley, Zamir, Chen, Guibas,
    Malik, Savarese 2020, Which tasks should be learned together in multi-task learning, section 4, here by a rule that
    trains nothing. Networks take the rule themselves (``train.Network``), and train all groups at once.

    >>> from sharewise.relate import Hierarchical, RidgeCosine
    >>> from sharewise.solve.linear import MeanRegularized
    >>> from sharewise.task import Regression
    >>> X = np.random.default_rng(0).normal(size=(64, 4))
    >>> Y = X[:, [0, 1, 0, 1]] * [1.0, 2.0, 3.0, 1.0]
    >>> tasks = [Task(name, Regression()) for name in "abcd"]
    >>> Grouped(tasks, MeanRegularized(tasks), FoundGroups(RidgeCosine(), Hierarchical(2))).fit(X, Y).groups_
    [['a', 'c'], ['b', 'd']]
    """

    layouts: ClassVar[tuple[str, ...]] = ("wide", "long")

    def __init__(self, tasks: Sequence[Task], base: Estimator, rule: FoundGroups) -> None:
        self.tasks, self.base, self.rule = tasks, base, rule

    @property
    def family(self) -> str:  # type: ignore[override]  # it is what its base is
        return self.base.family

    @property
    def shares(self) -> bool:
        return len(self.tasks) > 1

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        self.groups_ = self.rule.find(X, Z, self.tasks)
        where = slices(self.tasks)
        self._parts: list[Estimator] = []
        for part in self._unfitted():
            own = np.hstack([Z[:, where[task.name]] for task in part.tasks])
            rows = ~np.isnan(own).all(axis=1)
            rows |= not rows.any()  # tasks without any row predict the default of their kind
            self._parts.append(part.fit(X[rows], own[rows]))

    def _unfitted(self) -> list[Estimator]:
        by_name = {task.name: task for task in self.tasks}
        return [base_for(self.base, [by_name[name] for name in group]) for group in self.groups_]

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        place = {task.name: at for at, task in enumerate(self.tasks)}
        means: Means = {}
        for part in self._parts:
            means |= part.predict_mean(X, wanted[:, [place[task.name] for task in part.tasks]])
        return means

    def _count_parameters(self) -> int:
        return sum(part.parameter_count for part in self._parts)

    def _save(self, folder: Path) -> None:
        (folder / "groups.json").write_text(json.dumps(self.groups_), encoding="utf-8")
        for at, part in enumerate(self._parts):
            part.save(folder / f"group_{at}")

    def _load(self, folder: Path) -> None:
        self.groups_ = json.loads((folder / "groups.json").read_text(encoding="utf-8"))
        self._parts = [Estimator.load(folder / f"group_{at}") for at in range(len(self.groups_))]
