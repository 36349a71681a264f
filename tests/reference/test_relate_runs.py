"""Affinities from gradients, representations and gains, against steps really taken and independent formulas."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge

from sharewise import balance
from sharewise.base import DataError, UsageError
from sharewise.relate import (
    RSA,
    ConflictRate,
    GradientCosine,
    GradTAG,
    HalfSamples,
    KernelDistance,
    LinearCKA,
    LookAhead,
    PairGains,
    SurrogateGains,
    Targets,
    cross_gramian,
    predict_group_gains,
    projected_gradients,
)
from sharewise.relate.affinities.grad_tag import held_out_errors
from sharewise.relate.steps import mean_over_steps
from sharewise.relate.surrogate import STRENGTHS, fit_surrogate
from sharewise.relate.task_models import find_moments


def test_cosines_of_a_recorder_and_gramians_give_the_same():
    chance = torch.Generator().manual_seed(0)
    shared = torch.randn(5, generator=chance, requires_grad=True)
    recorder, gramians = balance.Recorder(balance.MGDA(), tasks=["a", "b", "c"]), []
    for _ in range(9):
        directions = torch.randn(3, 5, generator=chance)
        balance.backward({name: (row * shared).sum() for name, row in zip("abc", directions, strict=True)},
                         [shared], recorder)
        gramians.append((directions @ directions.T).numpy())
    for affinity in (GradientCosine(), ConflictRate()):
        kept = affinity.find(gramians=recorder.record().cosines)
        found = affinity.find(gramians=np.stack(gramians))
        np.testing.assert_allclose(kept.matrix, found.matrix, atol=1e-6)
        np.testing.assert_allclose(kept.uncertainty, found.uncertainty, atol=1e-6)


def test_a_task_that_was_not_observed_in_a_step_counts_in_the_others_alone():
    gramians = np.array([[[1.0, 0.5], [0.5, 1.0]], [[1.0, np.nan], [np.nan, np.nan]]])
    assert GradientCosine().find(gramians=gramians).matrix[0, 1] == 0.5


def test_the_error_of_a_mean_over_steps_allows_for_alike_neighbours():
    chance = np.random.default_rng(0)
    steps = np.empty((400, 400))  # 400 runs of 400 steps with correlation 0.8
    steps[0] = chance.normal(size=400)
    for at in range(1, 400):
        steps[at] = 0.8 * steps[at - 1] + 0.6 * chance.normal(size=400)
    found = [mean_over_steps(run[:, None, None]).uncertainty[0, 0] for run in steps.T]
    assert np.mean(found) == pytest.approx(steps.mean(axis=0).std(), rel=0.15)
    assert np.mean(found) > 2 * steps.std() / 20


def test_look_ahead_is_what_a_small_step_really_does():
    chance = torch.Generator().manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.Tanh()).double()
    heads = torch.randn(3, 6, generator=chance, dtype=torch.float64)
    train, valid = (torch.randn(3, 20, 4, generator=chance, dtype=torch.float64) for _ in range(2))

    def losses(x):
        return [((network(x[task]) @ heads[task] - x[task, :, 0]) ** 2).mean() for task in range(3)]

    receiving = losses(valid)
    gramian = cross_gramian(losses(train), receiving, network.parameters())
    before = torch.stack(receiving).detach()
    found = LookAhead().find(gramians=gramian.numpy()[None], losses=before.numpy()[None]).matrix
    rate = 1e-6
    for task in range(3):
        slopes = torch.autograd.grad(losses(train)[task], list(network.parameters()))
        with torch.no_grad():
            for parameter, slope in zip(network.parameters(), slopes, strict=True):
                parameter -= rate * slope
            after = torch.stack(losses(valid))
            for parameter, slope in zip(network.parameters(), slopes, strict=True):
                parameter += rate * slope
        np.testing.assert_allclose(found[task], ((1 - after / before) / rate).numpy(), rtol=1e-3, atol=1e-5)


def test_a_cross_gramian_of_the_same_losses_is_a_gramian_and_an_unused_parameter_counts_nothing():
    w, idle = torch.tensor([1.0, 2.0], requires_grad=True), torch.ones(3, requires_grad=True)
    losses = [w[0] ** 2, w.sum()]
    assert cross_gramian(losses, losses, [w, idle]).tolist() == [[4.0, 2.0], [2.0, 2.0]]
    with pytest.raises(UsageError, match="shared is empty"):
        cross_gramian(losses, losses, [])


def test_projected_gradients_keep_inner_products():
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(6, 30), torch.nn.Tanh(), torch.nn.Linear(30, 1))
    x = torch.randn(12, 6)
    found = projected_gradients(network, x, ["0.weight", "0.bias"], size=4000, rows_at_once=5)
    true = []
    for row in x:
        parts = torch.autograd.grad(network(row[None]).squeeze(), [network[0].weight, network[0].bias])
        true.append(torch.cat([part.flatten() for part in parts]))
    gramian = (torch.stack(true) @ torch.stack(true).T).numpy()
    np.testing.assert_allclose(found @ found.T, gramian, atol=0.08 * np.abs(gramian).max())
    with pytest.raises(UsageError, match=r"shared holds '0.wieght'"):
        projected_gradients(network, x, ["0.wieght"])


def test_a_group_of_grad_tag_is_one_ridge_regression_of_its_tasks_rows():
    chance = np.random.default_rng(0)
    G, task = chance.normal(size=(120, 5)), np.arange(120) % 3
    y = chance.normal(size=120)
    train = np.arange(120) < 60
    Y = Targets.long(y, task)
    learned, held_out = find_moments(G, Y.keep(train)), find_moments(G, Y.keep(~train))
    found = held_out_errors(learned, held_out, np.array([[True, True, False]]), strength=3.0)[0, 1]
    own = [(G[part] - G[part].mean(axis=0), y[part] - y[part].mean()) for part in
           (train & (task == 0), train & (task == 1), ~train & (task == 1))]
    model = Ridge(3.0, fit_intercept=False).fit(np.vstack([own[0][0], own[1][0]]), np.r_[own[0][1], own[1][1]])
    assert found == pytest.approx(((own[2][1] - model.predict(own[2][0])) ** 2).mean())


def test_grad_tag_tells_two_groups_of_opposite_tasks():
    chance = np.random.default_rng(0)
    truth, task = np.repeat([1, -1], 6), np.repeat(np.arange(12), 20)
    G = chance.normal(size=(240, 20))
    y = truth[task] * (G @ chance.normal(size=20)) / 4 + chance.normal(size=240)
    matrix = GradTAG().find(gradients=G, Y=Targets.long(y, task)).matrix
    same, off = truth[:, None] == truth, ~np.eye(12, dtype=bool)
    assert matrix[same & off].mean() > 0 > matrix[~same].mean()
    assert matrix[same & off].mean() - matrix[~same].mean() > 0.05


def test_rsa_is_spearmans_correlation_of_dissimilarities():
    hidden = np.random.default_rng(0).normal(size=(2, 25, 7))
    upper = np.triu_indices(25, 1)
    expected = spearmanr(*(1 - np.corrcoef(part)[upper] for part in hidden))[0]
    assert RSA().find(representations=hidden).matrix[0, 1] == pytest.approx(expected)


def test_linear_cka_is_the_alignment_of_centred_kernel_matrices():
    hidden = np.random.default_rng(0).normal(size=(2, 25, 4))
    centre = np.eye(25) - 1 / 25
    first, second = (centre @ part @ part.T @ centre for part in hidden)
    expected = (first * second).sum() / np.linalg.norm(first) / np.linalg.norm(second)
    assert LinearCKA().find(representations=hidden).matrix[0, 1] == pytest.approx(expected)


def test_kernel_distance_is_that_of_the_kernels_written_down():
    hidden = np.random.default_rng(0).normal(size=(2, 25, 4))
    kernels = []
    for part in hidden:
        square = ((part[:, None] - part) ** 2).sum(axis=2)
        kernels.append(np.exp(-square / (2 * np.median(square[np.triu_indices(25, 1)]))))
    size = np.sqrt(sum(np.linalg.norm(kernel) ** 2 for kernel in kernels))
    expected = 1 - np.linalg.norm(kernels[0] - kernels[1]) / size
    assert KernelDistance().find(representations=hidden).matrix[0, 1] == pytest.approx(expected)


def test_pairs_that_were_trained_twice_have_an_error():
    groups = np.array([[True, True, False], [True, True, False], [False, True, True]])
    gains = np.array([[0.1, 0.0, np.nan], [0.3, 0.0, np.nan], [np.nan, 0.2, 0.4]])
    found = PairGains().find(groups=groups, gains=gains)
    noise = np.sqrt((0.1**2 + 0.1**2) / 2)
    assert found.uncertainty[1, 0] == pytest.approx(noise / np.sqrt(2))
    assert found.uncertainty[1, 2] == pytest.approx(noise)
    assert np.isinf(found.uncertainty[0, 2])
    assert PairGains().find(groups=groups[1:], gains=gains[1:]).uncertainty is None


def test_a_surrogate_is_the_ridge_regression_of_its_receiver():
    chance = np.random.default_rng(0)
    groups = chance.random((40, 5)) < 0.5
    gains = np.where(groups, groups @ chance.normal(size=(5, 5)) + 0.3 * chance.normal(size=(40, 5)), np.nan)
    matrix, error = fit_surrogate(groups, gains)
    seen, rest = groups[:, 2], [0, 1, 3, 4]
    fits = [Ridge(strength).fit(groups[seen][:, rest], gains[seen, 2]).coef_ for strength in STRENGTHS]
    assert min(np.abs(fit - matrix[rest, 2]).max() for fit in fits) < 1e-8
    assert np.isinf(error.diagonal()).all() and not matrix.diagonal().any()


def test_a_surrogate_finds_who_helps_in_as_many_groups_as_tasks_times_three():
    chance = np.random.default_rng(0)
    effect = 0.1 * chance.normal(size=(12, 12))
    groups = np.argsort(chance.random((36, 12)), axis=1) < 6
    gains = np.where(groups, groups @ effect - effect.diagonal() + 0.02 * chance.normal(size=(36, 12)), np.nan)
    found = SurrogateGains().find(groups=groups, gains=gains).matrix
    off = ~np.eye(12, dtype=bool)
    assert np.corrcoef(found[off], effect[off])[0, 1] > 0.8


def test_group_gains_are_the_means_of_pair_gains():
    pairs = np.array([[9.0, 0.1, 0.2], [0.3, 9.0, 0.4], [0.5, 0.6, 9.0]])
    found = predict_group_gains(pairs, np.array([[True, True, False], [True, True, True]]))
    np.testing.assert_allclose(found, [[0.3, 0.1, np.nan], [0.4, 0.35, 0.3]])


@pytest.mark.parametrize(("evidence", "message"), [
    ({"gramians": np.ones((2, 3, 2))}, "gramians has shape"),
    ({"gramians": np.ones((2, 3, 3)), "losses": np.ones((3, 3))}, "gramians and losses have 2 and 3 steps"),
    ({"gramians": np.ones((2, 3, 3)), "losses": np.ones((2, 2))}, "gramians and losses have 3 and 2 tasks"),
])
def test_evidence_that_does_not_fit_is_named(evidence, message):
    affinity = LookAhead() if "losses" in evidence else GradientCosine()
    with pytest.raises(DataError, match=message):
        affinity.find(**evidence)


def test_half_samples_need_rows():
    with pytest.raises(UsageError, match="affinity GradientCosine reads gramians"):
        HalfSamples(GradientCosine())
