"""From a table to who helps whom: planted relations, none at all, and tables with something wrong."""

import numpy as np
import pandas as pd
import pytest

import sharewise as sw
from sharewise.base import DataError, UsageError
from sharewise.cli.main import main
from sharewise.plan import Plan
from sharewise.plan.probe import Probe
from sharewise.relate import Targets


def table_of(weights, rows=60, noise=2.0, seed=0):
    """Features x0, x1, ... and a target for each column of ``weights``."""
    chance = np.random.default_rng(seed)
    X = chance.normal(size=(rows, len(weights)))
    Y = X @ weights + noise * chance.normal(size=(rows, weights.shape[1]))
    table = pd.DataFrame(X, columns=[f"x{at}" for at in range(X.shape[1])])
    return table.assign(**{name: Y[:, at] for at, name in enumerate("abcdefgh"[: Y.shape[1]])})


def related(rows=60):
    """a and b are alike, c and d are alike up to the sign, e is noise."""
    first, second = np.random.default_rng(3).normal(size=(2, 20))
    return table_of(np.stack([first, first, second, -second, 0 * first], axis=1), rows)


def test_related_tasks_are_found_whatever_their_sign_and_noise_stays_alone():
    found = sw.find_relations(related(), list("abcde"))
    assert found.groups == [["a", "b"], ["c", "d"], ["e"]]
    assert found.affinity.loc["a", "b"] > 0.1 > abs(found.affinity.loc["a", "e"])
    assert found.chance > 0.9
    assert (found.gains.loc[list("abcd"), "gain"] > 0.05).all()
    assert "4 of 5 tasks learn with others" in repr(found)
    assert "alone: e" in repr(found)
    first, *_, last = found.tree(3, budget=5 / 3)
    assert first == [list("abcde")] and any({"a", "b"} <= set(group) for group in last) and len(last) > 1


@pytest.mark.parametrize("seed", range(2))
def test_tasks_with_orthogonal_coefficients_stay_alone(seed):
    weights = np.linalg.qr(np.random.default_rng(seed).normal(size=(12, 12)))[0][:, :6]
    found = sw.find_relations(table_of(weights, rows=150, noise=0.7, seed=seed), list("abcdef"))
    assert found.plan == Plan.separate("abcdef")
    assert "Nothing to learn together" in repr(found)


def test_in_the_long_layout_every_task_has_its_own_rows():
    chance = np.random.default_rng(0)
    centre, parts = chance.normal(size=10), []
    for school in range(8):
        X = chance.normal(size=(16, 10))
        y = X @ (centre + 0.2 * chance.normal(size=10)) + 2 * chance.normal(size=16)
        parts.append(pd.DataFrame(X).assign(school=f"s{school}", score=y))
    found = sw.find_relations(pd.concat(parts, ignore_index=True), ["score"], task_column="school")
    assert len(found.affinity) == 8
    assert max(map(len, found.groups)) >= 6


def test_a_budget_holds_and_one_method_is_shown():
    found = sw.find_relations(related(), list("abcde"), method="RidgeCosine", networks=2)
    assert found.method == "RidgeCosine"
    assert found.uncertainty is not None
    assert found.affinity.loc["c", "d"] < -0.5
    assert sum(len(group.learns) > 1 for group in found.plan.groups) <= 2
    with pytest.raises(UsageError, match="'RidgeCosine'"):
        sw.find_relations(related(), list("abcde"), method="RidgeCosin")


def test_the_plan_is_taken_by_fit(tmp_path):
    found = sw.find_relations(related(), list("abcde"))
    found.write_plan(tmp_path / "plan.json")
    learner = sw.Learner(families=("linear",), plan=tmp_path / "plan.json", workers=0).fit(related(), list("abcde"))
    assert learner.plan_.tasks == found.plan.tasks


def test_the_command_shows_the_matrix_and_writes_the_plan(tmp_path, capsys):
    related().to_csv(tmp_path / "table.csv", index=False)
    plan, words = tmp_path / "plan.json", ["--targets", "a,b,c,d,e", "--plan"]
    assert main(["relate", str(tmp_path / "table.csv"), *words, str(plan), "--tree", "2"]) == 0
    shown = capsys.readouterr().out
    assert "stage 0: a, b, c, d, e\nstage 1: a, b" in shown
    assert "RidgeTransfer: what the row does" in shown
    assert "together: c, d" in shown
    assert Plan.read(plan).check_tasks(list("abcde"))


class TestTablesWithSomethingOdd:
    def test_one_task_is_an_answer(self):
        found = sw.find_relations(related()[["x0", "x1", "a"]], ["a"])
        assert found.groups == [["a"]]
        assert "one task, 'a'" in repr(found)

    def test_two_identical_tasks_help_each_other_no_more_than_themselves(self):
        found = sw.find_relations(related().assign(f=lambda table: table.a), ["a", "f", "e"], drop=["b", "c", "d"])
        assert sorted(name for names in found.groups for name in names) == ["a", "e", "f"]

    def test_a_task_with_two_rows_is_answered_or_named(self):
        table = related()
        table.loc[2:, "b"] = np.nan
        found = sw.find_relations(table, ["a", "b", "c"], drop=["d", "e"], kinds={"b": "regression"})
        assert "b" in [name for names in found.groups for name in names]
        table.loc[1:, "b"] = np.nan
        with pytest.raises(DataError, match="'b'"):
            sw.find_relations(table, ["a", "b", "c"], drop=["d", "e"], kinds={"b": "regression"})

    def test_tasks_that_share_no_rows_are_related_by_their_models(self):
        table = related(rows=80)
        table.loc[table.index % 2 == 0, ["a", "c"]] = np.nan
        table.loc[table.index % 2 == 1, ["b", "d"]] = np.nan
        found = sw.find_relations(table, list("abcde"))
        assert ["c", "d"] in found.groups

    def test_gaps_in_features_are_filled_and_infinite_ones_are_named(self):
        table = related()
        table.loc[3, "x1"] = np.nan
        assert len(sw.find_relations(table, ["a", "b"], drop=["c", "d", "e"]).affinity) == 2
        table.loc[4, "x2"] = np.inf
        with pytest.raises(DataError, match="'x2' has inf in row 4"):
            sw.find_relations(table, ["a", "b"], drop=["c", "d", "e"])

    def test_a_name_given_twice_is_refused(self):
        with pytest.raises(UsageError, match="'a' twice"):
            sw.find_relations(related(), ["a", "a"])


def test_the_probe_pools_alike_tasks_and_serves_only_whom_it_is_told_to():
    chance = np.random.default_rng(0)
    X, w = chance.normal(size=(300, 12)), chance.normal(size=12)
    Y = Targets.wide(X @ np.stack([w, w], 1) + 4 * chance.normal(size=(300, 2))).standardised()
    probe = Probe(X, Y, np.arange(300) < 60)
    apart, alone = probe.losses([]), probe.losses([(np.array([0]), np.array([0]))])
    np.testing.assert_array_equal(apart, alone)
    both = np.array([0, 1])
    together, served = probe.losses([(both, both)]), probe.losses([(both, np.array([1]))])
    assert together.mean() < apart.mean()
    np.testing.assert_array_equal(served[probe.held_out.columns == 0], apart[probe.held_out.columns == 0])
    np.testing.assert_array_equal(served[probe.held_out.columns == 1], together[probe.held_out.columns == 1])
