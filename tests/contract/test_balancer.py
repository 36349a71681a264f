"""Every balancer that the room exports keeps the contract of the role."""

from __future__ import annotations

import inspect
from copy import deepcopy

import pytest
import torch

from sharewise import balance
from sharewise.base import UnknownNameError, UsageError, catalogue
from sharewise.base.calls import from_call, to_call

NAMES = ["a", "b", "c"]
BALANCERS = catalogue.classes("balance", balance.Balancer)


def make(name: str, tasks: list[str] = NAMES) -> balance.Balancer:
    """A balancer for the tasks, built from the parameters that its constructor requires."""
    known = {"tasks": list(tasks), "weights": {task: 0.5 + at for at, task in enumerate(tasks)},
             "balancer": balance.UncertaintyWeighting(list(tasks)), "k": 2, "steps": 2, "most": 0.75,
             "size": 55, "share": 0.4, "faulty": 0, "blocks": [2, 2], "numbers": 100, "features": 5}
    if name == "InChunks":
        known["balancer"] = balance.GradDrop()
    required = [p for p, v in inspect.signature(BALANCERS[name]).parameters.items() if v.default is v.empty]
    return BALANCERS[name](**{parameter: known[parameter] for parameter in required})


class Net(torch.nn.Module):
    """A user's own network: a trunk and a head a task."""

    def __init__(self, tasks: list[str] = NAMES, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        chance = torch.Generator().manual_seed(0)
        self.trunk = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 5))
        self.heads = torch.nn.ModuleDict({task: torch.nn.Linear(5, 1) for task in tasks})
        self.to(dtype)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=chance))

    def losses(self, step: int = 0, gaps: tuple[str, ...] = (),
               balancer: balance.Balancer | None = None) -> dict[str, torch.Tensor]:
        dtype = next(self.parameters()).dtype
        x = torch.randn(6, 4, generator=torch.Generator().manual_seed(step)).to(dtype)
        features = self.trunk(x)
        rotate = getattr(balancer, "rotate", lambda task, features: features)
        losses = {task: (head(rotate(task, features)) - x[:, :1] * (2 + at)).square().mean()
                  for at, (task, head) in enumerate(self.heads.items())}
        return {task: loss * torch.nan if task in gaps else loss for task, loss in losses.items()}


def go(net: Net, balancer: balance.Balancer, step: int = 0, gaps: tuple[str, ...] = ()) -> None:
    """One call of ``backward``."""
    balance.backward(net.losses(step, gaps, balancer), net.trunk.parameters(), balancer)


def gradients(module: torch.nn.Module) -> list[torch.Tensor]:
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in module.parameters()]


@pytest.fixture(params=sorted(BALANCERS))
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients_are_finite_and_in_the_dtype_of_the_parameters(name, dtype):
    net = Net(dtype=dtype)
    go(net, make(name))
    for parameter in net.parameters():
        assert parameter.grad.dtype == dtype
        assert parameter.grad.isfinite().all()


def test_one_task_gets_a_multiple_of_its_own_gradient(name):
    net, plain = Net(["a"]), Net(["a"])
    go(net, make(name, ["a"]))
    plain.losses()["a"].backward()
    ours, theirs = (torch.cat([g.flatten() for g in gradients(n.trunk)]) for n in (net, plain))
    assert torch.nn.functional.cosine_similarity(ours, theirs, dim=0) > 0.9999
    torch.testing.assert_close(gradients(net.heads), gradients(plain.heads))


@pytest.mark.parametrize("how", ["nan", "absent"])
def test_a_task_that_is_not_observed_gets_no_gradient_and_moves_no_state(name, how):
    net, balancer = Net(), make(name)
    before = deepcopy(balancer.state_dict())
    losses = net.losses(gaps=("b",), balancer=balancer)
    if how == "absent":
        del losses["b"]
    balance.backward(losses, net.trunk.parameters(), balancer)
    assert all(gradient.isfinite().all() for gradient in gradients(net))
    assert not any(gradient.any() for gradient in gradients(net.heads["b"]))
    assert net.heads["a"].weight.grad.any()
    for key, value in balancer.state_dict().items():
        if value.ndim and len(value) == len(NAMES):
            assert torch.equal(value[1], before[key][1])
    for parameter in balancer.parameters():
        assert parameter.grad is None or not parameter.grad[1].any()


def test_no_observed_task_leaves_everything_as_it_is(name):
    net, balancer = Net(), make(name)
    go(net, balancer, gaps=tuple(NAMES))
    assert not any(gradient.any() for gradient in gradients(net))


def test_the_order_of_tasks_does_not_matter(name):
    first, second = Net(dtype=torch.float64), Net(dtype=torch.float64)
    go(first, make(name))
    balancer = make(name)
    turned = dict(reversed(second.losses(balancer=balancer).items()))
    balance.backward(turned, second.trunk.parameters(), balancer)
    torch.testing.assert_close(gradients(first), gradients(second))


def test_five_steps_save_load_and_five_steps_equal_ten_steps(name):
    def steps(net, balancer, optimizer, numbers):
        for step in numbers:
            optimizer.zero_grad()
            go(net, balancer, step)
            optimizer.step()

    def parts():
        net, balancer = Net(), make(name)
        return net, balancer, torch.optim.SGD([*net.parameters(), *balancer.parameters()], lr=0.01, momentum=0.9)

    whole = parts()
    steps(*whole, range(10))
    first, second = parts(), parts()
    steps(*first, range(5))
    for new, old in zip(second, first, strict=True):
        new.load_state_dict(deepcopy(old.state_dict()))
    steps(*second, range(5, 10))
    for ours, theirs in zip(second[:2], whole[:2], strict=True):
        for key, value in theirs.state_dict().items():
            torch.testing.assert_close(ours.state_dict()[key], value, rtol=0, atol=0, equal_nan=True)


def test_gradients_are_added_to_those_that_are_there(name):
    net, twice = Net(), Net()
    go(net, make(name))
    for _ in range(2):
        go(twice, make(name))
    torch.testing.assert_close(gradients(twice), [2 * gradient for gradient in gradients(net)])


def test_it_is_written_down_as_a_constructor_call(name):
    call = to_call(make(name))
    assert to_call(from_call(call)) == call


def test_it_says_what_a_training_loop_has_to_give_it_besides_backward(name):
    kind = BALANCERS[name]
    observe = getattr(kind, "observe", None)
    from_losses = observe is not None and "shared" in inspect.signature(observe).parameters
    assert bool(kind.own_loop) == (from_losses or hasattr(kind, "rotate"))


def test_an_unknown_task_is_named_with_the_near_names():
    net = Net()
    with pytest.raises(UnknownNameError, match="near names are 'price'"):
        balance.backward({"prize": net.losses()["a"]}, net.trunk.parameters(),
                         balance.UncertaintyWeighting(["price", "a", "b"]))


def test_a_loss_for_each_row_is_refused():
    with pytest.raises(UsageError, match="must be one number"):
        balance.backward({"a": torch.ones(3, requires_grad=True)}, [], balance.Equal())


@pytest.mark.parametrize("weights", [[], [-1.0], {"a": float("nan")}])
def test_weights_that_are_no_weights_are_refused(weights):
    with pytest.raises(UsageError):
        balance.Fixed(weights)
