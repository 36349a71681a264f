"""Loss weightings against their formulas, worked by hand, by autograd and by their limits."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from sharewise import balance
from sharewise.base import UsageError

NAN = float("nan")


def signal_of(*losses: float) -> balance.Signal:
    return balance.Signal({name: torch.tensor(loss, dtype=torch.float64)
                           for name, loss in zip("abc", losses, strict=False)}, [])


def weights_of(balancer: balance.Balancer, *losses: float) -> list[float]:
    return balancer.update(signal_of(*losses)).values.tolist()


def close(*values: float, tolerance: float = 1e-9):
    return pytest.approx(list(values), rel=tolerance, abs=1e-12)


def step_of(balancer: balance.Balancer, rows: torch.Tensor, losses: torch.Tensor) -> torch.Tensor:
    """The gradient that the balancer gives for a Jacobian [T, P] and losses [T], NaN = not observed."""
    shared = torch.zeros(rows.shape[1], dtype=torch.float64, requires_grad=True)
    balance.backward({name: row @ shared + loss for name, row, loss in zip("abc", rows, losses, strict=False)},
                     [shared], balancer)
    return shared.grad


def slope_by_differences(objective, at: torch.Tensor) -> list[float]:
    steps = 1e-6 * torch.eye(len(at), dtype=at.dtype)
    return [((objective(at + step) - objective(at - step)) / 2e-6).item() for step in steps]


LOSS_ONLY = {
    "DWA": lambda tasks: balance.DWA(tasks, steps=1),
    "EMAScaling": balance.EMAScaling,
    "FAMO": lambda tasks: balance.FAMO(tasks, rate=0.5),
    "GLS": lambda tasks: balance.GLS(),
    "IMTLL": balance.IMTLL,
    "LBTW": lambda tasks: balance.LBTW(tasks, steps=9),
    "RevisedUncertaintyWeighting": balance.RevisedUncertaintyWeighting,
    "STCH": balance.STCH,
}
STEPS = [(1.0, 2.0, 5.0), (0.5, 3.0, 4.0), (0.4, 1.0, 4.5), (0.9, 0.2, 4.4)]


@pytest.mark.parametrize("name", LOSS_ONLY)
def test_another_order_of_the_tasks_gives_the_same_weights_in_that_order(name):
    first, turned = LOSS_ONLY[name](["a", "b", "c"]), LOSS_ONLY[name](["c", "a", "b"])
    for a, b, c in STEPS:
        losses = {key: torch.tensor(loss) for key, loss in (("c", c), ("a", a), ("b", b))}
        ours = first.update(balance.Signal(losses, [], first.tasks or ("a", "b", "c"))).values
        theirs = turned.update(balance.Signal(losses, [], turned.tasks)).values
        torch.testing.assert_close(ours, theirs[[1, 2, 0]])


@pytest.mark.parametrize("name", ["DWA", "LBTW"])
def test_the_scale_of_a_loss_changes_no_weight(name):
    first, scaled = LOSS_ONLY[name](["a", "b", "c"]), LOSS_ONLY[name](["a", "b", "c"])
    for a, b, c in STEPS:
        assert weights_of(scaled, 100 * a, b, c) == close(*weights_of(first, a, b, c))


@pytest.mark.parametrize(("name", "is_normed"), [("EMAScaling", False), ("FAMO", True), ("GLS", True)])
def test_the_scale_of_a_loss_changes_no_direction(name, is_normed):
    first, scaled = LOSS_ONLY[name](["a", "b", "c"]), LOSS_ONLY[name](["a", "b", "c"])
    for a, b, c in STEPS:
        ours, theirs = np.array(weights_of(first, a, b, c)), np.array(weights_of(scaled, 100 * a, b, c))
        theirs = theirs * [100, 1, 1]
        assert theirs / (theirs.sum() if is_normed else 1) == pytest.approx(ours / (ours.sum() if is_normed else 1))


@pytest.mark.parametrize("name", ["EMAScaling", "FAMO", "GLS", "LBTW"])
def test_a_loss_of_zero_gives_finite_weights_and_a_negative_one_is_refused(name):
    balancer = LOSS_ONLY[name](["a", "b", "c"])
    for _ in range(2):
        assert all(math.isfinite(weight) for weight in weights_of(balancer, 0.0, 1.0, 2.0))
    with pytest.raises(UsageError, match=r"the loss of task 'b' is -1; it must be at least 0"):
        weights_of(balancer, 1.0, -1.0, 2.0)


STATEFUL = {
    **{name: LOSS_ONLY[name] for name in ("EMAScaling", "FAMO", "IMTLL", "RevisedUncertaintyWeighting")},
    "DBMTL": lambda tasks: balance.DBMTL(tasks, size=3),
    "DWA": lambda tasks: balance.DWA(tasks, steps=99),
    "ExcessMTL": lambda tasks: balance.ExcessMTL(tasks, size=3),
    "GradNorm": balance.GradNorm,
    "LBTW": lambda tasks: balance.LBTW(tasks, steps=99),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_a_task_that_drops_out_for_a_step_keeps_its_state_and_comes_back(name):
    balancer = STATEFUL[name](["a", "b", "c"])
    rows = torch.diag(torch.tensor([3.0, 0.5, 1.0], dtype=torch.float64))
    for losses in STEPS[:3]:
        step_of(balancer, rows, torch.tensor(losses))
    before = {key: value.clone() for key, value in balancer.state_dict().items() if value.shape[:1] == (3,)}
    balancer.zero_grad()
    assert step_of(balancer, rows, torch.tensor([1.0, NAN, 2.0]))[1] == 0
    assert before and all(torch.equal(balancer.state_dict()[key][1], value[1]) for key, value in before.items())
    assert all(parameter.grad[1] == 0 for parameter in balancer.parameters())
    assert (step_of(balancer, rows, torch.tensor([1.0, 2.0, 2.0])) > 0).all()


def test_dwa_compares_the_means_of_the_last_two_epochs():
    balancer = balance.DWA(["a", "b"], steps=2, temperature=2.0)
    for losses in [(3.0, 1.0), (5.0, 1.0), (1.0, 2.0), (3.0, 0.0)]:  # means 4 and 1, then 2 and 1
        assert weights_of(balancer, *losses) == [1.0, 1.0]
    e = np.exp([0.5 / 2, 1.0 / 2])  # 2 / 4 and 1 / 1, over the temperature
    for losses in [(7.0, 7.0), (9.0, 9.0)]:
        assert weights_of(balancer, *losses) == close(*(2 * e / e.sum()))
    e = np.exp([4.0 / 2, 8.0 / 2])  # means 8 and 8 after 2 and 1
    assert weights_of(balancer, 1.0, 1.0) == close(*(2 * e / e.sum()))


def test_dwa_leaves_an_epoch_without_a_task_out_of_the_history_of_that_task():
    balancer = balance.DWA(["a", "b"], steps=1)
    for losses in [(4.0, 4.0), (NAN, 1.0), (2.0, 1.0)]:
        weights_of(balancer, *losses)
    e = np.exp([0.5 / 2, 1.0 / 2])  # a: 2 after 4; b: 1 after 1
    assert weights_of(balancer, 1.0, 1.0) == close(*(2 * e / e.sum()))
    assert weights_of(balancer, NAN, 1.0) == [0.0, 1.0]


def test_a_high_temperature_makes_dwa_equal():
    balancer = balance.DWA(["a", "b"], steps=1, temperature=1e9)
    for losses in [(4.0, 1.0), (1.0, 5.0), (2.0, 2.0)]:
        assert weights_of(balancer, *losses) == close(1.0, 1.0, tolerance=1e-8)


def test_rlw_is_the_softmax_of_normal_numbers_anew_in_every_step():
    balancer, same, other = (balance.RLW(["a", "b", "c"], seed=seed) for seed in (3, 3, 4))
    drawn = np.array([weights_of(balancer, 1.0, 2.0, 3.0) for _ in range(2000)])
    assert weights_of(same, 9.0, 9.0, 9.0) == drawn[0].tolist() != weights_of(other, 1.0, 2.0, 3.0)
    np.testing.assert_allclose(drawn.sum(1), 1)
    logs = np.log(drawn)
    differences = logs[:, 0] - logs[:, 1]  # of two standard normal numbers: variance 2
    assert differences.mean() == pytest.approx(0, abs=0.1)
    assert differences.var() == pytest.approx(2, rel=0.1)
    assert np.corrcoef(differences[1:], differences[:-1])[0, 1] == pytest.approx(0, abs=0.06)


def test_rlw_gives_all_to_the_observed_tasks():
    weights = weights_of(balance.RLW(["a", "b", "c"]), 1.0, NAN, 1.0)
    assert weights[1] == 0 and sum(weights) == pytest.approx(1)


def test_gls_weights_are_the_slope_of_the_geometric_mean():
    losses = torch.tensor([0.5, 2.0, 8.0], dtype=torch.float64)
    assert weights_of(balance.GLS(), *losses.tolist()) == close(2 / 1.5, 2 / 6, 2 / 24)  # the geometric mean is 2
    slope = slope_by_differences(lambda at: at.prod() ** (1 / 3), losses)
    assert weights_of(balance.GLS(), *losses.tolist()) == close(*slope, tolerance=1e-6)


def test_gls_takes_the_mean_of_the_observed_losses():
    assert weights_of(balance.GLS(), 1.0, NAN, 4.0) == close(1.0, 0.0, 0.25)
    assert weights_of(balance.GLS(), 3.0) == close(1.0)


def rest(balancer: balance.Balancer, loss: float) -> float:
    optimizer = torch.optim.SGD(balancer.parameters(), lr=0.5)
    for _ in range(150):
        optimizer.zero_grad()
        balancer.update(signal_of(loss))
        optimizer.step()
    return weights_of(balancer, loss)[0]


def test_imtll_follows_its_formula_and_comes_to_rest_at_one_over_the_loss():
    losses, scales = torch.tensor([2.0, 0.5], dtype=torch.float64), torch.tensor([0.3, -0.7], dtype=torch.float64)
    balancer = balance.IMTLL(["a", "b"]).double()
    balancer.log_weight.data.copy_(scales)
    assert weights_of(balancer, *losses.tolist()) == close(math.exp(0.3), math.exp(-0.7))
    slope = slope_by_differences(lambda at: (at.exp() * losses - at).sum(), scales)
    assert balancer.log_weight.grad.tolist() == close(*slope, tolerance=1e-6)
    assert rest(balance.IMTLL(["a"]).double(), 4.0) == pytest.approx(1 / 4)


def test_revised_uncertainty_weighting_follows_its_formula_and_comes_to_rest_where_it_says():
    losses, logs = torch.tensor([2.0, 0.5], dtype=torch.float64), torch.tensor([0.3, -0.7], dtype=torch.float64)
    balancer = balance.RevisedUncertaintyWeighting(["a", "b"]).double()
    balancer.log_variance.data.copy_(logs)
    assert weights_of(balancer, *losses.tolist()) == close(math.exp(-0.3) / 2, math.exp(0.7) / 2)
    slope = slope_by_differences(lambda at: (losses / (2 * at.exp()) + torch.log(1 + at.exp())).sum(), logs)
    assert balancer.log_variance.grad.tolist() == close(*slope, tolerance=1e-6)
    assert rest(balance.RevisedUncertaintyWeighting(["a"]).double(), 1.0) == pytest.approx(1 / 2)  # c^2 = (1 + 3) / 4
    square = (4 + math.sqrt(16 + 32)) / 4
    assert rest(balance.RevisedUncertaintyWeighting(["a"]).double(), 4.0) == pytest.approx(1 / (2 * square))


def test_ema_scaling_divides_by_the_average_of_the_steps_that_were_observed():
    balancer = balance.EMAScaling(["a", "b"], beta=0.5)
    assert weights_of(balancer, 4.0, 2.0) == close(1 / 4, 1 / 2)
    assert weights_of(balancer, 1.0, NAN) == close((1 + 0.5) / (1 + 2), 0.0)
    assert weights_of(balancer, 2.0, 8.0) == close((1 + 0.5 + 0.25) / (2 + 0.5 + 1), (1 + 0.5) / (8 + 1))


def test_ema_scaling_without_memory_is_the_logarithm_of_the_losses():
    balancer = balance.EMAScaling(["a", "b"], beta=0.0)
    for losses in [(4.0, 2.0), (0.5, 8.0)]:
        assert weights_of(balancer, *losses) == close(*weights_of(balance.LogLoss(balance.Equal()), *losses))


def test_lbtw_compares_with_the_first_loss_of_the_epoch():
    balancer = balance.LBTW(["a", "b"], steps=3, alpha=0.5)
    assert weights_of(balancer, 4.0, NAN) == [1.0, 0.0]
    assert weights_of(balancer, 1.0, 9.0) == [0.5, 1.0]
    assert weights_of(balancer, 16.0, 1.0) == close(2.0, 1 / 3)
    assert weights_of(balancer, 5.0, 7.0) == [1.0, 1.0]
    assert weights_of(balance.LBTW(["a", "b"], steps=3, alpha=0.0), 4.0, 1.0) == [1.0, 1.0]


def test_stch_weights_are_the_slope_of_its_scalarization():
    losses = torch.tensor([2.0, 1.0, 1.5], dtype=torch.float64)
    ideal, preferences = [0.5, 0.2, 0.0], [1.0, 2.0, 0.5]
    balancer = balance.STCH(["a", "b", "c"], mu=0.4, ideal=ideal, preferences=preferences)

    def scalarization(at):
        gaps = torch.tensor(preferences, dtype=at.dtype) * (at - torch.tensor(ideal, dtype=at.dtype))
        return 0.4 * torch.logsumexp(gaps / 0.4, 0)

    assert weights_of(balancer, *losses.tolist()) == close(*slope_by_differences(scalarization, losses), tolerance=1e-6)


def test_stch_goes_from_the_largest_loss_to_all_alike_as_mu_grows():
    assert weights_of(balance.STCH(["a", "b"], mu=1e-3), 2.0, 1.9) == close(1.0, 0.0)
    assert weights_of(balance.STCH(["a", "b"], mu=1e12), 2.0, 1.0) == close(0.5, 0.5)
    assert weights_of(balance.STCH(["a", "b", "c"]), 1.0, NAN, 1.0) == close(0.5, 0.0, 0.5)


def test_numbers_that_are_not_one_a_task_are_refused():
    with pytest.raises(UsageError, match="preferences has 1 numbers; there are 2 tasks"):
        balance.STCH(["a", "b"], preferences=[1.0])


def test_famo_follows_its_algorithm():
    rate, decay = 0.5, 0.1
    balancer = balance.FAMO(["a", "b", "c"], rate=rate, decay=decay)
    xi = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    before = None
    for losses in torch.tensor(STEPS, dtype=torch.float64):
        if before is not None:
            change = (torch.softmax(xi, 0) * (before.log() - losses.log())).sum()
            slope, = torch.autograd.grad(change, xi)
            xi = (xi - rate * (slope + decay * xi)).detach().requires_grad_()
        scaled = torch.softmax(xi, 0) / losses
        assert weights_of(balancer, *losses.tolist()) == close(*(scaled / scaled.sum()).tolist())
        before = losses


def test_famo_turns_to_the_task_whose_loss_falls_less():
    balancer = balance.FAMO(["a", "b"], rate=0.5)
    weights_of(balancer, 1.0, 1.0)
    slow, fast = weights_of(balancer, 1.0, 0.5)
    assert slow * 1.0 > fast * 0.5
    before = balancer.logits.tolist()
    weights_of(balancer, NAN, 0.1)
    assert balancer.logits.tolist() == close(before[0], before[1] * (1 - 0.5 * 0.001))  # one task has no rival


def gradients_of(*lengths: float, losses: list[float]) -> balance.Signal:
    """Tasks with the given losses and orthogonal gradients of the given lengths."""
    shared = torch.zeros(len(lengths), dtype=torch.float64, requires_grad=True)
    return balance.Signal({name: length * shared[at] + loss for at, (name, length, loss) in
                           enumerate(zip("abc", lengths, losses, strict=False))}, [shared])


def test_grad_norm_learns_along_the_slope_of_its_objective():
    balancer = balance.GradNorm(["a", "b", "c"], alpha=1.5).double()
    balancer.update(gradients_of(1.0, 1.0, 1.0, losses=[2.0, 2.0, 2.0]))
    balancer.logits.data.copy_(torch.tensor([0.3, -0.2, 0.4]))
    balancer.logits.grad = None
    lengths, losses = torch.tensor([3.0, 1.0, 2.0], dtype=torch.float64), torch.tensor([1.0, 2.0, 0.5])
    balancer.update(gradients_of(*lengths.tolist(), losses=losses.tolist()))

    def norms(s):
        return 3 * torch.softmax(s, 0) * lengths

    progress = losses.double() / 2
    targets = norms(balancer.logits.detach()).mean() * (progress / progress.mean()) ** 1.5
    slope = slope_by_differences(lambda s: (norms(s) - targets).abs().sum(), balancer.logits.detach())
    assert balancer.logits.grad.tolist() == close(*slope, tolerance=1e-6)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_grad_norm_brings_the_norms_to_their_targets(alpha):
    balancer = balance.GradNorm(["a", "b"], alpha=alpha).double()
    balancer.update(gradients_of(8.0, 1.0, losses=[1.0, 1.0]))
    optimizer = torch.optim.SGD(balancer.parameters(), lr=5e-3)
    for _ in range(500):
        optimizer.zero_grad()
        weights = balancer.update(gradients_of(8.0, 1.0, losses=[0.5, 1.0])).values
        optimizer.step()
    assert weights.sum().item() == pytest.approx(2)
    assert (weights[0] * 8 / weights[1]).item() == pytest.approx(0.5 ** alpha, rel=0.02)


def test_grad_norm_leaves_equal_norms_and_rates_as_they_are():
    balancer = balance.GradNorm(["a", "b"])
    assert balancer.update(gradients_of(2.0, 2.0, losses=[1.0, 3.0])).values.tolist() == [1.0, 1.0]
    assert balancer.logits.grad.tolist() == [0.0, 0.0]


def test_excess_mtl_follows_its_equations():
    chance = torch.Generator().manual_seed(0)
    balancer = balance.ExcessMTL(["a", "b", "c"], size=4, rate=0.7, steps=2).double()
    squares, risks, weights = torch.zeros(3, 4, dtype=torch.float64), [], torch.full((3,), 1 / 3, dtype=torch.float64)
    for step in range(5):
        rows = torch.randn(3, 4, dtype=torch.float64, generator=chance)
        squares += rows ** 2
        risks.append(torch.stack([row @ torch.diag(1 / (square + 1e-7).sqrt()) @ row
                                  for row, square in zip(rows, squares, strict=True)]))
        if step >= 2:
            weights = weights * torch.exp(0.7 * risks[-1] / ((risks[0] + risks[1]) / 2))
            weights /= weights.sum()
        torch.testing.assert_close(step_of(balancer, rows, torch.ones(3)), weights @ rows)


def test_excess_mtl_moves_weight_to_the_task_that_stays_far_and_leaves_a_missing_one_alone():
    balancer = balance.ExcessMTL(["a", "b", "c"], size=3, rate=0.5)
    far, near = torch.eye(3, dtype=torch.float64), torch.diag(torch.tensor([1.0, 0.1, 1.0], dtype=torch.float64))
    step_of(balancer, far, torch.ones(3))
    step_of(balancer, near, torch.tensor([1.0, 1.0, NAN]))
    a, b, c = balancer.weight.tolist()
    assert a > b and c == 1 / 3
    assert a + b == pytest.approx(2 / 3)
    ratio = 0.1 ** 2 / math.sqrt(1.01) / (1 / math.sqrt(2))  # relative to a's risk, over the same first risk 1
    assert math.log(a / b) == pytest.approx(0.5 / math.sqrt(2) * (1 - ratio), rel=1e-5)


def test_db_mtl_follows_its_algorithm():
    chance = torch.Generator().manual_seed(0)
    balancer = balance.DBMTL(["a", "b", "c"], size=4, beta=0.8, decay=0.5).double()
    average = torch.zeros(3, 4, dtype=torch.float64)
    for k, losses in enumerate(torch.tensor(STEPS, dtype=torch.float64), start=1):
        rows = torch.randn(3, 4, dtype=torch.float64, generator=chance)
        memory = 0.8 / math.sqrt(k)
        average = memory * average + (1 - memory) * rows / losses[:, None]
        norms = average.norm(dim=1)
        torch.testing.assert_close(step_of(balancer, rows, losses), norms.max() * (average / norms[:, None]).sum(0))


def test_db_mtl_without_memory_goes_along_the_sum_of_unit_gradients():
    rows = torch.tensor([[3.0, 4.0], [0.0, 2.0], [0.0, 0.0]], dtype=torch.float64)
    losses = torch.tensor([1.0, 4.0, 1.0])
    ours = step_of(balance.DBMTL(["a", "b", "c"], size=2, beta=0.0), rows, losses)
    theirs = step_of(balance.Normalize(balance.Equal()), rows, losses)
    torch.testing.assert_close(ours, 5.0 * theirs)  # the longest log gradient is that of a: 5 / 1
    scaled = step_of(balance.DBMTL(["a", "b", "c"], size=2, beta=0.0), 7 * rows, 7 * losses)
    torch.testing.assert_close(scaled, ours)
    with pytest.raises(UsageError, match=r"size is 3; the shared parameters have 2 numbers. Give size=2"):
        step_of(balance.DBMTL(["a", "b", "c"], size=3), rows, losses)
