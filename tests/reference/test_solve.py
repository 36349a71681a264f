"""Numbers of the rooms under solve, against scikit-learn, normal equations and limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor
from sklearn.linear_model import LogisticRegression, PoissonRegressor, Ridge

from sharewise.base import FolderError
from sharewise.base.estimator import Estimator, standardise
from sharewise.solve.chain import Chains, Stacked
from sharewise.solve.chain.orders import learned_order
from sharewise.solve.linear import Linear, MeanRegularized
from sharewise.solve.linear.basis import Basis
from sharewise.solve.linear.ridge import STEPS, leave_one_out
from sharewise.solve.trees import (
    BoostedTrees,
    ExtraTrees,
    JointBoostedTrees,
    JointExtraTrees,
    JointRandomForest,
    PooledTrees,
    RandomForest,
)
from sharewise.solve.trees.forests import equal_weights
from sharewise.solve.trees.growing import Columns, floor_single, valued
from sharewise.task import Binary, Count, Multiclass, Ordinal, Regression, Task

A, B = Task("a", Regression()), Task("b", Regression())


def numbers(rows: int = 120, features: int = 6, targets: int = 2, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Standardised features and linear targets with noise."""
    chance = np.random.default_rng(seed)
    X = chance.normal(size=(rows, features)).astype(np.float32).astype(np.float64)
    X = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
    return X, X @ chance.normal(size=(features, targets)) + chance.normal(size=(rows, targets))


# -- linear -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("rows", [120, 5])
def test_linear_is_ridge_of_scikit_learn(rows: int) -> None:
    X, Y = numbers(rows)
    ours = Linear([A, B], strength=3.0).fit(X, Y).predict_mean(X)
    for name, y in zip("ab", Y.T, strict=True):
        assert np.allclose(ours[name][:, 0], Ridge(alpha=3.0).fit(X, y).predict(X), atol=1e-4)


def test_linear_is_logistic_regression_of_scikit_learn() -> None:
    X, Y = numbers()
    task = Task("a", Binary())
    ours = Linear([task], strength=2.0).fit(X, 1.0 * (Y[:, :1] > 0)).predict_mean(X)["a"][:, 0]
    peer = LogisticRegression(C=0.5, tol=1e-8, max_iter=1000).fit(X, Y[:, 0] > 0).predict_proba(X)[:, 1]
    assert np.allclose(ours, peer, atol=1e-4)


def test_linear_is_multinomial_regression_of_scikit_learn() -> None:
    X, Y = numbers()
    code = np.digitize(Y[:, 0], [-1.0, 1.0])
    task = Task("a", Multiclass(("x", "y", "z")))
    ours = Linear([task], strength=2.0).fit(X, 1.0 * code[:, None]).predict_mean(X)["a"]
    peer = LogisticRegression(C=0.5, tol=1e-8, max_iter=1000).fit(X, code).predict_proba(X)
    assert np.allclose(ours, peer, atol=2e-3)


def test_linear_is_poisson_regression_of_scikit_learn() -> None:
    X, Y = numbers()
    counts = np.random.default_rng(1).poisson(np.exp(0.3 * Y[:, 0])).astype(float)
    ours = Linear([Task("a", Count())], strength=2.0).fit(X, counts[:, None]).predict_mean(X)["a"][:, 0]
    # counts are learned as ratios to their mean, which divides the likelihood by it
    peer = PoissonRegressor(alpha=2.0 * counts.mean() / len(X), tol=1e-9, max_iter=1000).fit(X, counts).predict(X)
    assert np.allclose(ours, peer, rtol=1e-3)


def test_two_ordered_classes_are_logistic_regression() -> None:
    X, Y = numbers()
    label = (Y[:, :1] > 0).astype(float)
    ordinal = Linear([Task("a", Ordinal(("low", "high")))], strength=2.0).fit(X, label).predict_mean(X)["a"]
    binary = Linear([Task("a", Binary())], strength=2.0).fit(X, label).predict_mean(X)["a"]
    assert np.allclose(ordinal[:, 1:], binary, atol=1e-3)


def test_the_cumulative_logit_model_finds_planted_cuts() -> None:
    chance = np.random.default_rng(0)
    X = chance.normal(size=(4000, 2)).astype(np.float32)
    code = np.digitize(X[:, 0] * 2 + chance.logistic(size=4000), [-1.0, 0.5])
    model = Linear([Task("a", Ordinal((0, 1, 2)))], strength=1e-3).fit(X, 1.0 * code[:, None])
    mean = model.predict_mean(np.zeros((1, 2)))
    truth = np.diff(1 / (1 + np.exp(-np.array([-np.inf, -1.0, 0.5, np.inf]))))
    assert np.allclose(mean["a"][0], truth, atol=0.03)


def test_leave_one_out_is_that_of_refitting() -> None:
    X, Y = numbers(rows=25)
    y = Y[:, 0]
    basis = Basis.of(X.astype(np.float64))
    centred = Y[:, :1] - y.mean()
    ours = leave_one_out(basis, centred, basis.scores.T @ centred, 5.0)[0]
    rest = [y[k] - Ridge(alpha=5.0).fit(np.delete(X, k, 0), np.delete(y, k)).predict(X[[k]])[0] for k in range(25)]
    assert np.isclose(ours, np.square(rest).sum(), rtol=0.02)  # the centre of the features is not refitted


def test_auto_strength_is_heavy_on_noise_and_light_on_signal() -> None:
    X = numbers(rows=60, features=20)[0]
    noise = np.random.default_rng(5).normal(size=(60, 1))
    model = Linear([A, B]).fit(X, np.hstack([noise, X @ np.ones((20, 1))]))
    means = model.predict_mean(X)
    assert means["a"].std() < 0.35
    assert np.corrcoef(means["b"][:, 0], X.sum(axis=1))[0, 1] > 0.999
    assert len(STEPS) > 5


# -- mean-regularised -------------------------------------------------------------------------------------------------
def hand_solved(X: np.ndarray, Z: np.ndarray, common: float, own: float) -> np.ndarray:
    """All unknowns (w_0, then level and v of each task) at once from the normal equations; predictions for X."""
    size = X.shape[1]
    tasks = Z.shape[1]
    blocks, targets = [], []
    for t in range(tasks):
        seen = ~np.isnan(Z[:, t])
        row = np.zeros((seen.sum(), size + tasks * (size + 1)))
        row[:, :size] = X[seen]
        low = size + t * (size + 1)
        row[:, low] = 1.0
        row[:, low + 1:low + 1 + size] = X[seen]
        blocks.append(row)
        targets.append(Z[seen, t])
    F, y = np.vstack(blocks), np.concatenate(targets)
    penalty = np.concatenate([np.full(size, common), *[[0.0, *np.full(size, own)]] * tasks])
    theta = np.linalg.solve(F.T @ F + np.diag(penalty), F.T @ y)
    return np.stack([theta[low] + X @ (theta[:size] + theta[low + 1:low + 1 + size])
                     for low in range(size, len(theta), size + 1)], axis=1)


@pytest.mark.parametrize("gaps", [False, True])
def test_mean_regularised_squares_are_solved_exactly(gaps: bool) -> None:
    X, Y = numbers(rows=40, targets=3)
    if gaps:
        Y[:15, 0], Y[10:30, 1] = np.nan, np.nan
    tasks = [A, B, Task("c", Regression())]
    model = MeanRegularized(tasks, strength=2.0, similarity=3.0).fit(X, Y)
    Z = (Y - np.nanmean(Y, axis=0)) / np.nanstd(Y, axis=0)
    ours = (np.hstack(list(model.predict_mean(X).values())) - np.nanmean(Y, axis=0)) / np.nanstd(Y, axis=0)
    assert np.allclose(ours, hand_solved(X, Z, 2.0 * 4 / 3, 2.0 * 4), atol=1e-4)


@pytest.mark.parametrize("kind", [Regression(), Binary(), Count()])
def test_no_similarity_is_learning_apart(kind: object) -> None:
    X, Y = numbers()
    Y = Y if isinstance(kind, Regression) else np.maximum(np.round(Y), 0) if isinstance(kind, Count) else 1.0 * (Y > 0)
    Y[:40, 0] = np.nan
    tasks = [Task("a", kind), Task("b", kind)]  # type: ignore[arg-type]
    apart = Linear(tasks, strength=2.0).fit(X, Y).predict_mean(X)
    ours = MeanRegularized(tasks, strength=2.0, similarity=1e-6).fit(X, Y).predict_mean(X)
    assert all(np.allclose(apart[name], ours[name], rtol=2e-3, atol=2e-3) for name in "ab")


@pytest.mark.parametrize("gaps", [False, True])
def test_endless_similarity_is_one_model_for_all(gaps: bool) -> None:
    X, Y = numbers()
    label = 1.0 * (Y > 0)
    if gaps:
        label[:60, 0], label[60:, 1] = np.nan, np.nan
    tasks = [Task("a", Binary()), Task("b", Binary())]
    model = MeanRegularized(tasks, strength=1.0, similarity=1e6).fit(X, label)
    seen = ~np.isnan(label)
    stacked = np.vstack([np.hstack([X, np.full((120, 1), 1.0 * t)])[seen[:, t]] for t in (0, 1)])
    stacked[:, -1] *= 1e3  # the intercept of the second task is free
    peer = LogisticRegression(C=1.0, tol=1e-10, max_iter=5000).fit(stacked, label.T[seen.T])
    for t, name in enumerate("ab"):
        chance = peer.predict_proba(np.hstack([X, np.full((120, 1), 1e3 * t)]))[:, 1]
        assert np.allclose(model.predict_mean(X)[name][:, 0], chance, atol=3e-3)


def test_few_rows_learn_from_a_related_task() -> None:
    gains = []
    for seed in range(6):
        chance = np.random.default_rng(seed)
        weights = chance.normal(size=(50, 1))
        X = chance.normal(size=(720, 50)).astype(np.float32)
        Y = X @ weights + 2.0 * chance.normal(size=(720, 2))
        train = Y[:420].copy()
        train[20:, 0], train[:20, 1] = np.nan, np.nan
        alone, shared = (model.fit(X[:420], train).predict_mean(X[420:])["a"][:, 0] - Y[420:, 0]
                         for model in (Linear([A, B]), MeanRegularized([A, B])))
        gains.append(1 - np.square(shared).mean() / np.square(alone).mean())
    assert min(gains) > 1 / 3


# -- trees ------------------------------------------------------------------------------------------------------------
def weighed(tasks: list[Task], Y: np.ndarray, model: Estimator) -> np.ndarray:
    """The very targets for which a forest splits: the last bit decides between splits that are equally good."""
    Z = standardise(tasks, Y, model.scales_)
    return Z * equal_weights(Z, np.arange(len(tasks)))


@pytest.mark.parametrize(("ours", "peer"), [(JointRandomForest, RandomForestRegressor),
                                            (JointExtraTrees, ExtraTreesRegressor)])
def test_a_joint_forest_without_gaps_is_that_of_scikit_learn(ours: type, peer: type) -> None:
    X, Y = numbers()
    model = ours([A, B], trees=15, features=0.5).fit(X, Y)
    Z = weighed([A, B], Y, model)
    forest = peer(15, max_features=0.5, random_state=0).fit(X, Z)
    means = np.hstack(list(model.predict_mean(X).values()))
    assert np.allclose(means, forest.predict(X) * Y.std(axis=0) + Y.mean(axis=0), atol=1e-4)


@pytest.mark.parametrize(("ours", "peer"), [(RandomForest, RandomForestRegressor), (ExtraTrees, ExtraTreesRegressor)])
def test_a_forest_a_task_is_that_of_scikit_learn_on_its_rows(ours: type, peer: type) -> None:
    X, Y = numbers()
    Y[:50, 0] = np.nan
    model = ours([A, B], trees=15, features=0.5).fit(X, Y)
    y = Y[50:, 0]
    forest = peer(15, max_features=0.5, random_state=0).fit(X[50:], weighed([A, B], Y, model)[50:, 0])
    assert np.allclose(model.predict_mean(X)["a"][:, 0], forest.predict(X) * y.std() + y.mean(), atol=1e-4)


def test_without_shrinkage_class_frequencies_of_the_leaves_are_averaged() -> None:
    X, Y = numbers()
    label = 1.0 * (Y[:, :1] > 0)
    model = RandomForest([Task("a", Binary())], trees=15, features=0.5, leaf_rows=5, shrink=0.0).fit(X, label)
    forest = RandomForestRegressor(15, max_features=0.5, min_samples_leaf=5, random_state=0).fit(
        X, label[:, 0] / label.std())
    assert np.allclose(model.predict_mean(X)["a"][:, 0], forest.predict(X) * label.std(), atol=1e-6)


def test_a_leaf_without_observed_targets_answers_as_its_parent() -> None:
    X = np.array([[0.0], [1.0], [2.0], [3.0]], dtype=np.float32)
    Y = np.array([[0.0, 0.0], [0.0, 10.0], [1.0, 20.0], [1.0, np.nan]])
    means = JointExtraTrees([A, B], trees=50, features=1.0).fit(X, Y).predict_mean(X)
    assert 10.0 < means["b"][3, 0] <= 20.0
    assert np.allclose(means["a"][:, 0], [0, 0, 1, 1], atol=1e-6)


def test_shrinkage_keeps_log_loss_finite_and_lessens_it() -> None:
    chance = np.random.default_rng(3)
    X = chance.normal(size=(300, 4)).astype(np.float32)
    label = 1.0 * (X[:, :1] + 1.5 * chance.normal(size=(300, 1)) > 1.5)
    task = Task("a", Binary())
    losses = [task.kind.row_loss(ExtraTrees([task], trees=10, shrink=shrink).fit(X[:150], label[:150])
                                 .predict_mean(X[150:])["a"], label[150:]).mean() for shrink in (0.0, 1.0)]
    assert losses[1] < losses[0]


def test_many_rows_are_drawn_by_each_tree() -> None:
    chance = np.random.default_rng(0)
    X = chance.normal(size=(22_000, 2)).astype(np.float32)
    model = ExtraTrees([A], trees=5, features=1.0, leaf_rows=200).fit(X, X[:, :1])
    assert np.corrcoef(model.predict_mean(X)["a"][:, 0], X[:, 0])[0, 1] > 0.9


def test_the_rounds_are_chosen_on_training_rows_and_none_are_taken_on_noise() -> None:
    chance = np.random.default_rng(0)
    X = chance.normal(size=(200, 3)).astype(np.float32)
    means = BoostedTrees([A]).fit(X, chance.normal(size=(200, 1)) + 3).predict_mean(X)["a"]
    assert means.std() < 0.15


def test_pooled_trees_start_from_each_tasks_own_rate() -> None:
    chance = np.random.default_rng(0)
    X = chance.normal(size=(600, 2)).astype(np.float32)
    Y = 1.0 * (chance.random((600, 2)) < [0.1, 0.8])
    Y[::2, 0], Y[1::2, 1] = np.nan, np.nan
    means = PooledTrees([Task("a", Binary()), Task("b", Binary())]).fit(X, Y).predict_mean(X)
    assert abs(means["a"].mean() - 0.1) < 0.08
    assert abs(means["b"].mean() - 0.8) < 0.08


def test_a_joint_boosted_tree_learns_from_gaps_nothing() -> None:
    X, Y = numbers(rows=200)
    gaps = Y.copy()
    gaps[100:, 1] = np.nan
    other = gaps.copy()
    before = JointBoostedTrees([A, B], rounds=20).fit(X, gaps).predict_mean(X)["b"]
    other[100:, 1] = np.nan
    assert np.array_equal(before, JointBoostedTrees([A, B], rounds=20).fit(X, other).predict_mean(X)["b"])
    assert np.corrcoef(before[100:, 0], Y[100:, 1])[0, 1] > 0.5


def test_a_forest_file_whose_children_point_astray_is_refused(tmp_path: Path) -> None:
    from safetensors.numpy import load_file, save_file

    X, Y = numbers()
    JointRandomForest([A, B], trees=3).fit(X, Y).save(tmp_path)
    file = tmp_path / "forest_0.safetensors"
    good = load_file(file)
    for name, value in (("right", 0), ("right", 1), ("right", -2), ("right", 10_000_000), ("feature", 77),
                        ("threshold", np.nan), ("starts", 3)):
        arrays = {key: array.copy() for key, array in good.items()}
        arrays[name][0] = value
        save_file(arrays, file)
        with pytest.raises(FolderError):
            Estimator.load(tmp_path)
    for arrays in ({**good, "left": good["right"]}, {**good, "right": good["right"].astype(np.float64)},
                   {**good, "threshold": good["threshold"][:-1]}, {**good, "values": good["values"][:-1]},
                   {key: array for key, array in good.items() if key != "feature"}):
        save_file(arrays, file)
        with pytest.raises(FolderError):
            Estimator.load(tmp_path)


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_thresholds_of_single_precision_send_every_row_where_those_of_double_precision_do(gaps: float) -> None:
    chance = np.random.default_rng(0)
    X = np.hstack([chance.normal(size=(500, 3)), chance.integers(0, 4, (500, 2)), 1e-3 * chance.random((500, 1)) + 7])
    X = np.where(chance.random(X.shape) < gaps, np.nan, X).astype(np.float32)
    y = np.nan_to_num(X).sum(axis=1) + chance.normal(size=500)
    peer = ExtraTreesRegressor(20, max_features=0.6, random_state=0).fit(X, y)
    forest = valued(peer, X, Columns(y[:, None], np.ones(1), np.zeros(1), np.zeros(1)))
    assert forest.threshold.dtype == np.float32
    rows = [X, chance.normal(size=(500, 6)).astype(np.float32)]
    for feature in range(6):  # rows at the thresholds themselves, and one step to either side
        at = forest.threshold[(forest.right > 0) & (forest.feature == feature)]
        at = at[np.isfinite(at)][:300]
        for near in (at, np.nextafter(at, np.float32(np.inf)), np.nextafter(at, np.float32(-np.inf))):
            row = X[chance.integers(0, 500, len(near))]
            row[:, feature] = near
            rows.append(row)
    seen = np.concatenate(rows)
    for number, tree in enumerate(peer.estimators_):
        assert np.array_equal(forest.leaves(number, seen) - forest.starts[number], tree.tree_.apply(seen))


def test_a_threshold_is_rounded_down_to_single_precision() -> None:
    exact = np.array([0.1, -0.1, 1.0, 1 / 3, 1e-60, -1e-60, 3.0 + 1e-12])
    found = floor_single(exact)
    assert found.dtype == np.float32
    assert (found <= exact).all()
    assert (np.nextafter(found, np.float32(np.inf)) > exact).all()
    most = np.finfo(np.float32).max
    assert floor_single(np.array([np.inf, -np.inf, 1e39])).tolist() == [np.inf, -np.inf, most]


def test_a_forest_of_very_many_features_keeps_their_numbers() -> None:
    X = np.zeros((40, 70_000), dtype=np.float32)
    X[:, 69_999] = np.arange(40)
    model = ExtraTrees([A], trees=2, features=1.0).fit(X, 1.0 * (X[:, 69_999:] > 20.0))
    assert model.predict_mean(X)["a"][[0, 39], 0].round(3).tolist() == [0.0, 1.0]


# -- chains -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("chain", [Stacked, Chains])
def test_a_chain_of_one_task_is_its_base(chain: type) -> None:
    X, Y = numbers(targets=1)
    base = BoostedTrees([A], rounds=10)
    alone = clone(base).fit(X, Y).predict_mean(X)["a"]
    assert np.allclose(chain([A], base=base).fit(X, Y).predict_mean(X)["a"], alone, atol=1e-5)


@pytest.mark.parametrize("chain", [Stacked, Chains])
def test_a_chain_uses_what_another_task_is_predicted_to_be(chain: type) -> None:
    chance = np.random.default_rng(0)
    X = chance.normal(size=(400, 3)).astype(np.float32)
    first = np.sin(3 * X[:, :1]) * X[:, 1:2]
    Y = np.hstack([first + 0.05 * chance.normal(size=(400, 1)), 2 * first + 0.05 * chance.normal(size=(400, 1))])
    Y[30:300, 1] = np.nan  # b has 30 targets, but follows a
    options = {"orders": [[0, 1]]} if chain is Chains else {}
    base = ExtraTrees([A, B], trees=50)
    alone, chained = (model.fit(X[:300], Y[:300]).predict_mean(X[300:])["b"] - Y[300:, 1:]
                      for model in (clone(base), chain([A, B], base=base, **options)))
    assert np.square(chained).mean() < 0.8 * np.square(alone).mean()


def test_a_learned_order_puts_causes_first() -> None:
    chance = np.random.default_rng(0)
    cause = chance.normal(size=(300, 1))
    Z = np.hstack([cause + chance.normal(size=(300, 1)), chance.normal(size=(300, 1)), cause])
    tasks = [A, B, Task("c", Regression())]
    means = {"a": 0.0 * cause, "b": 0.0 * cause, "c": 0.95 * cause}
    assert learned_order(tasks, means, Z) == [2, 0, 1]

def test_boosting_on_a_small_part_of_a_table_keeps_the_heap_whole():
    """LightGBM's histograms by row wrote beyond their end here: an impossible split, or a process that died."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_870, 70)).astype(np.float32)
    X[:13_000, 36:] = 0
    X[:, 2], X[:, 0], X[:, 1] = (rng.random((3, 20_870)).T < [0.04, 0.27, 0.7]).T
    rows = np.sort(rng.permutation(np.arange(13_000, 20_870))[:984])
    X[np.ix_(rows, [2, 69])] = 0
    Y = np.full((len(X), 1), np.nan)
    Y[rows, 0] = rng.integers(0, 2, 984)
    model = BoostedTrees([Task("a", Regression())], "strong", rounds=300, learning_rate=0.12).fit(X, Y)
    assert np.square(model.predict(X[rows])["a"] - Y[rows, 0]).mean() < 0.2
