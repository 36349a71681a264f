"""Regression on what neighbours have: against scikit-learn's neighbours and our lines, gaps, and its place in a fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import NearestNeighbors

from sharewise.plan import Learner, load
from sharewise.plan.portfolio import Grove, candidates_for
from sharewise.solve.labels import NeighbourRegression
from sharewise.solve.linear import Linear
from sharewise.task import Binary, Multiclass, Multilabel, Regression, Task

A, B, C = Task("a", Binary()), Task("b", Binary()), Task("c", Multiclass(("x", "y", "z")))
CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=(70, 3)).astype(np.float32)
Y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0, np.digitize(X[:, 2], [-0.4, 0.4])]).astype(float)


def test_it_is_a_regression_on_the_shares_of_the_neighbours() -> None:
    scaled = ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32)
    near = NearestNeighbors(n_neighbors=5).fit(scaled)
    own = np.column_stack([Y[:, :2], Y[:, 2:] == np.arange(3)])
    counts = np.bincount(Y[:, 2].astype(int), minlength=3) + 1 / 3
    prior = np.concatenate([(Y[:, :2].sum(axis=0) + 0.5) / 71, counts / counts.sum()])

    def shares(asked: np.ndarray | None) -> np.ndarray:
        return ((own[near.kneighbors(asked, return_distance=False)].sum(axis=1) + prior) / 6).astype(np.float32)

    lines, model = Linear([A, B, C]).fit(shares(None), Y), NeighbourRegression([A, B, C], k=5).fit(X, Y)
    wanted, found = lines.predict_mean(shares(scaled[:9])), model.predict_mean(X[:9])
    assert all(found[name] == pytest.approx(wanted[name], abs=1e-5) for name in "abc")


def test_a_neighbour_counts_for_the_tasks_that_are_observed_in_it() -> None:
    gaps = Y.copy()
    gaps[::2, 0] = np.nan
    gaps[:10] = np.nan  # rows that carry nothing are nobody's neighbours
    without = NeighbourRegression([A, B, C]).fit(X[10:], gaps[10:]).predict_mean(X)
    found = NeighbourRegression([A, B, C]).fit(X, gaps).predict_mean(X)
    assert all(found[name] == pytest.approx(without[name]) for name in "abc")
    assert ((found["a"][:, 0] > 0.5) == Y[:, 0]).mean() > 0.8


def test_alone_a_task_is_told_from_its_own_shares(tmp_path: Path) -> None:
    model = NeighbourRegression([A, B, C], k=5, alone=True).fit(X, Y)
    assert not model.shares
    found = model.predict_mean(X[:9])
    for at, task in enumerate((A, B, C)):
        own = NeighbourRegression([task], k=5).fit(X, Y[:, [at]])
        assert found[task.name] == pytest.approx(own.predict_mean(X[:9])[task.name], abs=1e-6)
    model.save(tmp_path / "model")
    again = NeighbourRegression.load(tmp_path / "model").predict_mean(X[:9])
    assert all((again[name] == found[name]).all() for name in "abc")


def test_few_rows_have_few_neighbours() -> None:
    two = NeighbourRegression([A], k=10).fit(X[:2], np.array([[0.0], [1.0]])).predict_mean(X[:2])["a"]
    assert np.isfinite(two).all()
    assert NeighbourRegression([A], k=10).fit(X[:1], np.ones((1, 1))).predict_mean(X[:1])["a"].shape == (1, 1)


def names_of(tasks: list[Task], target: np.ndarray) -> list[str]:
    return [one.name for one in candidates_for(tasks, target, Grove.of(70, 3, 5)) if one.family == "labels"]


def test_it_competes_where_all_targets_are_labels() -> None:
    assert names_of([A, B], Y[:, :2]) == ["neighbour regression, separate", "neighbour regression, together"]
    assert names_of([A, B, Task("price", Regression())], Y) == []
    assert names_of([A, B, C], Y) == []
    assert names_of([Task("tags", Multilabel(("new", "big")))], Y[:, :2]) == ["neighbour regression, separate"]
    assert names_of([A], Y[:, :1]) == []


def test_a_fit_tries_it_on_yes_or_no_columns_and_on_a_column_of_sets(tmp_path: Path) -> None:
    chance = np.random.default_rng(0)
    place = chance.integers(4, size=160)  # which corner of a square: no line parts labels that lie across
    corner = np.column_stack([place % 2, place // 2]) + 0.1 * chance.normal(size=(160, 2))
    table = pd.DataFrame(corner, columns=["u", "v"])
    table["across"], table["left"] = np.isin(place, [0, 3]).astype(int), (place == 0).astype(int)
    options = {"families": ("linear", "labels"), "workers": 0, "folds": 3, "seed": 0}
    learner = Learner(**options).fit(table, targets=["across", "left"])
    assert "neighbour regression, together" in {one.name for one in learner.report_.candidates}
    means = learner.predict_means(table, which="chosen")
    assert ((means["across"][:, 0] > 0.5) == table["across"]).mean() > 0.95  # lines alone say the commoner for all
    learner.save(tmp_path / "model")
    again = load(tmp_path / "model").predict_means(table, which="chosen")
    assert all(np.array_equal(again[name], means[name]) for name in means)
    sets = table[["u", "v"]].assign(tags=["across;left" if one == 0 else "across" if one == 3 else "" for one in place])
    learner = Learner(**options, kinds={"tags": "multilabel"}).fit(sets, targets=["tags"])
    assert "neighbour regression, separate" in {one.name for one in learner.report_.candidates}
