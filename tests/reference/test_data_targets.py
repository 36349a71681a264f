"""Targets to Y and predictions back to the table's own labels and units."""

import numpy as np
import pandas as pd
import pytest

from sharewise.data import encode_targets, format_predictions, format_probabilities, infer_tasks, wanted_rows
from sharewise.task import Binary, Multilabel, Ordinal, Regression, Task

NAN = np.nan


def wide():
    return pd.DataFrame({"price": [1.5, None, 3.5], "sold": ["no", "yes", ""], "grade": ["low", "high", "mid"],
                         "a": [1, None, 0], "b": [0, 1, None], "tags": ["x;y", "", "y"]})


def wide_tasks():
    return [Task("price", Regression()), Task("sold", Binary(("no", "yes"))),
            Task("grade", Ordinal(("low", "mid", "high"))), Task("ab", Multilabel(("a", "b")), ("a", "b")),
            Task("tags", Multilabel(("x", "y"), ";"))]


def test_the_wide_layout_has_the_columns_of_all_tasks_side_by_side():
    Y = encode_targets(wide(), wide_tasks())
    np.testing.assert_array_equal(Y, [[1.5, 0, 0, 1, 0, 1, 1], [NAN, 1, 2, NAN, 1, NAN, NAN],
                                      [3.5, NAN, 1, 0, NAN, 0, 1]])
    assert Y.dtype == np.float64
    assert wanted_rows(wide(), wide_tasks()).all()


def test_predictions_come_back_in_labels_and_units():
    means = {"price": np.array([[1.0], [2.0], [3.0]]), "sold": np.array([[0.2], [0.7], [0.9]]),
             "grade": np.array([[0.1, 0.2, 0.7], [0.5, 0.3, 0.2], [0.1, 0.8, 0.1]]),
             "ab": np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.6]]),
             "tags": np.array([[0.9, 0.8], [0.1, 0.2], [0.1, 0.8]])}
    frame = format_predictions(means, wide_tasks(), wide())
    assert frame.to_dict("list") == {"price": [1.0, 2.0, 3.0], "sold": ["no", "yes", "yes"],
                                     "grade": ["high", "low", "mid"], "ab.a": [1, 0, 1], "ab.b": [0, 1, 1],
                                     "tags": ["x;y", "", "y"]}
    chances = format_probabilities(means, wide_tasks(), wide())
    assert list(chances) == ["sold", "grade", "ab", "tags"]
    assert chances["sold"].columns.tolist() == ["no", "yes"]
    np.testing.assert_allclose(chances["sold"].to_numpy(), [[0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])
    assert chances["grade"].columns.tolist() == ["low", "mid", "high"]
    assert chances["ab"].columns.tolist() == ["a", "b"]


def test_classes_keep_their_type_on_the_way_back():
    table = pd.DataFrame({"y": [0, 1, 1]})
    task, = infer_tasks(table, ["y"])
    frame = format_predictions({"y": np.array([[0.9], [0.1], [0.2]])}, [task], table)
    assert frame.y.tolist() == [1, 0, 0]
    assert frame.y.dtype.kind == "i"


def long():
    return pd.DataFrame({"shop": ["b", "a", "b", "c"], "price": [1.5, 2.5, None, 4.5],
                         "sold": ["no", "yes", "yes", "no"]})


def test_in_the_long_layout_a_row_counts_for_its_own_task_alone():
    tasks = infer_tasks(long(), ["price", "sold"], task_column="shop")
    Y = encode_targets(long(), tasks)
    np.testing.assert_array_equal(Y[:, :3], [[NAN, 1.5, NAN], [2.5, NAN, NAN], [NAN, NAN, NAN], [NAN, NAN, 4.5]])
    np.testing.assert_array_equal(Y[:, 3:], [[NAN, 0, NAN], [1, NAN, NAN], [NAN, 1, NAN], [NAN, NAN, 0]])
    own = [[0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]]
    np.testing.assert_array_equal(wanted_rows(long(), tasks), np.hstack([own, own]).astype(bool))


def test_in_the_long_layout_predictions_are_one_column_a_target():
    tasks = infer_tasks(long(), ["price", "sold"], task_column="shop")
    means = {f"price[{shop}]": np.arange(4.0)[:, None] + at for at, shop in ((10, "a"), (20, "b"), (30, "c"))}
    means |= {f"sold[{shop}]": np.full((4, 1), chance) for chance, shop in ((0.9, "a"), (0.2, "b"), (0.6, "c"))}
    frame = format_predictions(means, tasks, long())
    assert frame.to_dict("list") == {"price": [20.0, 11.0, 22.0, 33.0], "sold": ["no", "yes", "no", "yes"]}
    assert format_probabilities(means, tasks, long())["sold"]["yes"].tolist() == [0.2, 0.9, 0.2, 0.6]


def test_a_part_of_the_tasks_encodes_as_it_does_among_all():
    tasks = infer_tasks(long(), ["price", "sold"], task_column="shop")
    np.testing.assert_array_equal(encode_targets(long(), tasks[1:3]), encode_targets(long(), tasks)[:, 1:3])


def test_set_valued_targets_work_in_the_long_layout():
    table = pd.DataFrame({"who": [1, 2, 1, 2], "tags": [["x"], ["x", "y"], [], ["y"]]})
    tasks = infer_tasks(table, ["tags"], task_column="who")
    np.testing.assert_array_equal(encode_targets(table, tasks), [[1, 0, NAN, NAN], [NAN, NAN, 1, 1], [0, 0, NAN, NAN],
                                                                 [NAN, NAN, 0, 1]])
    means = {"tags[1]": np.tile([0.9, 0.1], (4, 1)), "tags[2]": np.tile([0.2, 0.8], (4, 1))}
    assert format_predictions(means, tasks, table).tags.tolist() == [["x"], ["y"], ["x"], ["y"]]


def test_a_mean_that_is_missing_gives_a_missing_answer():
    tasks = [Task("price", Regression()), Task("sold", Binary(("no", "yes"))),
             Task("ab", Multilabel(("a", "b")), ("a", "b"))]
    means = {"price": np.array([[NAN], [1.0]]), "sold": np.array([[0.7], [NAN]]),
             "ab": np.array([[NAN, NAN], [1.0, 0.0]])}
    frame = format_predictions(means, tasks, pd.DataFrame({"x": [0, 1]}))
    assert frame.isna().to_numpy().tolist() == [[True, False, True, True], [False, True, False, False]]


@pytest.mark.parametrize("dtype", ["category", object, "str"])
def test_task_values_are_found_whatever_the_columns_dtype(dtype):
    table = long().astype({"shop": dtype})
    tasks = infer_tasks(table, ["price"], task_column="shop")
    np.testing.assert_array_equal(wanted_rows(table, tasks), wanted_rows(long(), tasks))
    assert [task.task_value for task in tasks] == ["a", "b", "c"]


def test_many_small_tasks_are_encoded_in_one_go():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"who": rng.integers(0, 500, 3000), "y": rng.normal(size=3000)})
    tasks = infer_tasks(table, ["y"], task_column="who")
    Y = encode_targets(table, tasks)
    assert (np.isnan(Y).sum(axis=1) == len(tasks) - 1).all()
    np.testing.assert_array_equal(np.nansum(Y, axis=1), table.y)
    np.testing.assert_array_equal(~np.isnan(Y), wanted_rows(table, tasks))
