"""Label methods in a fit: by name, for a column of sets or yes-or-no columns, and beside other targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sharewise.base import DataError, UnknownNameError, UsageError
from sharewise.cli import main
from sharewise.plan import Learner, Plan, load
from sharewise.plan.effort import Size, guess_seconds
from sharewise.plan.label_effort import WORK
from sharewise.plan.label_methods import label_candidates
from sharewise.plan.pool import schedule_of
from sharewise.plan.portfolio import Grove, candidates_for, label_bases
from sharewise.solve.labels import methods_in_fits
from sharewise.task import Binary, Multilabel, Regression, Task

CHANCE = np.random.default_rng(0)
X = CHANCE.normal(size=(160, 3))
ON = (X[:, [0, 1, 0]] + 0.6 * CHANCE.normal(size=(160, 3)) > [0.0, 0.3, 0.5]).astype(int)
TABLE = pd.DataFrame(X, columns=["x", "y", "z"]).assign(a=ON[:, 0], b=ON[:, 1], c=ON[:, 2], price=X[:, 0] * 3)
YES, PRICE = [Task(name, Binary()) for name in "abc"], Task("price", Regression())
TAGS = Task("tags", Multilabel(("u", "v", "w")))
QUICK = {"families": ("linear", "labels"), "workers": 0, "folds": 3}


@pytest.fixture(autouse=True)
def small_forests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sharewise.plan.portfolio.TREES", 12)


def names_of(wanted: tuple[str, ...], tasks: list[Task], plans: dict[str, Plan] | None = None,
             mixed: bool = True) -> list[str]:
    Y = np.zeros((160, sum(task.kind.width for task in tasks)))
    if plans is None:
        plans = {"together": Plan.together([task.name for task in tasks])}
    bases = label_bases(tasks, Grove.of(160, 3, 5), 0)
    return [one.name for one in label_candidates(wanted, tasks, Y, plans, mixed, bases, 0)]


def test_a_method_competes_over_lines_and_forests_where_labels_are_learned_together() -> None:
    both = ["RAkELo linear, together", "RAkELo random forest, together"]
    assert names_of(("RAkELo",), YES) == both
    assert names_of(("RAkELo",), [*YES, PRICE]) == both
    assert names_of(("RAkELo",), [TAGS]) == [name.replace("together", "separate") for name in both]
    assert sorted(names_of(("RAkELo",), [TAGS, YES[0]])) == sorted(
        [*both, *(name.replace("together", "separate") for name in both)])
    assert names_of(("MLkNN", "CPLST"), YES) == ["MLkNN, separate", "CPLST linear, together"]


def test_it_keeps_to_a_given_plan() -> None:
    plan = Plan.of([["a", "b"], ["c"], ["price"]])
    assert names_of(("LabelPowerset",), [*YES, PRICE], {"given plan": plan}, mixed=False) == [
        "LabelPowerset linear, given plan", "LabelPowerset random forest, given plan"]
    with pytest.raises(UsageError, match="finds no group of labels in this plan"):
        names_of(("LabelPowerset",), [*YES, PRICE], mixed=False)
    with pytest.raises(UsageError, match="finds no group"):
        names_of(("LabelPowerset",), YES, {})


def test_each_waits_for_the_like_that_learns_apart() -> None:
    Y = np.zeros((160, 3))
    grove = Grove.of(160, 3, 5)
    alone = candidates_for(YES, Y, grove, "separate")
    plans = {"together": Plan.together(["a", "b", "c"])}
    own = label_candidates(("ChainEnsemble", "CPLST", "MLkNN"), YES, Y, plans, True, label_bases(YES, grove, 0), 0)
    found = [*alone, *own]
    names = [one.name for one in found]
    for one in own:
        like = {names[at] for at in one.apart(found)} if one.shares else None
        word = "linear, separate" if "linear" in one.name else "random forest, separate"
        assert like is None if one.name.startswith("MLkNN") else like == {word}
    schedule_of(found, 10.0, [])
    assert len({one.sort for one in own}) == 4


def test_every_guess_is_a_time_and_more_work_takes_longer() -> None:
    assert set(WORK) <= set(methods_in_fits())
    size = Size.of(X.astype(np.float32), ON.astype(float), YES)
    plans = {"together": Plan.together(["a", "b", "c"])}
    seconds = {one.name: guess_seconds(one, size) for one in label_candidates(
        methods_in_fits(), YES, ON.astype(float), plans, True, label_bases(YES, Grove.of(160, 3, 5), 0), 0)}
    assert all(0 < each < 60 for each in seconds.values())
    assert seconds["ChainEnsemble linear, together"] == pytest.approx(10 * seconds["ClassifierChain linear, together"])


def test_a_fit_of_yes_or_no_columns_beside_a_number_serves_from_its_folder(tmp_path: Path) -> None:
    learner = Learner(**QUICK, labels=("RAkELd", "MLkNN")).fit(TABLE[:120], ["a", "b", "c", "price"])
    names = [line["name"] for line in learner.facts_.candidates]
    assert {"RAkELd linear, together", "RAkELd random forest, together", "MLkNN, separate"} <= set(names)
    assert not [one for one in learner.report_.findings if one["code"] == "candidate-failed"]
    learner.save(tmp_path / "model")
    pd.testing.assert_frame_equal(load(tmp_path / "model").predict(TABLE[120:]), learner.predict(TABLE[120:]))


def test_what_was_learned_by_the_method_serves_where_the_plan_says_so(tmp_path: Path) -> None:
    learner = Learner(families=("labels",), workers=0, folds=3, plan="together", labels=("ClassifierChain",)).fit(
        TABLE.drop(columns="price")[:120], ["a", "b", "c"])
    assert any(one.name.startswith("ClassifierChain") for one in learner.served_.members)
    learner.save(tmp_path / "model")
    for name, frame in load(tmp_path / "model").predict_proba(TABLE[120:]).items():
        pd.testing.assert_frame_equal(frame, learner.predict_proba(TABLE[120:])[name])


def test_the_command_line_tries_methods_on_a_column_of_sets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str],
) -> None:
    table = TABLE[["x", "y", "z"]].assign(tags=[";".join(np.array(["u", "v", "w"])[row == 1]) or ";" for row in ON])
    table.to_csv(tmp_path / "t.csv", index=False)
    words = ["fit", str(tmp_path / "t.csv"), "--targets", "tags", "--kind", "tags=multilabel:;", "--families",
             "linear,labels", "--labels", "PrunedSets,BRkNN", "--folds", "3", "--workers", "0",
             "--out", str(tmp_path / "model")]
    assert main(words) == 0
    names = [line["name"] for line in load(tmp_path / "model").facts_.candidates]
    assert {"PrunedSets linear, separate", "PrunedSets random forest, separate", "BRkNN, separate"} <= set(names)
    capsys.readouterr()
    assert main([*words[:-1], str(tmp_path / "other"), "--labels", "RakelO"]) == 2
    assert "near names are 'RAkELo'" in capsys.readouterr().err


def test_what_can_not_be_tried_says_why() -> None:
    with pytest.raises(UnknownNameError, match="near names are 'RAkELo'"):
        Learner(labels=("RakelO",))
    with pytest.raises(UsageError, match="use decide"):
        Learner(labels=("TunedDecision",))
    with pytest.raises(UsageError, match="is no list"):
        Learner(labels="RAkELo")
    with pytest.raises(UsageError, match="family labels"):
        Learner(labels=("RAkELo",), families=("linear",))
    with pytest.raises(UsageError, match=r"the targets are a \(binary\), price \(regression\)"):
        Learner(**QUICK, labels=("RAkELo",)).fit(TABLE, ["a", "price"])
    gaps = TABLE.assign(b=TABLE["b"].where(TABLE.index % 3 > 0))
    with pytest.raises(DataError, match=r"learns from rows with all labels, and 106 of 160 have them .*'b' is missing"):
        Learner(**QUICK, labels=("RAkELo",)).fit(gaps, ["a", "b"])
