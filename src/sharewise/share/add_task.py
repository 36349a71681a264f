"""A task that joins a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from ..base import UsageError
from .frozen import Frozen
from .one_trunk import OneTrunk
from .per_task import PerTask
from .shared_model import SharedModel


def add_task(model: SharedModel, name: str, head: nn.Module) -> SharedModel:
    """A model with one task more, which reads what the trained model has learned; all that was there is frozen.

    Whatever is then trained, the predictions of the old tasks are what the given model predicts in evaluation mode and
    under ``torch.no_grad()`` (where gradients are kept, some layers of torch round otherwise), to the bit: its
    parameters get no gradient, and its dropout and running statistics stay still. The given model is held and frozen,
    not copied. Calling it again on the result adds another task.

    ``model``: one with a representation that all tasks share (a OneTrunk), which ``head`` reads; or any, where ``head``
    is a SharedModel of the new task alone that is built over parts of ``model``: adapters on its trunk, or a gate that
    weighs its experts and a new one beside them.
    UsageError for a name that is there already, for a model whose tasks have nothing in common that a head could read,
    and for a SharedModel of other tasks.

    >>> import torch
    >>> from sharewise.share import CGC, MLP, HardSharing, MMoE
    >>> model = HardSharing(nn.Linear(3, 4), {"price": nn.Linear(4, 1)})
    >>> larger = add_task(model, "grade", nn.Linear(4, 5))
    >>> larger.tasks, sum(parameter.requires_grad for parameter in larger.parameters())
    (('price', 'grade'), 2)
    >>> mixture = MMoE([MLP(3, [4]), MLP(3, [4])], {"price": nn.Linear(4, 1)})
    >>> new = CGC(list(mixture.experts), {"grade": [MLP(3, [4])]}, {"grade": nn.Linear(4, 5)})  # its own expert, a gate
    >>> add_task(mixture, "grade", new)(torch.zeros(2, 3))["grade"].shape
    torch.Size([2, 5])
    """
    if name in model.tasks:
        raise UsageError(f"task {name!r}", "is there already", "a new task needs a new name", "Rename it.")
    if isinstance(head, SharedModel) and head.tasks != (name,):
        raise UsageError(f"the model of task {name!r}", f"has the tasks {list(head.tasks)}",
                         "it must have that one alone", "Build it with one head, under that name.")
    if isinstance(model, OneTrunk):
        return _JoinedTrunk(model, name, head)
    if not isinstance(head, SharedModel):
        raise UsageError(type(model).__name__, "has no representation that belongs to all tasks",
                         "a new head needs one to read",
                         "Give a SharedModel of the new task over parts of it, or train the new task on its own.")
    return _Joined(model, name, head)


class _Joined(SharedModel):
    """The frozen model, and the new head."""

    def __init__(self, model: SharedModel, name: str, head: nn.Module) -> None:
        super().__init__()
        self.tasks = (*model.tasks, name)
        self.heads = PerTask("heads", {name: head})
        self.before = Frozen(model)

    def train(self, mode: bool = True) -> _Joined:
        super().train(mode)
        self.before.eval()  # the old parts that the new task reads as well
        return self

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        old = [name for name in names if name not in self.heads.names]
        raws = self.before(inputs, old) if old else {}
        if len(old) < len(names):
            raws[self.heads.names[0]] = self._new(inputs)
        return {name: raws[name] for name in names}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        if name not in self.heads.names:
            return self.before.module.own_modules(name)
        head = self.heads.of(name)
        return head.own_modules(name) if isinstance(head, SharedModel) else (head,)

    def penalty(self) -> Float[Tensor, ""]:
        head = self.heads.of(self.tasks[-1])
        return head.penalty() if isinstance(head, SharedModel) else super().penalty()

    def advance(self, progress: float) -> None:
        head = self.heads.of(self.tasks[-1])
        if isinstance(head, SharedModel):
            head.advance(progress)

    def _new(self, inputs: Any) -> Tensor:
        name = self.tasks[-1]
        return self.heads.of(name)(inputs)[name]


class _JoinedTrunk(_Joined, OneTrunk):
    """One whose representation the next task can read too."""

    def represent(self, inputs: Any) -> Tensor:
        return self.before.module.represent(inputs)

    def _new(self, inputs: Any) -> Tensor:
        if isinstance(self.heads.of(self.tasks[-1]), SharedModel):
            return super()._new(inputs)
        return self.heads.of(self.tasks[-1])(self.represent(inputs))
