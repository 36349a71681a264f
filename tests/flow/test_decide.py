"""Labels said for a measure: from a table, over a saved model, to the answers of the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sharewise.base import DataError, UnknownNameError, UsageError
from sharewise.cli import main
from sharewise.plan import Learner, load
from sharewise.plan.decided import measure
from sharewise.plan.deciding import Decision, read_rule
from sharewise.solve.labels import best_example_f1, best_threshold, best_thresholds, measure_label_sets
from sharewise.task import Binary, Multilabel, Task

LABELS = ("calm", "loud", "rare", "sad")
QUICK = {"families": ("linear",), "workers": 0, "folds": 3}


def songs(rows: int = 400, seed: int = 0) -> pd.DataFrame:
    """Four features, a set-valued column of labels that are mostly off, and the labels as binary columns."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    on = x + 1.2 * rng.normal(size=x.shape) > np.array([1.2, 1.4, 2.0, 1.3])
    table = pd.DataFrame(x, columns=list("abcd"))
    table["tags"] = [";".join(np.array(LABELS)[row]) or ";" for row in on]  # an empty cell would be one not observed
    table["price"] = x.sum(axis=1)
    return table.assign(**{f"is_{label}": column.astype(int) for label, column in zip(LABELS, on.T, strict=True)})


def fit(decide: str | None, targets: list[str], **options: object) -> Learner:
    table = songs()
    drop = [column for column in table if column not in (*"abcd", *targets)]
    return Learner(**QUICK, drop=drop, decide=decide, kinds={"tags": Multilabel(LABELS, separator=";")}
                   if "tags" in targets else None, **options).fit(table, targets)


def said(learner: Learner, table: pd.DataFrame) -> np.ndarray:
    return learner.predict(table)["tags"].str.get_dummies(";").reindex(columns=LABELS, fill_value=0).to_numpy() > 0


@pytest.fixture(scope="module")
def plain() -> Learner:
    return fit(None, ["tags"])


@pytest.mark.parametrize("rule", ["micro_f1", "macro_f1", "cardinality"])
def test_thresholds_are_those_of_the_held_out_probabilities(rule: str, plain: Learner) -> None:
    P, Y = np.random.default_rng(1).random((200, 3)), np.random.default_rng(2).random((200, 3)) < 0.3
    task = Task("tags", Multilabel(("a", "b", "c")))
    found = Decision.fit(rule, [task], P, Y.astype(float))
    if rule == "macro_f1":
        assert found.thresholds == pytest.approx(best_thresholds(P, Y, rule))
    else:
        assert found.thresholds == pytest.approx([best_threshold(P, Y, rule)] * 3)
    assert np.array_equal(found.say(P), np.array(found.thresholds) < P)


def test_a_set_is_said_that_training_rows_carry_where_that_is_right_more_often() -> None:
    rng = np.random.default_rng(0)
    Y = np.eye(3)[rng.integers(3, size=150)]  # one label a row, and features that hardly tell
    P = np.clip(0.25 + 0.2 * Y + 0.15 * rng.normal(size=Y.shape), 0, 1)
    task = Task("tags", Multilabel(("a", "b", "c")))
    found = Decision.fit("subset_accuracy", [task], P[:100], Y[:100])
    assert sorted(found.sets) == [(0,), (1,), (2,)]
    assert (found.say(P[100:]) == Y[100:]).all(axis=1).mean() > (
        (P[100:] > best_threshold(P[:100], Y[:100], "subset_accuracy")) == Y[100:]).all(axis=1).mean() + 0.1
    again = Decision.from_json(json.loads(json.dumps(found.to_json())))
    assert np.array_equal(again.say(P), found.say(P))
    assert not again.say(np.array([[0.9, np.nan, 0.1]])).any()
    free = rng.random((150, 3)) < 0.5
    sharp = Decision.fit("subset_accuracy", [task], np.where(free, 0.4, 0.1), free.astype(float))
    assert sharp.thresholds, "all sets come: a threshold says as many rows right"


def test_an_unobserved_label_counts_in_no_threshold() -> None:
    rng = np.random.default_rng(0)
    P, Y = rng.random((120, 2)), (rng.random((120, 2)) < 0.4).astype(float)
    tasks = [Task("a", Binary()), Task("b", Binary())]
    gaps = Y.copy()
    gaps[60:, 1] = np.nan
    found = Decision.fit("macro_f1", tasks, P, gaps).thresholds
    assert found == pytest.approx([best_threshold(P[:, :1], Y[:, :1], "micro_f1"),
                                   best_threshold(P[:60, 1:], Y[:60, 1:], "micro_f1")])


def test_rules_that_need_the_row_alone() -> None:
    P = np.array([[0.4, 0.35, 0.1], [0.9, 0.8, 0.7], [np.nan] * 3])
    tasks = [Task("tags", Multilabel(("a", "b", "c")))]
    assert Decision.fit("example_f1", tasks, P, P).say(P)[:2].tolist() == best_example_f1(P[:2]).tolist()
    assert Decision.fit("top_2", tasks, P, P).say(P).tolist() == [[True, True, False]] * 2 + [[False] * 3]
    assert Decision.fit("hamming_loss", tasks, P, P).say(P)[:2].tolist() == [[False] * 3, [True] * 3]
    assert np.isnan(Decision.fit("top_1", tasks, P, P).apply({"tags": P})["tags"][2]).all()


@pytest.mark.parametrize("rule", ["subset_accuracy", "micro_f1", "example_f1", "jaccard", "hamming_loss", "macro_f1"])
def test_without_gaps_the_measure_is_that_of_the_label_methods(rule: str) -> None:
    rng = np.random.default_rng(0)
    Y, P = rng.random((50, 4)) < 0.4, rng.random((50, 4))
    assert measure(rule, P > 0.5, P, Y.astype(float)) == pytest.approx(measure_label_sets(Y, P > 0.5)[rule])


def test_a_rule_moves_the_measure_it_was_made_for_and_leaves_probabilities(plain: Learner) -> None:
    tuned, new = fit("macro F1", ["tags"]), songs(400, seed=1)
    Y = np.array([[label in cell.split(";") for label in LABELS] for cell in new["tags"]])
    macro = [measure_label_sets(Y, said(learner, new))["macro_f1"] for learner in (tuned, plain)]
    assert macro[0] > macro[1] + 0.1
    pd.testing.assert_frame_equal(tuned.predict_proba(new)["tags"], plain.predict_proba(new)["tags"])
    assert np.array_equal(said(tuned, new), tuned.predict_proba(new)["tags"].to_numpy() > np.array(
        tuned.served_.decisions[0].thresholds))
    assert tuned.report_.decisions[0].startswith("tags: decided for macro_f1, above one threshold a label, ")
    assert f"macro F1 {macro[0]:.3f}, above one half it is {macro[1]:.3f}." in tuned.judge(new).decisions[0]


def test_binary_targets_are_decided_together_and_numbers_are_let_be() -> None:
    names = [f"is_{label}" for label in LABELS]
    learner, new = fit("top_1", [*names, "price"]), songs(50, seed=1)
    answer = learner.predict(new)
    assert (answer[names].sum(axis=1) == 1).all()
    chances = np.column_stack([learner.predict_proba(new)[name][1] for name in names])
    assert np.array_equal(answer[names].to_numpy().argmax(axis=1), chances.argmax(axis=1))
    assert answer["price"].dtype == float
    assert learner.report_.decisions[0].startswith("is_calm, is_loud, is_rare, is_sad: decided for top_1, the 1 most")


def test_a_parent_is_said_with_its_child() -> None:
    task = Task("tags", Multilabel(("pet", "dog"), parents=(None, "pet")))
    means = Decision("macro_f1", ("tags",), (0.9, 0.1)).apply({"tags": np.array([[0.5, 0.4]])})
    assert task.kind.decode(means["tags"]).tolist() == [[1, 1]]


def test_the_command_line_fits_and_predicts_by_the_rule(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = [str(tmp_path / "model"), str(tmp_path / "songs.csv")]
    songs().to_csv(place[1], index=False)
    drop = ",".join(["price", *(f"is_{label}" for label in LABELS)])
    words = ["fit", place[1], "--targets", "tags", "--drop", drop, "--families", "linear",
             "--kind", "tags=multilabel:;", "--workers", "0", "--folds", "3", "--decide", "top 2",
             "--out", place[0]]
    assert main(words) == 0
    assert "What is said" in capsys.readouterr().out
    assert "What is said of labels" in (tmp_path / "model" / "report.html").read_text(encoding="utf-8")
    assert main(["predict", *place, "--out", str(tmp_path / "o.csv")]) == 0
    assert (pd.read_csv(tmp_path / "o.csv")["tags"].str.split(";").str.len() == 2).all()
    assert load(tmp_path / "model").report_.decisions[0].startswith("tags: decided for top_2")
    capsys.readouterr()
    assert main(["judge", *place, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["decisions"][0].startswith("tags: decided for top_2")


def test_a_model_from_before_there_were_rules_loads_and_says_what_is_above_one_half(
    plain: Learner, tmp_path: Path,
) -> None:
    from sharewise.base.store import FORMAT, seal

    plain.save(tmp_path / "model")
    state = json.loads((tmp_path / "model" / "model.json").read_text(encoding="utf-8"))
    del state["decisions"]
    report = json.loads((tmp_path / "model" / "report.json").read_text(encoding="utf-8"))
    del report["decisions"]
    (tmp_path / "model" / "report.json").write_text(json.dumps(report), encoding="utf-8")
    (tmp_path / "model" / "model.json").unlink()
    seal(tmp_path / "model", {name: value for name, value in state.items() if name not in ("format", "files")}, FORMAT)
    old, new = load(tmp_path / "model"), songs(30, seed=1)
    assert old.report_.decisions == ()
    pd.testing.assert_frame_equal(old.predict(new), plain.predict(new))


def test_what_cannot_be_decided_is_refused_with_the_rules() -> None:
    with pytest.raises(UnknownNameError, match=r"decide 'macrof1' is not known.*subset_accuracy, micro_f1, macro_f1"):
        Learner(decide="macrof1")
    with pytest.raises(UsageError, match=r"decide is 'micro_f1'.*the targets are price \(regression\)"):
        fit("micro F1", ["price"])
    with pytest.raises(UsageError, match=r"decide is 'top_9'.*target 'tags' has 4 labels"):
        fit("top_9", ["tags"])
    table = songs().assign(is_calm=lambda frame: frame["is_calm"].where(frame.index % 2 == 0),
                           is_sad=lambda frame: frame["is_sad"].where(frame.index % 2 == 1))
    learner = Learner(**QUICK, decide="subset accuracy", drop=["tags", "price", "is_loud", "is_rare"])
    with pytest.raises(DataError, match="the binary targets have all labels observed in 0 rows"):
        learner.fit(table, ["is_calm", "is_sad"])
    assert read_rule("Top-3") == "top_3"
