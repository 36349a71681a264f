"""Networks that branch, over a table: every fold finds its own tree from its own rows, and keeps it in its folder."""

from __future__ import annotations

import numpy as np
import pytest

from sharewise.base.estimator import Estimator
from sharewise.task import Regression, Task
from sharewise.train import Architecture, Network
from sharewise.train.recipe import Recipe

TASKS = [Task(name, Regression()) for name in "abcd"]
FIRST, SECOND = ((0, 0, 0, 0), (0, 0, 1, 1)), ((0, 0, 0, 0), (0, 1, 0, 1))


def table(rows: int = 240) -> tuple[np.ndarray, np.ndarray]:
    """In the first half of the rows a goes with b and c with d, in the second a with c and b with d."""
    chance = np.random.default_rng(0)
    X = chance.normal(size=(rows, 4)).astype(np.float32)
    early = np.arange(rows)[:, None] < rows // 2
    Y = np.where(early, X[:, [0, 0, 1, 1]], X[:, [0, 1, 0, 1]]) * [1.0, -2.0, 3.0, 1.0]
    return X, Y + 0.05 * chance.normal(size=Y.shape)


def network(**options) -> Network:
    return Network(TASKS, **{"architecture": Architecture("Branching"), "steps": 6, "hidden": 8, **options})


def test_every_fold_finds_its_tree_in_its_own_rows():
    X, Y = table()
    train = np.stack([np.arange(240) < 120, np.arange(240) >= 120])
    copies = network().fit_folds(X, Y, train)
    assert [{net.tree for net in copy.nets_} for copy in copies] == [{FIRST}, {SECOND}]
    other = np.where(train[0][:, None], Y, -Y[::-1])  # what is held out of the first fold changes nothing in it
    again = network().fit_folds(X, other, train[:1])[0]
    once = network().fit_folds(X, Y, train[:1])[0]
    assert {net.tree for net in again.nets_} == {FIRST}
    assert all(net.model.structure() == "stage 0: a, b, c, d; stage 1: a, b | c, d" for net in once.nets_)


@pytest.mark.parametrize("options", [{"members": 2}, {"depth": 3}, {"sharing": [["a", "c"], ["b", "d"]]}])
def test_a_network_that_branches_comes_back_from_its_folder_to_the_bit(options, tmp_path):
    X, Y = table()
    fitted = network(**options).fit(X, Y)
    fitted.save(tmp_path)
    loaded = Estimator.load(tmp_path)
    assert [net.tree for net in loaded.nets_] == [net.tree for net in fitted.nets_]
    assert all(net.tree for net in loaded.nets_) and loaded.parameter_count == fitted.parameter_count
    for name, mean in fitted.predict_mean(X).items():
        assert np.array_equal(mean, loaded.predict_mean(X)[name])


def test_before_a_tree_is_found_two_branches_are_told():
    recipe = Recipe({name: [0.0] for name in "abcde"}, 3, 4, 3, 0.0, 0, 0)
    assert recipe.groups() == [[list("abcde")], [list("abc"), list("de")], [list("abc"), list("de")]]
    assert Architecture("Branching").build(recipe).tasks == tuple("abcde")
