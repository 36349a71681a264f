"""Linear models on folds: each fold's strength is the one that was best on the other folds' held-out rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss

from sharewise.base.estimator import Estimator
from sharewise.solve.linear import Linear, MeanRegularized, lessons, line_fit
from sharewise.solve.linear.basis import Basis
from sharewise.solve.linear.lessons import Lesson
from sharewise.solve.linear.mean_search import STRENGTHS
from sharewise.solve.linear.penalties import Together
from sharewise.solve.linear.problems import Scalar
from sharewise.solve.linear.ridge import leave_one_out, ridge
from sharewise.solve.linear.strength import PATH, every_other, pick
from sharewise.task import Binary, Count, Multiclass, Multilabel, Ordinal, Regression, Task

KINDS = [Task("number", Regression()), Task("count", Count()), Task("flag", Binary()),
         Task("grade", Ordinal((0, 1, 2))), Task("sort", Multiclass((0, 1, 2))), Task("tags", Multilabel(("x", "y")))]
NUMERIC: list[tuple[type[Estimator], dict[str, Any]]] = [(Linear, {"strength": 2.0}),
                                                         (MeanRegularized, {"strength": 2.0, "similarity": 3.0})]


def three_folds(rows: int) -> np.ndarray:
    """Row i is held out of fold i modulo 3."""
    return np.arange(rows) % 3 != np.arange(3)[:, None]


def every_kind(rows: int = 90) -> tuple[np.ndarray, np.ndarray]:
    """Features, and a target column of each kind that depends on them."""
    chance = np.random.default_rng(0)
    X = chance.normal(size=(rows, 4)).astype(np.float32)
    scores = X @ chance.normal(size=(4, 7)) + 0.5 * chance.normal(size=(rows, 7))
    return X, np.stack([scores[:, 0], chance.poisson(np.exp(0.4 * scores[:, 1])), scores[:, 2] > 0,
                        np.digitize(scores[:, 3], [-0.5, 0.5]), np.digitize(scores[:, 4], [-0.5, 0.5]),
                        scores[:, 5] > 0, scores[:, 6] > 0.5], axis=1).astype(float)


def standardised(X: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """X by the moments of some rows."""
    return (X.astype(float) - X[rows].mean(axis=0, dtype=float)) / X[rows].std(axis=0, dtype=float)


def best_of_others(losses: np.ndarray) -> list[int]:
    """For each fold (column) the step (row) at which the other folds lost least."""
    return [int(np.argmin(np.delete(losses, fold, axis=1).sum(axis=1))) for fold in range(losses.shape[1])]


@pytest.mark.parametrize("strength", ["auto", 2.0])
def test_tasks_without_their_like_are_learned_apart_to_the_bit(strength: float | str) -> None:
    X, Y = every_kind()
    Y[:30, 3] = np.nan
    train = three_folds(len(X))
    for folds in (None, train):
        apart, shared = (model.fit_folds(X, Y, folds) if folds is not None else [model.fit(X, Y)]
                         for model in (Linear(KINDS, strength=strength), MeanRegularized(KINDS, strength=strength)))
        for one, other in zip(apart, shared, strict=True):
            means = one.predict_mean(X), other.predict_mean(X)
            assert all(np.array_equal(means[0][task.name], means[1][task.name]) for task in KINDS)


# -- the choice -------------------------------------------------------------------------------------------------------
def test_a_logistic_fold_takes_the_strength_that_was_best_on_the_other_folds() -> None:
    chance = np.random.default_rng(1)
    X = chance.normal(size=(120, 8)).astype(np.float32)
    y = 1.0 * (X @ chance.normal(size=8) + 2.0 * chance.logistic(size=120) > 0)
    train = three_folds(120)

    def peer(fold: int, step: float) -> np.ndarray:
        A, own = standardised(X, train[fold]), train[fold]
        model = LogisticRegression(C=1.0 / (step * own.sum()), tol=1e-10, max_iter=5000).fit(A[own], y[own])
        return model.predict_proba(A)[:, 1]
    losses = np.array([[log_loss(y[~own], peer(fold, step)[~own], normalize=False)
                        for fold, own in enumerate(train)] for step in PATH])
    steps = best_of_others(losses)
    assert len(set(steps)) > 1, "the folds must differ, or the test says little"
    for fold, model in enumerate(Linear([Task("a", Binary())]).fit_folds(X, y[:, None], train)):
        assert np.allclose(model.predict_mean(X)["a"][:, 0], peer(fold, PATH[steps[fold]]), atol=1e-4)


def test_a_mean_regularised_fold_takes_the_strength_that_was_best_on_the_other_folds() -> None:
    chance = np.random.default_rng(3)
    X = chance.normal(size=(90, 20)).astype(np.float32)
    Y = X @ (chance.normal(size=(20, 1)) + chance.normal(size=(20, 2))) + 4.0 * chance.normal(size=(90, 2))
    train, similarity = three_folds(90), 2.0

    def peer(fold: int, step: float) -> np.ndarray:
        A, own = standardised(X, train[fold]), train[fold]
        Z = (Y - Y[own].mean(axis=0)) / Y[own].std(axis=0)
        apart = step * own.sum() * (1.0 + similarity)
        split = [np.hstack([A * np.sqrt(similarity / apart), *(A * (t == one) / np.sqrt(apart) for one in (0, 1))])
                 for t in (0, 1)]  # one ridge over common and own weights, scaled to a penalty of 1
        model = Ridge(1.0, fit_intercept=False).fit(np.vstack([part[own] for part in split]), Z[own].T.ravel())
        return np.stack([Z, np.stack([model.predict(part) for part in split], axis=1)])  # truth and prediction
    losses = np.array([[np.square(np.diff(peer(fold, step)[:, ~own], axis=0)).sum()
                        for fold, own in enumerate(train)] for step in STRENGTHS])
    steps = best_of_others(losses)
    models = MeanRegularized([Task("a", Regression()), Task("b", Regression())], similarity=similarity).fit_folds(
        X, Y, train)
    assert len(set(steps)) > 1, "the folds must differ, or the test says little"
    for fold, (model, own) in enumerate(zip(models, train, strict=True)):
        ours = (np.hstack(list(model.predict_mean(X).values())) - Y[own].mean(axis=0)) / Y[own].std(axis=0)
        assert np.allclose(ours, peer(fold, STRENGTHS[steps[fold]])[1], atol=1e-4)


def test_a_folds_own_held_out_losses_do_not_matter_to_its_choice() -> None:
    """What can be promised: the rows that judge fold k at last have no voice in its choice. They are training rows of
    the other folds, whose models they shape, and so they still move the choice through those."""
    losses = np.random.default_rng(0).random((9, 4))
    for fold in range(4):
        other = losses.copy()
        other[:, fold] = 100.0 * np.random.default_rng(fold).random(9)
        assert pick(list(losses), every_other(4))[fold] == pick(list(other), every_other(4))[fold]


def test_a_walk_ends_when_the_loss_has_grown_twice() -> None:
    losses = [np.array([value]) for value in (5.0, 4.0, 4.5, 5.0, 0.0)]
    assert pick(losses, np.ones((1, 1), dtype=bool)).tolist() == [1]


@pytest.mark.parametrize("model", [Linear, MeanRegularized])
def test_without_other_folds_inner_ones_choose(model: Any) -> None:
    X, Y = every_kind()
    train = three_folds(len(X))[:1]
    ours, alone = model(KINDS).fit_folds(X, Y, train)[0], model(KINDS).fit(X[train[0]], Y[train[0]])
    for name, mean in ours.predict_mean(X).items():
        assert np.allclose(mean, alone.predict_mean(X)[name], atol=1e-5)


# -- the models -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("model", "options"), NUMERIC)
def test_with_numbers_a_fold_is_a_fit_on_its_rows(model: Any, options: dict[str, float]) -> None:
    X, Y = every_kind()
    train = three_folds(len(X))
    for copy, rows in zip(model(KINDS, **options).fit_folds(X, Y, train), train, strict=True):
        alone = model(KINDS, **options).fit(X[rows], Y[rows]).predict_mean(X)
        assert all(np.allclose(mean, alone[name], atol=1e-6) for name, mean in copy.predict_mean(X).items())


@pytest.mark.parametrize(("model", "options"), NUMERIC)
def test_with_numbers_held_out_targets_change_nothing(model: Any, options: dict[str, float]) -> None:
    X, Y = every_kind()
    train = three_folds(len(X))
    other = Y.copy()
    other[~train[1]] = np.roll(other[~train[1]], 5, axis=0)
    before, after = (model(KINDS, **options).fit_folds(X, targets, train)[1].predict_mean(X) for targets in (Y, other))
    assert all(np.array_equal(mean, after[name]) for name, mean in before.items())


def constant(Y: np.ndarray, own: np.ndarray) -> None:
    Y[own] = Y[own][0]


def without_the_last_class(Y: np.ndarray, own: np.ndarray) -> None:
    Y[np.ix_(own, [3, 4])] = np.minimum(Y[np.ix_(own, [3, 4])], 1)


def unobserved(Y: np.ndarray, own: np.ndarray) -> None:
    Y[own] = np.nan


def unobserved_where_held_out(Y: np.ndarray, own: np.ndarray) -> None:
    Y[~own] = np.nan


@pytest.mark.parametrize("harm", [constant, without_the_last_class, unobserved, unobserved_where_held_out])
@pytest.mark.parametrize("model", [Linear, MeanRegularized])
def test_a_fold_may_lack_what_there_is_to_learn(model: Any, harm: Any) -> None:
    X, Y = every_kind()
    train = three_folds(len(X))
    harm(Y, train[1])
    for copy in model(KINDS).fit_folds(X, Y, train):
        assert all(np.isfinite(mean).all() for mean in copy.predict_mean(X).values())


def test_the_penalty_of_the_mean_is_undone_by_its_solve() -> None:
    chance = np.random.default_rng(0)
    penalty, W, curves = Together([[0, 2], [1, 3, 4]], 0.5, 2.0), chance.normal(size=(3, 5)), chance.random((3, 5))
    assert np.allclose(penalty.solve(curves, curves * W + penalty.pull(W)), W)


# -- gaps: one basis with gaps in the place of a basis for each set of rows -------------------------------------------
def with_gaps(Y: np.ndarray, share: float = 0.3) -> np.ndarray:
    """Each column with its own gaps."""
    return np.where(np.random.default_rng(7).random(Y.shape) < share, np.nan, Y)


def test_bases_are_shared_where_their_own_would_hold_more_than_twice_the_rows_and_gaps_are_few() -> None:
    def bases(share: float, columns: int) -> int:
        return len(line_fit.together(~np.isnan(with_gaps(np.zeros((400, columns)), share))))
    assert (bases(0.2, 2), bases(0.2, 5), bases(0.9, 40)) == (2, 1, 40)


def check_same(ours: Estimator, peer: Estimator, X: np.ndarray) -> None:
    """The same answers, as far as either one's search for the minimum went."""
    for name, mean in ours.predict_mean(X).items():
        assert np.allclose(mean, peer.predict_mean(X)[name], atol=5e-6), name


@pytest.mark.parametrize("features", [4, 150])
def test_lines_of_one_basis_are_those_of_a_basis_each(features: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X, Y = every_kind()
    X = np.hstack([X, np.random.default_rng(2).normal(size=(len(X), features - 4))]).astype(np.float32)
    Y = with_gaps(Y)
    together = Linear(KINDS, strength=2.0).fit(X, Y)
    monkeypatch.setattr(line_fit, "MOST_COPIES", np.inf)
    check_same(together, Linear(KINDS, strength=2.0).fit(X, Y), X)


@pytest.mark.parametrize("count", [1, 3])
def test_strengths_on_one_basis_are_those_on_a_basis_each(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    X, Y = every_kind(150)
    Y, train = with_gaps(Y), three_folds(150)[:count]
    together = Linear(KINDS).fit_folds(X, Y, train)
    monkeypatch.setattr(line_fit, "MOST_COPIES", np.inf)
    for ours, peer in zip(together, Linear(KINDS).fit_folds(X, Y, train), strict=True):
        check_same(ours, peer, X)


@pytest.mark.parametrize("share", [0.1, 0.6, 0.95])
def test_squares_with_gaps_are_ridge_of_scikit_learn_on_the_observed_rows(share: float) -> None:
    chance = np.random.default_rng(4)
    A = chance.normal(size=(200, 12))
    Y = with_gaps(A @ chance.normal(size=(12, 3)) + 2.0 + chance.normal(size=(200, 3)), share)
    basis = Basis.of(A)
    weights, intercepts = basis.weights(*ridge(basis, Y, 3.0, seed=0))
    for column, y in enumerate(Y.T):
        seen = ~np.isnan(y)
        peer = Ridge(3.0).fit(A[seen], y[seen])
        assert np.allclose(weights[:, column], peer.coef_, atol=1e-8)
        assert np.isclose(intercepts[column], peer.intercept_, atol=1e-8)


# -- very many rows: some are drawn for the choice --------------------------------------------------------------------
def test_leaving_out_drawn_rows_is_their_part_of_leaving_out_all() -> None:
    chance = np.random.default_rng(5)
    A, y = chance.normal(size=(40, 3)), chance.normal(size=(40, 1))
    basis, centred = Basis.of(A), y - y.mean()
    c = basis.scores.T @ centred
    parts = [leave_one_out(basis._replace(scores=basis.scores[rows]), centred[rows], c, 2.0, count=40)
             for rows in (np.arange(15), np.arange(15, 40))]
    assert np.allclose(sum(parts), leave_one_out(basis, centred, c, 2.0))


def test_a_strength_that_was_found_on_drawn_rows_is_not_made_heavier_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The best penalty of a sum of losses hangs on noise and signal, not on how many rows there are."""
    X, Y = every_kind(300)
    own = three_folds(300)
    basis = [Basis.of(X[rows].astype(float)) for rows in own]
    flags = with_gaps(Y[:, [2, 5]])
    folds = [Lesson(one, flags[rows], (X[~rows] - one.centre) @ one.axes, flags[~rows])
             for one, rows in zip(basis, own, strict=True)]
    monkeypatch.setattr(lessons, "MOST_ROWS", 40)
    for fold, (strengths, _) in zip(folds, lessons.beginnings(Scalar("logistic"), folds, "auto", 0), strict=True):
        sizes = fold.draw(0).sizes
        assert np.all(np.abs(sizes - 40) < 12), "about as many targets as are asked for, whatever the gaps"
        assert all(np.isclose(np.array(PATH) * size, one).any() for one, size in zip(strengths, sizes, strict=True))
