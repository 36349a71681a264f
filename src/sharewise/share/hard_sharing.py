"""Hard sharing: one trunk, a head a task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ..base import UsageError
from ..base.checks import at_least_one
from .shared_model import SharedModel


class HardSharing(SharedModel):
    """All tasks read one representation: raw_t = head_t(trunk(inputs)).

    Caruana 1997, Multitask learning. ``trunk``: any module; ``heads``: a module a task, by name, each reading what the
    trunk gives. UsageError where there is no head, or one head stands under two names.

    >>> import torch
    >>> model = HardSharing(torch.nn.Linear(3, 4), {"price": torch.nn.Linear(4, 1), "grade": torch.nn.Linear(4, 5)})
    >>> {name: tuple(raw.shape) for name, raw in model(torch.zeros(2, 3)).items()}
    {'price': (2, 1), 'grade': (2, 5)}
    """

    def __init__(self, trunk: nn.Module, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        check_own("heads", heads)
        self.tasks = tuple(heads)
        self.trunk = trunk
        self.heads = nn.ModuleList(heads.values())

    def forward(self, inputs: Any) -> dict[str, Tensor]:
        features = self.trunk(inputs)
        return {name: head(features) for name, head in zip(self.tasks, self.heads, strict=True)}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.heads[self.tasks.index(name)],)


def check_own(thing: str, modules: Mapping[str, nn.Module]) -> None:
    """UsageError unless there is a module, and no parameter belongs to two of them."""
    at_least_one(thing, modules)
    owner: dict[int, str] = {}
    for name, module in modules.items():
        for parameter in module.parameters():
            if owner.setdefault(id(parameter), name) != name:
                raise UsageError(f"{thing}[{name!r}]", f"has a parameter of {thing}[{owner[id(parameter)]!r}]",
                                 "each must have its own", "Make one module a task.")
