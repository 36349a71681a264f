"""What the benchmark of sharing knows of a set: rows in three parts, targets, and how a network over them is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sharewise.share import Trunk

from .targets import Target


class Part(NamedTuple):
    """Inputs [N, ...] and each task's target [N, ...]."""

    inputs: Tensor
    targets: Mapping[str, Tensor]

    def take(self, rows: Tensor) -> Part:
        """Some of the rows."""
        return Part(self.inputs[rows], {name: target[rows] for name, target in self.targets.items()})


class Trial(NamedTuple):
    """One setting of the optimiser."""

    learning_rate: float
    weight_decay: float


NO_FUNNEL = dict.fromkeys(("AITM", "ESMM"), "its tasks are no funnel of events")
NO_NORMS = {"TaskNormalization": "the trunk has no normalisation layers"}
TRIALS = (Trial(0.01, 0.01), Trial(0.01, 1.0))


@dataclass(frozen=True)
class Effort:
    """What every architecture gets alike: ``steps`` of ``batch`` rows in every training, and the ``trials``."""

    steps: int
    batch: int
    trials: tuple[Trial, ...]


@dataclass(frozen=True)
class Problem:
    """One set. ``width``: of a separate network's ``stages`` stages. ``trunk``: widths of the stages -> Trunk, which
    reads what ``bottom()`` gives; ``head``: task, width it reads -> module, and ``vector_head``: one that reads one
    vector a row, where ``head`` reads maps. ``unfit``: ways of sharing that do not apply, and why. ``funnel``: tasks
    that are events of which each follows the one before. ``about``: a line for the report."""

    name: str
    about: str
    targets: Mapping[str, Target]
    train: Part
    valid: Part
    test: Part
    effort: Effort
    width: int
    stages: int
    trunk: Callable[[Sequence[int]], Trunk]
    head: Callable[[str, int], nn.Module]
    bottom: Callable[[], nn.Module] = nn.Identity
    vector_head: Callable[[str, int], nn.Module] | None = None
    unfit: Mapping[str, str] = field(default_factory=dict)
    funnel: tuple[str, ...] = ()

    def recipe(self) -> str:
        """What a kept result stands for; where it differs the result is measured anew."""
        rows = [len(part.inputs) for part in (self.train, self.valid, self.test)]
        return f"{self.about} | {rows} | {self.effort} | {self.width} x {self.stages} | {tuple(self.targets)}"


def draw(rows: int, size: int, seed: int) -> Tensor:
    """``size`` of so many rows, without order."""
    return torch.randperm(rows, generator=torch.Generator().manual_seed(seed))[:size]
