"""What ways of sharing are put together from: trunks, heads, experts, and a tree of the tasks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from sharewise import relate, share
from sharing_sets import Problem

EXPERTS = 4


@dataclass(frozen=True)
class Parts:
    """What a way of sharing is put together from, at these widths of the stages."""

    problem: Problem
    widths: tuple[int, ...]

    @property
    def tasks(self) -> tuple[str, ...]:
        return tuple(self.problem.targets)

    def trunk(self) -> share.Trunk:
        return self.problem.trunk(self.widths)

    def experts(self, count: int = EXPERTS) -> list[share.Trunk]:
        return [self.trunk() for _ in range(count)]

    def trunks(self) -> dict[str, share.Trunk]:
        return {name: self.trunk() for name in self.tasks}

    def heads(self) -> dict[str, nn.Module]:
        return {name: self.problem.head(name, self.widths[-1]) for name in self.tasks}

    def vector_heads(self) -> dict[str, nn.Module]:
        build = self.problem.vector_head or self.problem.head
        return {name: build(name, self.widths[-1]) for name in self.tasks}

    @property
    def groups(self) -> int:
        """How many groups of tasks, or bases of their weights, are looked for."""
        return max(2, len(self.tasks) // 3)

    def tree(self) -> list[list[list[str]]]:
        """For every stage the groups of tasks that share it."""
        teams = [[name] for name in self.tasks]
        if len(teams) > self.groups:
            targets = torch.stack(list(self.problem.train.targets.values()), dim=1)
            related = np.abs(relate.LabelCorrelation().find(Y=targets.numpy()).matrix)
            teams = [team.learns for team in relate.Hierarchical(self.groups).find(related, self.tasks)]
        return [[list(self.tasks)], *[teams] * (len(self.widths) - 1)]

    def own_experts(self) -> dict[str, list[share.Trunk]]:
        return {name: self.experts(1) for name in self.tasks}
