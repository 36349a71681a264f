"""What a model says in one go beside what it says module after module."""

from __future__ import annotations

from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

Model = TypeVar("Model", bound=nn.Module)


def one_by_one(model: Model) -> Model:
    """A copy that runs module after module, since every one has a hook to be called."""
    model = deepcopy(model)
    for module in model.modules():
        module.register_forward_hook(lambda *_: None)
    return model


def make_inputs(*shape: int) -> Tensor:
    return torch.randn(*shape, 4, dtype=torch.float64, requires_grad=True)


def assert_alike(found: list[Tensor | None], wanted: list[Tensor | None]) -> None:
    assert [one is None for one in found] == [one is None for one in wanted]
    for one, other in zip(found, wanted, strict=True):
        if one is not None:
            torch.testing.assert_close(one, other)


def assert_alike_twice(model: nn.Module) -> None:
    """First and second derivatives of tasks "a" and "c" are those of the copy that runs one by one."""
    inputs, found = make_inputs(4), []
    for one in (model, one_by_one(model)):
        raws, parameters = one(inputs), [inputs, *one.parameters()]
        loss = raws["a"].pow(3).sum() + raws["c"].pow(3).sum()
        first = torch.autograd.grad(loss, parameters, create_graph=True, allow_unused=True)
        slope = sum(part.square().sum() for part in first if part is not None)
        found.append([*first, *torch.autograd.grad(slope, parameters, allow_unused=True)])
    assert_alike(*found)
