"""From a table to a served answer, on planted data whose truth is known."""

import json
import shutil
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from sharewise.base import DataError, FolderError, UnknownNameError, UsageError
from sharewise.plan import Learner, Plan, load
from sharewise.plan.run import load_models
from sharewise.plan.served import Member


def related(rows=160, seed=0):
    """Two numbers and a yes/no that hang on the same direction of six features, with gaps, and a category."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 6))
    direction = x @ np.array([1.0, -1.0, 0.5, 0.0, 0.0, 0.0])
    table = pd.DataFrame(x, columns=list("abcdef"))
    table["colour"] = np.where(x[:, 3] > 0, "red", "blue")
    table["price"] = 1000 + 300 * (direction + 0.3 * rng.normal(size=rows))
    table["weight"] = direction + 0.3 * rng.normal(size=rows)
    table["sold"] = np.where(direction + 0.3 * rng.normal(size=rows) > 0, "yes", "no")
    table.loc[rng.random(rows) < 0.3, "price"] = np.nan
    table.loc[rng.random(rows) < 0.5, "sold"] = None
    return table


TARGETS = ["price", "weight", "sold"]


@pytest.fixture(scope="module")
def fitted():
    return Learner(families=("linear",), workers=0, folds=5).fit(related(), TARGETS)


def test_predictions_come_back_in_the_targets_own_units_and_labels(fitted):
    new = related(seed=1)
    found = fitted.predict(new)
    assert list(found.columns) == TARGETS
    assert np.corrcoef(found["weight"], new["weight"])[0, 1] > 0.9
    assert 900 < found["price"].mean() < 1100
    assert set(found["sold"]) == {"yes", "no"}


def test_probabilities_sum_to_one_and_name_the_classes(fitted):
    chances = fitted.predict_proba(related(seed=1))
    assert list(chances) == ["sold"]
    assert list(chances["sold"].columns) == ["no", "yes"]
    np.testing.assert_allclose(chances["sold"].sum(axis=1), 1.0)


def test_the_report_sets_trivial_separate_and_chosen_side_by_side(fitted):
    by_name = {task.name: task for task in fitted.report_.tasks}
    assert set(by_name) == set(TARGETS)
    assert by_name["price"].losses["trivial"] > by_name["price"].losses["separate"] > 0
    assert by_name["price"].rows == related()["price"].notna().sum()
    assert fitted.report_.evidence == "out-of-fold over 5 folds"


def test_the_report_counts_the_numbers_that_were_learned(fitted):
    counts = [sum(model.parameter_count for part in load_models(member.folder) for model in part)
              for member in fitted.served_.members]
    assert [member.parameters(TARGETS) for member in fitted.served_.members] == counts
    used = [max(weights[at] for weights in fitted.served_.weights["separate"].values()) for at in range(len(counts))]
    cost = fitted.report_.cost
    assert 0 < cost.parameters_separate <= sum(count for count, weight in zip(counts, used, strict=True) if weight > 0)
    assert 0 < cost.parameters <= sum(counts)
    assert all(one.parameters > 0 for one in fitted.report_.candidates)


def test_a_saved_model_predicts_the_same_to_the_last_bit_in_a_fresh_process(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    related(seed=1).to_parquet(tmp_path / "new.parquet")
    code = ("import sys, numpy as np; from sharewise.plan import load; folder = sys.argv[1]\n"
            "np.savez(folder + '/out.npz', **load(folder + '/model').predict_means(folder + '/new.parquet'))")
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True)
    here = fitted.predict_means(related(seed=1))
    with np.load(tmp_path / "out.npz") as there:
        for name, mean in here.items():
            np.testing.assert_array_equal(mean, there[name])


def test_a_model_folder_holds_no_pickle_and_is_refused_when_a_file_is_swapped(fitted, tmp_path):
    fitted.save(tmp_path / "model")
    assert not [path for path in (tmp_path / "model").rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]
    report = tmp_path / "model" / "report.json"
    report.write_text(report.read_text() + " ")
    with pytest.raises(FolderError, match="changed file"):
        load(tmp_path / "model")


def test_a_target_in_other_units_changes_no_prediction():
    table = related()
    metres = Learner(families=("linear",), workers=0, folds=5).fit(table, TARGETS)
    scaled = table.assign(price=table["price"] * 1000)
    millimetres = Learner(families=("linear",), workers=0, folds=5).fit(scaled, TARGETS)
    here, there = metres.predict_means(table), millimetres.predict_means(table)
    np.testing.assert_allclose(there["price"], here["price"] * 1000, rtol=1e-3)
    for name in ("weight", "sold"):
        np.testing.assert_allclose(there[name], here[name], rtol=1e-3)


def long_table(seed=0, tasks=8, rows=25):
    """A task a shop, all with nearly the same line."""
    rng = np.random.default_rng(seed)
    shop = np.repeat([f"shop {at}" for at in range(tasks)], rows)
    x = rng.normal(size=(tasks * rows, 12))
    own = np.repeat(rng.normal(size=(tasks, 12)) * 0.1, rows, axis=0)
    score = (x * (1 + own)).sum(axis=1) + rng.normal(size=tasks * rows) * 2
    return pd.DataFrame(x, columns=[f"x{at}" for at in range(12)]).assign(shop=shop, score=score)


def test_in_the_long_layout_many_small_tasks_learn_together():
    learner = Learner(families=("linear",), workers=0, folds=5).fit(long_table(), ["score"], task_column="shop")
    assert len(learner.tasks_) == 8
    assert not learner.plan_.is_separate
    assert learner.report_.delta_m.estimate > 0.1
    found = learner.predict(long_table(seed=1))
    assert list(found.columns) == ["score"] and found["score"].notna().all()


def test_learning_together_pays_where_a_small_task_has_a_large_relative():
    falls = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        direction = rng.normal(size=50)
        x = rng.normal(size=(420, 50))
        table = pd.DataFrame(x, columns=[f"x{at}" for at in range(50)])
        clean = x @ direction
        table["A"] = np.where(np.arange(420) < 20, clean + rng.normal(size=420), np.nan)
        table["B"] = np.where(np.arange(420) < 20, np.nan, clean + rng.normal(size=420))
        learner = Learner(families=("linear",), workers=0, folds=5).fit(table, ["A", "B"])
        new = rng.normal(size=(500, 50))
        frame = pd.DataFrame(new, columns=table.columns[:50])
        errors = {side: np.mean((learner.predict_means(frame, side)["A"][:, 0] - new @ direction) ** 2)
                  for side in ("separate", "chosen")}
        falls.append(1 - errors["chosen"] / errors["separate"])
    assert np.median(falls) > 1 / 3
    assert np.mean(np.array(falls) > 1 / 3) >= 0.8


def test_learning_together_is_refused_where_tasks_have_nothing_in_common():
    separate = []  # of 100 such tables, 98
    for seed in range(40):
        rng = np.random.default_rng(100 + seed)
        x = rng.normal(size=(200, 20))
        table = pd.DataFrame(x, columns=[f"x{at}" for at in range(20)])
        basis = np.linalg.qr(rng.normal(size=(20, 2)))[0]
        for name, direction in zip("AB", basis.T, strict=True):
            table[name] = x @ direction * 3 + rng.normal(size=200)
        separate.append(Learner(families=("linear",), workers=0, folds=5).fit(table, ["A", "B"]).plan_.is_separate)
    assert sum(separate) >= 38


def test_a_given_plan_is_followed_and_a_forced_one_too():
    table = related()
    assert Learner(families=("linear",), workers=0, plan="separate").fit(table, TARGETS).plan_.is_separate
    assert Learner(families=("linear",), workers=0, plan="together").fit(table, TARGETS).plan_ == Plan.together(TARGETS)
    given = Plan.of([["price", "sold"], ["weight"]])
    assert Learner(families=("linear",), workers=0, plan=given).fit(table, TARGETS).plan_ == given


def test_a_test_part_is_never_trained_on_and_judges_the_report():
    table = related(400)
    learner = Learner(families=("linear",), workers=0, folds=5).fit(table, ["weight"], test=0.25)
    assert learner.report_.evidence == "the test part of 100 rows"
    assert learner.report_.rows == 300


@pytest.mark.parametrize(("change", "options", "error", "words"), [
    (lambda t: t, {"targets": ["prize"]}, DataError, "'price'"),
    (lambda t: t.assign(weight=1.0), {}, DataError, "weight"),
    (lambda t: t.assign(weight=np.nan), {}, DataError, "weight"),
    (lambda t: t.assign(a=np.inf), {}, DataError, "'a'"),
    (lambda t: t.head(3), {}, DataError, "3"),
    (lambda t: t.assign(g=1), {"group": "g"}, DataError, "single group"),
    (lambda t: t, {"group": "colur"}, UnknownNameError, "'colour'"),
    (lambda t: t, {"targets": []}, UsageError, "targets"),
    (lambda t: t, {"targets": ["price", "price"]}, UsageError, "twice"),
    (lambda t: t[TARGETS], {}, DataError, "feature"),
])
def test_bad_input_is_refused_with_its_name(change, options, error, words):
    with pytest.raises(error, match=words):
        Learner(families=("linear",), workers=0, folds=5).fit(change(related()), **{"targets": TARGETS, **options})


def test_a_table_to_predict_with_a_column_missing_is_refused_and_unseen_categories_work(fitted):
    new = related(seed=2)
    with pytest.raises(DataError, match="'c'"):
        fitted.predict(new.drop(columns="c"))
    assert fitted.predict(new.assign(colour="green")).notna().all().all()


@pytest.mark.slow
def test_a_fit_that_was_killed_goes_on_to_the_very_same_result(tmp_path):
    related().to_parquet(tmp_path / "table.parquet")
    code = ("import sys; from sharewise.plan import Learner; folder = sys.argv[1]\n"
            "Learner(families=('linear', 'trees'), workers=2).fit(folder + '/table.parquet', "
            f"{TARGETS}, run_folder=folder + '/' + sys.argv[2], resume=True).save(folder + '/' + sys.argv[3])")
    command = [sys.executable, "-c", code, str(tmp_path)]
    subprocess.run([*command, "whole.run", "whole"], check=True)
    for wait in (2.5, 4.0, 5.5):
        broken = subprocess.Popen([*command, "cut.run", "cut"])
        time.sleep(wait)
        broken.kill()
        broken.wait()
        shutil.rmtree(tmp_path / "cut", ignore_errors=True)
    subprocess.run([*command, "cut.run", "cut"], check=True)
    new = related(seed=3)
    whole, cut = load(tmp_path / "whole").predict_means(new), load(tmp_path / "cut").predict_means(new)
    for name, mean in whole.items():
        np.testing.assert_array_equal(mean, cut[name])
    assert json.loads((tmp_path / "cut" / "model.json").read_text())["plan"] == load(tmp_path / "whole").plan_.to_json()


@pytest.mark.slow
def test_a_network_that_branches_serves_by_name_with_the_trees_that_its_folds_found(tmp_path):
    table = related(rows=60)
    table["size"] = -table["price"]
    learner = Learner(families=("network",), plan="together", share=["Branching"], folds=2, workers=0)
    learner.fit(table, ["weight", "price", "size"])
    assert all("Branching" in task.served_by for task in learner.report_.tasks)
    learner.save(tmp_path / "model")
    pd.testing.assert_frame_equal(load(tmp_path / "model").predict(table), learner.predict(table))


@pytest.mark.slow
@pytest.mark.parametrize("task_column", [None, "colour"])
def test_a_way_of_sharing_serves_by_name_in_both_layouts_and_the_report_says_so(task_column, tmp_path):
    table = related(rows=60)
    targets = ["weight"] if task_column else ["weight", "price"]
    learner = Learner(families=("network",), plan="together", share=["FiLM"], folds=2, workers=0)
    learner.fit(table, targets, task_column=task_column)
    shared = [one for one in learner.report_.candidates if one.shares]
    assert {one.name for one in shared} == {"network, light, FiLM, together", "network, strong, FiLM, together"}
    assert sum(sum(one.weights.values()) for one in shared) == pytest.approx(2.0)  # two tasks in each layout
    assert all("FiLM" in task.served_by for task in learner.report_.tasks)
    learner.save(tmp_path / "model")
    pd.testing.assert_frame_equal(load(tmp_path / "model").predict(table), learner.predict(table))


def test_a_judged_table_is_predicted_once_by_each_member(monkeypatch):
    table, calls, predict = related(300), [], Member.predict
    learner = Learner(families=("linear",), workers=0, folds=5).fit(table, TARGETS, test=0.2)
    sides = {side: learner.predict_means(table, side) for side in ("separate", "together")}

    def counted(member, *arguments):
        calls.append(member.name)
        return predict(member, *arguments)
    monkeypatch.setattr(Member, "predict", counted)
    report = learner.judge(table)
    assert sorted(calls) == sorted(member.name for member in learner.served_.members)
    seen = table["price"].notna().to_numpy()
    truth = table["price"].to_numpy()[seen]
    for side, means in sides.items():
        error = np.square(means["price"][seen, 0] - truth).sum()
        assert getattr(report.tasks[0], side) == pytest.approx(1 - error / np.square(truth - truth.mean()).sum())
