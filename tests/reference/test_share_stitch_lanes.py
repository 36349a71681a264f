"""The last unit of cross-stitch and its heads in one go: numbers, slopes, absent tasks, balancers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from one_by_one import assert_alike, assert_alike_twice, make_inputs, one_by_one
from sharewise import balance, share
from sharewise.balance.graph import tasks_reaching

NAMES = ("a", "b", "c")


def build(outputs: int = 2, bias: bool = True) -> share.CrossStitch:
    torch.manual_seed(0)
    trunks = {name: share.MLP(4, [6, 5]) for name in NAMES}
    return share.CrossStitch(trunks, {name: nn.Linear(5, outputs, bias=bias) for name in NAMES}).double()


def is_in_one_go(model: share.CrossStitch) -> bool:
    raw = model(make_inputs(3))["a"]
    return any("StitchLanes" in type(node).__name__ for node in (raw.grad_fn, raw.grad_fn.next_functions[0][0]))


def test_it_is_in_one_go_under_narrow_heads_without_hooks():
    assert is_in_one_go(build(8)) and not is_in_one_go(build(9)) and not is_in_one_go(one_by_one(build()))


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("asked", [NAMES, ("c", "a")])
@pytest.mark.parametrize("heard", [("c", "a"), ("a",)])
@pytest.mark.parametrize("shape", [(7,), (2, 7)])
def test_numbers_and_slopes_are_those_of_one_by_one_whichever_tasks_are_heard(bias, asked, heard, shape):
    model, inputs, found = build(bias=bias), make_inputs(*shape), []
    for one in (model, one_by_one(model)):
        raws = one(inputs, asked)
        loss = sum((raws[name] ** 3).sum() for name in heard)
        found.append([*raws.values(), *torch.autograd.grad(loss, [inputs, *one.parameters()], allow_unused=True)])
    assert_alike(*found)


def test_it_can_be_differentiated_twice():
    assert_alike_twice(build())


def test_raw_outputs_may_be_written_over():
    for raw in build()(make_inputs(3)).values():
        raw.add_(1.0).sum().backward(retain_graph=True)


@pytest.mark.parametrize("kind", ["plain", "weighted"])
@pytest.mark.parametrize("absent", [None, "b"])
@pytest.mark.parametrize("make", [lambda: balance.Fixed({"a": 0.5, "b": 2.0, "c": 1.5}), balance.MGDA, balance.PCGrad])
def test_balancers_find_and_give_the_same_gradients_as_one_by_one(make, absent, kind):
    model, inputs, found = build(), make_inputs(6).detach(), []
    for one in (model, one_by_one(model)):
        torch.manual_seed(0)
        losses = {name: raw.square().mean() for name, raw in one(inputs).items() if name != absent}
        balance.backward(losses, one.shared_parameters(), make(), heads=kind)
        found.append([parameter.grad for parameter in one.parameters()])
    assert_alike(*found)


def test_every_task_reaches_its_own_row_and_head_alone():
    model = build()
    reached = tasks_reaching([raw.sum().grad_fn for raw in model(make_inputs(3)).values()])
    owner = {id(node.variable): tasks for node, tasks in reached.items() if hasattr(node, "variable")}
    for place, name in enumerate(NAMES):
        assert {owner[id(parameter)] for parameter in model.task_parameters(name)} == {1 << place}
