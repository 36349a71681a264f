"""Networks of groups: one bundle for all of them, and groups that each fold finds from its own rows."""

from __future__ import annotations

import numpy as np
import pytest

from sharewise.base import UsageError
from sharewise.base.estimator import Estimator
from sharewise.relate import FoundGroups, GradientCosine, Hierarchical, RidgeCosine, Spectral
from sharewise.task import Binary, Multiclass, Regression, Task
from sharewise.train import Network
from sharewise.train.seats import take_seats

NAMES = list("abcdef")
OPTIONS = {"steps": 25, "hidden": 16, "dropout": 0.0}


def two_groups(rows: int = 120) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, six targets (a, b, c, d of one feature, e and f of another), and three folds."""
    chance = np.random.default_rng(0)
    X = chance.normal(size=(rows, 4)).astype(np.float32)
    Y = X[:, [0, 0, 0, 0, 1, 1]] * [1.0, 2.0, 3.0, -4.0, 1.0, 5.0] + 0.1 * chance.normal(size=(rows, 6))
    Y[:, 1] = Y[:, 1] > 0
    return X, Y, np.arange(rows)[None] % 3 != np.arange(3)[:, None]


def six_tasks() -> list[Task]:
    return [Task(name, Binary() if name == "b" else Regression()) for name in NAMES]


def test_slots_are_as_many_of_each_shape_as_the_largest_group_needs():
    tasks = [Task("n", Regression()), Task("m", Regression()), Task("y", Binary()), Task("z", Multiclass(("p", "q")))]
    first, second = take_seats([(0, 1), (2, 0)], tasks)
    assert first == ((0, True), (1, True), (2, False))
    assert second == ((0, True), (1, False), (2, True))
    assert take_seats([(3, 1), (3, 1)], tasks) == [((3, True), (1, True))] * 2


def test_groups_in_one_bundle_learn_what_each_would_learn_alone():
    X, Y, train = two_groups()
    groups = [["a", "b", "c"], ["d"], ["e", "f"]]
    ours = Network(six_tasks(), groups, **OPTIONS).fit_folds(X, Y, train)
    for group in groups:
        own = [NAMES.index(name) for name in group]
        alone = Network([six_tasks()[at] for at in own], **OPTIONS).fit_folds(X, Y[:, own], train)
        for one, other in zip(ours, alone, strict=True):
            for name, mean in other.predict_mean(X).items():
                np.testing.assert_allclose(one.predict_mean(X)[name], mean, rtol=1e-3, atol=1e-3)


def test_found_groups_are_those_of_the_rows_that_are_learned(tmp_path):
    X, Y, train = two_groups()
    rule = FoundGroups(RidgeCosine(), Hierarchical(3))
    assert rule.find(X, Y, six_tasks()) == [["a", "b", "c"], ["d"], ["e", "f"]]
    found = Network(six_tasks(), rule, **OPTIONS)
    given = Network(six_tasks(), rule.find(X[train[0]], Y[train[0]], six_tasks()), **OPTIONS)
    ours, theirs = (network.fit_folds(X, Y, train[:1])[0] for network in (found, given))
    ours.save(tmp_path)
    again = Estimator.load(tmp_path)
    for name, mean in theirs.predict_mean(X).items():
        np.testing.assert_array_equal(ours.predict_mean(X)[name], mean)
        np.testing.assert_array_equal(again.predict_mean(X)[name], mean)


def test_held_out_rows_have_no_say_in_the_groups_of_their_fold():
    X, Y, train = two_groups()
    other = Y.copy()
    other[~train[0], 4:] = 9 * X[~train[0], :1]  # as if e and f belonged to the first group
    network = Network(six_tasks(), FoundGroups(RidgeCosine(), Hierarchical(2)), **OPTIONS)
    ours, theirs = (network.fit_folds(X, targets, train[:1])[0].predict_mean(X) for targets in (Y, other))
    assert all(np.array_equal(ours[name], theirs[name]) for name in NAMES)


def test_folds_that_find_different_groups_still_tell_each_other_when_to_stop():
    X, Y, train = two_groups()
    Y[~train[0], 3] = 4 * X[~train[0], 1]  # the folds that learn from these rows put d elsewhere
    rule = FoundGroups(RidgeCosine(), Hierarchical(2))
    found = [tuple(map(tuple, rule.find(X[rows], Y[rows], six_tasks()))) for rows in train]
    assert len(set(found)) > 1
    copies = Network(six_tasks(), rule, **OPTIONS).fit_folds(X, Y, train)
    for copy, rows in zip(copies, train, strict=True):
        assert all(np.isfinite(mean).all() for mean in copy.predict_mean(X[~rows]).values())
        assert sorted(at for net in copy.nets_ for at in net.answers) == list(range(6))


def test_a_guess_of_the_groups_is_what_a_cost_is_told_from():
    rule = FoundGroups(RidgeCosine(), Hierarchical(2))
    assert rule.guess(NAMES) == [["a", "c", "e"], ["b", "d", "f"]]
    assert len(FoundGroups(RidgeCosine(), Spectral()).guess(NAMES)) == 3
    found, given = (Network(six_tasks(), sharing).cost(100, 4) for sharing in (rule, rule.guess(NAMES)))
    assert found == given
    assert Network(six_tasks()[:1], rule).shares is False


def test_an_affinity_that_a_table_can_not_feed_is_refused():
    with pytest.raises(UsageError, match="GradientCosine"):
        FoundGroups(GradientCosine(), Hierarchical(2))
