"""Hard sharing: one trunk, a head a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from .heads import heads_over
from .one_trunk import OneTrunk


class HardSharing(OneTrunk):
    """All tasks read one representation: raw_t = head_t(trunk(inputs)).

    Caruana 1997, Multitask learning. ``trunk``: any module; ``heads``: a module a task, by name, each reading what the
    trunk gives. UsageError where there is no head, or one head stands under two names.

    >>> import torch
    >>> model = HardSharing(torch.nn.Linear(3, 4), {"price": torch.nn.Linear(4, 1), "grade": torch.nn.Linear(4, 5)})
    >>> {name: tuple(raw.shape) for name, raw in model(torch.zeros(2, 3)).items()}
    {'price': (2, 1), 'grade': (2, 5)}
    >>> list(model(torch.zeros(2, 3), tasks=["grade"]))
    ['grade']
    """

    def __init__(self, trunk: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.tasks = tuple(heads)
        self.trunk = trunk
        self.heads = heads_over(trunk, heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        features = self.trunk(inputs)
        return {name: self.heads.of(name)(features) for name in names}

    def represent(self, inputs: Any) -> Tensor:
        return self.trunk(inputs)

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.heads.of(name),)
