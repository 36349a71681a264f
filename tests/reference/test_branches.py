"""The tree of a network that branches: planted nested groups, costs by their definition, and all trees tried."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform
from torch import nn

from sharewise import relate, share
from sharewise.base import UsageError
from sharewise.task import Regression, Task

NAMES = list("abcdefgh")
HALVES = [list("abcd"), list("efgh")]
PAIRS = [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]


def planted(noise: float = 0.05, seed: int = 0) -> np.ndarray:
    """Pairs that are near, in halves that are less near."""
    half, pair = np.repeat([0, 1], 4), np.repeat(range(4), 2)
    return (0.4 * (half[:, None] == half) + 0.5 * (pair[:, None] == pair)
            + noise * np.random.default_rng(seed).normal(size=(8, 8)))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("budget", "tree"), [
    (1.0, [[NAMES], [NAMES], [NAMES]]), (5 / 3, [[NAMES], HALVES, HALVES]), (7 / 3, [[NAMES], HALVES, PAIRS])])
def test_nested_groups_are_found_and_part_as_far_as_the_budget_reaches(budget, tree, seed):
    assert relate.branches(planted(seed=seed), NAMES, 3, budget) == tree


def test_a_network_is_built_of_what_is_found():
    tree = relate.branches(planted(), NAMES, 3, 7 / 3)
    model = share.Branching({name: share.MLP(2, [3, 3, 3]) for name in NAMES},
                            {name: nn.Linear(3, 1) for name in NAMES}, tree)
    stages = 9 + 2 * 12 + 4 * 12  # parameters of the stages that are left
    assert sum(p.numel() for p in model.parameters()) == stages + 8 * 4


def cost(affinity: np.ndarray, labels: np.ndarray) -> float:
    near = affinity + affinity.T
    np.fill_diagonal(near, -np.inf)
    distance = near.max() - near
    each = [distance[at][(labels == own) & (np.arange(len(labels)) != at)] for at, own in enumerate(labels)]
    return float(np.mean([others.mean() if len(others) else 0.0 for others in each]))


def labels_of(groups: list[list[str]], names: list[str]) -> np.ndarray:
    group = {name: at for at, members in enumerate(groups) for name in members}
    return np.array([group[name] for name in names])


@pytest.mark.parametrize("seed", range(6))
def test_no_other_cuts_within_the_budget_cost_less(seed):
    chance = np.random.default_rng(seed)
    count, stages = int(chance.integers(2, 6)), int(chance.integers(1, 4))
    affinity, names = chance.normal(size=(count, count)), NAMES[:count]
    np.fill_diagonal(affinity, 0.0)
    near = affinity + affinity.T
    distance = near.max() - near
    np.fill_diagonal(distance, 0.0)
    merged = linkage(squareform(distance, checks=False), "average")
    costs = [cost(affinity, fcluster(merged, k, "maxclust")) for k in range(1, count + 1)]
    for modules in range(stages, stages * count + 1):
        least = min(sum((s + 1) / stages * costs[k - 1] + 0.05 * costs[0] * k for s, k in enumerate(numbers))
                    for numbers in product(range(1, count + 1), repeat=stages)
                    if sum(numbers) <= modules and all(low <= high for low, high in pairwise(numbers)))
        tree = relate.branches(affinity, names, stages, modules / stages)
        assert sum(map(len, tree)) <= modules
        found = sum((s + 1) / stages * cost(affinity, labels_of(groups, names)) + 0.05 * costs[0] * len(groups)
                    for s, groups in enumerate(tree))
        assert found == pytest.approx(least, abs=1e-9)
        share.Branching({name: share.MLP(1, [1] * stages) for name in names},
                        {name: nn.Identity() for name in names}, tree)  # a tree it is


def test_groups_that_are_one_stay_one_however_large_the_budget():
    pair = np.repeat(range(4), 2)
    affinity = (pair[:, None] == pair) + 0.01 * np.random.default_rng(0).normal(size=(8, 8))
    assert relate.branches(affinity, NAMES, 3, 8.0) == [PAIRS, PAIRS, PAIRS]


def test_without_a_budget_it_is_half_as_much_again_as_one_network():
    assert relate.branches(planted(), NAMES, 4) == [[NAMES], [NAMES], HALVES, HALVES]
    assert relate.branches(np.eye(2), ["a", "b"], 2) == [[["a", "b"]], [["a", "b"]]]  # the nearest are at 0
    assert relate.branches(np.zeros((1, 1)), ["a"], 2) == [[["a"]], [["a"]]]


@pytest.mark.parametrize(("options", "message"), [
    ({"stages": 0}, "stages"), ({"budget": 0.5}, "budget is 0.5; it must be a number of at least 1"),
    ({"names": ["a"] * 8}, "twice"), ({"names": ["a"]}, "square for 1"), ({"names": []}, "names of tasks is empty"),
    ({"affinity": np.full((8, 8), np.nan)}, "finite")])
def test_what_gives_no_tree_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        relate.branches(**{"affinity": planted(), "names": NAMES, "stages": 2, **options})


@pytest.mark.parametrize("gaps", [0.0, 0.5])
def test_tasks_that_read_the_same_features_stay_together_whatever_their_sign(gaps):
    chance = np.random.default_rng(0)
    X, axes = chance.normal(size=(400, 20)), np.linalg.qr(chance.normal(size=(20, 6)))[0]
    near = axes[:, [0] * 4 + [1] * 4] + axes[:, [2, 2, 3, 3, 4, 4, 5, 5]]  # cosines 1 in pairs, 1/2 in halves
    Y = X @ near * [1, -1, 2, 1, 1, 5, -1, 1] + 0.5 * chance.normal(size=(400, 8))
    Y[chance.random(Y.shape) < gaps] = np.nan
    tasks = [Task(name, Regression()) for name in NAMES]
    assert relate.find_tree(X, Y, tasks, 3, 7 / 3) == [[NAMES], HALVES, PAIRS]
