"""The pieces of training against what they must equal, and planted tasks whose relation is known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sharewise.balance import Balancer, Equal, Signal, Update, Weights
from sharewise.share import LearningToBranch, describe
from sharewise.task import Binary, Regression, Task
from sharewise.train import Architecture, Network
from sharewise.train.architecture import names
from sharewise.train.batches import batches
from sharewise.train.bundle import Member
from sharewise.train.features import fit_features
from sharewise.train.moments import choose_moments
from sharewise.train.own_rows import is_apart
from sharewise.train.recipe import Recipe
from sharewise.train.stacked import Stacked

MEET = ("AITM", "Branching", "CrossStitch", "ESMM", "NDDR", "PLE", "Sluice")  # what a task reads hangs on the others


class OneByOne(Balancer):
    """Equal weights, but not declared constant: takes the way that trains network by network."""

    def __init__(self) -> None:
        super().__init__()

    def update(self, signal: Signal) -> Update:
        return Weights(signal.observed.to(signal.losses.dtype))


def regressions(count: int) -> list[Task]:
    return [Task(f"task {at}", Regression()) for at in range(count)]


def test_numbers_become_scaled_values_flags_and_piecewise_linear_parts():
    X = np.array([[0.0, 1.0, 5.0], [1.0, 0.0, 5.0], [2.0, np.nan, 5.0], [4.0, 1.0, 5.0]] * 16, dtype=np.float32)
    features = fit_features(X, np.ones((1, len(X)), dtype=bool), bins=3)
    inputs = features.embed(torch.from_numpy(X[None, :4]), torch.zeros(1, dtype=torch.long))[0]
    assert features.size == 3 + 1 + 3
    scaled = (X[:4, 0] - 1.5) / (1.75 / 1.349)  # quartiles 0.75 and 2.5
    np.testing.assert_allclose(inputs[:, 0], scaled / np.sqrt(1 + (scaled / 3) ** 2), rtol=1e-5)
    np.testing.assert_array_equal(inputs[:, 2], np.zeros(4))  # a constant says nothing
    np.testing.assert_array_equal(inputs[:, 3], [0, 0, 1, 0])
    np.testing.assert_allclose(inputs[:, 4:], [[-1, -1, -1], [1, -1, -1], [1, 1, -1], [1, 1, 1]], atol=1e-6)


def test_features_are_fitted_on_the_rows_of_their_fold():
    X = np.random.default_rng(0).normal(size=(100, 2)).astype(np.float32)
    train = np.stack([np.arange(100) < 50, np.arange(100) >= 50])
    both = fit_features(X, train, bins=3)
    for fold, rows in enumerate(train):
        alone = fit_features(X[rows], np.ones((1, 50), dtype=bool), bins=3)
        x, first = torch.from_numpy(X[None]), torch.zeros(1, dtype=torch.long)
        assert torch.equal(both.of(fold).embed(x, first), alone.embed(x, first))


def test_each_epoch_shows_every_row_once_whoever_else_trains():
    none = np.arange(0)
    few, many = Member(0, 0, (0,), np.arange(3, 11), none), Member(0, 0, (1,), np.arange(40), none)
    shown = [rows.numpy() for rows in batches([few, many], 40, 4, 20, seed=5)]
    first = np.concatenate([rows[0] for rows in shown])
    assert all(sorted(first[at : at + 8]) == list(range(3, 11)) for at in range(0, 80, 8))
    second = np.concatenate([rows[1] for rows in shown])
    assert sorted(second[:40]) == sorted(second[40:]) == list(range(40))
    assert not np.array_equal(second[:40], second[40:])


def test_moments_of_a_fold_are_chosen_by_the_other_folds_alone():
    chance = np.random.default_rng(0)
    curves = chance.random((6, 4, 5))
    other = curves.copy()
    other[:, 2] = chance.random((6, 5))
    assert np.array_equal(choose_moments(curves)[2], choose_moments(other)[2])
    assert all(len(set(row)) <= 3 for row in choose_moments(curves))
    best = np.delete(curves, 0, axis=1).mean(axis=1).argmin(axis=0)
    assert np.array_equal(choose_moments(curves, most=6)[0], best)


@pytest.mark.parametrize("sharing", ["hard", [["task 0", "task 1"], ["task 2"]]])
def test_training_in_bundles_equals_training_network_by_network(sharing):
    chance = np.random.default_rng(0)
    X = chance.normal(size=(60, 3)).astype(np.float32)
    Y = np.column_stack([X[:, 0], X[:, 1] - X[:, 0], X[:, 2]])
    train = np.arange(60)[None] % 2 != np.arange(2)[:, None]
    copies = [Network(regressions(3), sharing, balancer, steps=25, hidden=16, members=2).fit_folds(X, Y, train)
              for balancer in (Equal(), OneByOne())]
    for ours, theirs in zip(*copies, strict=True):
        for name, mean in ours.predict_mean(X).items():
            np.testing.assert_allclose(mean, theirs.predict_mean(X)[name], rtol=1e-3, atol=1e-4)


def related(rows: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, three targets without gaps, and two folds."""
    X = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    return X, np.column_stack([X[:, 0], X[:, 1] - X[:, 0], X[:, 2]]), np.arange(rows)[None] % 2 != np.arange(2)[:, None]


@pytest.mark.parametrize(("way", "like", "balancer"), [
    (Architecture("HardSharing"), "hard", Equal()), (Architecture("HardSharing"), "hard", OneByOne()),
    (Architecture("SoftSharing", {"strength": 0.0}), "separate", None)])
def test_a_way_of_sharing_mapped_over_members_equals_the_loop_that_is_batched_by_hand(way, like, balancer):
    X, Y, train = related()
    options = {"steps": 25, "hidden": 16, "members": 2, "dropout": 0.0}
    ours = Network(regressions(3), balancer=balancer, architecture=way, **options).fit_folds(X, Y, train)
    theirs = Network(regressions(3), like, **options).fit_folds(X, Y, train)
    for one, other in zip(ours, theirs, strict=True):
        for name, mean in one.predict_mean(X).items():
            np.testing.assert_allclose(mean, other.predict_mean(X)[name], rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("name", names())
def test_a_row_that_is_asked_for_its_own_task_alone_gets_what_all_tasks_would_give_it(name):
    way, members, tasks = Architecture(name), 2, [f"t{at}" for at in range(5)]
    recipes = [Recipe(dict.fromkeys(tasks, (0.5, -0.5)), 6, 8, 2, 0.1, seed, 0) for seed in range(members)]
    if not is_apart(way):
        assert name in MEET
        return
    model = Stacked(way, recipes, {"all": tasks}, has_own_rows=True).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    x, task = torch.randn(members, 7, 6), torch.arange(14).reshape(2, 7) % 5
    whole = model(x)["all"].unflatten(-1, (5, 2))
    expected = torch.take_along_dim(whole, task[:, :, None, None], dim=2)[:, :, 0]
    found = model.of_own_rows(x, task)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    moving = [parameter for parameter in model.parameters() if parameter.requires_grad]
    gradients = [torch.autograd.grad(raw.square().sum(), moving, allow_unused=True, materialize_grads=True)
                 for raw in (found, expected)]  # a tree as it answers leaves its choices out
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)


def test_long_tables_are_trained_alike_whether_rows_run_through_their_own_task_or_through_all(monkeypatch):
    X, Y, train = related()
    Y[np.arange(60)[:, None] // 2 % 3 != np.arange(3)] = np.nan
    fit = lambda: Network(regressions(3), architecture=Architecture("FiLM"), steps=20, hidden=16,  # noqa: E731
                          dropout=0.0).fit_folds(X, Y, train)
    ours = fit()
    monkeypatch.setattr("sharewise.train.bundle.is_apart", lambda way: False)
    for one, other in zip(ours, fit(), strict=True):
        for name, mean in one.predict_mean(X).items():
            np.testing.assert_allclose(mean, other.predict_mean(X)[name], rtol=2e-3, atol=2e-4)


def test_soft_sharing_comes_the_nearer_to_equal_trunks_the_stronger_it_is():
    X, Y, _ = related()
    spread = []
    for strength in (0.0, 0.1, 10.0):
        way = Architecture("SoftSharing", {"strength": strength})
        model = Network(regressions(3), architecture=way, steps=40, hidden=16, dropout=0.0).fit(X, Y).nets_[0].model
        spread.append(sum(float(torch.stack(alike).std(0).sum())
                          for alike in zip(*(trunk.parameters() for trunk in model.trunks), strict=True)))
    assert spread[0] > spread[1] > spread[2] > 0 and spread[0] > 2 * spread[2]


@pytest.mark.parametrize("is_long", [False, True])
def test_the_loop_tells_a_model_before_every_step_how_far_it_is(is_long, monkeypatch):
    told: dict[int, list[float]] = {}
    monkeypatch.setattr(LearningToBranch, "advance",
                        lambda model, progress: told.setdefault(id(model), []).append(progress))
    X, Y, _ = related()
    tasks = [Task(f"shop {at}", Regression(), task_column="shop") for at in range(3)] if is_long else regressions(3)
    Y = np.where(np.arange(len(Y))[:, None] % 3 == np.arange(3), Y[:, [0]], np.nan) if is_long else Y
    Network(tasks, architecture=Architecture("LearningToBranch"), steps=10, hidden=8).fit(X, Y)
    assert list(told.values()) == [[step / 10 for step in range(10)]] * (2 if is_long else 1)  # and the row's own copy


def test_a_tree_that_was_learned_is_told_and_is_the_one_that_answers():
    X, Y, _ = related()
    network = Network(regressions(3), architecture=Architecture("LearningToBranch"), steps=60, hidden=8).fit(X, Y)
    model = network.nets_[0].model
    tree, inputs = model.branching(), torch.randn(4, network.nets_[0].inputs)
    told = describe(model, inputs).structure
    assert told == tree.structure() == describe(tree, inputs).structure
    assert all(told.count(f"task {at}") == 2 for at in range(3))  # once at each of two stages
    for name, raw in tree.eval()(inputs).items():
        torch.testing.assert_close(raw, model(inputs)[name])


@pytest.mark.parametrize("name", ["BottleneckAdapters", "LoRA"])
def test_adapters_stand_on_a_trunk_that_half_of_the_steps_have_trained_for_all_tasks(name):
    X, Y, _ = related()
    options = {"hidden": 16, "dropout": 0.0, "rate": 0.01}
    before = Network(regressions(3), steps=30, **options).fit(X, Y).nets_[0]
    adapted = Network(regressions(3), steps=60, architecture=Architecture(name), **options).fit(X, Y)
    model = adapted.nets_[0].model
    for (weight, bias), stage in zip(before.layers, model.trunk.module.stages, strict=True):
        assert torch.equal(stage[0].weight, weight.T) and torch.equal(stage[0].bias, bias[0])
    assert any(float(part.detach().abs().max()) > 0 for part in model.own_modules("task 0")[0].parameters())


def test_a_small_task_loses_a_third_of_its_error_beside_a_related_large_one():
    """20 rows and 50 features beside 400 rows; as many steps as the network takes by itself."""
    error = {"hard": 0.0, "separate": 0.0}
    for seed in range(2):
        chance = np.random.default_rng(seed)
        X, direction = chance.normal(size=(1420, 50)).astype(np.float32), chance.normal(size=50) / 50**0.5
        Y = np.stack([X @ direction] * 2, axis=1) + 0.3 * chance.normal(size=(1420, 2))
        Y[20:, 0], Y[:20, 1] = np.nan, np.nan
        for sharing in error:
            network = Network(regressions(2), sharing, hidden=64, weight_decay=3.0, embedding=0, seed=seed)
            mean = network.fit(X[:420], Y[:420]).predict_mean(X[420:])["task 0"][:, 0]
            error[sharing] += np.mean((mean - X[420:] @ direction) ** 2)
    assert error["hard"] < error["separate"] * 2 / 3


def test_a_step_of_a_feature_is_found_by_the_piecewise_linear_parts():
    chance = np.random.default_rng(0)
    X = chance.uniform(size=(600, 2)).astype(np.float32)
    Y = np.floor(X[:, :1] * 6) % 2
    with_parts, without = (Network([Task("a", Binary())], embedding=parts, steps=150, hidden=32).fit(X[:400], Y[:400])
                           for parts in (12, 0))
    score = [float(((net.predict_mean(X[400:])["a"] > 0.5) == Y[400:]).mean()) for net in (with_parts, without)]
    assert score[0] > score[1] + 0.1
