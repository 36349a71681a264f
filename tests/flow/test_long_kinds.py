"""Tasks of several kinds in one long table, from the table to a served answer."""

import json

import numpy as np
import pandas as pd
import pytest

from sharewise import Learner, load
from sharewise.base import DataError
from sharewise.cli.main import main
from sharewise.data import encode_targets, infer_tasks
from sharewise.solve.trees import PooledExtraTrees, PooledTrees
from sharewise.task import observed_rows
from sharewise.train import Architecture, Network


def mixed(rows: int = 60, seed: int = 0) -> pd.DataFrame:
    """Two questions of yes or no, one of three words and one of fractions, all about one direction of x."""
    rng = np.random.default_rng(seed)
    parts = []
    for name in ("spam", "fraud", "mood", "score"):
        x = rng.normal(size=(rows, 4))
        line = x @ [1.0, -1.0, 0.5, 0.0]
        label = {"spam": (line > 0) * 1, "fraud": (line > 0.5) * 1, "score": (2 * line + 5).round(2),
                 "mood": np.array(["sad", "calm", "glad"])[np.digitize(line, [-0.7, 0.7])]}[name]
        parts.append(pd.DataFrame(x, columns=list("abcd")).assign(task=name, label=pd.Series(label, dtype=object)))
    return pd.concat(parts).sample(frac=1, random_state=seed, ignore_index=True)


@pytest.fixture(scope="module")
def learner() -> Learner:
    return Learner(families=("linear",), workers=0, folds=2).fit(mixed(), ["label"], task_column="task")


def test_every_task_is_learned_in_its_own_kind_and_named_by_the_doctor(learner):
    assert {task.task_value: task.kind.name for task in learner.tasks_} == {
        "fraud": "binary", "mood": "multiclass", "score": "regression", "spam": "binary"}
    note, = (one for one in learner.findings_ if one.code == "several-kinds")
    assert "binary (0, 1) in 'fraud', 'spam'; multiclass (calm, glad, sad) in 'mood'; a number in 'score'" in str(note)


def test_the_report_judges_each_task_by_a_measure_of_its_kind(learner):
    found = {task.name: (task.kind, task.metric) for task in learner.report_.tasks}
    assert found["label[score]"][0] == "regression" and found["label[spam]"][0] == "binary"
    assert len({metric for _, metric in found.values()}) >= 2
    assert all(task.losses["chosen"] < 0.8 for task in learner.report_.tasks)


def test_predictions_are_in_each_tasks_own_values_and_survive_a_save(learner, tmp_path):
    new = mixed(seed=1)
    found = learner.predict(new)["label"]
    for name, allowed in (("spam", {0, 1}), ("mood", {"sad", "calm", "glad"})):
        assert set(found[new["task"] == name]) == allowed
        assert (found == new["label"])[new["task"] == name].mean() > 0.7
    numbers = (new["task"] == "score").to_numpy()
    assert np.corrcoef(found[numbers].astype(float), new["label"][numbers].astype(float))[0, 1] > 0.9
    chances = learner.predict_proba(new)["label"]
    assert list(chances.columns) == [0, 1, "calm", "glad", "sad"]
    assert chances[~numbers].sum(axis=1).to_numpy() == pytest.approx(1.0) and chances[numbers].isna().all(axis=None)
    learner.save(tmp_path / "model")
    pd.testing.assert_frame_equal(load(tmp_path / "model").predict(new), learner.predict(new))
    assert len(learner.judge(new).tasks) == 4


def test_one_kind_of_tasks_alone_can_be_predicted_and_an_unknown_task_is_an_error(learner):
    new = mixed(seed=1)
    found = learner.predict(new[new["task"] == "score"])["label"]
    assert found.dtype == np.float64 and found.notna().all()
    with pytest.raises(DataError, match=r"task column 'task' has 'weather' in row 0; the known tasks are 'fraud', 'mo"):
        learner.predict(new.assign(task="weather"))


def test_shared_networks_and_pooled_trees_learn_tasks_of_several_kinds():
    tasks = infer_tasks(mixed(), ["label"], task_column="task")
    X, Y = mixed()[list("abcd")].to_numpy(np.float32), encode_targets(mixed(), tasks)
    groups = [[task.name for task in tasks]]
    networks = [Network(tasks, sharing=groups, architecture=one, effort=0.2) for one in (None, Architecture("FiLM"))]
    for model in (*networks, PooledExtraTrees(tasks, trees=20), PooledTrees(tasks, rounds=20)):
        means = model.fit(X, Y).predict_mean(X, observed_rows(Y, tasks))
        losses = [task.kind.score(means[task.name], Y[:, [at]], model.scales_[task.name])
                  for at, task in enumerate(tasks)]
        assert max(losses) < 0.8


def test_targets_that_are_not_observed_are_no_trouble():
    table = mixed()
    table.loc[::3, "label"] = None
    learner = Learner(families=("linear",), workers=0, folds=2).fit(table, ["label"], task_column="task")
    assert len(learner.tasks_) == 4 and learner.predict(table)["label"].notna().all()


def test_relate_writes_the_names_of_long_tasks_in_full(tmp_path, capsys):
    mixed().to_csv(tmp_path / "long.csv", index=False)
    assert main(["relate", str(tmp_path / "long.csv"), "--targets", "label", "--task-column", "task"]) == 0
    table = capsys.readouterr().out.split("Nothing")[0]
    assert all(table.count(f"label[{name}]") == 2 for name in ("spam", "fraud", "mood", "score"))


def test_the_command_line_sets_the_kind_of_one_task_and_writes_probabilities(tmp_path, capsys):
    mixed().to_csv(tmp_path / "long.csv", index=False)
    model, out = tmp_path / "model", tmp_path / "out.csv"
    assert main(["fit", str(tmp_path / "long.csv"), "--targets", "label", "--task-column", "task", "--out", str(model),
                 "--kind", "mood=ordinal:sad<calm<glad", "--families", "linear", "--workers", "0", "--quiet"]) == 0
    tasks = {one["task_value"]: one["kind"] for one in json.loads((model / "model.json").read_text())["tasks"]}
    assert tasks["mood"] == {"kind": "ordinal", "classes": ["sad", "calm", "glad"]}
    assert tasks["score"]["kind"] == "regression" and tasks["spam"]["kind"] == "binary"
    assert main(["predict", str(model), str(tmp_path / "long.csv"), "--out", str(out), "--proba"]) == 0
    written = pd.read_csv(out)
    assert {"label", "label=sad", "label=1"} <= set(written.columns)
    numbers = (mixed()["task"] == "score").to_numpy()
    assert written["label"].notna().to_numpy().tolist() == numbers.tolist()
