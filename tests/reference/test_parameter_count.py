"""The number of parameters, beside the same counted from what each library says of its model."""

from __future__ import annotations

import json

import numpy as np
import pytest

from sharewise.solve.chain import Stacked
from sharewise.solve.linear import Linear, Trivial
from sharewise.solve.trees import BoostedTrees, ExtraTrees, JointBoostedTrees, JointExtraTrees
from sharewise.task import Binary, Multiclass, Regression, Task
from sharewise.train import Network

TASKS = [Task("price", Regression()), Task("colour", Multiclass((0, 1, 2)))]


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(120, 4)).astype(np.float32)
    return X, np.stack([X[:, 0] + 0.1 * rng.normal(size=120), np.digitize(X[:, 1], [-0.5, 0.5])], axis=1)


def test_lines_have_a_weight_a_feature_and_an_intercept_for_each_score(data):
    assert Linear(TASKS, strength=1.0).fit(*data).parameter_count == (4 + 1) * (1 + 3)


def test_the_trivial_prediction_has_a_mean_or_the_class_shares(data):
    assert Trivial(TASKS).fit(*data).parameter_count == 1 + 3


def test_stacked_lines_are_all_counted(data):
    tasks = [Task("price", Regression()), Task("high", Binary((0, 1)))]
    X, Y = data
    model = Stacked(tasks, base=Linear(tasks, strength=1.0), folds=3).fit(X, np.minimum(Y, [9, 1]))
    assert model.parameter_count == 3 * 2 * (4 + 1) + 2 * (5 + 1)


@pytest.mark.parametrize("kind", [ExtraTrees, JointExtraTrees])
def test_a_forest_has_a_threshold_a_split_and_the_values_of_its_leaves(data, kind):
    model = kind(TASKS, trees=5).fit(*data)
    leaves = [len(forest.values) for forest in model._forests]
    splits = [count - len(forest.trees) for count, forest in zip(leaves, model._forests, strict=True)]
    outputs = [4] if kind is JointExtraTrees else [1, 3]
    assert model.parameter_count == sum(splits) + sum(a * b for a, b in zip(leaves, outputs, strict=True))


def test_boosted_trees_are_counted_as_lightgbm_tells_them(data):
    model = BoostedTrees(TASKS, rounds=6).fit(*data)
    leaves = [tree["num_leaves"] for piece in model._pieces for tree in piece.model.dump_model()["tree_info"]]
    assert len(leaves) == 6 + 3 * 6
    assert model.parameter_count == sum(leaves) + sum(leaf - 1 for leaf in leaves) + 1 + 3


def test_joint_boosted_trees_are_counted_as_xgboost_dumps_them(data):
    model = JointBoostedTrees(TASKS, rounds=6).fit(*data)
    state = json.loads(bytes(model._model.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    splits = sum(int(tree["tree_param"]["num_nodes"]) // 2 for tree in state)
    assert model.parameter_count == splits + 4 * (splits + len(state)) + 4


def test_a_network_counts_weights_and_biases(data):
    model = Network(TASKS, hidden=8, steps=20, depth=2, embedding=0, members=1).fit(*data)
    inputs = model.nets_[0].layers[0][0].shape[0]
    trunk = (inputs + 1) * 8 + (8 + 1) * 8
    assert model.parameter_count == trunk * len(model.nets_) + (8 + 1) * (1 + 3)
