"""Mixtures in one go: the numbers and slopes of task by task, absent tasks, second derivatives, and balancers."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from one_by_one import assert_alike, assert_alike_twice, make_inputs, one_by_one
from sharewise import balance, share
from sharewise.balance.engine import Engine
from sharewise.balance.graph import tasks_reaching

NAMES = ("a", "b", "c")


def expert() -> share.Trunk:
    return share.MLP(4, [6, 5])


def cut(activation: type[nn.Module]) -> share.Trunk:
    layers = [nn.Sequential(nn.Linear(4, 6), activation()), nn.Linear(6, 5, bias=False)]
    return share.Staged(layers, torch.zeros(1, 4))


def heads(*sizes: int) -> dict[str, nn.Module]:
    return {name: nn.Linear(5, size) for name, size in zip(NAMES, sizes, strict=True)}


def own(count: int) -> dict[str, list[share.Trunk]]:
    return {name: [expert() for _ in range(count)] for name in NAMES}


BUILDS = {
    "MMoE": lambda: share.MMoE([expert() for _ in range(3)], heads(2, 2, 2)),
    "MMoE, one expert": lambda: share.MMoE([expert()], heads(2, 2, 2)),
    "MMoE, relu": lambda: share.MMoE([cut(nn.ReLU) for _ in range(3)], heads(1, 1, 1)),
    "MMoE, tanh": lambda: share.MMoE([cut(nn.Tanh) for _ in range(3)], heads(1, 1, 1)),
    "MMoE, sigmoid": lambda: share.MMoE([cut(nn.Sigmoid) for _ in range(3)], heads(1, 1, 1)),
    "MMoE, heads that differ": lambda: share.MMoE([expert() for _ in range(3)], heads(1, 3, 2)),
    "MMoE, bottom": lambda: share.MMoE([expert() for _ in range(2)], heads(1, 1, 1), nn.Linear(4, 4)),
    "CGC": lambda: share.CGC([expert() for _ in range(3)], own(2), heads(1, 1, 1)),
    "CGC, bottom": lambda: share.CGC([expert()], own(1), heads(1, 1, 1), nn.Linear(4, 4)),
    "CGC, none shared": lambda: share.CGC([], own(2), heads(1, 1, 1)),
    "PLE": lambda: share.PLE([expert() for _ in range(3)], own(2), heads(1, 1, 1)),
    "PLE, bottom": lambda: share.PLE([expert()], own(1), heads(1, 1, 1), nn.Linear(4, 4)),
    "PLE, three levels": lambda: share.PLE(
        [share.MLP(4, [6, 6, 5])], {name: [share.MLP(4, [6, 6, 5]) for _ in range(2)] for name in NAMES},
        heads(1, 1, 1)),
    "PLE, none shared": lambda: share.PLE([], own(2), heads(1, 1, 1))}


FEW = ("MMoE, heads that differ", "CGC, bottom", "PLE, three levels")


@pytest.fixture(params=FEW)
def some(request: pytest.FixtureRequest) -> share.SharedModel:
    torch.manual_seed(0)
    return BUILDS[request.param]().double()


@pytest.fixture(params=list(BUILDS))
def model(request: pytest.FixtureRequest) -> share.SharedModel:
    torch.manual_seed(0)
    return BUILDS[request.param]().double()


def is_in_one_go(model: share.SharedModel) -> bool:
    raws = model(make_inputs(3)).values()
    nodes = {raw.grad_fn for raw in raws} | {child for raw in raws for child, _ in raw.grad_fn.next_functions}
    return any("TaskLanes" in type(node).__name__ for node in nodes if node is not None)


def test_it_is_in_one_go_and_not_where_a_module_has_a_hook(model):
    assert is_in_one_go(model) and not is_in_one_go(one_by_one(model))


@pytest.mark.parametrize("shape", [(7,), (2, 7), (0,)])
@pytest.mark.parametrize("heard", [NAMES, ("a",), ("c", "b")])
def test_numbers_and_slopes_are_those_of_one_by_one_whichever_tasks_are_heard(model, shape, heard):
    inputs, found = make_inputs(*shape), []
    for one in (model, one_by_one(model)):
        raws = one(inputs)
        loss = sum((raws[name] ** 3).sum() for name in heard)
        found.append([*raws.values(), *torch.autograd.grad(loss, [inputs, *one.parameters()], allow_unused=True)])
    assert_alike(*found)


@pytest.mark.parametrize("numbers", [1, 7 * 5 * 2 * 2])
@pytest.mark.parametrize("heard", [NAMES, ("a",)])
def test_numbers_and_slopes_are_the_same_in_blocks_of_a_task_or_two(some, monkeypatch, numbers, heard):
    for file in ("run_layers", "layers_back"):
        monkeypatch.setattr(f"sharewise.share.{file}.BLOCK", numbers)
    test_numbers_and_slopes_are_those_of_one_by_one_whichever_tasks_are_heard(some, (7,), heard)


def test_it_can_be_differentiated_twice(model):
    assert_alike_twice(model)


def test_raw_outputs_may_be_written_over(model):
    for raw in model(make_inputs(3)).values():
        raw.add_(1.0).sum().backward(retain_graph=True)


BALANCERS = {"weights": lambda: balance.Fixed({"a": 0.5, "b": 2.0, "c": 1.5}), "Gramian": lambda: balance.MGDA(),
             "Jacobian": lambda: balance.PCGrad(), "zero": lambda: balance.Fixed({"a": 0.0, "b": 1.0, "c": 1.0})}


@pytest.mark.parametrize("kind", ["plain", "weighted"])
@pytest.mark.parametrize("absent", [None, "b"])
@pytest.mark.parametrize("balancer", list(BALANCERS))
def test_balancers_find_and_give_the_same_gradients_as_one_by_one(some, balancer, absent, kind):
    inputs, found = make_inputs(6).detach(), []
    for one in (some, one_by_one(some)):
        torch.manual_seed(0)
        losses = {name: raw.square().mean() for name, raw in one(inputs).items() if name != absent}
        balance.backward(losses, one.shared_parameters(), BALANCERS[balancer](), heads=kind)
        found.append([parameter.grad for parameter in one.parameters()])
    assert_alike(*found)


def test_what_the_tasks_read_of_the_shared_part_is_found_as_one_by_one(some):
    inputs, found = make_inputs(6).detach(), []
    for one in (some, one_by_one(some)):
        losses = [raw.square().mean() for raw in one(inputs).values()]
        engine = Engine(losses, list(one.shared_parameters()))
        found.append([engine.gramian, torch.tensor([len(own) for own in engine.cut.heads])])
        if engine.cut.is_clean:
            found[-1].append(engine.at_representation())
    assert_alike(*found)


def test_a_loss_that_reads_several_tasks_makes_their_parts_one(model):
    raws = model(make_inputs(3))
    both, last = raws["a"].sum() + raws["b"].sum(), raws["c"].sum()
    reached = tasks_reaching([both.grad_fn, last.grad_fn])
    owner = {id(node.variable): tasks for node, tasks in reached.items() if hasattr(node, "variable")}
    for name, tasks in (("a", 1), ("b", 1), ("c", 2)):
        assert {owner[id(parameter)] for parameter in model.task_parameters(name)} == {tasks}
