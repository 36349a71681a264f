"""Gradient methods against numbers worked by hand, vector forms of their algorithms, scipy, and each other."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize, nnls

from sharewise import balance
from sharewise.balance import solvers
from sharewise.base import UsageError

NAMES = list("abcdefgh")
ALL = ["MGDA", "UPGrad", "DualProj", "CAGrad", "NashMTL", "FairGrad", "IMTLG", "ConFIG", "AlignedMTL", "PCGrad",
       "GradVac", "GradDrop"]
CONFLICT = [[-4.0, 1.0, 1.0], [6.0, 1.0, 1.0]]  # Gramian [[18, -22], [-22, 38]]


def make(name: str, tasks: int) -> balance.Balancer:
    return getattr(balance, name)(*([NAMES[:tasks]] if name == "GradVac" else []))


def step(balancer: balance.Balancer | str, jacobian, dtype: torch.dtype = torch.float64,
         names: list[str] = NAMES) -> np.ndarray:
    """What the shared parameters get from losses with these gradients [T, P]; a row of NaN is a task not observed."""
    rows = torch.tensor(np.asarray(jacobian), dtype=dtype)
    balancer = make(balancer, len(rows)) if isinstance(balancer, str) else balancer
    shared = torch.ones(rows.shape[1], dtype=dtype, requires_grad=True)
    balance.backward({name: row @ shared for name, row in zip(names, rows, strict=False)}, [shared], balancer)
    return shared.grad.double().numpy()


def random(size: tuple[int, int] = (6, 20), seed: int = 0) -> np.ndarray:
    chance = np.random.default_rng(seed)
    return chance.normal(size=size) * np.exp(0.5 * chance.normal(size=(size[0], 1)))


def along(first: np.ndarray, second: np.ndarray) -> float:
    return first @ second / np.linalg.norm(first) / np.linalg.norm(second)


ROOT = np.sqrt([18.0, 38.0])
UNIT = np.array(CONFLICT) / ROOT[:, None]
BISECTOR = UNIT.sum(axis=0) / np.linalg.norm(UNIT.sum(axis=0))


@pytest.mark.parametrize(("name", "expected"), [
    ("MGDA", [0, 1, 1]),  # 3/5 g1 + 2/5 g2
    ("UPGrad", np.array([10 / 9, 15 / 19]) @ CONFLICT),  # half of g1 + 22/38 g2 + g2 + 22/18 g1
    ("PCGrad", np.array([20 / 9, 30 / 19]) @ CONFLICT),
    ("GradVac", np.array([20 / 9, 30 / 19]) @ CONFLICT),
    ("DualProj", [5 / 9, 10 / 9, 10 / 9]),  # (1, 1, 1) + 2/18 g1
    ("IMTLG", UNIT.sum(axis=0) / (1 / ROOT).sum()),
    ("ConFIG", np.sum(CONFLICT, axis=0) @ BISECTOR * BISECTOR),
    ("NashMTL", np.sqrt(2) * BISECTOR),  # a_t |g_t| is the same for both, and the length is sqrt(T)
])
def test_two_tasks_in_conflict_give_the_numbers_worked_by_hand(name, expected):
    np.testing.assert_allclose(step(name, CONFLICT), expected, atol=1e-9)


def test_imtlg_raises_no_loss_where_weights_of_sum_1_would():
    # the third gradient lies between the others and nearer to each than they to one another: its b_t is negative
    near = np.linalg.cholesky(np.array([[1.0, -0.2, 0.6], [-0.2, 1.0, 0.6], [0.6, 0.6, 1.0]]))
    b = np.linalg.solve(near @ near.T, np.ones(3))
    assert b[2] < 0 < b.sum()
    lengths = np.array([1.0, 1.0, 0.01])
    weights = b / lengths
    np.testing.assert_allclose(step("IMTLG", near * lengths[:, None]), b @ near / np.abs(weights).sum(), rtol=1e-9)


@pytest.mark.parametrize(("cosine", "expected"), [(0.6, 0.5), (-0.6, 1.0), (0.0, 1.0)])
def test_aligned_weights_of_two_unit_gradients(cosine, expected):
    # (1, 1) is the eigenvector of 1 + cosine: weights sqrt(min(1 + cosine, 1 - cosine) / (1 + cosine))
    J = np.array([[1.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]])
    np.testing.assert_allclose(step("AlignedMTL", J), expected * J.sum(axis=0), atol=1e-12)


def test_aligned_gradients_are_orthogonal_and_of_the_smallest_singular_value():
    J = random()
    left, values, right = np.linalg.svd(J, full_matrices=False)
    np.testing.assert_allclose(step("AlignedMTL", J), (values[-1] * left @ right).sum(axis=0), atol=1e-9)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0, 5.0])
def test_fairgrad_on_orthogonal_gradients_is_a_power_of_their_lengths(alpha):
    # |g|^2 w = w^(-1 / alpha)
    lengths = np.array([0.5, 1.0, 4.0])
    expected = lengths * lengths ** (-2 * alpha / (alpha + 1))
    np.testing.assert_allclose(step(balance.FairGrad(alpha), np.diag(lengths)), expected, rtol=1e-9)


@pytest.mark.parametrize("alpha", [0.5, 2.0, 5.0])
def test_fairgrad_leads_where_its_utility_is_largest(alpha):
    J = random()
    d = step(balance.FairGrad(alpha), J)

    def utility(vector):
        gains = J @ vector / np.linalg.norm(vector)
        return (gains ** (1 - alpha)).sum() / (1 - alpha) if (gains > 0).all() else -np.inf

    chance = np.random.default_rng(0)
    assert all(utility(d) >= utility(d + size * np.linalg.norm(d) * chance.normal(size=len(d)))
               for size in (1e-3, 1e-2, 0.1) for _ in range(50))


def test_cagrad_takes_a_mean_of_3_4_to_the_side_of_the_worse_off():
    # g_0 = (4, 3), radius 0.2 * 5; 8 d_1 = 32 stays above 6 d_2 = 24
    np.testing.assert_allclose(step(balance.CAGrad(0.2), [[8.0, 0.0], [0.0, 6.0]]), [4.0, 4.0], atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_cagrad_is_the_papers_step_from_the_dual_that_scipy_solves(seed):
    J, c = random((4, 10), seed), 0.5
    mean = J.mean(axis=0)
    radius = c * np.linalg.norm(mean)
    found = minimize(lambda w: w @ J @ mean + radius * np.linalg.norm(w @ J), np.full(4, 0.25), bounds=[(0, 1)] * 4,
                     constraints={"type": "eq", "fun": lambda w: w.sum() - 1}, options={"ftol": 1e-15, "maxiter": 500})
    direction = found.x @ J
    expected = mean + radius * direction / np.linalg.norm(direction)
    np.testing.assert_allclose(step(balance.CAGrad(c), J), expected, atol=1e-4)
    assert (J @ step(balance.CAGrad(c), J)).min() >= (J @ expected).min() - 1e-12


@pytest.mark.parametrize("size", [(3, 2), (6, 20), (8, 5)])
def test_upgrad_is_the_mean_of_projections_that_scipy_finds(size):
    J = random(size)
    expected = np.mean([own + J.T @ nnls(J.T, -own)[0] for own in J], axis=0)
    np.testing.assert_allclose(step("UPGrad", J), expected, atol=1e-8)
    mean = J.mean(axis=0)
    np.testing.assert_allclose(step("DualProj", J), mean + J.T @ nnls(J.T, -mean)[0], atol=1e-8)


@pytest.mark.parametrize("name", ["UPGrad", "DualProj", "MGDA", "NashMTL", "IMTLG", "ConFIG"])
@pytest.mark.parametrize("seed", range(3))
def test_steps_that_promise_it_go_against_no_task(name, seed):
    J = random(seed=seed)
    assert (J @ step(name, J)).min() >= -1e-9


def test_nash_bargaining_gives_each_task_one_over_its_weight_and_a_length_of_root_t():
    J = random()
    d = step("NashMTL", J)
    assert d @ d == pytest.approx(6, abs=1e-9)
    weights = np.linalg.lstsq(J.T, d, rcond=None)[0]
    np.testing.assert_allclose(J @ d * weights, 1.0, atol=1e-8)


def vaccinate(J, orders, means, beta):
    """GradVac on vectors, as the paper writes it; with means of 0 that never move it is PCGrad."""
    done, means = [], means.copy()
    for i, others in enumerate(orders):
        g = J[i].copy()
        for j in others:
            phi, target = along(g, J[j]), means[i, j]
            if phi < target:
                g += J[j] * (np.linalg.norm(g) * (target * np.sqrt(1 - phi**2) - phi * np.sqrt(1 - target**2))
                             / (np.linalg.norm(J[j]) * np.sqrt(1 - target**2)))
            means[i, j] = (1 - beta) * target + beta * phi
        done.append(g)
    return np.sum(done, axis=0), means


def test_pcgrad_is_the_papers_loop_over_vectors():
    balancer, random_orders = balance.PCGrad(seed=5), set()
    for number in range(6):
        J = random((5, 4), number)
        orders = solvers.draw_orders(NAMES[:5], range(5), 5, number)
        random_orders.add(orders.tobytes())
        parts = []
        for own, others in zip(J, orders, strict=True):
            part = own.copy()
            for other in others:
                part -= min(part @ J[other], 0.0) / (J[other] @ J[other]) * J[other]
            parts.append(part)
        np.testing.assert_allclose(step(balancer, J), np.sum(parts, axis=0), atol=1e-10)
    assert len(random_orders) == 6 and balancer.step == 6


def test_gradvac_is_the_papers_loop_over_vectors_for_many_steps():
    balancer, means = balance.GradVac(NAMES[:5], beta=0.3, seed=2), np.zeros((5, 5))
    common = random((5, 8))
    for number in range(8):
        J = common + 0.5 * random((5, 8), number)
        orders = solvers.draw_orders(NAMES[:5], range(5), 2, number)
        expected, means = vaccinate(J, orders, means, 0.3)
        np.testing.assert_allclose(step(balancer, J), expected, rtol=1e-8)
        np.testing.assert_allclose(balancer.cosines.reshape(5, 5).numpy(), means, atol=1e-10)
    assert np.abs(means).max() > 0.1


def test_gradvac_turns_two_gradients_to_the_cosine_that_it_remembers():
    balancer = balance.GradVac(["a", "b"])
    balancer.cosines.fill_(0.5)
    # orthogonal units: each adds 0.5 / sqrt(0.75) of the other, so that the cosine becomes 0.5
    np.testing.assert_allclose(step(balancer, np.eye(2)), np.full(2, 1 + 0.5 / np.sqrt(0.75)), atol=1e-12)
    np.testing.assert_allclose(balancer.cosines.numpy(), [0.5, 0.495, 0.495, 0.5], atol=1e-12)


def test_gradvac_leaves_the_cosines_of_a_task_that_is_not_observed():
    balancer = balance.GradVac(["a", "b", "c"])
    J = random((3, 4))
    J[1] = np.nan
    step(balancer, J)
    moved = balancer.cosines.reshape(3, 3) != 0
    assert moved.tolist() == [[False, False, True], [False, False, False], [True, False, False]]


def test_graddrop_keeps_one_sign_with_the_probability_of_its_purity():
    balancer = balance.GradDrop(seed=1)
    steps = np.array([step(balancer, [[3.0, 1.0], [-1.0, 1.0]]) for _ in range(600)])
    assert set(steps[:, 0]) == {3.0, -1.0}
    assert (steps[:, 0] == 3.0).mean() == pytest.approx(0.75, abs=0.06)  # (1 + 2 / 4) / 2
    np.testing.assert_array_equal(steps[:, 1], 2.0)


@pytest.mark.parametrize(("name", "expected"), [
    ("Equal", 1.0), ("PCGrad", 1.0), ("GradVac", 1.0), ("GradDrop", 1.0), ("UPGrad", 1 / 3), ("DualProj", 1 / 3),
])
def test_orthogonal_gradients_are_summed_or_averaged(name, expected):
    J = np.diag([1.0, 2.0, 5.0])
    np.testing.assert_allclose(step(name, J), expected * J.sum(axis=0), atol=1e-12)


@pytest.mark.parametrize("name", ALL)
def test_identical_gradients_are_followed(name):
    J = np.tile(random((1, 5)), (4, 1))
    assert along(step(name, J), J[0]) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("name", ["NashMTL", "FairGrad", "IMTLG", "ConFIG", "AlignedMTL", "UPGrad"])
def test_identical_gradients_get_equal_weights(name):
    J = np.tile(random((1, 5)), (4, 1))
    rows = torch.tensor(J, requires_grad=True)
    shared = torch.zeros(5, dtype=torch.float64, requires_grad=True)
    signal = balance.Signal({name: row @ shared for name, row in zip(NAMES, rows, strict=False)}, [shared])
    weights = make(name, 4).update(signal).values
    torch.testing.assert_close(weights, weights.mean().expand(4))


def test_methods_meet_in_their_limits():
    J = random()
    np.testing.assert_allclose(step(balance.CAGrad(0.0), J), J.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(step(balance.FairGrad(1.0), J), step("NashMTL", J), rtol=1e-9)
    assert along(step("IMTLG", J), step("ConFIG", J)) == pytest.approx(1, abs=1e-9)
    np.testing.assert_allclose(step(balance.GradVac(NAMES[:6], seed=4), J), step(balance.PCGrad(4), J), rtol=1e-9)
    two = random((2, 3))
    np.testing.assert_allclose(step("PCGrad", two), 2 * step("UPGrad", two), atol=1e-9)


@pytest.mark.parametrize("name", ALL)
def test_permuted_tasks_get_the_same_step(name):
    J, order = random(), [3, 0, 5, 1, 4, 2]
    turned = make(name, 6) if name != "GradVac" else balance.GradVac([NAMES[at] for at in order])
    np.testing.assert_allclose(step(turned, J[order], names=[NAMES[at] for at in order]), step(name, J), atol=1e-8)


@pytest.mark.parametrize("name", ["NashMTL", "IMTLG", "ConFIG"])
def test_the_scale_of_a_loss_does_not_change_the_direction(name):
    J = random()
    scaled = J * np.array([1e-3, 1, 50, 1, 1e3, 1])[:, None]
    assert along(step(name, J), step(name, scaled)) == pytest.approx(1, abs=1e-8)
    if name == "NashMTL":
        np.testing.assert_allclose(step(name, scaled), step(name, J), atol=1e-8)


def test_upgrad_is_linear_under_scaling():
    J = random()
    first, second = np.abs(random((2, 6), 1))[:, :, None]
    np.testing.assert_allclose(step("UPGrad", (first + second) * J),
                               step("UPGrad", first * J) + step("UPGrad", second * J), atol=1e-8)


@pytest.mark.parametrize("name", [name for name in ALL if name != "GradDrop"])
def test_single_precision_gives_nearly_the_same_step(name):
    J = random()
    exact = step(name, J)
    np.testing.assert_allclose(step(name, J, torch.float32), exact, atol=1e-4 * np.linalg.norm(exact))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ALL)
def test_gradients_of_zero_do_no_harm(name, dtype):
    assert not step(name, np.zeros((3, 4)), dtype).any()
    J = random((3, 4))
    J[1] = 0.0
    assert np.isfinite(step(name, J, dtype)).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", [name for name in ALL if name not in ("AlignedMTL", "CAGrad", "GradDrop")])
def test_opposite_gradients_give_no_step(name, dtype):
    for J in ([[1.0], [-2.0]], [[0.3, 0.1], [-0.9, -0.3]]):
        assert np.abs(step(name, J, dtype)).max() < 2e-6


@pytest.mark.parametrize("name", [name for name in ALL if name != "GradDrop"])
def test_gradients_that_are_not_finite_show_in_the_step(name):
    J = random((3, 4))
    J[1, 2] = np.inf
    assert np.isnan(step(name, J)).any()


@pytest.mark.parametrize("build", [lambda: balance.CAGrad(1.0), lambda: balance.CAGrad(-0.1),
                                   lambda: balance.FairGrad(0.0), lambda: balance.PCGrad(-1),
                                   lambda: balance.GradVac(["a", "a"]), lambda: balance.GradVac(["a"], beta=0.0)])
def test_what_cannot_be_is_refused(build):
    with pytest.raises(UsageError):
        build()


def test_a_direction_has_no_weights_for_heads():
    shared = torch.ones(2, requires_grad=True)
    with pytest.raises(UsageError, match="gives a direction"):
        balance.backward({"a": shared.sum()}, [shared], balance.GradDrop(), heads="weighted")
