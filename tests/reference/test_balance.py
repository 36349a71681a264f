"""Balancers and their engine against formulas, finite differences and plain autograd."""

from __future__ import annotations

import pytest
import torch

from sharewise import balance
from sharewise.base import UsageError


class Probe(balance.Balancer):
    """Weights that are read from what a test hands over, after touching what it says it needs."""

    def __init__(self, weights: list[float], touch: str = "losses", direction: bool = False) -> None:
        super().__init__()
        self.weights, self.touch, self.direction = weights, touch, direction

    def update(self, signal: balance.Signal) -> balance.Update:
        getattr(signal, self.touch)
        weights = signal.losses.new_tensor(self.weights) * signal.observed
        return balance.Direction(weights @ signal.jacobian) if self.direction else balance.Weights(weights)


def network() -> tuple[torch.nn.Module, torch.nn.ModuleList, torch.Tensor]:
    torch.manual_seed(0)
    trunk = torch.nn.Sequential(torch.nn.Linear(3, 6), torch.nn.Tanh(), torch.nn.Linear(6, 4), torch.nn.Tanh())
    heads = torch.nn.ModuleList(torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1))
                                for _ in range(3))
    return trunk.double(), heads.double(), torch.randn(8, 3, dtype=torch.float64)


def losses_of(trunk, heads, x):
    features = trunk(x)
    return {str(at): (head(features) - at).square().mean() + 0.1 * features.square().mean()
            for at, head in enumerate(heads)}


def own_gradients(trunk, heads, x):
    """For each task: gradients of trunk and of its head, by plain autograd."""
    losses = losses_of(trunk, heads, x)
    return [(torch.autograd.grad(loss, list(trunk.parameters()), retain_graph=True),
             torch.autograd.grad(loss, list(head.parameters()), retain_graph=True))
            for loss, head in zip(losses.values(), heads, strict=True)]


@pytest.mark.parametrize("weights", [[1.0, 1.0, 1.0], [2.0, 0.5, 0.1], [0.0, 3.0, 0.0]])
@pytest.mark.parametrize(("touch", "direction"), [("losses", False), ("gramian", False), ("jacobian", True)])
def test_the_trunk_gets_the_weighted_sum_and_each_head_its_plain_gradient(weights, touch, direction):
    trunk, heads, x = network()
    expected = own_gradients(trunk, heads, x)
    balance.backward(losses_of(trunk, heads, x), trunk.parameters(), Probe(weights, touch, direction))
    for at, parameter in enumerate(trunk.parameters()):
        combined = sum(weight * own[0][at] for weight, own in zip(weights, expected, strict=True))
        torch.testing.assert_close(parameter.grad, combined)
    for head, (_, own) in zip(heads, expected, strict=True):
        torch.testing.assert_close([parameter.grad for parameter in head.parameters()], list(own))


@pytest.mark.parametrize("touch", ["losses", "gramian"])
def test_weighted_heads_get_their_gradient_times_their_weight(touch):
    trunk, heads, x = network()
    expected = own_gradients(trunk, heads, x)
    weights = [2.0, 0.5, 0.0]
    balance.backward(losses_of(trunk, heads, x), trunk.parameters(), Probe(weights, touch), heads="weighted")
    for weight, head, (_, own) in zip(weights, heads, expected, strict=True):
        torch.testing.assert_close([parameter.grad for parameter in head.parameters()], [weight * g for g in own])


def test_equal_is_the_backward_pass_of_the_sum_to_the_bit():
    trunk, heads, x = network()
    balance.backward(losses_of(trunk, heads, x), trunk.parameters(), balance.Equal())
    ours = [parameter.grad.clone() for parameter in (*trunk.parameters(), *heads.parameters())]
    trunk.zero_grad()
    heads.zero_grad()
    sum(losses_of(trunk, heads, x).values()).backward()
    for gradient, parameter in zip(ours, (*trunk.parameters(), *heads.parameters()), strict=True):
        torch.testing.assert_close(gradient, parameter.grad, rtol=1e-14, atol=1e-15)


def test_the_jacobian_and_gramian_are_those_of_plain_autograd():
    trunk, heads, x = network()
    rows = torch.stack([torch.cat([g.flatten() for g in own[0]]) for own in own_gradients(trunk, heads, x)])
    losses = losses_of(trunk, heads, x)
    losses["1"] = losses["1"] * torch.nan
    signal = balance.Signal(losses, list(trunk.parameters()))
    rows[1] = 0
    torch.testing.assert_close(signal.jacobian, rows)
    torch.testing.assert_close(signal.gramian, rows @ rows.T)
    assert signal.observed.tolist() == [True, False, True]


def test_a_balancer_that_reads_losses_never_pays_for_the_jacobian():
    trunk, heads, x = network()
    signal = balance.Signal(losses_of(trunk, heads, x), list(trunk.parameters()))
    balance.Fixed([1.0, 2.0, 3.0]).update(signal).apply(signal, "plain")
    assert not signal.has_jacobian


def test_a_head_that_several_tasks_use_is_refused_unless_it_is_named_as_shared():
    trunk, heads, x = network()
    features = trunk(x)
    losses = {"a": heads[0](features).sum(), "b": heads[0](features).square().sum()}
    with pytest.raises(UsageError, match="reached by 2 tasks"):
        balance.backward(losses, trunk.parameters(), balance.Fixed([1.0, 2.0]))


def test_a_direction_has_no_weights_for_the_heads():
    trunk, heads, x = network()
    with pytest.raises(UsageError, match="has no weights"):
        balance.backward(losses_of(trunk, heads, x), trunk.parameters(), Probe([1.0] * 3, "jacobian", True), "weighted")


def test_uncertainty_weighting_follows_its_formula_and_finite_differences():
    factors, variance = [0.5, 1.0], torch.tensor([0.3, -0.7], dtype=torch.float64)
    balancer = balance.UncertaintyWeighting(["a", "b"], factors).double()
    balancer.log_variance.data.copy_(variance)
    shared = torch.tensor([2.0], dtype=torch.float64, requires_grad=True)

    def objective(shared, variance):
        losses = torch.stack([shared.square().sum(), (3 * shared).sum()])
        return (torch.tensor(factors, dtype=torch.float64) * losses * torch.exp(-variance) + variance / 2).sum()

    balance.backward({"a": shared.square().sum(), "b": (3 * shared).sum()}, [shared], balancer)
    step = 1e-6
    for at in range(2):
        move = step * torch.eye(2, dtype=torch.float64)[at]
        slope = (objective(shared, variance + move) - objective(shared, variance - move)) / (2 * step)
        assert balancer.log_variance.grad[at].item() == pytest.approx(slope.item(), rel=1e-6)
    slope = (objective(shared + step, variance) - objective(shared - step, variance)) / (2 * step)
    assert shared.grad.item() == pytest.approx(slope.item(), rel=1e-6)


@pytest.mark.parametrize("factor", [0.5, 1.0])
def test_uncertainty_weighting_comes_to_rest_at_half_of_one_over_the_loss(factor):
    balancer = balance.UncertaintyWeighting(["a"], [factor])
    optimizer = torch.optim.SGD(balancer.parameters(), lr=0.3)
    for _ in range(300):
        optimizer.zero_grad()
        balancer.update(balance.Signal({"a": torch.tensor(4.0)}, []))
        optimizer.step()
    assert balancer.update(balance.Signal({"a": torch.tensor(4.0)}, [])).values.item() == pytest.approx(1 / 8, rel=1e-4)
