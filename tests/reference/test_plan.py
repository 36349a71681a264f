"""Plans, schedules, ensembles and evidence against numbers worked by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from sharewise.balance import MGDA, MOML, Smooth, UncertaintyWeighting
from sharewise.base import DataError, SharewiseError, UsageError
from sharewise.data import Encoder
from sharewise.plan import Group, Learner, Plan
from sharewise.plan.balancers import check_balancers, make_balancers
from sharewise.plan.candidate import Candidate
from sharewise.plan.choice import TaskChoice
from sharewise.plan.duration import read_seconds
from sharewise.plan.effort import (
    HURRIED,
    LEAST,
    MOST_OF_BUDGET,
    MOST_OF_ONE,
    MOST_SLOWNESS,
    Pace,
    Size,
    finish_seconds,
    grouping_seconds,
    guess_seconds,
    joint_splits,
    slowness,
    sort_of,
)
from sharewise.plan.evidence import PRIOR_MEAN_GAIN, SPREADS, Estimate, moderated_errors, posterior, worth_sharing
from sharewise.plan.pool import Outcome
from sharewise.plan.portfolio import Grove, candidates_for, portfolio
from sharewise.plan.prepare import Prepared
from sharewise.plan.reporting import without_counterpart
from sharewise.plan.schedule import TRUST, Schedule
from sharewise.plan.sharing import check_share, check_sizes, ways
from sharewise.solve.trees import JointExtraTrees
from sharewise.task import Binary, Kind, Multiclass, Ordinal, Regression, Task


def test_a_plan_survives_json_with_helpers_that_are_learned_and_not_served():
    plan = Plan((Group(("a", "b"), ("a",)), Group(("b",))))
    assert Plan.from_json(plan.to_json()) == plan
    assert plan.tasks == ("a", "b")


def test_separate_and_together_are_the_two_ends():
    assert Plan.separate(["a", "b"]).is_separate
    assert Plan.together(["a", "b"]).groups == (Group(("a", "b")),)


def test_a_task_can_not_be_served_twice_nor_without_being_learned():
    with pytest.raises(UsageError, match="'a' twice"):
        Plan.of([["a"], ["a", "b"]])
    with pytest.raises(UsageError, match="serves 'c'"):
        Group(("a",), ("c",))


def test_a_plan_must_serve_the_tasks_of_the_table():
    with pytest.raises(DataError, match="does not serve 'c'"):
        Plan.of([["a", "b"]]).check_tasks(["a", "b", "c"])


@pytest.mark.parametrize("text", ["", "5x", "-3", "0", "m5"])
def test_a_length_of_time_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="time budget"):
        read_seconds(text)


def test_the_schedule_takes_candidates_in_order_and_leaves_out_what_does_not_fit():
    schedule = Schedule.of([10.0, 50.0, 20.0], budget=50.0)  # 44 seconds for fitting
    assert schedule.next(0.0, nothing_yet=True) == 0
    schedule = schedule.taken(0).finished(0, 10.0)
    assert schedule.next(10.0, nothing_yet=False) == 2
    assert schedule.taken(2).next(20.0, nothing_yet=False) == 1  # 50 guessed seconds might make it in 24
    assert schedule.taken(2).next(40.0, nothing_yet=False) is None


def test_the_schedule_learns_from_what_the_finished_ones_took():
    schedule = Schedule.of([10.0, 10.0], budget=50.0).taken(0).finished(0, 40.0)
    assert schedule.expected(1) == pytest.approx(10 * (40 + TRUST) / (10 + TRUST))
    assert schedule.next(40.0, nothing_yet=False) is None


def test_with_nothing_done_the_cheapest_candidate_is_tried_all_the_same():
    assert Schedule.of([900.0, 700.0], budget=30.0).next(1.0, nothing_yet=True) == 1


def test_without_a_budget_every_candidate_is_taken():
    schedule = Schedule.of([1e6, 1e6], budget=None)
    assert schedule.next(1e9, nothing_yet=False) == 0


def test_the_error_of_a_gain_is_that_of_a_ratio_of_two_means():
    rng = np.random.default_rng(0)
    apart, shared = rng.random(100), rng.random(100)
    gain, error, units, _ = Estimate.of(apart, shared)
    assert units == 100
    assert gain == pytest.approx(1 - shared.mean() / apart.mean())
    influence = (apart * shared.mean() / apart.mean() - shared) / apart.mean()  # of the ratio of two means
    assert error == pytest.approx(influence.std(ddof=1) / 10)


def test_errors_of_tasks_with_few_rows_learn_from_each_other():
    rng = np.random.default_rng(0)
    apart = np.ones(12)
    few = [Estimate.of(apart, 1 + 0.1 * rng.normal(size=12)) for _ in range(300)]  # all have the true error 0.1 / 12^.5
    raw, moderated = np.array([one.error for one in few]), moderated_errors(few)
    true = 0.1 / np.sqrt(12)
    assert np.abs(moderated - true).mean() < 0.5 * np.abs(raw - true).mean()
    assert moderated.mean() == pytest.approx(true, rel=0.1)


def test_errors_of_tasks_with_many_rows_stay_their_own():
    rng = np.random.default_rng(0)
    sizes = np.array([0.05, 0.1, 0.2, 0.4])
    many = [Estimate.of(np.ones(5000), 1 + size * rng.normal(size=5000)) for size in sizes]
    np.testing.assert_allclose(moderated_errors(many), [one.error for one in many], rtol=0.01)


def test_a_task_that_can_gain_nothing_has_no_part_in_the_errors_of_others():
    rng = np.random.default_rng(0)
    some = [Estimate.of(np.ones(20), 1 + 0.1 * rng.normal(size=20)) for _ in range(5)]
    same = Estimate.of(np.ones(20), np.ones(20))
    np.testing.assert_array_equal(moderated_errors([*some, same]), [*moderated_errors(some), 0.0])
    assert moderated_errors([some[0], same])[0] == some[0].error, "one task alone has nobody to learn from"


def test_one_task_alone_has_the_posterior_of_the_normal_model():
    gain, error = 0.03, 0.02
    means, chances, weights = [], [], []
    for spread in SPREADS:
        prior = PRIOR_MEAN_GAIN**2 + spread**2  # of the task's own gain
        variance = 1 / (1 / prior + 1 / error**2)
        means.append(variance * gain / error**2)
        chances.append(norm.cdf(variance * gain / error**2 / np.sqrt(variance)))
        weights.append(norm.pdf(gain, scale=np.sqrt(prior + error**2)))
    expected = np.average(chances, weights=weights)
    found = posterior(np.array([gain]), np.array([error]))
    assert found.chance[0] == pytest.approx(expected, abs=1e-9)
    assert found.mean[0] == pytest.approx(np.average(means, weights=weights), abs=1e-9)


def test_many_small_gains_together_are_evidence_for_each():
    alone = posterior(np.array([0.02]), np.array([0.02])).chance[0]
    among = posterior(np.full(30, 0.02), np.full(30, 0.02)).chance
    assert alone < 0.95 < among.min()


def test_gains_scattered_around_nothing_are_no_evidence():
    gains = np.random.default_rng(0).normal(0, 0.02, size=20)
    assert (posterior(gains, np.full(20, 0.02)).chance < 0.95).all()


def test_sharing_is_worth_it_where_the_gain_is_sure_and_large_enough():
    def of(gain, error):
        return Estimate(gain, error, 100, 3.0)

    assert worth_sharing([of(0.05, 0.01)]).tolist() == [True]
    assert worth_sharing([of(0.008, 0.0001)]).tolist() == [False], "sure, and not worth a word"
    assert worth_sharing([of(0.05, 0.2)]).tolist() == [False], "it might as well hurt"
    assert worth_sharing([of(0.0, 0.0)] * 3).tolist() == [False] * 3
    assert worth_sharing([]).tolist() == []


def test_a_task_that_knows_little_follows_the_mean_of_all_and_one_that_knows_better_does_not():
    clear = [Estimate(gain, 0.03, 100, 3.0) for gain in np.linspace(0.02, 0.10, 20)]
    unsure, against = Estimate(0.04, 0.5, 100, 3.0), Estimate(-0.2, 0.03, 100, 3.0)
    assert worth_sharing([*clear, unsure, against])[-2:].tolist() == [True, False]
    assert not worth_sharing([unsure])[0]


def test_no_shared_candidate_starts_before_a_separate_one_of_its_family():
    schedule = Schedule.of([1.0, 20.0, 9.0], None, kin=["trees", "trees", "linear"], shares=[True, False, True])
    assert schedule.next(0.0, nothing_yet=True) == 1
    assert schedule.taken(1).next(0.0, nothing_yet=False) == 0
    assert schedule.may_start(2)  # there is no separate one of its family to wait for
    hundreds = Schedule.of([900.0, 18.0], 60.0, kin=["trees"] * 2, shares=[False, True], apart=[(), (0,)])
    assert hundreds.next(10.0, nothing_yet=True) == 1  # nor one that could end in time


def test_a_shared_candidate_waits_for_its_like_apart_where_there_is_time_for_both():
    schedule = Schedule.of([1.0, 9.0, 2.0], 50.0, kin=["trees"] * 3, shares=[False, False, True],
                           apart=[(), (), (1,)]).taken(0)
    assert not schedule.may_start(2, left=43.0)
    assert schedule.next(1.0, nothing_yet=False) == 1
    assert schedule.next(35.0, nothing_yet=False) == 2  # 9 + 2 do not fit into the 9 seconds that are left
    assert schedule.taken(1).may_start(2, left=43.0)


def test_found_groups_go_after_the_two_ends():
    schedule = Schedule.of([3.0, 4.0], None, shares=[True, True], late=[True, False])
    assert schedule.next(0.0, nothing_yet=False) == 1
    assert schedule.taken(1).next(0.0, nothing_yet=False) == 0


def test_every_shared_candidate_has_its_like_apart():
    tasks = [Task("a", Binary()), Task("b", Binary()), Task("c", Binary()), Task("d", Binary())]
    found = candidates_for(tasks, np.eye(4), Grove.of(4, 2, 2))
    apart = {one.name: [found[at].name for at in one.apart(found)] for one in found if one.shares}
    assert all(apart.values())
    assert apart["joint extra trees, light, together"] == ["extra trees, light, separate"]
    assert apart["joint boosted trees, grouped"] == [f"boosted trees, {word}, separate" for word in ("light", "strong")]
    assert apart["chained linear, together"] == ["linear, separate"]
    assert apart["network, strong, together"] == ["network, strong, separate"]


def test_what_is_gained_without_a_counterpart_is_said():
    tasks = [Task("a", Binary()), Task("b", Binary())]
    found = [one for one in candidates_for(tasks, np.eye(2), Grove.of(2, 2, 2)) if "light" in one.name]
    names = [one.name for one in found]
    joint = names.index("joint extra trees, light, together")
    other = names.index("boosted trees, light, separate")
    choices = {name: TaskChoice(np.arange(2), {"chosen": np.array([1 - weight, weight])}, {}, True)
               for name, weight in (("a", 0.9), ("b", 0.1))}
    said = without_counterpart(found, Outcome([other, joint], {}), choices)
    assert [one["subject"] for one in said] == ["a"]
    assert "'joint extra trees, light, together'" in said[0]["message"]
    both = Outcome([names.index("extra trees, light, separate"), joint], {})
    assert without_counterpart(found, both, choices) == []


def test_the_first_of_a_family_goes_early_if_it_may_make_it():
    schedule = Schedule.of([4.0, 25.0, 6.0, 6.0], 50.0, kin=["line", "trees", "line", "line"],
                           sort=["line", "boosted", "joint", "joint"], shares=[False, False, True, True])
    schedule = schedule.taken(0).finished(0, 4.0)
    assert schedule.next(4.0, nothing_yet=False) == 1  # 25 times 0.2 comes before 6
    assert schedule.next(30.0, nothing_yet=False) == 2  # 25 do not fit into the 14 seconds that are left
    tried = Schedule.of([70.0, 70.0], 50.0, done=[0])
    assert tried.next(8.0, nothing_yet=False) == 1  # the cheapest that is left, which might
    assert tried.next(35.0, nothing_yet=False) is None


def test_a_sort_that_takes_longer_than_guessed_says_nothing_of_the_others():
    schedule = Schedule.of([10.0] * 3, 100.0, sort=["a", "a", "b"]).taken(0).finished(0, 40.0)
    assert schedule.expected(1) > 30.0
    assert schedule.expected(2) == 10.0


def test_time_for_choosing_and_judging_follows_the_targets():
    assert Schedule.of([1.0], 60.0).deadline == pytest.approx(52.8)
    assert Schedule.of([1.0], 60.0, finish=3.0).deadline == pytest.approx(52.8)
    assert Schedule.of([1.0], 60.0, finish=15.0).deadline == 45.0
    assert Schedule.of([1.0], 60.0, finish=500.0).deadline == 30.0
    assert Schedule.of([1.0], None, finish=500.0).deadline == float("inf")
    few, many = np.zeros((100, 2)), np.zeros((100, 600))
    assert finish_seconds(few) < 0.1 < 3.0 < finish_seconds(many)
    assert finish_seconds(np.full_like(many, np.nan)) < finish_seconds(many)


def test_one_guess_that_is_far_too_low_does_not_take_all_workers():
    schedule = Schedule.of([1.0, 1.0, 5.0], 50.0, sort=["a", "a", "b"]).taken(0)
    assert schedule.next(0.0, False, busy={0}) == 2  # the second of its sort waits for the first
    assert schedule.taken(2).next(0.0, False, busy={0, 2}) == 1  # but not while a worker has nothing else
    assert schedule.finished(0, 1.5).next(2.0, False) == 1
    assert schedule.finished(0, 1.5).taken(1).next(2.0, False, busy={1}) == 2
    assert Schedule.of([1.0, 1.0, 5.0], None, sort=["a", "a", "b"]).taken(0).next(0.0, False, busy={0}) == 1


def test_a_round_of_boosting_is_reckoned_by_its_classes():
    kinds = [Regression(), Multiclass(tuple("abcdefgh")), Ordinal((1, 2, 3))]
    tasks, X = [Task(f"t{at}", kind) for at, kind in enumerate(kinds)], np.zeros((50, 4), dtype=np.float32)
    size = Size.of(X, np.zeros((50, 3)), tasks)
    assert (size.targets, size.scores) == (3, 11)
    boosted, forest = (next(one for one in candidates_for(tasks, np.zeros((50, 3)), Grove.of(50, 4, 5), "separate")
                            if one.name.startswith(name)) for name in ("boosted", "extra"))
    few = replace(size, scores=3)
    assert guess_seconds(boosted, size) > 3 * guess_seconds(boosted, few)
    assert guess_seconds(forest, size) == guess_seconds(forest, few)


def test_lines_share_only_where_two_tasks_are_alike():
    def names(plan: str, *kinds: Kind) -> list[str]:
        tasks = [Task(f"t{at}", kind) for at, kind in enumerate(kinds)]
        return [one.name for one in candidates_for(tasks, np.zeros((50, len(kinds))), Grove.of(50, 4, 5), plan)]
    lines = "mean-regularised linear, together"
    assert lines in names("auto", Regression(), Binary(("a", "b")), Regression())
    assert lines not in names("auto", Regression(), Binary(("a", "b")), Ordinal((1, 2, 3)))
    assert lines in names("together", Regression(), Binary(("a", "b")), Ordinal((1, 2, 3)))  # as it was asked for


def test_the_pace_is_one_for_learning_apart_and_together_and_follows_the_dearest():
    tasks = [Task(f"t{at}", Regression()) for at in range(6)]
    X, Y = np.random.default_rng(0).normal(size=(2000, 100)), np.random.default_rng(1).normal(size=(2000, 6))
    size, plain = Size.of(X.astype(np.float32), Y, tasks), Grove.of(2000, 100, 5)
    full = candidates_for(tasks, Y, plan="together", grove=plain)
    pace = Pace.within(60.0, full, size)
    assert all(LEAST[sort] <= share < 1 for sort, share in pace._asdict().items())
    assert Pace.within(None, full, size) == Pace() == Pace.within(1e6, full, size)
    paced = candidates_for(tasks, Y, plan="together", grove=Grove.of(2000, 100, 5, pace))
    assert [one.name for one in paced] == [one.name for one in full]
    networks = {one.name: one.parts[0].effort for one in paced if one.family == "network"}
    assert set(networks.values()) == {pace.networks} and len(networks) == 4
    for one in paced:
        sort = sort_of(one.name)
        if sort and not one.shares:
            least = LEAST[sort] * guess_seconds(one, size)
            assert pace.seconds(one, size) <= 1.001 * max(60.0 * MOST_OF_BUDGET, least)


def labels(count: int) -> list[Task]:
    return [Task(f"t{at}", Binary()) for at in range(count)]


def test_where_learning_apart_does_not_fit_joint_candidates_make_as_much_effort_as_fits():
    tasks, Y = labels(600), np.zeros((20, 600))
    size, plain = Size(2000.0, 7000, 1000, 600, 100.0, 600, 600), Grove.of(7000, 1000, 5)
    full = candidates_for(tasks, Y, plain, "together")
    for budget in (30.0, 60.0, 120.0):
        pace = Pace.within(budget, full, size)
        assert pace.hurries and HURRIED["networks"] < pace.networks < LEAST["networks"]
        assert pace.boosting == LEAST["boosting"]  # its steps would become too large
        found = {one.name: pace.seconds(one, size) for one in candidates_for(
            tasks, Y, Grove.of(7000, 1000, 5, pace), "together")}
        assert found["network, light, together"] == pytest.approx(budget * MOST_OF_ONE, rel=0.01)
    assert not Pace.within(1e5, full, size).hurries
    assert not Pace.within(60.0, full, Size(2000.0, 2000, 20, 6, 20.0, 1, 6)).hurries


def test_a_joint_forest_pays_for_every_target_of_many():
    few, many, more = (Size(2000.0, 7000, 1000, count, 100.0, 1, count) for count in (50, 350, 650))
    assert joint_splits(few) == 0.0
    assert joint_splits(more) == pytest.approx(2 * joint_splits(many))
    forest = Candidate("joint extra trees, strong, together", Plan.together(["a", "b"]),
                       (JointExtraTrees([Task(name, Binary()) for name in "ab"]),))
    assert guess_seconds(forest, more) - guess_seconds(forest, many) > joint_splits(many)


def test_groups_are_looked_for_where_that_takes_little_of_the_budget():
    X = np.random.default_rng(0).normal(size=(60, 3)).astype(np.float32)
    folds, nothing = np.arange(60) % 5, np.zeros(0, dtype=int)

    def titles(count: int, budget: float | None) -> set[str]:
        Y = (np.random.default_rng(1).normal(size=(60, count)) > 0).astype(float)
        prepared = Prepared(labels(count), [*"abc"], Encoder(), X, Y, folds, None, nothing, [], "")
        return {one.name.rpartition(", ")[2] for one in portfolio(prepared, "auto", ("linear",), 0, budget)}
    assert "grouped" in titles(8, 30.0) and "grouped" in titles(8, None)
    assert titles(300, 1.0) == {"separate", "together"}
    assert grouping_seconds(600) > 0.03 * 60.0 > 60 * grouping_seconds(60)


def test_a_busy_machine_makes_work_longer_but_not_without_end():
    assert slowness(2.0, 2.0) == slowness(1.0, 2.0) == slowness(0.0, 0.0) == 1.0
    assert slowness(3.0, 1.5) == 2.0 and slowness(100.0, 1.0) == MOST_SLOWNESS


def test_shared_networks_are_tried_with_each_balancer_beside_equal_weights():
    tasks = [Task(name, Regression()) for name in "abc"]
    balancers = make_balancers(["UncertaintyWeighting", "Equal", MGDA()], tasks)
    assert list(balancers) == ["UncertaintyWeighting", "MGDA"]
    assert list(balancers["UncertaintyWeighting"].tasks) == [*"abc"]
    found = candidates_for(tasks, np.zeros((50, 3)), Grove.of(50, 4, 5), "together", 0, balancers)
    assert [one.name for one in found if one.name.startswith("network, light") and one.shares] == [
        "network, light, together", "network, light, UncertaintyWeighting, together", "network, light, MGDA, together"]
    size = Size.of(np.zeros((50, 4), dtype=np.float32), np.zeros((50, 3)), tasks)
    assert all(guess_seconds(one, size) > 0 for one in found)
    again = [Candidate.from_json(json.loads(json.dumps(one.to_json()))) for one in found]
    assert [one.name for one in again] == [one.name for one in found]


@pytest.mark.parametrize(("wanted", "says"), [
    ("MGDA", "list"), (["MGAD"], "MGDA"), (["Fixed"], "needs weights"), (["MGDA", MGDA()], "MGDA"),
    ([UncertaintyWeighting(["x"])], "targets"), (["MoCo"], r"needs size.*\bMGDA\b.*, or give an object"),
    (["AutoLambda"], r"needs losses on validation rows in every step.*name one of .*\bMGDA, NashMTL\b"),
    (["RotoGrad"], "needs a call of rotate"), ([Smooth(MOML(["a"], size=3), tasks=["a"])], "'MOML' needs losses on")])
def test_balancers_that_can_not_be_had_are_refused_at_the_door(wanted, says):
    with pytest.raises(SharewiseError, match=says):
        make_balancers(check_balancers(wanted), [Task("a", Regression())])


@pytest.mark.parametrize("options", [{"families": ("linear", "trees")}, {"plan": "separate"}])
def test_balancers_that_nothing_could_use_are_refused(options):
    with pytest.raises(UsageError, match="no shared network"):
        Learner(balance=["MGDA"], **options)
    Learner(balance=["MGDA"], families=("network",))


def test_shared_networks_are_tried_in_each_way_of_sharing_with_each_of_its_strengths():
    tasks = [Task(name, Regression()) for name in "abc"]
    found = candidates_for(tasks, np.zeros((50, 3)), Grove.of(50, 4, 5), "together", 0,
                           architectures=ways(["SoftSharing", "HardSharing", "MMoE"], tasks))
    light = [one for one in found if one.name.startswith("network, light") and one.shares]
    assert [one.name for one in light] == [f"network, light{way}, together" for way in (
        "", ", SoftSharing 0.001", ", SoftSharing 0.01", ", SoftSharing 0.1", ", MMoE")]
    assert [one.sort for one in light] == ["Network", *["Network of SoftSharing"] * 3, "Network of MMoE"]
    again = [Candidate.from_json(json.loads(json.dumps(one.to_json()))) for one in light]
    assert [one.parts[0].architecture for one in again] == [one.parts[0].architecture for one in light]
    alone = candidates_for(tasks, np.zeros((50, 3)), Grove.of(50, 4, 5), architectures=ways(["MMoE"], tasks))
    assert [one.architecture for one in alone if one.family == "network" and one.shares] == ["MMoE", "MMoE"]


def test_without_a_word_another_way_of_sharing_competes_where_each_row_is_one_tasks_own():
    shops = [Task(f"sold[{at}]", Regression(), ("sold",), task_column="shop", task_value=at) for at in range(24)]
    assert list(ways(None, shops)) == ["", ", FiLM"]
    twice = [*shops, Task("paid[0]", Regression(), ("paid",), task_column="shop", task_value=0)]
    assert list(ways(None, twice)) == list(ways(None, [Task(name, Regression()) for name in "abc"])) == [""]
    size = Size(40.0, 960, 18, 24, 18.0, 24, 24)
    found = {one.name: guess_seconds(one, size) for one in candidates_for(
        shops, np.zeros((50, 24)), Grove.of(50, 5, 5), architectures=ways(["HardSharing", "FiLM", "PLE"], shops))}
    hard, film, ple = (found[f"network, light{way}, together"] for way in ("", ", FiLM", ", PLE"))
    assert hard < film < 4 * hard < ple  # a row of PLE runs through the networks of all tasks


def test_networks_that_would_not_fit_into_memory_are_refused():
    tasks = [Task(str(at), Regression()) for at in range(120)]
    size = Size(100.0, 12_000, 20, 120, 20.0, 1, 120)
    found = candidates_for(tasks, np.zeros((100, 120)), Grove.of(100, 20, 5), "together", 0,
                           architectures=ways(["NDDR"], tasks))
    with pytest.raises(UsageError, match="million parameters"):
        check_sizes(found, size, 5)


def test_a_tree_of_two_tasks_is_refused_as_none_is_nearer_than_the_other():
    tasks = [Task(name, Regression()) for name in "abc"]
    assert list(ways(["Branching"], tasks)) == [", Branching"]
    with pytest.raises(UsageError, match=r"'Branching' would find a tree of 2 tasks; .* give share.Branching a tree"):
        ways(["Branching"], tasks[:2])


@pytest.mark.parametrize(("wanted", "options", "says"), [
    ("MMoE", {}, "list"), (["MMOE"], {}, "MMoE"), (["MMoE", "MMoE"], {}, "twice"), ([], {}, "share is empty"),
    (["Separate"], {}, "shares nothing"), (["MMoE"], {"plan": "separate"}, "no shared network"),
    (["MMoE"], {"families": ("trees",)}, "no shared network"), (["MMoE"], {"balance": ["MGDA"]}, "HardSharing")])
def test_ways_of_sharing_that_nothing_could_use_are_refused_at_the_door(wanted, options, says):
    with pytest.raises(SharewiseError, match=says):
        Learner(share=wanted, **options)
    assert check_share(None, **options) is None
