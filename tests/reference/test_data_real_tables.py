"""Real tables: every one is read, its targets are found to be what their makers say, and its columns are encoded."""

import json
from collections import Counter

import numpy as np
import pytest

from sharewise.data import Encoder, encode_targets, infer_tasks, read_table, wanted_rows

WIDE = ("andro", "birds", "edm", "emotions", "enb", "foodtruck", "jura", "rf1", "scpf", "sf1", "slump", "wq", "yeast")


def listed(folder, name):
    index = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    return next(item for item in index["datasets"] if item["name"] == name)


def kinds_of(table, targets, task_column=None):
    tasks = infer_tasks(table, targets, task_column=task_column)
    Y = encode_targets(table, tasks)
    assert (~np.isnan(Y) <= wanted_rows(table, tasks)).all()
    return {task.name.split("[")[0]: task.kind.name for task in tasks}


def check_encoder(table, columns, folder):
    encoder = Encoder().fit(table, columns)
    X = encoder.transform(table)
    assert X.shape == (len(table), len(encoder.names))
    assert not np.isinf(X).any()
    encoder.save(folder)
    again = Encoder.load(folder)
    rows = table.iloc[[0, len(table) // 2]]
    np.testing.assert_array_equal(again.transform(rows), X[[0, len(table) // 2]])
    return Counter(kind for _, kind in encoder.inputs)


@pytest.mark.parametrize("name", WIDE)
def test_a_wide_table_is_read_and_encoded(data_folder, tmp_path, name):
    meta = json.loads((data_folder / "tabular" / f"{name}.json").read_text(encoding="utf-8"))
    table = read_table(data_folder / "tabular" / f"{name}.parquet")
    kinds = kinds_of(table, [target["name"] for target in meta["targets"]])
    for target in meta["targets"]:
        numeric = ("regression", "count", "ordinal", "binary")  # whole numbers may be counts or grades
        assert kinds[target["name"]] in (numeric if target["task"] == "regression" else ("binary",))
    check_encoder(table, [feature["name"] for feature in meta["features"]], tmp_path)


def test_nhanes_is_found_to_be_what_its_index_says(data_folder, tmp_path):
    meta = listed(data_folder / "health", "nhanes_2009_2012")
    table = read_table(data_folder / "health" / "nhanes_2009_2012.parquet")
    targets = [target["name"] for target in meta["targets"]]
    assert kinds_of(table, targets) == {target["name"]: target["kind"] for target in meta["targets"]}
    health = infer_tasks(table, ["HealthGen"])[0].kind
    assert health.classes == ("Poor", "Fair", "Good", "Vgood", "Excellent")
    types = check_encoder(table, [name for name in table.columns if name not in targets], tmp_path)
    assert types["boolean"] >= 10
    assert types["category"] >= 15
    assert types["number"] >= 40


def test_adult_is_found_to_be_what_its_index_says(data_folder, tmp_path):
    meta = listed(data_folder / "recsys", "adult")
    table = read_table(data_folder / "recsys" / "adult.parquet")
    assert kinds_of(table, [t["name"] for t in meta["targets"]]) == {t["name"]: t["kind"] for t in meta["targets"]}
    check_encoder(table, [name for name in meta["features"] if name not in ("marital_status", "hours_per_week")],
                  tmp_path)


@pytest.mark.parametrize("name", ["landmine", "school"])
def test_a_long_table_has_a_task_for_each_value(data_folder, tmp_path, name):
    meta = listed(data_folder / "classic", name)
    table = read_table(data_folder / "classic" / f"{name}.parquet")
    target = meta["targets"][0]
    assert kinds_of(table, [target["name"]], meta["task_column"]) == {target["name"]: target["kind"]}
    assert len(infer_tasks(table, [target["name"]], task_column=meta["task_column"])) == meta["n_targets"]
    check_encoder(table, meta["features"], tmp_path)


@pytest.mark.parametrize(("name", "target", "column"), [
    ("landmine", "mine", "field"), ("school", "score", "school"),
    ("parkinsons_telemonitoring", "motor_UPDRS", "subject")])
def test_tasks_that_ask_the_same_have_the_kind_of_the_whole_column(data_folder, name, target, column):
    table = read_table(data_folder / "classic" / f"{name}.parquet")
    whole, = infer_tasks(table, [target])
    tasks = infer_tasks(table, [target], task_column=column)
    assert {(task.kind, task.reason) for task in tasks} == {(whole.kind, whole.reason)}


def test_questions_to_texts_are_each_of_their_own_kind(data_folder):
    tasks = infer_tasks(read_table(data_folder / "text" / "glue_small.parquet"), ["label"], task_column="task")
    assert {task.task_value: (task.kind.name, len(task.kind.classes)) for task in tasks} == {
        "cola": ("binary", 2), "rte": ("binary", 2), "sst2": ("binary", 2), "wnli": ("binary", 2),
        "sts": ("regression", 0), "trec": ("count", 0)}  # six codes; that they have no order the features say
