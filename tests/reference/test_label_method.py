"""Label methods as estimators of tasks: what they say is what the method itself says; kept without pickle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from sharewise.base import UnknownNameError, UsageError, catalogue
from sharewise.solve.labels import LabelMethod, MLkNN, methods_in_fits
from sharewise.solve.labels.classifier import LabelClassifier
from sharewise.solve.linear import Linear
from sharewise.solve.linear.design import Design
from sharewise.solve.trees import RandomForest
from sharewise.task import Binary, Multilabel, Regression, Task

CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=(120, 4)).astype(np.float32)
SCORE = X[:, [0, 1, 2, 0]] + 0.7 * X[:, [1, 2, 0, 3]] + 0.5 * CHANCE.normal(size=(120, 4))
Y = (SCORE > [0.0, 0.4, -0.4, 0.8]).astype(float)
TASKS = [Task("a", Binary()), Task("tags", Multilabel(("x", "y"))), Task("b", Binary())]
LINE = Linear(TASKS[:1], strength=1.0)
QUICK = {"ChainEnsemble": {"chains": 2}, "Propagated": {"folds": 2}, "ProbabilisticChain": {"paths": 4}}


@pytest.mark.parametrize("name", methods_in_fits())
def test_every_method_for_fits_learns_and_is_read_back_to_the_last_bit(name: str, tmp_path: Path) -> None:
    if name == "LabelPartition":
        pytest.importorskip("networkx")
    model = LabelMethod(TASKS, LINE, method=name, options=QUICK.get(name)).fit(X[:90], Y[:90])
    found = model.predict_mean(X)
    table = np.hstack([found[task.name] for task in TASKS])
    assert ((table[90:] > 0.5) == Y[90:]).mean() > 0.7
    model.save(tmp_path / "model")
    again = LabelMethod.load(tmp_path / "model")
    assert all(np.array_equal(mean, found[key]) for key, mean in again.predict_mean(X).items())
    assert again.parameter_count == model.parameter_count > 0


def test_over_a_forest_it_is_kept_too(tmp_path: Path) -> None:
    model = LabelMethod(TASKS, RandomForest(TASKS[:1], trees=5), method="RAkELo").fit(X, Y)
    model.save(tmp_path / "model")
    again = LabelMethod.load(tmp_path / "model").predict_mean(X)
    assert all(np.array_equal(mean, again[key]) for key, mean in model.predict_mean(X).items())


def test_it_is_the_method_itself_half_a_row_away_from_0_and_1() -> None:
    own = Design.fit(X)
    alone = MLkNN().fit(own.apply(X).astype(np.float32), Y.astype(int))
    found = LabelMethod(TASKS, LINE, method="MLkNN").fit(X, Y).predict_mean(X)
    table = np.hstack([found[task.name] for task in TASKS])
    wanted = alone.predict_proba(own.apply(X).astype(np.float32))
    assert table == pytest.approx(np.clip(wanted, 0.5 / 121, 1 - 0.5 / 121))


def test_a_label_that_was_never_on_may_still_come() -> None:
    never = Y.copy()
    never[:, 2] = 0.0
    found = LabelMethod(TASKS, LINE).fit(X, never).predict_mean(X)["tags"][:, 1]
    assert found == pytest.approx(0.5 / 121)


def test_rows_without_all_labels_are_left_out_and_other_tasks_learn_alone() -> None:
    tasks = [Task("price", Regression()), *TASKS]
    table = np.hstack([X[:, :1] * 3, Y])
    table[:30, 2] = np.nan
    model = LabelMethod(tasks, LINE, method="ClassifierChain").fit(X, table)
    labels = LabelMethod(TASKS, LINE, method="ClassifierChain").fit(X[30:], Y[30:]).predict_mean(X)
    price = clone(LINE).set_params(tasks=tasks[:1]).fit(X, table[:, :1]).predict_mean(X)["price"]
    found = model.predict_mean(X)
    assert found["price"] == pytest.approx(price)
    assert all(found[task.name] == pytest.approx(labels[task.name]) for task in TASKS)


def test_what_decides_label_by_label_shares_nothing() -> None:
    assert LabelMethod(TASKS, LINE).shares
    assert not LabelMethod(TASKS, LINE, method="MLkNN").shares
    assert not LabelMethod(TASKS[1:2], LINE).shares, "one task of two labels"
    assert not LabelMethod([TASKS[0], Task("price", Regression())], LINE).shares


def test_the_others_say_why_they_are_not_for_fits() -> None:
    for name, kind in catalogue.classes("solve.labels", LabelClassifier).items():
        if name not in methods_in_fits():
            with pytest.raises(UsageError, match=kind.not_in_fits[:20]):
                LabelMethod(TASKS, LINE, method=name)
    with pytest.raises(UnknownNameError, match="RAkELo"):
        LabelMethod(TASKS, LINE, method="RakelO")
    with pytest.raises(UnknownNameError):
        LabelMethod(TASKS, LINE, method="Linear")
