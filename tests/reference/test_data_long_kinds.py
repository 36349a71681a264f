"""Kinds in the long layout: tasks that ask different sorts of question, and tasks that ask the same one."""

import numpy as np
import pandas as pd
import pytest

from sharewise.base import DataError, UnknownNameError
from sharewise.data import encode_targets, format_predictions, format_probabilities, infer_tasks
from sharewise.task import Binary, Count, Multiclass, Ordinal, Regression


def long(**answers) -> pd.DataFrame:
    """A long table: for each task its answers, shuffled together."""
    table = pd.DataFrame({"task": [name for name, values in answers.items() for _ in values],
                          "label": pd.Series([value for values in answers.values() for value in values])})
    return table.sample(frac=1, random_state=0, ignore_index=True)


def kinds(table: pd.DataFrame, given: dict | None = None) -> dict:
    return {task.task_value: task.kind for task in infer_tasks(table, ["label"], given, task_column="task")}


ZERO_ONE, FRACTIONS = [0.0, 1.0, 1.0] * 20, [0.0, 1.0, 0.25, 3.5, 4.75, 5.0] * 10


def test_yes_or_no_stays_so_beside_a_task_of_fractions():
    assert kinds(long(rte=ZERO_ONE, cola=ZERO_ONE[::-1], sts=FRACTIONS)) == {
        "rte": Binary((0, 1)), "cola": Binary((0, 1)), "sts": Regression()}


def test_each_task_has_its_own_number_of_classes():
    assert kinds(long(two=ZERO_ONE, three=[0, 1, 2] * 30, far=[7, 300, 1000] * 30, scale=FRACTIONS)) == {
        "two": Binary((0, 1)), "three": Ordinal((0, 1, 2)), "far": Multiclass((7, 300, 1000)), "scale": Regression()}


def test_words_and_numbers_and_booleans_may_stand_in_one_column():
    found = kinds(long(words=["good", "bad"] * 30, colours=["red", "blue", "green"] * 20, truth=[True, False] * 30,
                       weight=FRACTIONS))
    assert found == {"words": Binary(("bad", "good")), "colours": Multiclass(("blue", "green", "red")),
                     "truth": Binary((False, True)), "weight": Regression()}


def test_a_file_of_text_has_numbers_in_the_tasks_of_numbers(tmp_path):
    long(words=["good", "bad"] * 30, weight=FRACTIONS).to_csv(tmp_path / "long.csv", index=False)
    assert kinds(pd.read_csv(tmp_path / "long.csv")) == {"words": Binary(("bad", "good")), "weight": Regression()}


def test_words_that_differ_from_task_to_task_are_the_classes_of_each():
    found = kinds(long(nli=["yes", "no", "maybe"] * 30, rte=["yes", "no"] * 40, topic=["sport", "news"] * 30))
    assert found == {"nli": Multiclass(("maybe", "no", "yes")), "rte": Binary(("no", "yes")),
                     "topic": Binary(("news", "sport"))}


def test_counts_beside_fractions_are_counts():
    counted = np.random.default_rng(0).poisson(3, size=200).tolist()
    assert kinds(long(visits=counted, weight=FRACTIONS)) == {"visits": Count(), "weight": Regression()}


def test_a_small_task_follows_the_smallest_classes_that_hold_its_values():
    found = kinds(long(large=ZERO_ONE, small=[0.0, 1.0, 0.0], one=[1.0, 1.0], sts=FRACTIONS))
    assert found == {"large": Binary((0, 1)), "small": Binary((0, 1)), "one": Binary((0, 1)), "sts": Regression()}


@pytest.mark.parametrize("answers", [
    {f"user{at}": rng.choice([1, 2, 3, 4, 5], p=rng.dirichlet(np.ones(5)), size=40).tolist()
     for rng in [np.random.default_rng(5)] for at in range(30)},  # users who never gave one star
    {f"user{at}": rng.choice(np.arange(1, 6 if at % 2 else 5.5, 1 if at % 2 else 0.5), size=60).tolist()
     for rng in [np.random.default_rng(2)] for at in range(10)},  # half of them never gave half a star
    {f"shop{at}": np.random.default_rng(at).poisson(0.05 * 1.6**at, size=60).tolist() for at in range(12)},
    {f"school{at}": np.random.default_rng(at).integers(10, 60, size=4 + at).tolist() for at in range(20)},
    {f"ward{at}": np.random.default_rng(at).choice(["flu", "cold", "other"], size=5 + at).tolist() for at in range(12)},
    {f"field{at}": np.random.default_rng(at).binomial(1, 0.05, size=60).tolist() for at in range(12)},
    {f"machine{at}": np.random.default_rng(at).normal(size=5 + 10 * at).round(2).tolist() for at in range(8)},
], ids=["ratings", "half stars", "sales", "scores", "diagnoses", "mines", "measurements"])
def test_tasks_that_ask_the_same_have_the_one_kind_of_all(answers):
    table = long(**answers)
    whole, = infer_tasks(table, ["label"])
    tasks = infer_tasks(table, ["label"], task_column="task")
    assert {(task.kind, task.reason) for task in tasks} == {(whole.kind, whole.reason)}


def test_an_ordered_category_is_one_scale_for_all_tasks():
    table = long(much=["low", "mid", "high"] * 30, little=["low", "mid"] * 60)
    table["label"] = pd.Categorical(table["label"], ["low", "mid", "high"], ordered=True)
    assert set(kinds(table).values()) == {Ordinal(("low", "mid", "high"))}
    assert kinds(table.astype({"label": str}))["little"] == Binary(("low", "mid"))


def test_a_task_takes_the_kind_that_it_is_given_by_value_or_full_name():
    table = long(rte=ZERO_ONE, grade=[1, 2, 3] * 20, sts=FRACTIONS)
    assert kinds(table, {"rte": "regression", "label[grade]": "multiclass"}) == {
        "rte": Regression(), "grade": Multiclass((1, 2, 3)), "sts": Regression()}
    assert set(kinds(table, {"label": "regression"}).values()) == {Regression()}
    assert kinds(table, {"label": "regression", "rte": "binary"})["rte"] == Binary((0, 1))


def test_a_kind_for_a_task_that_is_not_there_names_near_ones():
    with pytest.raises(UnknownNameError, match=r"target or task with a set kind 'rtee' is not known; near.*'rte'"):
        kinds(long(rte=ZERO_ONE, sts=FRACTIONS), {"rtee": "binary"})


def test_a_kind_that_does_not_fit_its_task_names_the_task():
    with pytest.raises(DataError, match=r"target 'label\[sts\]' has 6 distinct values .* a binary target has 2"):
        kinds(long(rte=ZERO_ONE, sts=FRACTIONS), {"sts": "binary"})


def test_a_task_whose_one_value_no_other_task_has_is_an_error_that_names_it():
    with pytest.raises(DataError, match=r"target 'label\[new\]' has the one value 'spam' in 30 rows; .* Drop the rows"):
        kinds(long(new=["spam"] * 30, topic=["sport", "news"] * 30))


def test_a_task_of_mixed_cells_is_an_error_that_names_it():
    with pytest.raises(DataError, match=r"target 'label\[sts\]' mixes numbers and text: 'many'"):
        kinds(long(topic=["sport", "news"] * 30, sts=[*FRACTIONS, "many"]))


def test_two_tasks_of_one_name_are_an_error():
    table = pd.DataFrame({"task": pd.Series([1, "1"] * 20, dtype=object), "label": ZERO_ONE[:40]})
    with pytest.raises(DataError, match=r"task column 'task' holds two values that are both written '1'"):
        kinds(table)


def test_targets_are_encoded_each_by_its_own_kind_and_errors_name_the_row_of_the_table():
    table = long(rte=["no", "yes"] * 20, sts=FRACTIONS)
    tasks = infer_tasks(table, ["label"], task_column="task")
    Y = encode_targets(table, tasks)
    of_rte = (table["task"] == "rte").to_numpy()
    assert (Y[of_rte, 0] == (table["label"][of_rte] == "yes")).all() and np.isnan(Y[of_rte, 1]).all()
    assert Y[~of_rte, 1].tolist() == table["label"][~of_rte].tolist() and np.isnan(Y[~of_rte, 0]).all()
    row = int(np.flatnonzero(of_rte)[-1])
    table.loc[row, "label"] = "perhaps"
    with pytest.raises(DataError, match=rf"target 'label' has 'perhaps' in row {row}; its classes are 'no', 'yes'"):
        encode_targets(table, tasks)


def test_predictions_are_each_in_the_labels_or_units_of_their_task():
    table = pd.DataFrame({"task": ["rte", "sts", "rte", "sts"]})
    tasks = infer_tasks(long(rte=["no", "yes"] * 20, sts=FRACTIONS), ["label"], task_column="task")
    gap = np.nan
    means = {"label[rte]": np.array([[0.25], [gap], [0.75], [gap]]),
             "label[sts]": np.array([[gap], [2.5], [gap], [gap]])}
    found = format_predictions(means, tasks, table)["label"]
    assert found.tolist()[:3] == ["no", 2.5, "yes"] and pd.isna(found[3])
    chances = format_probabilities(means, tasks, table)["label"]
    assert list(chances.columns) == ["no", "yes"]
    assert chances["yes"].fillna(-1).tolist() == [0.25, -1, 0.75, -1]


def test_predictions_of_numbers_and_codes_are_one_column_of_numbers():
    tasks = infer_tasks(long(rte=ZERO_ONE, sts=FRACTIONS), ["label"], task_column="task")
    means = {"label[rte]": np.array([[0.75], [np.nan]]), "label[sts]": np.array([[np.nan], [2.5]])}
    found = format_predictions(means, tasks, pd.DataFrame({"task": ["rte", "sts"]}))["label"]
    assert found.dtype == np.float64 and found.tolist() == [1.0, 2.5]


def test_classes_of_several_tasks_are_columns_side_by_side():
    tasks = infer_tasks(long(two=["no", "yes"] * 20, three=["red", "blue", "green"] * 20), ["label"],
                        task_column="task")
    gap = [np.nan] * 3
    means = {"label[two]": np.array([[0.2], [np.nan]]), "label[three]": np.array([gap, [0.5, 0.3, 0.2]])}
    found = format_probabilities(means, tasks, pd.DataFrame({"task": ["two", "three"]}))["label"]
    assert found.loc[0].dropna().to_dict() == pytest.approx({"no": 0.8, "yes": 0.2})
    assert found.loc[1].dropna().to_dict() == pytest.approx({"blue": 0.5, "green": 0.3, "red": 0.2})
