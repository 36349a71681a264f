"""FORUM: its step against the paper's equations, problems whose answer is known, and what it keeps."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from sharewise import balance
from sharewise.balance import solvers
from sharewise.base import JobError, UnknownNameError, UsageError

NAMES = ["a", "b", "c"]
RHO, RATE, STEPS = 0.3, 0.02, 4


def dual(gramian: np.ndarray, rho: float, starts: list[np.ndarray]) -> np.ndarray:
    """The parts a that solve equation 11, by sequential quadratic programming in (a, gamma)."""
    along, square, scale = gramian[:-1, -1], gramian[-1, -1], np.abs(gramian).max()
    pull, count = rho - along / square, len(gramian) - 1
    tail = np.append(np.zeros(count), rho * square / 2)
    found = [minimize(lambda x: (x @ gramian @ x / 2 - tail @ x) / scale, np.append(start, max(start @ pull, 0)),
                      jac=lambda x: (gramian @ x - tail) / scale, bounds=[(0, None)] * (count + 1),
                      constraints=[{"type": "eq", "fun": lambda x: x[:-1].sum() - 1},
                                   {"type": "ineq", "fun": lambda x: x[-1] - x[:-1] @ pull}],
                      options={"ftol": 1e-15, "maxiter": 500}) for start in starts]
    return min(found, key=lambda one: one.fun).x[:-1]


def value(parts: np.ndarray, gramian: np.ndarray, rho: float) -> float:
    """The objective of equation 10."""
    back = max(rho - parts @ gramian[:-1, -1] / gramian[-1, -1], 0)
    whole = np.append(parts, back)
    return whole @ gramian @ whole / 2 - back * rho * gramian[-1, -1] / 2


@pytest.mark.parametrize("size", [(1, 3), (2, 1), (2, 5), (3, 2), (5, 50), (8, 4)])
def test_the_solver_finds_the_minimum_on_either_piece_and_on_the_kink(size):
    pieces = set()
    for seed in range(6):
        chance = np.random.default_rng(seed)
        rows = chance.normal(size=(size[0] + 1, size[1])) * np.exp(chance.normal(size=(size[0] + 1, 1)) / 2)
        rows[-1] += 2 * rows[:-1].mean(0)
        gramian = rows @ rows.T
        least = solvers.min_norm(gramian[:-1, :-1], 1e-15) @ gramian[:-1, -1] / gramian[-1, -1]
        for rho in (0.05, 3.0, max(least, 0.0) + 0.001):
            parts = solvers.min_norm_constrained(gramian, rho, 1e-15)
            expected = dual(gramian, rho, [parts, np.full(size[0], 1 / size[0])])
            scale = np.abs(gramian).max()
            assert value(parts, gramian, rho) <= value(expected, gramian, rho) + 1e-9 * scale
            assert parts.min() >= 0 and parts.sum() == pytest.approx(1, abs=1e-12)
            ahead = (parts @ gramian[:-1, -1] - rho * gramian[-1, -1]) / scale
            pieces.add(0 if abs(ahead) < 1e-9 else int(np.sign(ahead)))
    assert pieces == ({-1, 1} if 1 in size else {-1, 0, 1})  # in one dimension there is no kink to rest on


def losses_at(x: torch.Tensor, which: str) -> dict[str, torch.Tensor]:
    """Smooth losses of three tasks, other ones for training and for validation."""
    chance = torch.Generator().manual_seed(0 if which == "train" else 1)
    matrix = torch.randn(3, 5, generator=chance, dtype=torch.float64)
    return {name: (row @ x - 1).square() + (row * x).sin().sum() for name, row in zip(NAMES, matrix, strict=True)}


def start() -> torch.Tensor:
    return torch.linspace(-1, 1, 5, dtype=torch.float64, requires_grad=True)


def step(balancer: balance.Balancer, x: torch.Tensor) -> None:
    balancer.observe(losses_at(x, "validate"), [x], lambda: losses_at(x, "train"))
    balance.backward(losses_at(x, "train"), [x], balancer)


def gap(logits: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """q of equation 5, with the gradient of line 9 of algorithm 1: x' is a constant."""
    def f(at: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        return weights @ torch.stack(list(losses_at(at, "train").values()))
    far, weights = x.detach().clone().requires_grad_(), logits.softmax(0)
    for _ in range(STEPS):
        far = (far - RATE * torch.autograd.grad(f(far, weights.detach()), far)[0]).detach().requires_grad_()
    return f(x, weights) - f(far.detach(), weights)


def test_the_first_step_is_that_of_the_equations():
    balancer, x = balance.FORUM(NAMES, size=5, rho=RHO, rate=RATE, steps=STEPS).double(), start()
    with torch.no_grad():
        balancer.logits.copy_(torch.tensor([0.5, -0.2, 0.1]))
    step(balancer, x)
    logits, y = balancer.logits.detach().clone().requires_grad_(), start()
    constraint = torch.cat(torch.autograd.grad(gap(logits, y), [logits, y]))
    upper = torch.stack([torch.cat([torch.zeros(3, dtype=torch.float64), torch.autograd.grad(loss, y)[0]])
                         for loss in losses_at(y, "validate").values()])
    rows = torch.cat([upper, constraint[None]]).numpy()
    parts = dual(rows @ rows.T, RHO, [np.full(3, 1 / 3), *np.eye(3)])
    back = max(RHO - parts @ rows[:-1] @ rows[-1] / (rows[-1] @ rows[-1]), 0)
    expected = parts @ rows[:-1] + back * rows[-1]
    assert back > 0
    np.testing.assert_allclose(balancer.logits.grad, expected[:3], rtol=1e-5)
    np.testing.assert_allclose(x.grad, expected[3:], rtol=1e-5)
    np.testing.assert_allclose(balancer.shares, parts, atol=1e-6)


def test_parts_are_means_over_the_steps():
    balancer, x = balance.FORUM(NAMES, size=5).double(), start()
    seen = []
    for _ in range(3):
        alone = balance.FORUM(NAMES, size=5).double()  # its first mean is the last solution alone
        alone.logits.data.copy_(balancer.logits)
        x.grad = balancer.logits.grad = None
        step(alone, x)
        x.grad = None
        step(balancer, x)
        x.data.sub_(0.05 * x.grad)
        seen.append((alone.shares, balancer.shares.clone()))
    assert torch.equal(*seen[0]) and not torch.equal(*seen[2])
    for number in (2, 3):
        (_, before), (best, after) = seen[number - 2:number]
        torch.testing.assert_close(after, before + number ** -0.75 * (best - before))


def settle(wanted: list[float], targets: list[float], rounds: int = 100) -> tuple[float, torch.Tensor]:
    """x and the weights in the end: training losses (x - target)^2 / 2, validation losses (x - wanted)^2 / 2."""
    names = NAMES[:len(targets)]
    balancer, x = balance.FORUM(names, size=1).double(), torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([{"params": [x], "lr": 0.2}, {"params": balancer.parameters(), "lr": 10.0}])

    def losses(places: list[float]) -> dict[str, torch.Tensor]:
        return {name: (x - place).square().sum() / 2 for name, place in zip(names, places, strict=True)}

    for _ in range(rounds):
        optimizer.zero_grad()
        balancer.observe(losses(wanted), [x], lambda: losses(targets))
        balance.backward(losses(targets), [x], balancer)
        optimizer.step()
    return x.item(), balancer.logits.detach().softmax(0)


def test_the_weights_are_those_for_which_training_leads_to_the_best_on_validation_rows():
    x, weights = settle([0.4, 0.4], [1.0, -1.0])  # training with weights w leads to x = w_a - w_b
    assert x == pytest.approx(0.4, abs=1e-6)
    assert weights.tolist() == pytest.approx([0.7, 0.3], abs=1e-6)


def test_two_validation_losses_that_disagree_end_between_their_minima_where_training_agrees():
    x, weights = settle([0.2, 0.6], [1.0, -1.0])
    assert 0.2 - 1e-6 <= x <= 0.6 + 1e-6
    assert x == pytest.approx((weights[0] - weights[1]).item(), abs=1e-6)


def test_a_task_whose_training_rows_are_noise_loses_its_weight():
    chance = torch.Generator().manual_seed(0)
    true = torch.randn(8, generator=chance)
    noise = {"a": 0.3, "b": 0.3, "c": 5.0}

    def draw(rows: int) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
        inputs = {name: torch.randn(rows, 8, generator=chance) for name in NAMES}
        return {name: (X, X @ true + noise[name] * torch.randn(rows, generator=chance)) for name, X in inputs.items()}

    parts, x = {"train": draw(20), "validate": draw(400)}, torch.zeros(8, requires_grad=True)
    balancer = balance.FORUM(NAMES, size=8)
    optimizer = torch.optim.Adam([{"params": [x], "lr": 0.06}, {"params": balancer.parameters(), "lr": 0.06}])

    def losses(which: str) -> dict[str, torch.Tensor]:
        return {name: (X @ x - y).square().mean() for name, (X, y) in parts[which].items()}

    for _ in range(150):
        optimizer.zero_grad()
        balancer.observe(losses("validate"), [x], lambda: losses("train"))
        balance.backward(losses("train"), [x], balancer)
        optimizer.step()
    weights = balancer.logits.softmax(0)
    assert weights[2] < 0.1 and weights[:2].min() > 0.3
    X, Y = (torch.cat([part[at] for part in parts["train"].values()]) for at in (0, 1))
    equal = torch.linalg.lstsq(X, Y[:, None]).solution[:, 0]  # what training with equal weights leads to
    assert (x - true).norm() < (equal - true).norm() / 3


def test_looking_ahead_leaves_parameters_gradients_and_graphs_as_they_were():
    balancer, x = balance.FORUM(NAMES, size=5).double(), start()
    losses = losses_at(x, "train")
    before = x.detach().clone()
    balancer.observe(losses_at(x, "validate"), [x], lambda: losses_at(x, "train"))
    assert torch.equal(x, before) and x.grad is None and balancer.logits.grad is None
    balance.backward(losses, [x], balancer)
    other, y = balance.FORUM(NAMES, size=5).double(), start()
    step(other, y)
    assert torch.equal(x.grad, y.grad)


def test_without_a_validation_loss_the_step_is_that_of_the_weights():
    balancer, x = balance.FORUM(NAMES, size=5).double(), start()
    balancer.observe({"a": x.sum() * torch.nan}, [x], lambda: losses_at(x, "train"))
    balance.backward(losses_at(x, "train"), [x], balancer)
    expected = torch.autograd.grad(sum(losses_at(y := start(), "train").values()) / 3, y)[0]
    torch.testing.assert_close(x.grad, expected)
    assert balancer.logits.grad is None and not balancer.count


def test_what_was_observed_serves_one_step():
    balancer, x = balance.FORUM(NAMES, size=5).double(), start()
    step(balancer, x)
    balancer.logits.grad = None
    balance.backward(losses_at(x, "train"), [x], balancer)
    assert balancer.logits.grad is None


def test_a_task_without_a_training_loss_has_no_slope_and_one_without_a_validation_loss_keeps_its_part():
    balancer, x = balance.FORUM(NAMES, size=5).double(), start()
    step(balancer, x)
    kept, balancer.logits.grad, x.grad = balancer.shares.clone(), None, None

    def train() -> dict[str, torch.Tensor]:
        losses = losses_at(x, "train")
        return losses | {"b": losses["b"] * torch.nan}

    validation = losses_at(x, "validate")
    del validation["c"]
    balancer.observe(validation, [x], train)
    balance.backward(train(), [x], balancer)
    assert balancer.logits.grad[1] == 0 and balancer.logits.grad[0] != 0
    assert balancer.shares[2] == kept[2] and balancer.shares.sum().item() == pytest.approx(1)
    assert not torch.equal(balancer.shares, kept) and x.grad.isfinite().all()


@pytest.mark.parametrize("cut", [(5, False), (5, True)])
def test_a_resumed_run_goes_on_bit_for_bit_even_between_the_observation_and_the_step(cut):
    at, is_between = cut

    def parts() -> tuple[torch.Tensor, balance.FORUM, torch.optim.Optimizer]:
        x, balancer = start().float().detach().requires_grad_(), balance.FORUM(NAMES, size=5)
        return x, balancer, torch.optim.Adam([x, *balancer.parameters()], lr=0.02)

    def go(x, balancer, optimizer, rounds: int, observed: bool = False, ends_observed: bool = False):
        for number in range(rounds + ends_observed):
            if number or not observed:
                balancer.observe(losses_at(x.double(), "validate"), [x], lambda: losses_at(x.double(), "train"))
            if number < rounds:
                optimizer.zero_grad()
                balance.backward(losses_at(x.double(), "train"), [x], balancer)
                optimizer.step()

    whole, first, second = parts(), parts(), parts()
    go(*whole, 10)
    go(*first, at, ends_observed=is_between)
    with torch.no_grad():
        second[0].copy_(first[0])
    for new, old in zip(second[1:], first[1:], strict=True):
        new.load_state_dict(deepcopy(old.state_dict()))
    go(*second, 10 - at, observed=is_between)
    assert torch.equal(second[0], whole[0])
    for key, values in whole[1].state_dict().items():
        assert torch.equal(second[1].state_dict()[key], values), key


def test_gradients_that_are_not_finite_show_in_the_step_and_move_no_state():
    balancer, x = balance.FORUM(NAMES, size=5).double(), start()
    before = deepcopy(balancer.state_dict())
    balancer.observe({"a": (x - x.detach()).abs().sqrt().sum()}, [x], lambda: losses_at(x, "train"))
    balance.backward(losses_at(x, "train"), [x], balancer)
    assert x.grad.isnan().all()
    assert torch.equal(balancer.shares, before["shares"]) and not balancer.count


def test_bad_input_is_refused_by_name():
    balancer, x = balance.FORUM(NAMES, size=5), torch.ones(5, requires_grad=True)
    def train() -> dict[str, torch.Tensor]:
        return {name: x.square().sum() for name in NAMES}
    with pytest.raises(UnknownNameError, match="task"):
        balancer.observe({"d": x.sum()}, [x], train)
    with pytest.raises(UnknownNameError, match="'d'"):
        balancer.observe({"a": x.sum()}, [x], lambda: {"d": x.sum()})
    with pytest.raises(UsageError, match="must name at least one"):
        balancer.observe({}, [x], train)
    y = torch.ones(4, requires_grad=True)
    with pytest.raises(UsageError, match="Give size=4"):
        balancer.observe({"a": y.sum()}, [y], lambda: {"a": y.sum()})
    wild = balance.FORUM(NAMES, size=5, rate=1e30)
    with pytest.raises(JobError, match=r"'a' is (inf|nan) after 5 steps of gradient descent at the rate 1e\+30"):
        wild.observe({"a": x.sum()}, [x], train)
    assert torch.equal(x, torch.ones(5))
    for wrong in ({"rho": 0.0}, {"rate": 0.0}, {"steps": 0}, {"size": 0}):
        with pytest.raises(UsageError, match=next(iter(wrong))):
            balance.FORUM(NAMES, **{"size": 5, **wrong})
    balancer.observe({"a": x.sum()}, [x], train)
    with pytest.raises(UsageError, match="heads='plain'"):
        balance.backward(train(), [x], balancer, heads="weighted")
