"""Whole numbers as grades or as codes: planted orders, codes in no order, and what must stay as it is."""

import numpy as np
import pandas as pd
import pytest

from sharewise.data import without_false_order
from sharewise.plan.prepare import Question, prepare
from sharewise.task import Count, Ordinal, Regression, Task

ROWS = np.arange(400)
CODES = np.random.default_rng(0).integers(0, 5, size=400)
SHUFFLED = np.array([0.0, 4.0, 1.0, 3.0, 2.0])  # where each code stands among the features
GRADES = Ordinal((1, 2, 3, 4, 5))


def features(places: np.ndarray, noise: float = 1.0) -> np.ndarray:
    """One feature that sees the places, and three that see nothing."""
    rng = np.random.default_rng(1)
    return np.hstack([places[:, None] + noise * rng.normal(size=(len(places), 1)), rng.normal(size=(len(places), 3))])


def kind_of(X: np.ndarray, codes: np.ndarray, kind: object = GRADES, **options: object) -> str:
    tasks, notes = without_false_order([Task("y", kind)], X, np.asarray(codes, float)[:, None],
                                       np.arange(len(X)), **options)
    assert bool(notes) == (tasks[0].kind != kind)
    return tasks[0].kind.name


@pytest.mark.parametrize("classes", [3, 4, 5, 8])
@pytest.mark.parametrize("noise", [0.3, 1.0, 3.0])
def test_grades_stay_grades_and_shuffled_codes_become_classes(classes: int, noise: float):
    rng = np.random.default_rng(classes)
    codes = rng.integers(0, classes, size=800)
    kind = Ordinal(tuple(range(classes)))
    assert kind_of(features(codes * 1.0, noise), codes, kind) == "ordinal"
    order = np.array([1, 0, 2]) if classes == 3 else (np.arange(classes) * 3) % classes if classes % 3 else None
    if order is not None and noise < 3:
        assert kind_of(features(order[codes] * 1.0, noise), codes, kind) == "multiclass"


def test_nothing_is_changed_where_nothing_can_be_said():
    assert kind_of(features(np.zeros(400)), CODES) == "ordinal"  # features that know nothing
    assert kind_of(features(SHUFFLED[CODES])[:90], CODES[:90]) == "ordinal"  # few rows
    assert kind_of(features(SHUFFLED[CODES])[:1], CODES[:1]) == "ordinal"
    assert kind_of(features(SHUFFLED[CODES]), np.where(ROWS < 90, CODES, np.nan)) == "ordinal"
    assert kind_of(features(SHUFFLED[CODES]), CODES, given={"y"}) == "ordinal"
    assert kind_of(features(SHUFFLED[CODES]), CODES, Ordinal(("a", "b", "c", "d", "e"))) == "ordinal"
    assert kind_of(features(SHUFFLED[CODES]), CODES, Regression()) == "regression"


def test_gaps_and_constant_features_do_no_harm():
    X = features(SHUFFLED[CODES])
    X[::7, 0], X[:, 2], X[:, 3] = np.nan, np.nan, 2.0
    assert kind_of(X, np.where(ROWS % 5 == 0, np.nan, CODES)) == "multiclass"


def test_short_counts_of_shuffled_codes_become_classes_and_rare_levels_keep_the_count():
    assert kind_of(features(SHUFFLED[CODES]), CODES, Count()) == "multiclass"
    assert kind_of(features(CODES * 1.0), CODES, Count()) == "count"
    assert kind_of(features(SHUFFLED[CODES]), np.where(ROWS == 0, 9, CODES), Count()) == "count"


def test_the_parts_of_a_long_column_are_of_one_kind():
    parts = [Task(f"y[{at}]", GRADES, ("y",), "", "shop", at) for at in range(4)]
    Y = np.where(ROWS[:, None] % 4 == np.arange(4), CODES[:, None] * 1.0, np.nan)
    tasks, notes = without_false_order(parts, features(SHUFFLED[CODES]), Y, ROWS)
    assert {task.kind.name for task in tasks} == {"multiclass"} and len(notes) == 1
    assert "no order" in tasks[0].reason


def test_a_table_gets_its_classes_and_is_told_how_to_say_otherwise():
    table = pd.DataFrame(features(SHUFFLED[CODES]), columns=list("abcd")).assign(y=CODES)
    prepared = prepare(table, Question(["y"]), None, [], False, 5, 0)
    assert prepared.tasks[0].kind.name == "multiclass"
    note, = (one for one in prepared.findings if one.code == "no-order")
    assert "--kind y=ordinal" in note.remedy
    assert prepare(table, Question(["y"]), {"y": "ordinal"}, [], False, 5, 0).tasks[0].kind.name == "ordinal"
