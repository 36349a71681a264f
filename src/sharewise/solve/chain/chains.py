"""Chains of tasks: each sees what was predicted for those before it; an ensemble over several orders."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from ...base.checks import one_of, within
from ...base.errors import UsageError
from ...base.estimator import Estimator, Means
from ...task import Task, slices
from ..stored import reading
from .folds import average, base_for, columns_of, joined, out_of_fold, split
from .orders import learned_order, random_orders

Array = np.ndarray


class Chains(Estimator):
    """An ensemble of chains over any ``base`` (an unfitted estimator for the same tasks). In a chain, a task learns
    from the features and the out-of-fold answers for the tasks before it; the chains' answers are averaged.

    Ensemble of regressor chains, corrected by cross-validation (ERC-CV; Spyromitros-Xioufis and others 2016,
    Multi-target regression via input space expansion); for classes, classifier chains (Read and others 2011) with
    probabilities, not labels, handed on. Departs from both in that new rows get the mean of the K fold copies.

    ``orders`` is how many random orders, or the orders themselves as lists of task numbers; ``order`` "learned" puts in
    the place of the first random one a greedy order: the task that is predicted best goes first, then always the task
    whose out-of-fold residual depends most on the answers so far.

    >>> import numpy as np
    >>> from sharewise.solve.linear import Linear
    >>> from sharewise.task import Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> tasks = [Task("a", Regression()), Task("b", Regression())]
    >>> model = Chains(tasks, base=Linear(tasks), orders=2).fit(X, X @ [[1.0, 1.0], [1.0, -1.0]])
    >>> model.predict(np.array([[1.0, 0.0]]))["a"].round(1).tolist()
    [1.0]
    """

    family: ClassVar[str] = "chain"
    layouts: ClassVar[tuple[str, ...]] = ("wide",)

    def __init__(self, tasks: Sequence[Task], base: Estimator, orders: int | Sequence[Sequence[int]] = 3,
                 order: str = "random", folds: int = 3, seed: int = 0) -> None:
        within("folds", folds, 2)
        one_of("order", order, ("random", "learned"))
        if isinstance(orders, int):
            within("orders", orders, 1)
        elif not orders or any(sorted(one) != list(range(len(tasks))) for one in orders):
            raise UsageError("orders", f"are {orders!r}", f"each must hold 0 to {len(tasks) - 1} once", "Mend them.")
        self.tasks, self.base, self.orders, self.order = tasks, base, orders, order
        self.folds, self.seed = folds, seed

    @property
    def shares(self) -> bool:
        return len(self.tasks) > 1 or self.base.shares

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        train = split(len(X), self.folds, self.seed)
        self._links: dict[tuple[int, ...], list[Estimator]] = {}
        self._lasts: dict[tuple[int, ...], Estimator] = {}
        self._orders = self._choose_orders(X, Z, train)
        for order in self._orders:
            columns: list[Array] = []
            for place, at in enumerate(order):
                seen = joined(X, columns)
                task, part = self.tasks[at], Z[:, slices(self.tasks)[self.tasks[at].name]]
                path = tuple(order[:place + 1])
                if path not in self._lasts:
                    self._lasts[path] = base_for(self.base, [task]).fit(seen, part)
                if place + 1 < len(order):
                    if path not in self._links:
                        self._links[path] = base_for(self.base, [task]).fit_folds(seen, part, train)
                    columns.append(columns_of(task, out_of_fold(self._links[path], seen, train)[task.name]))

    def _choose_orders(self, X: Array, Z: Array, train: Array) -> list[list[int]]:
        if not isinstance(self.orders, int):
            return [list(order) for order in self.orders]
        orders = random_orders(len(self.tasks), self.orders, self.seed)
        if self.order == "learned" and len(self.tasks) > 1:
            alone = [base_for(self.base, [task]).fit_folds(X, Z[:, part], train)
                     for task, part in zip(self.tasks, slices(self.tasks).values(), strict=True)]
            self._links |= {(at,): copies for at, copies in enumerate(alone)}
            means = {name: mean for copies in alone for name, mean in out_of_fold(copies, X, train).items()}
            orders[0] = learned_order(self.tasks, means, Z)
        return orders

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        total = {task.name: np.zeros((len(X), task.kind.outputs)) for task in self.tasks}
        for order in self._orders:
            columns: list[Array] = []
            for place, at in enumerate(order):
                seen, name = joined(X, columns), self.tasks[at].name
                path = tuple(order[:place + 1])
                mean = self._lasts[path].predict_mean(seen, wanted[:, [at]])[name]
                total[name] += np.nan_to_num(mean) / len(self._orders)
                if place + 1 < len(order):
                    columns.append(columns_of(self.tasks[at], average(self._links[path], seen)[name]))
        return total

    def _count_parameters(self) -> int:
        links = [copy for copies in self._links.values() for copy in copies]
        return sum(estimator.parameter_count for estimator in [*self._lasts.values(), *links])

    def _save(self, folder: Path) -> None:
        state = {"orders": self._orders, "lasts": list(self._lasts), "links": list(self._links),
                 "copies": [len(copies) for copies in self._links.values()]}
        (folder / "chains.json").write_text(json.dumps(state), encoding="utf-8")
        for number, last in enumerate(self._lasts.values()):
            last.save(folder / f"last_{number}")
        for number, copies in enumerate(self._links.values()):
            for fold, copy in enumerate(copies):
                copy.save(folder / f"link_{number}_{fold}")

    def _load(self, folder: Path) -> None:
        with reading(folder):
            state = json.loads((folder / "chains.json").read_text(encoding="utf-8"))
            self._orders = state["orders"]
            self._lasts = {tuple(path): Estimator.load(folder / f"last_{number}")
                           for number, path in enumerate(state["lasts"])}
            self._links = {tuple(path): [Estimator.load(folder / f"link_{number}_{fold}") for fold in range(copies)]
                           for number, (path, copies) in enumerate(zip(state["links"], state["copies"], strict=True))}
