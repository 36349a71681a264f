"""Every shared model that the room exports keeps the contract of the role."""

from __future__ import annotations

import inspect

import pytest
import torch

from sharewise import share
from sharewise.base import UnknownNameError, UsageError, catalogue

MODELS = catalogue.classes("share", share.SharedModel)
TASKS = {"price": 1, "a.b[3]": 3, "type": 2}


def make(name: str, tasks: dict[str, int] = TASKS) -> share.SharedModel:
    """A model whose constructor gets the modules that it asks for."""
    torch.manual_seed(0)
    known = {"trunk": torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh()),
             "trunks": {task: torch.nn.Linear(4, 5) for task in tasks},
             "heads": {task: torch.nn.Linear(5, size) for task, size in tasks.items()}}
    return MODELS[name](**{parameter: known[parameter] for parameter in inspect.signature(MODELS[name]).parameters})


@pytest.fixture(params=sorted(MODELS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("shape", [(7,), (2, 7)])
def test_each_task_gets_its_raw_output_by_name(name, shape):
    outputs = make(name)(torch.randn(*shape, 4))
    assert {task: tuple(raw.shape) for task, raw in outputs.items()} == \
        {task: (*shape, size) for task, size in TASKS.items()}


def test_shared_and_task_parameters_are_a_partition_of_all(name):
    model = make(name)
    parts = [id(p) for p in model.shared_parameters()]
    parts += [id(p) for task in model.tasks for p in model.task_parameters(task)]
    assert sorted(parts) == sorted(id(p) for p in model.parameters())


def test_a_task_moves_its_own_and_the_shared_parameters_only(name):
    model = make(name)
    model(torch.randn(6, 4))["price"].sum().backward()
    others = [p for task in ("a.b[3]", "type") for p in model.task_parameters(task)]
    assert all(p.grad is None or not p.grad.any() for p in others)
    assert all(p.grad is not None for p in model.task_parameters("price"))


def test_one_task_is_enough_and_none_is_an_error(name):
    assert make(name, {"only": 1})(torch.zeros(2, 4))["only"].shape == (2, 1)
    with pytest.raises(UsageError):
        make(name, {})


def test_state_goes_through_state_dict(name):
    model, other = make(name), make(name)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(1.0)
    other.load_state_dict(model.state_dict())
    x = torch.randn(3, 4)
    for task, raw in model(x).items():
        assert torch.equal(raw, other(x)[task])


def test_it_works_in_double_precision(name):
    outputs = make(name).double()(torch.randn(3, 4, dtype=torch.float64))
    assert all(raw.dtype == torch.float64 for raw in outputs.values())


def test_an_unknown_task_is_an_error_with_the_near_name(name):
    with pytest.raises(UnknownNameError, match="price"):
        list(make(name).task_parameters("prize"))


def test_one_module_for_two_tasks_is_refused():
    head = torch.nn.Linear(5, 1)
    with pytest.raises(UsageError, match="has a parameter of"):
        share.HardSharing(torch.nn.Linear(4, 5), {"a": head, "b": head})


def test_separate_needs_a_trunk_for_every_head():
    with pytest.raises(UsageError, match="must name the same tasks"):
        share.Separate({"a": torch.nn.Linear(2, 2)}, {"b": torch.nn.Linear(2, 1)})
