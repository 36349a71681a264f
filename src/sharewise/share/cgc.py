"""CGC: experts of each task's own beside shared ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from .extraction import Extraction
from .features import Features
from .heads import heads_over
from .per_task import check_own, ordered_as
from .shared_model import SharedModel
from .trunk import Trunk, check_alike, numbered


class CGC(SharedModel):
    """Customized gate control: a task's gate weighs its own experts and the shared ones, not those of other tasks.

    raw_t = head_t(sum_k g_t[k] e_k(x)) over the experts e_k of task t and the shared ones, g_t = softmax(W_t x). With
    no shared expert and one own a task it is separate networks; with no own ones it is MMoE.

    Tang, Liu, Zhao, Gong 2020, Progressive layered extraction (PLE): A novel multi-task learning (MTL) model for
    personalized recommendations, section 4.1.

    ``shared``: trunks, may be none; ``own``: trunks of each task, each task may have another number, or none where
    there is a shared one; ``heads``: a module a task; ``bottom``: a module that all share, whose output experts and
    gates read in the place of the inputs. All trunks are alike. UsageError where a task has no expert, the names
    differ, trunks differ, one stands twice, or the gates would read ids.

    >>> import torch
    >>> from sharewise.share import MLP
    >>> names = ("a", "b")
    >>> model = CGC([MLP(3, [8])], {name: [MLP(3, [8])] for name in names}, {name: nn.Linear(8, 1) for name in names})
    >>> model(torch.zeros(5, 3))["a"].shape
    torch.Size([5, 1])
    """

    def __init__(self, shared: Sequence[Trunk], own: Mapping[str, Sequence[Trunk]],
                 heads: Mapping[str, nn.Module], bottom: nn.Module | None = None) -> None:
        super().__init__()
        self.bottom = nn.Identity() if bottom is None else bottom
        own = ordered_as(heads, "own", own)
        features = check_all_experts(shared, own)
        self.heads = heads_over(next(expert for experts in (shared, *own.values()) for expert in experts), heads)
        self.tasks = tuple(heads)
        self.level = Extraction(shared, own, features[0], has_shared_gate=False)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        inputs = self.bottom(inputs)
        return self.level.read(dict.fromkeys(names, inputs), inputs, {name: self.heads.of(name) for name in names})

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.heads.of(name), self.level.own.of(name), self.level.gates.of(name))


def check_all_experts(shared: Sequence[Trunk], own: Mapping[str, Sequence[Trunk]]) -> tuple[Features, ...]:
    """The features of all experts; UsageError where a task has none, experts differ, or one stands twice."""
    for name, of_task in own.items():
        check_alike(f"experts of task {name!r}", numbered([*of_task, *shared]))
    experts = numbered([*shared, *(expert for one in own.values() for expert in one)])
    check_own("experts", experts)
    return check_alike("experts", experts)
