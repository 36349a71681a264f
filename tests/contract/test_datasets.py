"""The small real sets that ship with the package."""

from __future__ import annotations

from importlib.resources import files

import numpy as np
import pytest

from sharewise.base import UnknownNameError
from sharewise.data import encode_targets, examine, infer_tasks
from sharewise.data.datasets import load, names
from sharewise.task import observed_rows

SHAPES = {"ai4i": (10_000, 12, 6), "energy": (768, 10, 2), "nhanes": (5319, 38, 13), "parkinsons": (5875, 22, 42)}


@pytest.fixture(scope="module", params=names())
def ready(request):
    data = load(request.param)
    tasks = infer_tasks(data.table, data.targets, data.kinds, data.task_column)
    return data, tasks


def test_the_names_are_those_that_are_told():
    assert set(names()) == set(SHAPES)


def test_a_set_has_its_rows_columns_and_tasks(ready):
    data, tasks = ready
    assert (*data.table.shape, len(tasks)) == SHAPES[data.name]
    assert set(data.kinds) <= set(data.targets)
    assert {*data.targets, *data.drop} <= set(data.table.columns)
    assert not {*data.targets, *data.drop, data.task_column} & set(data.features)


def test_every_task_has_rows_enough_to_be_learned(ready):
    data, tasks = ready
    assert observed_rows(encode_targets(data.table, tasks), tasks).sum(axis=0).min() >= 100


def test_the_doctor_finds_no_leak_in_the_features(ready):
    data, tasks = ready
    findings = examine(data.table, tasks, data.features)
    assert [str(one) for one in findings if one.code in ("leak", "suspect") or one.level == "error"] == []


def test_the_card_tells_source_licence_citation_tasks_and_changes(ready):
    data, _ = ready
    for word in ("Tasks", "Source", "Licence", "Citation", "What was changed"):
        assert f"**{word}**" in data.card
    assert "public domain" in data.card or "CC BY 4.0" in data.card
    assert all(target in data.card for target in data.targets)


def test_nhanes_has_mixed_kinds_and_gaps():
    data = load("nhanes")
    tasks = infer_tasks(data.table, data.targets, data.kinds)
    assert {task.kind.name for task in tasks} == {"binary", "multiclass", "ordinal", "count", "regression"}
    assert {task.name: task.kind.classes for task in tasks}["depressed"] == ("none", "several", "most")
    assert 0.05 < np.isnan(encode_targets(data.table, tasks)).mean() < 0.2
    assert data.table["age"].min() >= 20


def test_the_kinds_are_those_that_the_values_alone_would_say(ready):
    data, tasks = ready
    alone = infer_tasks(data.table, data.targets, task_column=data.task_column)
    assert [task.kind for task in alone] == [task.kind for task in tasks]


def test_all_files_together_are_small():
    place = files("sharewise.data.datasets") / "files"
    assert sum(len(entry.read_bytes()) for entry in place.iterdir()) < 3_000_000


def test_an_unknown_name_suggests_the_near_one():
    with pytest.raises(UnknownNameError, match="nhanes"):
        load("nhane")


def test_the_tables_hold_the_values_of_their_sources(data_folder):
    import pandas as pd

    raw = pd.read_parquet(data_folder / "health" / "nhanes_2009_2012.parquet")
    raw = raw[(raw["SurveyYr"] == "2011_12") & (raw["Age"] >= 20) & (raw["WTMEC2YR"] > 0)].reset_index(drop=True)
    table = load("nhanes").table
    for ours, theirs in (("age", "Age"), ("bmi", "BMI"), ("systolic_mmhg", "BPSysAve"), ("hdl_mmol", "DirectChol")):
        np.testing.assert_allclose(table[ours], raw[theirs], rtol=1e-6)
    assert (table["diabetes"].dropna() == raw["Diabetes"].astype(object).dropna().str.lower()).all()
    energy = pd.read_parquet(data_folder / "tabular" / "enb.parquet")
    np.testing.assert_allclose(load("energy").table["cooling_load"], energy["Y2"], rtol=1e-6)
