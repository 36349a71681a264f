"""All stages of cross-stitch in one go: numbers and slopes of stage by stage, and stage by stage where they must be."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from one_by_one import assert_alike, make_inputs, one_by_one
from sharewise import share

NAMES = ("a", "b", "c")
STAGES = {
    "silu": lambda: [nn.Sequential(nn.Linear(4, 6), nn.SiLU()), nn.Sequential(nn.Linear(6, 5), nn.SiLU())],
    "several layers": lambda: [nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 3, bias=False), nn.Tanh()),
                               nn.Linear(3, 5), nn.Sequential(nn.Linear(5, 5, bias=False), nn.Sigmoid())],
    "one stage": lambda: [nn.Sequential(nn.Linear(4, 5), nn.ReLU())]}


def build(stages: list[nn.Module], *more: list[nn.Module]) -> share.CrossStitch:
    cut = [share.Staged(one, torch.zeros(1, 4)) for one in (stages, *more)]
    return share.CrossStitch(dict(zip(NAMES, cut, strict=False)), {name: nn.Linear(5, 1) for name in NAMES[:len(cut)]},
                             own=0.6).double()


@pytest.fixture(params=list(STAGES))
def model(request: pytest.FixtureRequest) -> share.CrossStitch:
    torch.manual_seed(0)
    return build(*(STAGES[request.param]() for _ in NAMES))


def is_in_one_go(model: share.CrossStitch, *shape: int) -> bool:
    return "StitchedStages" in type(model.run(torch.zeros(*shape, 4, dtype=torch.float64)).grad_fn).__name__


@pytest.mark.parametrize("shape", [(7,), (0,)])
def test_numbers_and_slopes_are_those_of_stage_by_stage(model, shape):
    assert is_in_one_go(model, *shape)
    inputs, found = make_inputs(*shape), []
    for one in (model, one_by_one(model)):
        raws = one(inputs)
        loss = raws["a"].pow(3).sum() + raws["c"].pow(3).sum()
        found.append([*raws.values(), *torch.autograd.grad(loss, [inputs, *one.parameters()], allow_unused=True)])
    assert_alike(*found)


def test_it_can_be_differentiated_twice(model):
    inputs, found = make_inputs(4), []
    for one in (model, one_by_one(model)):
        parameters = [inputs, *one.parameters()]
        first = torch.autograd.grad(one(inputs)["b"].pow(3).sum(), parameters, create_graph=True, allow_unused=True)
        slope = sum(part.square().sum() for part in first if part is not None)
        found.append([*first, *torch.autograd.grad(slope, parameters, allow_unused=True)])
    assert_alike(*found)


def test_slopes_have_the_memory_of_their_parameters_so_that_none_is_copied(model):
    sum(raw.sum() for raw in model(make_inputs(5)).values()).backward()
    assert all(one.grad.is_contiguous() for one in model.parameters())


@pytest.mark.parametrize("which", ["networks", "networks.trunks.1.stages.0"])
def test_hooks_are_called(which):
    model, seen = build(*(STAGES["silu"]() for _ in NAMES)), []
    model.get_submodule(which).register_forward_hook(lambda *_: seen.append("here"))
    model(make_inputs(3))
    assert seen == ["here"]


def test_trunks_that_differ_and_one_alone_run_stage_by_stage():
    relu, tanh = ([nn.Sequential(nn.Linear(4, 5), kind())] for kind in (nn.ReLU, nn.Tanh))
    assert not is_in_one_go(build(relu, tanh), 3)
    assert not is_in_one_go(build(STAGES["one stage"]()), 3)
