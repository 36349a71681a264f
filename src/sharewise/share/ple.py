"""PLE: levels of own and shared experts, one above the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from torch import Tensor, nn

from .cgc import check_all_experts
from .extraction import Extraction
from .heads import heads_over
from .per_task import ordered_as
from .shared_model import SharedModel
from .trunk import Trunk


class PLE(SharedModel):
    """Progressive layered extraction: what is shared and what is a task's own are told apart level by level.

    Stage s of all trunks is level s. There the gate of task t weighs its own experts, which read what the task got from
    the level before, and the shared experts, which read the shared side of it; a shared gate weighs all experts of all
    tasks for the next level's shared side. Heads read the last level. With no shared expert the tasks are apart, and
    with one own expert each they are separate networks; with one stage it is CGC.

    Tang, Liu, Zhao, Gong 2020, Progressive layered extraction (PLE): A novel multi-task learning (MTL) model for
    personalized recommendations, section 4.2. Through the shared gate all tasks use the "own" experts of every level
    but the last, so these count as shared parameters.

    ``shared``: trunks, may be none; ``own``: trunks of each task, each task may have another number, or none where
    there is a shared one; ``heads``: a module a task; ``bottom``: a module that all share, whose output experts and
    gates read in the place of the inputs. All trunks are alike. UsageError where a task has no expert, the names
    differ, trunks differ, one stands twice, or the gates would read ids.

    >>> import torch
    >>> from sharewise.share import MLP
    >>> names, expert = ("a", "b"), lambda: MLP(3, [8, 8])
    >>> model = PLE([expert()], {name: [expert()] for name in names}, {name: nn.Linear(8, 1) for name in names})
    >>> model(torch.zeros(5, 3))["a"].shape
    torch.Size([5, 1])
    """

    def __init__(self, shared: Sequence[Trunk], own: Mapping[str, Sequence[Trunk]],
                 heads: Mapping[str, nn.Module], bottom: nn.Module | None = None) -> None:
        super().__init__()
        self.bottom = nn.Identity() if bottom is None else bottom
        own = ordered_as(heads, "own", own)
        *reads, _ = check_all_experts(shared, own)
        self.heads = heads_over(next(expert for experts in (shared, *own.values()) for expert in experts), heads)
        self.tasks = tuple(heads)
        self.levels = nn.ModuleList(
            Extraction([trunk.stages[level] for trunk in shared],
                       {name: [trunk.stages[level] for trunk in trunks] for name, trunks in own.items()},
                       features, has_shared_gate=bool(shared) and level < len(reads) - 1)
            for level, features in enumerate(reads))

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        shared = self.bottom(inputs)
        by_task = dict.fromkeys(self.tasks, shared)
        *below, last = cast(Sequence[Extraction], self.levels)
        for place, level in enumerate(below):
            # a task's way matters to others only if a level with a shared gate follows, which reads its experts
            feeds_others = any(later.shared_gate is not None for later in self.levels[place + 1:])
            by_task, shared = level(by_task, shared, self.tasks if feeds_others else names)
        return last.read(by_task, shared, {name: self.heads.of(name) for name in names})

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        modules, levels = [self.heads.of(name)], cast(Sequence[Extraction], self.levels)
        for place, level in enumerate(levels):
            if level.shared_gate is None:
                modules.append(level.own.of(name))
            if not any(later.shared_gate is not None for later in levels[place + 1:]):
                modules.append(level.gates.of(name))
        return modules
