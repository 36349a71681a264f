"""The network keeps the contract of the Estimator role: all kinds, gaps, folds, plans, folders."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from sharewise.balance import MGDA, Equal, Fixed, UncertaintyWeighting
from sharewise.base import FolderError, NotFittedError, UnknownNameError, UsageError
from sharewise.base.estimator import Estimator
from sharewise.task import Binary, Count, Multiclass, Multilabel, Ordinal, Regression, Task, slices
from sharewise.train import Architecture, Network
from sharewise.train.architecture import names

TASKS = [Task("price", Regression()), Task("visits", Count()), Task("sold", Binary()),
         Task("sort", Multiclass(("x", "y", "z"))), Task("grade", Ordinal(("low", "mid", "high"))),
         Task("tags", Multilabel(("p", "q"))), Task("size", Regression())]
NAMES = [task.name for task in TASKS]
GROUPS = [["price", "visits"], ["sold", "sort", "grade"], ["tags"], ["size"]]


def table(seed: int = 0, rows: int = 160) -> tuple[np.ndarray, np.ndarray]:
    """Features with gaps, a flag and a constant; seven targets that follow the first feature; 30 % of them missing."""
    chance = np.random.default_rng(seed)
    X = chance.normal(size=(rows, 5)).astype(np.float32)
    u = X[:, 0] + 0.1 * chance.normal(size=rows)
    X[:, 3], X[:, 4] = X[:, 3] > 0, 7.0
    X[chance.random(X.shape) < 0.05] = np.nan
    level = np.digitize(u, [-0.5, 0.5])
    Y = np.column_stack([1000 * u, chance.poisson(np.exp(u)), u > 0, (level + 1) % 3, level, u > 0, u < 0.3, -u])
    Y = Y.astype(float)
    Y[chance.random(Y.shape) < 0.3] = np.nan
    return X, Y


def three_folds(rows: int) -> np.ndarray:
    return np.arange(rows)[None, :] % 3 != np.arange(3)[:, None]


def make(**options) -> Network:
    return Network(**{"tasks": TASKS, "steps": 12, "hidden": 16, "rate": 0.01, "seed": 0, **options})


@pytest.mark.parametrize("sharing", ["hard", "separate", GROUPS])
def test_every_kind_is_learned_with_gaps_and_beats_the_trivial_predictor_out_of_fold(sharing):
    X, Y = table()
    train = three_folds(len(X))
    copies = make(sharing=sharing, steps=50).fit_folds(X, Y, train)
    parts = slices(TASKS)
    for task in TASKS:
        scores = [task.kind.score(copy.predict_mean(X[~rows])[task.name], Y[~rows, parts[task.name]],
                                  copy.scales_[task.name]) for copy, rows in zip(copies, train, strict=True)]
        assert np.mean(scores) < 0.85, task.name


def test_means_have_the_shape_and_range_of_their_kind():
    X, Y = table()
    means = make().fit(X, Y).predict_mean(X[:9])
    assert {name: mean.shape for name, mean in means.items()} == {task.name: (9, task.kind.outputs) for task in TASKS}
    assert all(np.isfinite(mean).all() for mean in means.values())
    for name in ("sort", "grade"):
        np.testing.assert_allclose(means[name].sum(axis=1), 1, atol=1e-5)
    assert (means["visits"] > 0).all()
    assert ((means["tags"] >= 0) & (means["tags"] <= 1)).all()


@pytest.mark.parametrize("sharing", ["hard", "separate", GROUPS])
def test_the_same_seed_gives_the_same_bits_and_another_seed_others(sharing):
    X, Y = table()
    first, second, other = (make(sharing=sharing, seed=seed).fit(X, Y).predict_mean(X) for seed in (0, 0, 1))
    assert all(np.array_equal(first[name], second[name]) for name in NAMES)
    assert not np.array_equal(first["price"], other["price"])


def test_shares_tells_whether_any_trunk_serves_two_tasks():
    assert all(make(sharing=sharing).shares for sharing in ("hard", GROUPS))
    assert not any(make(**options).shares for options in ({"sharing": "separate"}, {"tasks": TASKS[:1]}))


def test_separate_networks_do_not_see_the_targets_of_other_tasks():
    X, Y = table()
    other = Y.copy()
    other[:, -1] = -3 * other[:, -1] ** 2
    train = three_folds(len(X))
    for ours, theirs in zip(make(sharing="separate").fit_folds(X, Y, train),
                            make(sharing="separate").fit_folds(X, other, train), strict=True):
        ours, theirs = ours.predict_mean(X), theirs.predict_mean(X)
        assert all(np.array_equal(ours[name], theirs[name]) for name in NAMES[:-1])
        assert not np.array_equal(ours["size"], theirs["size"])


def test_the_order_of_tasks_does_not_matter_to_separate_networks():
    X, Y = table()
    two = [TASKS[0], TASKS[-1]]
    forward = make(tasks=two, sharing="separate").fit(X, Y[:, [0, -1]]).predict_mean(X)
    backward = make(tasks=two[::-1], sharing="separate").fit(X, Y[:, [-1, 0]]).predict_mean(X)
    assert all(np.array_equal(forward[task.name], backward[task.name]) for task in two)


def test_rows_left_out_of_a_fold_have_no_say_in_its_copy_but_for_the_other_folds_moments():
    X, Y = table()
    train = three_folds(len(X))[:1]
    other = Y.copy()
    other[~train[0]] = np.nan
    ours, theirs = make().fit_folds(X, Y, train)[0], make().fit_folds(X, other, train)[0]
    assert all(np.array_equal(mean, theirs.predict_mean(X)[name]) for name, mean in ours.predict_mean(X).items())


def test_units_of_a_target_change_no_prediction():
    X, Y = table()
    scaled = Y * np.where(np.arange(Y.shape[1]) == 0, 1000.0, 1.0)
    ours, theirs = make().fit(X, Y).predict_mean(X), make().fit(X, scaled).predict_mean(X)
    np.testing.assert_allclose(theirs["price"], ours["price"] * 1000, rtol=1e-6)
    np.testing.assert_allclose(theirs["sort"], ours["sort"], rtol=1e-5)


def test_a_fresh_process_predicts_the_same_bits(tmp_path):
    X, Y = table()
    plans = {"hard": {}, "groups": {"sharing": GROUPS, "members": 2},
             "weighted": {"balancer": UncertaintyWeighting(NAMES), "steps": 4},
             "mixture": {"architecture": Architecture("MMoE"), "members": 2}}
    for plan, options in plans.items():
        network = make(**options).fit_folds(X, Y, three_folds(len(X)))[1]
        network.save(tmp_path / plan)
        np.savez(tmp_path / plan / "seen.npz", X=X, **network.predict_mean(X))
    code = ("import sys, numpy as np, torch; from sharewise.base.estimator import Estimator\n"
            f"torch.set_num_threads({torch.get_num_threads()})\n"
            "for folder in sys.argv[1:]:\n"
            "    seen = np.load(folder + '/seen.npz')\n"
            "    means = Estimator.load(folder).predict_mean(seen['X'])\n"
            "    assert all(np.array_equal(seen[name], mean) for name, mean in means.items())")
    subprocess.run([sys.executable, "-c", code, *(str(tmp_path / plan) for plan in plans)], check=True)


def test_only_what_is_wanted_is_answered():
    X, Y = table()
    network = make(sharing=GROUPS).fit(X, Y)
    wanted = np.random.default_rng(0).random((len(X), len(TASKS))) < 0.3
    part, whole = network.predict_mean(X, wanted), network.predict_mean(X)
    for at, name in enumerate(NAMES):
        assert np.isnan(part[name][~wanted[:, at]]).all()
        np.testing.assert_allclose(part[name][wanted[:, at]], whole[name][wanted[:, at]], rtol=1e-4, atol=1e-5)


def test_a_task_without_a_row_in_a_fold_is_answered_by_its_trivial_mean():
    X, Y = table()
    Y[30:, 3] = np.nan
    train = np.stack([np.arange(len(X)) >= 30, np.arange(len(X)) < 120])
    for sharing in ("hard", "separate"):
        mean = make(sharing=sharing).fit_folds(X, Y, train)[0].predict_mean(X)["sort"]
        np.testing.assert_allclose(mean.sum(axis=1), 1, atol=1e-5)
        assert np.isfinite(mean).all()
    np.testing.assert_allclose(mean, 1 / 3, atol=1e-5)


@pytest.mark.parametrize("balancer", [Equal(), Fixed(dict.fromkeys(NAMES, 2.0)), UncertaintyWeighting(NAMES), MGDA()])
def test_every_balancer_trains_every_plan(balancer):
    X, Y = table()
    for sharing in ("hard", GROUPS):
        for architecture in (None, Architecture("FiLM")):
            network = make(balancer=balancer, sharing=sharing, architecture=architecture, steps=3).fit(X, Y)
            assert all(np.isfinite(mean).all() for mean in network.predict_mean(X).values())


@pytest.mark.parametrize("name", names())
def test_every_way_of_sharing_learns_all_kinds_with_gaps_and_comes_back_from_a_folder(name, tmp_path):
    X, Y = table()
    Y[:54, 3] = np.nan  # a fold in which one task has fewer rows
    network = make(architecture=Architecture(name), sharing=[NAMES[:5], NAMES[5:]], steps=8)
    copy = network.fit_folds(X, Y, three_folds(len(X)))[1]
    copy.save(tmp_path)
    wanted = np.random.default_rng(0).random((len(X), len(TASKS))) < 0.3
    whole, part, loaded = copy.predict_mean(X), copy.predict_mean(X, wanted), Estimator.load(tmp_path)
    assert loaded.parameter_count == copy.parameter_count > 0
    for at, task in enumerate(TASKS):
        assert np.isfinite(whole[task.name]).all() and whole[task.name].std() > 0
        assert np.array_equal(whole[task.name], loaded.predict_mean(X)[task.name])
        np.testing.assert_allclose(part[task.name][wanted[:, at]], whole[task.name][wanted[:, at]], 1e-4, 1e-5)
        assert np.isnan(part[task.name][~wanted[:, at]]).all()


@pytest.mark.parametrize("name", names())
def test_every_way_of_sharing_learns_tasks_that_have_each_their_own_rows(name):
    X, Y = table()
    own = np.arange(len(X)) % 3
    long = np.where(own[:, None] == np.arange(3), Y[:, [0]], np.nan)
    tasks = [Task(f"shop {at}", Regression()) for at in range(3)]
    means = make(tasks=tasks, architecture=Architecture(name), steps=8).fit(X, long).predict_mean(X)
    assert all(np.isfinite(mean).all() and mean.std() > 0 for mean in means.values())


def test_a_way_of_sharing_gives_the_same_bits_for_a_seed_whatever_the_state_of_torch():
    X, Y = table()
    seen = []
    for state, seed in ((1, 0), (2, 0), (2, 1)):
        torch.manual_seed(state)
        seen.append(make(architecture=Architecture("MMoE"), seed=seed).fit(X, Y).predict_mean(X)["price"])
        assert torch.initial_seed() == state
    assert np.array_equal(seen[0], seen[1]) and not np.array_equal(seen[1], seen[2])


@pytest.mark.parametrize(("name", "options", "error", "says"), [
    ("MMOE", {}, UnknownNameError, "near names are 'MMoE'"), ("Separate", {}, UsageError, "shares nothing"),
    ("ESMM", {}, UsageError, "each after the one before"),
    ("SoftSharing", {"strenght": 1.0}, UnknownNameError, "near names are 'strength'"),
    ("FiLM", {"trunk": None}, UnknownNameError, "'description'")])
def test_ways_of_sharing_that_can_not_be_had_are_refused(name, options, error, says):
    with pytest.raises(error, match=says):
        Architecture(name, options)


def test_a_value_out_of_the_range_of_a_way_of_sharing_is_refused_before_training():
    with pytest.raises(UsageError, match="strength"):
        Architecture("SoftSharing", {"strength": -1.0})


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_a_handful_of_rows_is_enough(rows):
    X, Y = table(rows=rows)
    means = make(steps=5).fit(X, np.nan_to_num(Y, nan=1.0)).predict_mean(X)
    assert all(np.isfinite(mean).all() for mean in means.values())


def test_wild_features_give_finite_answers():
    X, Y = table()
    network = make().fit(X, Y)
    assert all(np.isfinite(mean).all() for mean in network.predict_mean(np.full_like(X, 1e30)).values())
    assert all(np.isfinite(mean).all() for mean in network.predict_mean(np.full_like(X, np.nan)).values())


@pytest.mark.parametrize("options", [{"sharing": "soft"}, {"sharing": [["price"]]}, {"depth": 0}, {"dropout": 1.0},
                                     {"members": 0}, {"tasks": []}, {"weight_decay": -1.0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(UsageError):
        make(**options)


def test_unfitted_networks_and_broken_folders_are_told(tmp_path):
    X, Y = table()
    with pytest.raises(NotFittedError):
        make().predict_mean(X)
    make(steps=2).fit(X, Y).save(tmp_path)
    whole = (tmp_path / "nets.safetensors").read_bytes()
    (tmp_path / "nets.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FolderError, match="can't be read"):
        Estimator.load(tmp_path)


def test_cost_grows_with_rows_folds_and_separate_trunks():
    hard, separate = make(steps=None), make(steps=None, sharing="separate")
    assert hard.cost(10_000, 20) > hard.cost(1_000, 20)
    assert hard.cost(1_000, 20, folds=5) == pytest.approx(5 * hard.cost(1_000, 20))
    assert separate.cost(1_000, 20) > 4 * hard.cost(1_000, 20)
