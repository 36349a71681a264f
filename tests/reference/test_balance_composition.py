"""Balancers around balancers: what the one inside sees, and what becomes of its decision."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch

from sharewise import balance
from sharewise.balance.scaled_signal import ScaledSignal
from sharewise.base import UsageError
from sharewise.base.calls import from_call, to_call

NAN = float("nan")


class Probe(balance.Balancer):
    """Gives the next of its weights, or their direction, and keeps what it saw."""

    def __init__(self, *weights: list[float], needs: str = "losses", direction: bool = False) -> None:
        super().__init__()
        self.weights, self.needs, self.direction = list(weights), needs, direction
        self.seen: list[balance.Signal] = []

    def update(self, signal: balance.Signal) -> balance.Update:
        weights = signal.losses.new_tensor(self.weights[min(len(self.seen), len(self.weights) - 1)]) * signal.observed
        self.seen.append(signal)
        if self.needs != "losses":
            getattr(signal, self.needs)
        return balance.Direction(weights @ signal.jacobian) if self.direction else balance.Weights(weights)


def signal_of(a: float = 2.0, b: float = 4.0) -> balance.Signal:
    """Losses a and b at gradients (3, 0, 4) and (0, 2, 0) of the one shared parameter; NaN: not observed."""
    shared = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    return balance.Signal({"a": 3 * shared[0] + 4 * shared[2] + a, "b": 2 * shared[1] + b}, [shared])


def weights_of(balancer: balance.Balancer, a: float = 2.0, b: float = 4.0) -> list[float]:
    return balancer.update(signal_of(a, b)).values.tolist()


def test_a_changed_signal_is_that_of_the_changed_losses():
    shared = torch.tensor([0.3, -0.8, 0.5], dtype=torch.float64, requires_grad=True)

    def losses():
        return {"a": shared.square().sum() + 1, "b": (shared[0] - 2 * shared[1]).exp()}

    plain = balance.Signal(losses(), [shared])
    view = ScaledSignal(plain, plain.losses.log(), 1 / plain.losses)
    logs = balance.Signal({name: loss.log() for name, loss in losses().items()}, [shared])
    assert not view.has_jacobian
    for part in ("losses", "observed", "jacobian", "gramian"):
        torch.testing.assert_close(getattr(view, part), getattr(logs, part))
    assert view.has_jacobian and plain.has_jacobian
    for ours, theirs in zip(view.roots, logs.roots, strict=True):
        torch.testing.assert_close(ours.detach(), theirs.detach())
        torch.testing.assert_close(*(torch.autograd.grad(root, shared, retain_graph=True) for root in (ours, theirs)))


def test_smooth_averages_the_weights_of_the_steps_that_were_observed():
    balancer = balance.Smooth(Probe([1.0, 8.0], [4.0, 9.0], [2.0, 2.0]), beta=0.5, tasks=["a", "b"])
    assert weights_of(balancer) == [1.0, 8.0]
    assert weights_of(balancer, b=NAN) == pytest.approx([(4 + 0.5) / 1.5, 0.0])
    assert weights_of(balancer) == pytest.approx([(2 + 2 + 0.25) / 1.75, (2 + 4) / 1.5])


def test_smooth_without_memory_changes_nothing():
    balancer = balance.Smooth(Probe([1.0, 8.0], [4.0, 9.0]), beta=0.0, tasks=["a", "b"])
    assert [weights_of(balancer) for _ in range(2)] == [[1.0, 8.0], [4.0, 9.0]]


def test_every_asks_each_kth_step_and_keeps_the_weights_in_between():
    inside = Probe([1.0, 8.0], [4.0, 9.0], needs="gramian")
    balancer = balance.Every(3, inside, tasks=["a", "b"])
    signals = [signal_of() for _ in range(5)]
    weights = [balancer.update(signal).values.tolist() for signal in signals]
    assert weights == [[1.0, 8.0]] * 3 + [[4.0, 9.0]] * 2
    assert [signal.has_jacobian for signal in signals] == [True, False, False, True, False]
    assert inside.seen == [signals[0], signals[3]]
    assert balancer.needs == "gramian"


def test_every_keeps_the_weight_of_a_task_that_is_not_observed_when_it_asks():
    balancer = balance.Every(2, Probe([5.0, 8.0], [4.0, 9.0]), tasks=["a", "b"])
    assert weights_of(balancer, b=NAN) == [5.0, 0.0]
    assert weights_of(balancer) == [5.0, 1.0]
    assert weights_of(balancer, a=NAN) == [0.0, 9.0]
    assert weights_of(balancer) == [5.0, 9.0]


def test_warm_up_hands_over_after_its_steps():
    inside, first = Probe([7.0, 7.0], needs="jacobian"), Probe([2.0, 3.0])
    assert [weights_of(balance.WarmUp(0, inside))] == [[7.0, 7.0]]
    balancer = balance.WarmUp(2, inside, first)
    weights_of(balancer, NAN, NAN)
    assert [weights_of(balancer) for _ in range(3)] == [[2.0, 3.0], [2.0, 3.0], [7.0, 7.0]]
    assert [balance.WarmUp(2, inside).needs, balance.WarmUp(2, Probe([1.0]), balance.Normalize(first)).needs] == [
        "jacobian", "gramian"]
    assert [weights_of(balance.WarmUp(1, inside)), len(inside.seen)] == [[1.0, 1.0], 2]


def test_normalize_shows_unit_gradients_and_weighs_the_true_ones_by_one_over_their_length():
    inside = Probe([1.0, 6.0], needs="gramian")
    assert weights_of(balance.Normalize(inside)) == pytest.approx([1 / 5, 6 / 2])
    torch.testing.assert_close(inside.seen[0].gramian, torch.eye(2, dtype=torch.float64))
    assert inside.seen[0].losses.tolist() == [2.0, 4.0]


def test_normalize_hands_on_the_direction_of_unit_gradients():
    update = balance.Normalize(Probe([1.0, 6.0], direction=True)).update(signal_of())
    torch.testing.assert_close(update.vector, torch.tensor([0.6, 6.0, 0.8], dtype=torch.float64))


def test_normalize_leaves_a_gradient_of_zero_as_it_is():
    shared = torch.zeros(2, requires_grad=True)
    balance.backward({"a": 0 * shared.sum(), "b": 4 * shared[0]}, [shared], balance.Normalize(balance.Equal()))
    assert shared.grad.tolist() == [1.0, 0.0]


def test_log_loss_of_equal_is_the_backward_pass_of_the_sum_of_logarithms():
    shared = torch.tensor([0.3, -0.8], dtype=torch.float64, requires_grad=True)
    head = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)

    def losses():
        return {"a": shared.square().sum(), "b": (head * shared).exp().sum()}

    balance.backward(losses(), [shared], balance.LogLoss(balance.Equal()))
    expected, = torch.autograd.grad(sum(loss.log() for loss in losses().values()), shared)
    torch.testing.assert_close(shared.grad, expected)
    plain, = torch.autograd.grad(losses()["b"], head)
    torch.testing.assert_close(head.grad, plain)


def test_log_loss_of_equal_is_imtll_at_the_rest_of_its_scales():
    imtll = balance.IMTLL(["a", "b"]).double()
    imtll.log_weight.data.copy_(-torch.tensor([2.0, 4.0], dtype=torch.float64).log())
    assert weights_of(imtll, 2.0, 4.0) == pytest.approx(weights_of(balance.LogLoss(balance.Equal()), 2.0, 4.0))
    assert imtll.log_weight.grad.tolist() == pytest.approx([0.0, 0.0])


def test_log_loss_hands_on_directions_and_refuses_negative_losses():
    inside = Probe([1.0, 1.0], direction=True)
    update = balance.LogLoss(inside).update(signal_of(2.0, 4.0))
    torch.testing.assert_close(update.vector, torch.tensor([1.5, 0.5, 2.0], dtype=torch.float64))
    torch.testing.assert_close(inside.seen[0].losses, torch.tensor([2.0, 4.0], dtype=torch.float64).log())
    with pytest.raises(UsageError, match="the loss of task 'a' is -1"):
        weights_of(balance.LogLoss(balance.Equal()), a=-1.0)


def test_log_loss_of_stch_weighs_by_powers_of_the_losses():
    balancer = balance.LogLoss(balance.STCH(["a", "b"], mu=0.5))
    assert weights_of(balancer, 2.0, 4.0) == pytest.approx([4 / 20 / 2, 16 / 20 / 4])


def test_clip_bounds_the_weights_on_both_sides():
    assert weights_of(balance.Clip(Probe([5.0, -0.5]), most=2.0)) == [2.0, -0.5]
    assert weights_of(balance.Clip(Probe([0.5, -9.0]), most=2.0)) == [0.5, -2.0]


def test_preference_multiplies_weights_and_is_fixed_around_equal():
    assert weights_of(balance.Preference([3.0, 1.0], Probe([5.0, 0.5]))) == [15.0, 0.5]
    preference = balance.Preference({"b": 3.0, "a": 0.5}, balance.Equal())
    assert weights_of(preference) == weights_of(balance.Fixed({"a": 0.5, "b": 3.0})) == [0.5, 3.0]
    with pytest.raises(UsageError, match="a weight is -1"):
        balance.Preference([-1.0], balance.Equal())


@pytest.mark.parametrize("wrap", [lambda inside: balance.Smooth(inside, tasks=["a", "b"]),
                                  lambda inside: balance.Every(2, inside, tasks=["a", "b"]),
                                  lambda inside: balance.Clip(inside, most=1.0),
                                  lambda inside: balance.Preference([1.0, 2.0], inside)],
                         ids=["Smooth", "Every", "Clip", "Preference"])
def test_a_direction_has_no_weights_to_change(wrap):
    with pytest.raises(UsageError, match="balancer Probe gives a direction"):
        wrap(Probe([1.0, 1.0], direction=True)).update(signal_of())


def test_tasks_are_taken_from_inside_and_must_not_differ():
    inside = balance.UncertaintyWeighting(["a", "b"])
    assert balance.Smooth(balance.Every(2, inside)).tasks == ["a", "b"]
    with pytest.raises(UsageError, match="same tasks in the same order"):
        balance.Smooth(inside, tasks=["b", "a"])
    with pytest.raises(UsageError, match="same tasks in the same order"):
        balance.WarmUp(1, inside, balance.IMTLL(["b", "a"]))
    for wrap in (balance.Smooth, lambda inside: balance.Every(2, inside)):
        with pytest.raises(UsageError, match="tasks are not given"):
            wrap(balance.Equal())


def nest() -> balance.Balancer:
    inside = balance.WarmUp(2, balance.Normalize(balance.GradNorm(["a", "b"])), balance.RLW(["a", "b"], seed=1))
    return balance.Preference([1.0, 2.0], balance.Smooth(balance.Every(2, inside), beta=0.5))


def test_a_nest_is_written_down_learns_and_goes_on_after_loading():
    balancer = nest()
    assert balancer.needs == "gramian"
    call = to_call(balancer)
    assert to_call(from_call(call)) == call

    def steps(balancer, count):
        optimizer = torch.optim.SGD(balancer.parameters(), lr=0.1, momentum=0.9)
        weights = []
        for _ in range(count):
            optimizer.zero_grad()
            weights.append(weights_of(balancer))
            optimizer.step()
        return weights

    steps(balancer, 5)
    second = nest()
    second.load_state_dict(deepcopy(balancer.state_dict()))
    assert steps(second, 6) == steps(balancer, 6)
