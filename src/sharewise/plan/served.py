"""What serves: an encoder, the candidates that were chosen, their weights for each task, and the calibration."""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float

from ..base import UsageError
from ..base.estimator import Estimator
from ..data import Encoder, wanted_rows
from ..judge import Calibration
from ..task import Scale, Task
from .deciding import Decision
from .plan import Plan
from .run import load_models

Array = np.ndarray


@dataclass
class Member:
    """A fitted candidate in its folder; its models are read when they are first needed."""

    name: str
    family: str
    shares: bool
    plan: Plan
    serves: list[tuple[str, ...]]
    folder: Path
    models: list[list[Estimator]] | None = field(default=None, repr=False)

    def predict(self, X: Float[Array, "N D"], tasks: Sequence[Task], wanted: Bool[Array, "N T"]) -> dict[str, Array]:
        """Mean [N, C] of every task, the average over the folds' models; NaN where not wanted."""
        if self.models is None:
            self.models = load_models(self.folder)
        column = {task.name: at for at, task in enumerate(tasks)}
        total = {task.name: np.full((len(X), task.kind.outputs), np.nan) for task in tasks}
        for part, serves in zip(self.models, self.serves, strict=True):
            own = wanted[:, [column[task.name] for task in part[0].tasks]].copy()
            for at, task in enumerate(part[0].tasks):
                own[:, at] &= task.name in serves
            rows = np.flatnonzero(own.any(axis=1))
            if not len(rows):
                continue
            means = [model.predict_mean(X[rows], own[rows]) for model in part]
            for name in serves:
                total[name][rows] = sum(mean[name] for mean in means) / len(means)
        return total

    def parameters(self, tasks: Collection[str]) -> int:
        """How many numbers the parts learned that serve any of the tasks, over all folds."""
        counts = json.loads((self.folder / "result.json").read_text(encoding="utf-8"))["parameters"]
        return sum(count for count, serves in zip(counts, self.serves, strict=True) if {*tasks} & {*serves})

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict, without the folder."""
        return {"name": self.name, "family": self.family, "shares": self.shares, "plan": self.plan.to_json(),
                "serves": [list(names) for names in self.serves]}


@dataclass
class Served:
    """Everything that a prediction needs.

    ``weights``: side ("chosen", "separate", "together") -> task -> weight of each member [M]. ``decisions``: how labels
    are said where not above one half.
    """

    tasks: list[Task]
    scales: dict[str, Scale]
    encoder: Encoder
    members: list[Member]
    weights: dict[str, dict[str, list[float]]]
    calibrations: dict[str, Calibration]
    decisions: list[Decision] = field(default_factory=list)

    def predict_means(self, table: pd.DataFrame, side: str = "chosen") -> dict[str, Float[Array, "N C"]]:
        """Mean of each task for every row of a table; in the long layout NaN in the rows of other tasks."""
        if side not in self.weights:
            raise UsageError(f"side {side!r}", "is not there", f"it must be one of {', '.join(self.weights)}",
                             "Name another.")
        return self.predict_sides(table, [side])[side]

    def predict_sides(self, table: pd.DataFrame, sides: Sequence[str]) -> dict[str, dict[str, Float[Array, "N C"]]]:
        """The means of several sides, for which each member predicts once."""
        wanted = wanted_rows(table, self.tasks)
        X = self.encoder.transform(table)
        total = {side: {task.name: np.full((len(table), task.kind.outputs), np.nan) for task in self.tasks}
                 for side in sides}
        for found in total.values():
            for at, task in enumerate(self.tasks):
                found[task.name][wanted[:, at]] = 0.0
        for at, member in enumerate(self.members):
            weights = {side: {task.name: self.weights[side][task.name][at] for task in self.tasks} for side in sides}
            needed = wanted & np.array([any(own[task.name] > 0 for own in weights.values()) for task in self.tasks])
            if not needed.any():
                continue
            means = member.predict(X, self.tasks, needed)
            for side, own in weights.items():
                for name, mean in means.items():
                    if own[name] > 0:
                        total[side][name] += own[name] * mean
        return total

    def parameters(self, side: str = "chosen") -> int:
        """How many learned numbers a side's predictions rest on."""
        return sum(member.parameters([name for name, weights in self.weights[side].items() if weights[at] > 0])
                   for at, member in enumerate(self.members))

    def calibrate(self, means: dict[str, Float[Array, "N C"]]) -> dict[str, Float[Array, "N C"]]:
        """The chosen side's means with each task's calibration."""
        return {name: self.calibrations[name].apply(mean) for name, mean in means.items()}

    def decide(self, means: dict[str, Float[Array, "N C"]]) -> dict[str, Float[Array, "N C"]]:
        """Calibrated means with 1 and 0 in the place of probabilities that a rule decides over."""
        for decision in self.decisions:
            means = decision.apply(means)
        return means

    def write(self, folder: Path) -> dict[str, Any]:
        """Write the pieces into a folder; the state that ``read`` needs besides."""
        self.encoder.save(folder / "encoder")
        for number, member in enumerate(self.members):
            shutil.copytree(member.folder, folder / "members" / str(number), ignore=shutil.ignore_patterns("means.npz"))
        return {"tasks": [task.to_json() for task in self.tasks],
                "scales": {name: scale.to_json() for name, scale in self.scales.items()},
                "members": [member.to_json() for member in self.members], "weights": self.weights,
                "calibrations": {name: one.to_json() for name, one in self.calibrations.items()},
                "decisions": [decision.to_json() for decision in self.decisions]}

    @classmethod
    def read(cls, folder: Path, state: dict[str, Any]) -> Served:
        """What ``write`` wrote."""
        members = [Member(one["name"], one["family"], one["shares"], Plan.from_json(one["plan"]),
                          [tuple(names) for names in one["serves"]], folder / "members" / str(number))
                   for number, one in enumerate(state["members"])]
        return cls([Task.from_json(task) for task in state["tasks"]],
                   {name: Scale.from_json(scale) for name, scale in state["scales"].items()},
                   Encoder.load(folder / "encoder"), members, state["weights"],
                   {name: Calibration.from_json(one) for name, one in state["calibrations"].items()},
                   [Decision.from_json(one) for one in state.get("decisions", [])])  # models from before have none
