"""Pooled trees among tasks of several kinds: who has no like learns as it does apart, to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from sharewise.plan.portfolio import Grove, candidates_for
from sharewise.plan.within_kinds import learning_alone
from sharewise.task import Binary, Multilabel, Regression, Task

TASKS = [Task("y[c]", Regression(), ("y",), "", "of", "c"), *(
    Task(f"y[{name}]", Binary((0, 1)), ("y",), "", "of", name) for name in "ab")]


@pytest.mark.parametrize("recipe", ["boosted trees, light", "extra trees, strong"])
def test_a_task_without_its_like_learns_as_apart(recipe):
    chance = np.random.default_rng(0)
    X, Y = chance.normal(size=(150, 3)), np.full((150, 3), np.nan)
    Y[:50, 0] = X[:50, 1] + chance.normal(size=50)
    Y[50:100, 1], Y[100:, 2] = X[50:100, 0] > 0, X[100:, 0] > 0
    found = {one.name: one for one in candidates_for(TASKS, Y, Grove.of(150, 3, 3))}
    pooled, apart = found[f"pooled {recipe}, together"], found[f"{recipe}, separate"]
    assert [group.learns for group in pooled.plan.groups] == [("y[a]", "y[b]"), ("y[c]",)]
    assert pooled.shares and [part.shares for part in pooled.parts] == [True, False]
    alone = pooled.parts[1].fit(X, Y[:, :1]).predict(X)["y[c]"]
    assert (alone == apart.parts[0].fit(X, Y).predict(X)["y[c]"]).all()


def test_who_learns_alone_in_every_candidate():
    found = candidates_for(TASKS, np.full((90, 3), 1.0), Grove.of(90, 3, 3))
    kept = [one for one in found if one.family in ("linear", "trees")]
    assert learning_alone(kept, TASKS) == {"y[c]"}
    assert learning_alone(found, TASKS) == set()  # networks share over kinds
    assert learning_alone([one for one in found if not one.shares], TASKS) == {task.name for task in TASKS}
    assert learning_alone([], [Task("tags", Multilabel(("a", "b")))]) == set()


def test_nothing_is_pooled_where_no_two_are_alike():
    found = candidates_for(TASKS[:2], np.full((60, 2), 1.0), Grove.of(60, 3, 3))
    assert not [one.name for one in found if "pooled" in one.name]
