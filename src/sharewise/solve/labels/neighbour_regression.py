"""What the neighbours have, in all tasks, as the features of a regression for each: for tasks of mixed kinds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float
from safetensors.numpy import load_file, save_file

from ...base.checks import whole
from ...base.estimator import Estimator, Means
from ...task import Task, slices
from ..linear import Linear
from ..linear.design import Design
from ..pieces import piece_count, take_apart, trivial
from ..stored import reading
from .neighbours import find_neighbours

Array = np.ndarray


class NeighbourRegression(Estimator):
    """Each task by ridge, logistic or Poisson regression (``Linear``) on what the ``k`` nearest training rows have in
    all tasks: the mean of a number, the share of a label or class. IBLR-ML for tasks of mixed kinds and with gaps.
    ``alone``: on what they have in that one task, so that nothing is shared but the search.

    Cheng, Hüllermeier 2009, Combining instance-based learning and logistic regression for multilabel classification.
    A training row is not its own neighbour; a neighbour counts for the tasks that are observed in it, and the prior
    counts as one more, so that a row without such a neighbour gets the prior. Features are standardised, gaps
    filled with the median. The strength of the penalty is ``Linear``'s own choice.

    ``IBLRML`` is the method itself, as a scikit-learn classifier of label sets.

    >>> import numpy as np
    >>> from sharewise.task import Binary, Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> Y = np.hstack([X[:, :1], X[:, 1:] > 0])
    >>> model = NeighbourRegression([Task("a", Regression()), Task("b", Binary())], k=5).fit(X, Y)
    >>> model.predict(np.array([[-1.0, 1.0], [1.0, -1.0]]))["b"].tolist()
    [1, 0]
    """

    family: ClassVar[str] = "labels"
    layouts: ClassVar[tuple[str, ...]] = ("wide",)

    def __init__(self, tasks: Sequence[Task], k: int = 10, alone: bool = False, seed: int = 0) -> None:
        whole("k", k, 1, 1 << 30)
        self.tasks, self.k, self.alone, self.seed = tasks, k, alone, seed

    @property
    def shares(self) -> bool:
        return len(self.tasks) > 1 and not self.alone

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        pieces = take_apart(self.tasks, Z)
        target = np.hstack([piece.target[:, None] if piece.loss != "softmax" else np.where(
            np.isnan(piece.target)[:, None], np.nan, piece.target[:, None] == np.arange(piece.classes))
            for piece in pieces])
        known = ~np.isnan(target).all(axis=1)
        known[0] |= not known.any()
        self._design = Design.fit(X[known])
        self._arrays = {"rows": self._design.apply(X[known]).astype(np.float32), "target": target[known],
                        "prior": np.concatenate([trivial(piece) for piece in pieces])}
        shares, targets = self._shares(None), slices(self.tasks)
        self._lines: list[Estimator] = []
        for tasks, columns in self._groups():
            own = np.hstack([Z[known, targets[task.name]] for task in tasks])
            self._lines.append(Linear(tasks, seed=self.seed).fit(shares[:, columns], own))

    def _groups(self) -> list[tuple[Sequence[Task], slice]]:
        """Which tasks are told from which columns of the shares."""
        if not self.alone:
            return [(self.tasks, slice(None))]
        sizes = [max(piece_count(task.kind), task.kind.outputs if task.kind.name == "multiclass" else 1)
                 for task in self.tasks]
        ends = np.cumsum([0, *sizes]).tolist()
        return [([task], slice(low, high)) for task, low, high in zip(self.tasks, ends[:-1], ends[1:], strict=True)]

    def _shares(self, X: Float[Array, "N D"] | None) -> Float[Array, "N C"]:
        """What the neighbours of new rows have, or those of the training rows themselves."""
        rows, target, prior = self._arrays["rows"], self._arrays["target"], self._arrays["prior"]
        asked = None if X is None else self._design.apply(X)
        number = min(self.k, len(rows) - (X is None))
        total = np.repeat(prior[None], len(rows if X is None else X), axis=0)
        if number:
            search = find_neighbours(rows, number, "euclidean", apart_from_itself=X is None)
            count, seen = np.ones_like(total), ~np.isnan(target)
            filled = np.where(seen, target, 0.0)
            for near in search.kneighbors(asked, return_distance=False).T:
                total += filled[near]
                count += seen[near]
            total /= count
        return total.astype(np.float32)

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        shares = self._shares(X)
        means: Means = {}
        for lines, (_, columns) in zip(self._lines, self._groups(), strict=True):
            means |= lines.predict_mean(shares[:, columns])
        return means

    def _count_parameters(self) -> int:
        return sum(lines.parameter_count for lines in self._lines) + sum(array.size for array in self._arrays.values())

    def _save(self, folder: Path) -> None:
        design = {f"design_{name}": array for name, array in self._design._asdict().items()}
        save_file({name: np.ascontiguousarray(array) for name, array in (self._arrays | design).items()},
                  folder / "neighbours.safetensors")
        for at, lines in enumerate(self._lines):
            lines.save(folder / f"lines-{at}")

    def _load(self, folder: Path) -> None:
        with reading(folder):
            arrays = load_file(folder / "neighbours.safetensors")
            self._design = Design(*(arrays.pop(f"design_{name}") for name in Design._fields))
            rows, target, prior = arrays["rows"], arrays["target"], arrays["prior"]
            if rows.ndim != 2 or rows.shape[1] != len(self._design.centre) or target.shape != (len(rows), len(prior)):
                raise ValueError("the arrays do not fit each other")
            self._arrays = arrays
        self._lines = [Estimator.load(folder / f"lines-{at}") for at in range(len(self._groups()))]
