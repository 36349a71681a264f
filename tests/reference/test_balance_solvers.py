"""The inner solvers against scipy, optimality conditions and numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize, nnls

from sharewise.balance import solvers

SIZES = [(2, 5), (3, 2), (5, 50), (8, 4), (8, 50)]


def jacobian(size: tuple[int, int], seed: int, spread: float = 0.5, common: float = 0.0) -> np.ndarray:
    """Random gradients [T, P] of different lengths; ``common`` is a part that all share."""
    chance = np.random.default_rng(seed)
    rows = chance.normal(size=size) + common * chance.normal(size=size[1])
    return rows * np.exp(spread * chance.normal(size=(size[0], 1)))


def noise(gramian: np.ndarray) -> float:
    return len(gramian) * np.finfo(float).eps


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", SIZES)
def test_the_nonnegative_minimum_is_that_of_scipys_least_squares(size, seed):
    J = jacobian(size, seed)
    goal = np.random.default_rng(seed + 100).normal(size=size[1])
    x = solvers.minimise_nonnegative(J @ J.T, J @ goal, noise(J))
    expected, _ = nnls(J.T, goal)
    assert (x >= 0).all()
    np.testing.assert_allclose(J.T @ x, J.T @ expected, atol=1e-8)


def test_a_start_from_another_support_leads_to_the_same_minimum():
    J = jacobian((8, 12), 3)
    gramian, linear = J @ J.T, J.sum(axis=1)
    expected = solvers.minimise_nonnegative(gramian, linear, noise(J))
    for seed in range(5):
        support = np.random.default_rng(seed).random(8) < 0.5
        np.testing.assert_allclose(solvers.minimise_nonnegative(gramian, linear, noise(J), support), expected,
                                   atol=1e-10)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [*SIZES, (40, 50)])
@pytest.mark.parametrize("spread", [0.0, 3.0])
def test_the_shortest_vector_keeps_the_optimality_conditions(size, seed, spread):
    J = jacobian(size, seed, spread, common=1.0)
    weights = solvers.min_norm(J @ J.T, noise(J))
    shortest = J.T @ weights
    assert (weights >= 0).all() and weights.sum() == pytest.approx(1)
    least = (J * J).sum(axis=1).min()
    assert (J @ shortest).min() >= shortest @ shortest - 1e-9 * least


@pytest.mark.parametrize("size", [(2, 5), (5, 50), (8, 50)])
def test_the_shortest_vector_is_that_of_slsqp(size):
    J = jacobian(size, 7)
    gramian = J @ J.T
    found = minimize(lambda a: a @ gramian @ a, np.full(size[0], 1 / size[0]), jac=lambda a: 2 * gramian @ a,
                     bounds=[(0, 1)] * size[0], constraints={"type": "eq", "fun": lambda a: a.sum() - 1},
                     options={"ftol": 1e-14, "maxiter": 500})
    np.testing.assert_allclose(solvers.min_norm(gramian, noise(J)), found.x, atol=1e-5)


def test_the_shortest_vector_of_two_has_the_closed_form():
    for seed in range(10):
        J = jacobian((2, 3), seed)
        first, second = J
        expected = np.clip((second - first) @ second / ((first - second) @ (first - second)), 0, 1)
        np.testing.assert_allclose(solvers.min_norm(J @ J.T, noise(J)), [expected, 1 - expected], atol=1e-10)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [*SIZES, (40, 50), (40, 3)])
def test_a_projection_is_the_nearest_vector_without_conflict(size, seed):
    J = jacobian(size, seed)
    u = np.random.default_rng(seed + 100).normal(size=size[0])
    weights = solvers.project_weights(J @ J.T, u, noise(J))
    projected, lengths = J.T @ weights, np.linalg.norm(J, axis=1)
    assert (weights >= u).all()  # with the next two lines: the conditions of Karush, Kuhn and Tucker
    assert (J @ projected / lengths).min() >= -1e-9
    assert abs((weights - u) @ J @ projected) <= 1e-9


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
@pytest.mark.parametrize("size", [*SIZES, (40, 50)])
def test_the_worst_case_has_no_duality_gap(size, share, seed):
    J = jacobian(size, seed)
    mean = J.mean(axis=0)
    weights = solvers.raise_worst_case(J @ J.T, share, noise(J))
    added = weights - 1 / size[0]
    d, radius = J.T @ weights, share * np.linalg.norm(mean)
    assert (added >= 0).all()
    assert np.linalg.norm(d - mean) <= radius * (1 + 1e-9)
    simplex = added / added.sum()
    direction = J.T @ simplex  # eq. 4 of the paper: the dual is g_w' g_0 + radius |g_w|
    assert direction @ mean + radius * np.linalg.norm(direction) == pytest.approx((J @ d).min(), abs=1e-9)


def test_the_worst_case_at_a_stationary_point_is_the_projection_if_that_is_near():
    J = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])  # mean (0, 1/2) goes against none
    np.testing.assert_allclose(J.T @ solvers.raise_worst_case(J @ J.T, 0.5, noise(J)), [0.0, 0.5], atol=1e-12)


@pytest.mark.parametrize("power", [0.1, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [(1, 3), (2, 5), (5, 50), (8, 50), (40, 50)])
def test_fair_shares_solve_their_equation(size, seed, power):
    J = jacobian(size, seed)
    gramian = J @ J.T
    weights = solvers.fair_share(gramian, power, noise(J))
    assert (weights > 0).all()
    np.testing.assert_allclose(gramian @ weights * weights ** power, 1.0, atol=1e-8)


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_fair_shares_at_a_stationary_point_make_no_step(power):
    for J in (np.array([[1.0, 0.0], [-2.0, 0.0]]), np.array([[1.0, 0.0], [-0.5, 1.0], [-0.5, -1.0]])):
        weights = solvers.fair_share(J @ J.T, power, noise(J))
        assert np.isfinite(weights).all() and weights.max() <= 1
        np.testing.assert_allclose(J.T @ weights, 0.0, atol=1e-7)


@pytest.mark.parametrize("size", [(2, 5), (8, 50), (40, 50)])
def test_equal_angles_have_the_same_projection_on_each_unit_gradient(size):
    J = jacobian(size, 1)
    d = J.T @ solvers.equal_angles(J @ J.T, noise(J))
    np.testing.assert_allclose(J @ d / np.linalg.norm(J, axis=1), 1.0, atol=1e-9)


def test_equal_angles_of_opposite_gradients_are_nothing():
    np.testing.assert_array_equal(solvers.equal_angles(np.array([[1.0, -2.0], [-2.0, 4.0]]), 1e-15), 0.0)


def test_orders_hold_all_others_and_follow_the_names():
    orders = solvers.draw_orders(list("abcde"), range(5), 3, 7)
    for at, others in enumerate(orders):
        assert sorted([at, *others]) == list(range(5))
    turned = solvers.draw_orders(list("edcba"), range(5), 3, 7)
    np.testing.assert_array_equal(4 - turned[::-1], orders)
    seen = solvers.draw_orders(list("abcde"), [0, 2, 4], 3, 7)  # as if the others were struck out
    for row, whole in zip(seen, orders[[0, 2, 4]], strict=True):
        assert [2 * at for at in row] == [at for at in whole if at % 2 == 0]
    assert any((solvers.draw_orders(list("abcde"), range(5), 3, step) != orders).any() for step in range(3))


@pytest.mark.parametrize("seed", range(4))
def test_solvers_live_with_a_gramian_that_rounding_made_indefinite(seed):
    J = jacobian((12, 3), seed).astype(np.float32)
    gramian = (J @ J.T).astype(float)
    gramian = (gramian + gramian.T) / 2
    assert np.linalg.eigvalsh(gramian)[0] < 0
    rounding = 12 * float(np.finfo(np.float32).eps)
    largest = np.linalg.norm(J, axis=1).max()
    u = np.full(12, 1 / 12)
    for weights in (solvers.min_norm(gramian, rounding), solvers.project_weights(gramian, u, rounding),
                    solvers.raise_worst_case(gramian, 0.4, rounding), solvers.fair_share(gramian, 1.0, rounding),
                    solvers.equal_angles(gramian, rounding)):
        assert np.isfinite(weights).all()
        assert np.linalg.norm(J.T @ weights) <= 10 * max(largest, 1.0)
