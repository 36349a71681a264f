"""The predictor that knows no features: what every other one has to beat, and what is left when time runs out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float

from ...base.estimator import Estimator, Means
from ...task import Task

Array = np.ndarray


class Trivial(Estimator):
    """The mean, rate or class shares of each task's observed targets, whatever the features say: a linear model
    without slopes. It costs nothing, so that there is an answer however short the time is. The null
    model (McCullagh, Nelder 1989, Generalized linear models, section 2.3).

    >>> from sharewise.task import Regression, Task
    >>> model = Trivial([Task("a", Regression())]).fit(np.zeros((2, 1)), np.array([[1.0], [3.0]]))
    >>> model.predict(np.zeros((1, 1)))["a"]
    array([2.])
    """

    family: ClassVar[str] = "linear"
    layouts: ClassVar[tuple[str, ...]] = ("wide", "long")

    def __init__(self, tasks: Sequence[Task], seed: int = 0) -> None:
        self.tasks, self.seed = tasks, seed

    @property
    def shares(self) -> bool:
        return False

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        """Nothing to learn: the scales hold it all."""

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        scales = {task.name: self.scales_[task.name] for task in self.tasks}
        return {name: np.tile((np.array(scale.trivial) - scale.centre) / scale.spread, (len(X), 1))
                for name, scale in scales.items()}

    def _count_parameters(self) -> int:
        return sum(len(scale.trivial) for scale in self.scales_.values())

    def _save(self, folder: Path) -> None:
        """Nothing besides the scales."""

    def _load(self, folder: Path) -> None:
        """Nothing besides the scales."""
