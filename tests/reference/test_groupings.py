"""Groups that a fit tries by itself: found where both halves of the rows show them, anew in every fold."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sharewise.base.estimator import Estimator
from sharewise.plan import Grouped, Learner
from sharewise.plan.candidate import Candidate
from sharewise.plan.effort import Size, guess_seconds
from sharewise.plan.groupings import groupings
from sharewise.plan.portfolio import Grove, grouped_candidates
from sharewise.relate import FoundGroups, Hierarchical, RidgeCosine
from sharewise.solve.linear import MeanRegularized
from sharewise.task import Regression, Task


def opposed(seed: int = 0, size: int = 6, rows: int = 120, related: bool = True,
            long: bool = True) -> tuple[list[Task], np.ndarray, np.ndarray]:
    """Tasks whose coefficients are w and -w in turn, or that have nothing in common; a row is one task's, or all's."""
    chance = np.random.default_rng(seed)
    sign = np.where(np.arange(size) % 2 == 0, 1.0, -1.0)
    W = np.outer(chance.normal(size=20), sign) if related else np.linalg.qr(chance.normal(size=(20, size)))[0] * 20**0.5
    X = chance.normal(size=(rows, 20)).astype(np.float32)
    Y = X @ W + chance.normal(size=(rows, size)) * 2
    if long:
        Y[np.arange(rows)[:, None] % size != np.arange(size)] = np.nan
    return [Task(f"t{at}", Regression()) for at in range(size)], X, Y


def test_groups_that_both_halves_of_the_rows_show_are_tried():
    found = groupings(*opposed(), seed=0)
    rule, plan, agreement = found["2 groups"]
    assert [group.learns for group in plan.groups] == [("t0", "t2", "t4"), ("t1", "t3", "t5")]
    assert agreement > 0.7
    assert repr(rule) == "FoundGroups(RidgeCosine(), Hierarchical(count=2))"
    assert "groups by the spectrum" not in found, "the same groups are tried once"


def test_groups_of_tasks_that_have_nothing_in_common_are_not_tried():
    assert sum(len(groupings(*opposed(seed, rows=300, related=False), seed=0)) for seed in range(5)) <= 1
    assert groupings(*opposed(size=3), seed=0) == {}


@pytest.mark.parametrize("long", [True, False])
def test_candidates_of_found_groups_can_be_written_down_and_have_a_cost(long):
    tasks, X, Y = opposed(long=long)
    if long:
        tasks = [Task(f"y[{at}]", Regression(), ("y",), task_column="shop", task_value=at) for at in range(6)]
    found = grouped_candidates(tasks, X, Y, Grove.of(120, 20, 5), seed=0)
    names = [one.name for one in found if one.name.endswith(", 2 groups")]
    kind = "pooled" if long else "joint"
    assert names == [f"{name}, 2 groups" for name in (
        "mean-regularised linear", f"{kind} extra trees, light", f"{kind} extra trees, strong", "network, light",
        "network, strong")]
    assert [one.kin for one in found[:5]] == ["linear", "trees", "trees", "network", "network"]
    assert all(one.shares and guess_seconds(one, Size.of(X, Y, tasks)) > 0 for one in found)
    again = [Candidate.from_json(json.loads(json.dumps(one.to_json()))) for one in found]
    assert [one.to_json() for one in again] == [one.to_json() for one in found]


def test_an_estimator_a_group_is_that_estimator_on_the_tasks_of_the_group(tmp_path):
    tasks, X, Y = opposed()
    grouped = Grouped(tasks, MeanRegularized(tasks, 1.0, 1.0), FoundGroups(RidgeCosine(), Hierarchical(2))).fit(X, Y)
    assert grouped.groups_ == [["t0", "t2", "t4"], ["t1", "t3", "t5"]]
    grouped.save(tmp_path)
    again = Estimator.load(tmp_path)
    assert again.groups_ == grouped.groups_ and again.parameter_count == grouped.parameter_count
    for own in ([0, 2, 4], [1, 3, 5]):
        rows = ~np.isnan(Y[:, own]).all(axis=1)
        alone = MeanRegularized([tasks[at] for at in own], 1.0, 1.0).fit(X[rows], Y[rows][:, own])
        for name, mean in alone.predict_mean(X).items():
            np.testing.assert_allclose(grouped.predict_mean(X)[name], mean, rtol=1e-6, atol=1e-6)
            np.testing.assert_array_equal(again.predict_mean(X)[name], grouped.predict_mean(X)[name])


def test_every_fold_finds_its_groups_without_the_rows_that_judge_it():
    tasks, X, Y = opposed(long=False)
    train = np.arange(len(X))[None] % 3 != np.arange(3)[:, None]
    Y[~train[0], 0] *= -1  # those who learn from these rows no longer see which side t0 is on
    rule = FoundGroups(RidgeCosine(), Hierarchical(2))
    copies = Grouped(tasks, MeanRegularized(tasks, 1.0, 1.0), rule).fit_folds(X, Y, train)
    assert [copy.groups_ for copy in copies] == [rule.find(X[rows], Y[rows], tasks) for rows in train]
    assert copies[0].groups_ == [["t0", "t2", "t4"], ["t1", "t3", "t5"]]
    other = Y.copy()
    other[~train[0]] = np.nan
    ours, theirs = copies[0].predict_mean(X), Grouped(tasks, MeanRegularized(tasks, 1.0, 1.0), rule).fit_folds(
        X, other, train[:1])[0].predict_mean(X)
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_a_group_without_any_row_predicts_the_default():
    tasks, X, Y = opposed()
    Y[:, [0, 2, 4]] = np.nan
    model = Grouped(tasks, MeanRegularized(tasks, 1.0, 1.0), FoundGroups(RidgeCosine(), Hierarchical(2))).fit(X, Y)
    assert all(np.isfinite(mean).all() for mean in model.predict_mean(X).values())


def test_a_fit_finds_two_opposed_groups_and_serves_each_from_its_own():
    import pandas as pd

    _, X, Y = opposed(size=8, rows=160)
    table = pd.DataFrame(X, columns=[f"x{at}" for at in range(20)]).assign(
        y=np.nanmax(Y, axis=1), shop=[f"s{at % 8}" for at in range(160)])
    learner = Learner(families=("linear",), kinds={"y": "regression"}, workers=0, folds=3).fit(
        table, targets=["y"], task_column="shop")
    shared = [group.learns for group in learner.plan_.groups if len(group.learns) > 1]
    even, odd = ({f"y[s{at}]" for at in range(first, 8, 2)} for first in (0, 1))
    assert shared and all(set(learns) <= even or set(learns) <= odd for learns in shared)
    assert any("2 groups" in one.name for one in learner.report_.candidates)
