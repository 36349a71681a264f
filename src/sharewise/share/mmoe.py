"""MMoE: experts that all tasks share, and a gate a task that weighs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from .expert_mixture import ExpertMixture
from .mixture import Gate
from .per_task import PerTask
from .task_side import Side, read_experts
from .trunk import Trunk, placed_like


class MMoE(ExpertMixture):
    """Multi-gate mixture of experts: every task weighs the shared experts anew for every row.

    raw_t = head_t(sum_k g_t[k] expert_k(x)), g_t = softmax(W_t x). With one expert it is hard sharing.

    Ma, Zhao, Yi, Chen, Hong, Chi 2018, Modeling task relationships in multi-task learning with multi-gate
    mixture-of-experts, section 4.2. Over tokens and maps the gate reads the mean over all positions.

    ``experts``: K trunks, alike; ``heads``: a module a task, each reading what an expert gives; ``bottom``: a module
    that all share, whose output experts and gates read in the place of the inputs. UsageError where there is no
    expert or head, experts differ, one stands twice, or the gates would read ids.

    >>> import torch
    >>> from sharewise.share import MLP
    >>> model = MMoE([MLP(3, [8]) for _ in range(4)], {name: nn.Linear(8, 1) for name in ("a", "b")})
    >>> model(torch.zeros(5, 3))["a"].shape
    torch.Size([5, 1])
    """

    def __init__(self, experts: Sequence[Trunk], heads: Mapping[str, nn.Module],
                 bottom: nn.Module | None = None) -> None:
        super().__init__(experts, heads, bottom)
        self.gates = PerTask("gates", {name: placed_like(Gate(self.reads, len(experts)), experts[0]) for name in heads})

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        inputs, outputs = self.run_experts(inputs)
        gate, head = self.gates.of, self.heads.of
        sides = [Side(inputs, gate(name), head(name)) for name in names]
        return dict(zip(names, read_experts(sides, outputs), strict=True))

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.gates.of(name), self.heads.of(name))
