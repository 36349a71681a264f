"""The kind of a target: table-driven, what a reader of the column would say."""

import numpy as np
import pandas as pd
import pytest

from sharewise.base import DataError
from sharewise.data import infer_tasks, parse_kind
from sharewise.task import Binary, Count, Multiclass, Multilabel, Ordinal, Regression, Task

RNG = np.random.default_rng(0)
CASES = {
    "fractions": (RNG.normal(size=60), Regression(), "60 distinct numbers with fractions"),
    "many whole numbers": (RNG.permutation(np.arange(18, 90)), Regression(), "72 distinct whole numbers from 18 to 89"),
    "large counts are numbers": (RNG.poisson(500, 300), Regression(), "whole numbers from"),
    "money with zeros": (np.where(RNG.random(300) < 0.9, 0, RNG.integers(2000, 9999, 300)), Regression(),
                         "whole numbers"),
    "counts": (RNG.poisson(3, 400), Count(), "whole numbers from 0 to"),
    "counts with a long tail": (np.floor(RNG.exponential(6, 400)), Count(), "with 0 and a tail to the right"),
    "0 and 1": ([0, 1, 1, None], Binary((0, 1)), "1 is positive"),
    "two measures, one of them rare": ([5.0] * 60 + [8.1], Regression(), "2 distinct numbers with fractions"),
    "two doses": ([0.5, 1.0] * 10, Binary((0.5, 1)), "1 is positive"),
    "1 and 2": ([1, 2, 2, None], Binary((1, 2)), "2 is positive: the higher"),
    "minus and plus": ([-1, 1, 1], Binary((-1, 1)), "1 is positive"),
    "booleans": ([True, False, True], Binary((False, True)), "True is positive"),
    "booleans with gaps": ([True, None, False], Binary((False, True)), "True is positive"),
    "yes and no": (["yes", "no", None, "no"], Binary(("no", "yes")), "'yes' is positive"),
    "Y and N": (["Y", "N", "Y"], Binary(("N", "Y")), "'Y' is positive"),
    "neg and pos": (["pos", "neg", "neg"], Binary(("neg", "pos")), "'pos' is positive"),
    "absent and found": (["absent", "found"] * 2, Binary(("absent", "found")), "'found' is positive"),
    "low and high": (["high", "low"] * 2, Binary(("low", "high")), "'high' is positive: the higher"),
    "words without an order": (["M", "F"] * 2, Binary(("F", "M")), "the last in the alphabet"),
    "classes": (["red", "blue", "green"] * 2, Multiclass(("blue", "green", "red")), "3 classes (blue, green, red)"),
    "codes far apart": ([11, 25, 47] * 9, Multiclass((11, 25, 47)), "far apart"),
    "grades": ([1, 2, 3, 4, 5] * 9, Ordinal((1, 2, 3, 4, 5)), "5 whole numbers from 1 to 5 in 45 rows: grades"),
    "abundance with steps left out": ([0, 1, 3, 5] * 9, Ordinal((0, 1, 3, 5)), "4 whole numbers from 0 to 5"),
    "grades with gaps": ([1, 2, 3, None] * 9, Ordinal((1, 2, 3)), "grades"),
    "few rows of whole numbers": ([1, 2, 3, 7], Regression(), "4 distinct whole numbers"),
    "words of a scale": (["Good", "Poor", "Vgood", "Fair"] * 2, Ordinal(("Poor", "Fair", "Good", "Vgood")),
                         "words in an order (Poor < Fair < Good < Vgood)"),
    "low, mid, high": (["mid", "low", "high"] * 2, Ordinal(("low", "mid", "high")), "words in an order"),
    "how often": (["never", "often", "sometimes"] * 2, Ordinal(("never", "sometimes", "often")), "words in an order"),
    "none to most": (["None", "Most", "Several"] * 2, Ordinal(("None", "Several", "Most")), "words in an order"),
    "ranges": (["0-9", "10-19", "60+"] * 2, Ordinal(("0-9", "10-19", "60+")), "words in an order"),
    "an ordered category": (pd.Categorical(["b", "a", "c"] * 2, ["b", "a", "c"], ordered=True),
                            Ordinal(("b", "a", "c")), "an ordered category (b < a < c)"),
    "a category of numbers": (pd.Categorical([3, 1, 2] * 2), Multiclass((1, 2, 3)), "3 classes"),
    "numbers as text": (["1.5", " 2.5", "", "4"], Regression(), "numbers written as text; 3 distinct numbers"),
    "codes as text": (["1", "2", "3"] * 9, Ordinal(("1", "2", "3")), "numbers written as text; 3 whole numbers"),
    "sets with a semicolon": (["a;b", "b", "c;a", "a;b;c", "c"] * 3, Multilabel(("a", "b", "c"), ";"),
                              "sets of 3 labels"),
    "sets with a bar": (["x|y", "y", "z", "z|x", "x"] * 3, Multilabel(("x", "y", "z"), "|"), "cut at '|'"),
    "lists": ([["x", "y"], [], ["z"], ["x"]], Multilabel(("x", "y", "z")), "lists of 3 labels"),
    "names with commas are no sets": (["Smith, J", "Doe, A", "Roe, B"] * 4,
                                      Multiclass(("Doe, A", "Roe, B", "Smith, J")), "3 classes"),
    "nullable whole numbers": (pd.array([1, 2, None] * 3, dtype="Int64"), Binary((1, 2)), "2 distinct values"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_kind_is_what_the_column_looks_like(case):
    values, kind, reason = CASES[case]
    task, = infer_tasks(pd.DataFrame({"y": values}), ["y"])
    assert task.kind == kind
    assert reason in task.reason


@pytest.mark.parametrize("case", CASES)
def test_classes_are_plain_values_and_the_target_encodes(case):
    values, kind, _ = CASES[case]
    table = pd.DataFrame({"y": values})
    task, = infer_tasks(table, ["y"])
    assert all(type(label) in (int, float, str, bool) for label in task.kind.classes)
    assert Task.from_json(task.to_json()).kind == kind


@pytest.mark.parametrize(("spec", "values", "kind"), [
    ("regression", [1, 2, 3], Regression()), ("count", [0, 1, 2], Count()),
    (" Binary ", ["a", "b"], Binary(("a", "b"))),
    ("binary:a", ["a", "b"], Binary(("b", "a"))), ("binary:0", [0.0, 1.0, None], Binary((1, 0))),
    ("binary:false", [True, False], Binary((True, False))), ("multiclass", [3, 1, 2], Multiclass((1, 2, 3))),
    ("multiclass:a, c,b", ["a", "b"], Multiclass(("a", "c", "b"))),
    ("ordinal:lo<mid<hi", ["hi", "lo"], Ordinal(("lo", "mid", "hi"))),
    ("ordinal", [0.5, 2.5, 1.5], Ordinal((0.5, 1.5, 2.5))), ("ordinal", ["10", "9", "8"], Ordinal(("8", "9", "10"))),
    ("ordinal:3<2<1", [1, 2, 3], Ordinal((3, 2, 1))), ("multilabel:/", ["a/b", "b"], Multilabel(("a", "b"), "/")),
    ("multilabel", ["a;b", "b"], Multilabel(("a", "b"), ";"))])
def test_a_kind_can_be_written_in_words(spec, values, kind):
    assert parse_kind(spec, pd.Series(values, name="y")) == kind


def test_a_set_kind_wins_over_what_the_column_looks_like():
    table = pd.DataFrame({"a": [1, 2, 3] * 9, "b": [0, 1, 2] * 9, "c": ["x", "y", "z"] * 9})
    kinds = {"a": "regression", "b": Multiclass((0, 1, 2)), "c": "ordinal:z<y<x"}
    assert [task.kind for task in infer_tasks(table, ["a", "b", "c"], kinds)] == [
        Regression(), Multiclass((0, 1, 2)), Ordinal(("z", "y", "x"))]


def test_a_task_is_taken_as_it_is():
    table = pd.DataFrame({"a": [1, 2, 3] * 9})
    task, = infer_tasks(table, [Task("grade", Ordinal((1, 2, 3)), ("a",), "the school says so")])
    assert task == Task("grade", Ordinal((1, 2, 3)), ("a",), "the school says so")


def test_binary_columns_can_be_one_task():
    table = pd.DataFrame({"a": [0, 1, None], "b+c": [True, False, True], "d": [0.0, 1.0, 1.0]})
    task, = infer_tasks(table, ["labels=a+b+c+d"])
    assert task.columns == ("a", "b+c", "d")
    assert task.kind == Multilabel(("a", "b+c", "d"))


def test_the_long_layout_has_a_task_for_each_value_and_one_kind_for_all():
    table = pd.DataFrame({"shop": ["b", "a", "b", "a"], "sold": ["no", "yes", "yes", "yes"], "price": [1.5, 2, 3, 4]})
    tasks = infer_tasks(table, ["price", "sold"], task_column="shop")
    assert [task.name for task in tasks] == ["price[a]", "price[b]", "sold[a]", "sold[b]"]
    assert {task.kind for task in tasks[2:]} == {Binary(("no", "yes"))}
    assert tasks[0].task_value == "a"
    assert tasks[0].columns == ("price",)
    assert tasks[0].task_column == "shop"


def test_task_values_are_plain_and_sorted():
    table = pd.DataFrame({"field": np.array([10.0, 2.0, 10.0]), "y": [1.5, 2, 3]})
    assert [(task.name, task.task_value) for task in infer_tasks(table, ["y"], task_column="field")] == [
        ("y[2]", 2), ("y[10]", 10)]


def test_inference_leaves_the_table_alone():
    table = pd.DataFrame({"y": ["1", " ", "2"] * 9, "z": [1, 2, 3] * 9})
    before = table.copy(deep=True)
    infer_tasks(table, ["y", "z"])
    pd.testing.assert_frame_equal(table, before)


def test_all_targets_with_a_trouble_are_named_at_once():
    table = pd.DataFrame({"fine": [1.5, 2.5, 3.5], "empty": [np.nan] * 3, "same": [1, 1, 1], "far": [1.0, np.inf, 2.5]})
    with pytest.raises(DataError, match=r"target 'empty' has no value .* The like of 2 more: same, far"):
        infer_tasks(table, ["fine", "empty", "same", "far"])
    with pytest.raises(DataError) as alone:
        infer_tasks(table, ["fine", "same"])
    assert "The like" not in str(alone.value)


def test_words_among_many_numbers_are_named_with_their_row():
    column = ["yes", "no"] * 40 + [str(at / 8) for at in range(60)]
    with pytest.raises(DataError, match=r"mixes numbers and text: 'no' in row 1 \(and 1 more\)"):
        infer_tasks(pd.DataFrame({"answer": column}), ["answer"])
