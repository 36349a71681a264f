"""The predictor of gains: planted effects come back, and limits in which the answer is known."""

import numpy as np
import pytest

from sharewise.base import DataError, NotFittedError
from sharewise.relate import GainPredictor, GainWeights
from sharewise.relate.gain_evidence import GainEvidence

NOTHING = GainWeights(*[0.0] * 5)


def world(seed, noise=0.03, tasks=10):
    chance = np.random.default_rng(seed)
    truth = 0.1 * chance.normal(size=(tasks, tasks))
    groups = np.argsort(chance.random((4 * tasks, tasks)), axis=1) < 4
    mean = (groups @ truth - truth.diagonal()) / 3
    gains = np.where(groups, mean + noise * chance.normal(size=groups.shape), np.nan)
    return chance, truth, groups, gains


def held_out_fit(affinities, groups, gains, tasks=10):
    predictor = GainPredictor(affinities, np.full(tasks, 100), np.full(tasks, 0.5)).fit(groups[:tasks], gains[:tasks])
    found, rest = predictor.predict(groups[tasks:]), gains[tasks:]
    members = ~np.isnan(rest)
    return np.corrcoef(found.mean[members], rest[members])[0, 1], found, rest


def test_the_predictor_weighs_the_affinity_that_knows_and_not_the_one_that_does_not():
    knows, blind, both = [], [], []
    for seed in range(5):
        chance, truth, groups, gains = world(seed)
        noise = chance.normal(size=truth.shape)
        for scores, affinities in ((knows, [truth]), (blind, [noise]), (both, [truth, noise])):
            scores.append(held_out_fit(affinities, groups, gains)[0])
    assert np.mean(knows) > 0.8
    assert np.mean(both) > np.mean(knows) - 0.03
    assert np.mean(blind) < 0.6


def test_the_predictor_learns_of_receivers_without_any_affinity():
    chance = np.random.default_rng(0)
    level = 0.1 * chance.normal(size=10)
    groups = np.argsort(chance.random((40, 10)), axis=1) < 4
    gains = np.where(groups, level + 0.02 * chance.normal(size=(40, 10)), np.nan)
    assert held_out_fit([], groups, gains)[0] > 0.9


def test_the_predictors_errors_cover_what_was_held_out():
    inside = []
    for seed in range(5):
        _, truth, groups, gains = world(seed, noise=0.0)
        near = truth + 0.1 * np.random.default_rng(seed).normal(size=truth.shape)
        _, found, rest = held_out_fit([near], groups, gains)
        members = ~np.isnan(rest)
        inside.append((np.abs(found.mean - rest)[members] < 2 * found.uncertainty[members]).mean())
    assert np.mean(inside) > 0.85


def test_a_gain_that_is_missing_leaves_its_task_a_helper_of_the_others():
    _, truth, groups, gains = world(0)
    gaps = gains.copy()
    gaps[:, 3] = np.nan
    assert held_out_fit([truth], groups, gaps)[0] > 0.7


def test_the_predictor_says_what_it_lacks():
    predictor = GainPredictor([np.eye(3)], np.full(3, 10), np.ones(3))
    with pytest.raises(NotFittedError, match="GainPredictor is not fitted"):
        predictor.predict(np.ones((1, 3), dtype=bool))
    with pytest.raises(DataError, match="gains holds no gain of a member of a group of two or more"):
        predictor.fit(np.eye(3, dtype=bool), np.where(np.eye(3, dtype=bool), 0.0, np.nan))


def all_pairs(tasks):
    pairs = np.zeros((tasks * (tasks - 1) // 2, tasks), dtype=bool)
    for row, members in zip(pairs, zip(*np.triu_indices(tasks, 1), strict=True), strict=True):
        row[list(members)] = True
    return pairs


def pair_gains(pairs, truth):
    return np.where(pairs, pairs @ truth - truth.diagonal(), np.nan)


def agreement(found, pairs, truth):
    return np.corrcoef(found[pairs], pair_gains(pairs, truth)[pairs])[0, 1]


def test_planted_effects_of_receiver_helper_and_pair_come_back_better_than_they_were_seen():
    raw, smooth = [], []
    for seed in range(5):
        chance, pairs = np.random.default_rng(seed), all_pairs(10)
        truth = 0.1 * (chance.normal(size=10) + 0.5 * chance.normal(size=(10, 1)) + 0.5 * chance.normal(size=(10, 10)))
        seen = pair_gains(pairs, truth) + 0.15 * chance.normal(size=pairs.shape)
        predictor = GainPredictor([], np.full(10, 50), np.ones(10)).fit(pairs, seen)
        raw.append(agreement(seen, pairs, truth))
        smooth.append(agreement(predictor.predict(pairs).mean, pairs, truth))
    assert np.mean(smooth) > np.mean(raw) + 0.03
    assert np.mean(smooth) > 0.63


def test_of_a_single_gain_that_was_seen_luck_and_noise_are_taken_off():
    both = np.ones((1, 2), dtype=bool)
    predictor = GainPredictor([], np.full(2, 9), np.ones(2), NOTHING).fit(both, np.array([[0.2, np.nan]]))
    level, helpers, receiver, pair, _, luck, noise = predictor.variances_
    own, found = level + helpers + receiver + pair, predictor.predict(both)
    share = own / (own + luck + noise)
    np.testing.assert_allclose(found.mean[0], [0.2 * share, 0.2 * level / (own + luck + noise)])
    np.testing.assert_allclose(found.uncertainty[0, 0], predictor.unit_ * np.sqrt(own * (1 - share)))


def test_what_a_task_gains_in_every_company_may_be_the_luck_of_its_run_alone():
    """Of two equal means the one over helpers is believed more: that of the receiver holds its run alone."""
    pairs = all_pairs(8)
    fitted = []
    for effect in (np.eye(8)[0], np.eye(8)[0][:, None]):
        truth = 0.1 * np.broadcast_to(effect, (8, 8)) + 0.02 * np.random.default_rng(0).normal(size=(8, 8))
        predictor = GainPredictor([], np.full(8, 9), np.ones(8), NOTHING).fit(pairs, pair_gains(pairs, truth))
        gain = np.zeros((8, 8))
        for pair, said in zip(pairs, predictor.predict(pairs).mean, strict=True):
            i, j = np.flatnonzero(pair)
            gain[i, j], gain[j, i] = said[j], said[i]
        fitted.append((gain[1:, 0].mean() - gain[1:, 1:].sum() / 42, gain[0, 1:].mean() - gain[1:, 1:].sum() / 42))
    assert 0 < fitted[0][0] < 0.8 * fitted[1][1]


def test_effects_of_pairs_are_seen_again_in_groups_that_hold_the_pairs():
    found = []  # there are as many effects as gains, which are shrunk: they come back in part
    for seed in range(5):
        chance, pairs = np.random.default_rng(seed), all_pairs(8)
        truth = 0.1 * chance.normal(size=(8, 8))
        triples = np.argsort(chance.random((20, 8)), axis=1) < 3
        mean = np.where(triples, (triples @ truth - truth.diagonal()) / 2, np.nan)
        seen = pair_gains(pairs, truth) + 0.03 * chance.normal(size=pairs.shape)
        said = GainPredictor([], np.full(8, 50), np.ones(8)).fit(pairs, seen).predict(triples).mean
        found.append(np.corrcoef(said[triples], mean[triples])[0, 1])
    assert np.mean(found) > 0.6


def test_what_other_tables_taught_orders_pairs_that_were_not_trained():
    rows, pairs = np.array([10, 400, 30, 100, 20, 60]), all_pairs(6)
    flat = np.where(pairs[:1], 0.1, np.nan)
    predict = GainPredictor([], rows, np.ones(6)).fit(pairs[:1], flat).predict
    mean = np.nanmean(predict(pairs).mean, axis=0)[2:]  # of those that were not trained
    assert np.argsort(-mean).tolist() == np.argsort(rows[2:]).tolist()  # few rows gain more
    blind = GainPredictor([], rows, np.ones(6), weights=NOTHING).fit(pairs[:1], flat).predict(pairs).mean
    assert np.ptp(np.nanmean(blind, axis=0)[2:]) < 0.5 * np.ptp(mean)


def test_helpers_whom_the_affinities_name_are_expected_to_help():
    pairs, matrix = all_pairs(6), np.random.default_rng(0).random((6, 6))
    flat = np.where(pairs[:1], 0.1, np.nan)
    off = np.where(np.eye(6, dtype=bool), 0, matrix)
    predictor = GainPredictor([matrix, matrix**3], np.full(6, 9), np.ones(6), NOTHING._replace(affinity=0.2))
    found = predictor.fit(pairs[:1], flat).predict(pairs[1:]).mean
    assert agreement(found, pairs[1:], off - off.sum(axis=0) / 5) > 0.85


def test_units_of_gains_and_affinities_do_not_matter():
    _, truth, groups, gains = world(0)
    small = GainPredictor([truth], np.arange(1, 11), np.ones(10)).fit(groups[:10], gains[:10]).predict(groups)
    large = GainPredictor([1e6 * truth**3], np.arange(1, 11), np.ones(10)).fit(groups[:10], 100 * gains[:10])
    np.testing.assert_allclose(large.predict(groups).mean, 100 * small.mean, rtol=1e-3)
    np.testing.assert_allclose(large.predict(groups).uncertainty, 100 * small.uncertainty, rtol=1e-3)


def test_the_order_of_tasks_does_not_matter():
    chance, truth, groups, gains = world(1)
    order = chance.permutation(10)
    rows = np.arange(5, 15)
    one = GainPredictor([truth], rows, rows / 20).fit(groups[:10], gains[:10]).predict(groups).mean
    moved = GainPredictor([truth[np.ix_(order, order)]], rows[order], rows[order] / 20)
    other = moved.fit(groups[:10, order], gains[:10, order]).predict(groups[:, order]).mean
    np.testing.assert_allclose(other, one[:, order], rtol=1e-3, atol=1e-4)


def test_a_single_ruined_run_does_not_rule_the_predictions():
    _, truth, groups, gains = world(0)
    ruined = gains.copy()
    ruined[3, np.flatnonzero(groups[3])[0]] = -500.0
    assert held_out_fit([truth], groups, ruined)[0] > 0.6


def test_gains_that_are_all_nothing_are_predicted_as_nothing():
    groups = all_pairs(4)
    found = GainPredictor([], np.full(4, 9), np.ones(4)).fit(groups, np.where(groups, 0.0, np.nan)).predict(groups)
    np.testing.assert_allclose(found.mean[groups], 0.0, atol=1e-12)


def test_members_know_the_means_of_their_helpers():
    affinity = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 4.0], [5.0, 6.0, 0.0]])
    evidence = GainEvidence.of([affinity], np.array([1, 10, 100]), np.array([0.5, 0.5, 0.9]))
    groups = np.ones((1, 3), dtype=bool)
    members = evidence.members(groups, np.array([[False, True, False]]))
    score = np.sqrt(1.5)  # of the ranks 1, 2, 3
    np.testing.assert_allclose(members.known[0, :2], [0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(members.known[0, 5], np.log(2))
    np.testing.assert_allclose(evidence.rows, [-score, 0.0, score])
    np.testing.assert_allclose(members.affinity[0, 0], evidence.affinities[0, [0, 2], 1].mean())
    assert members.helpers.tolist() == [[1.0, 0.0, 1.0]]


@pytest.mark.parametrize(("changed", "message"), [
    ({"affinities": [np.eye(3), np.full((3, 3), np.nan)]}, "affinity 1 of the predictor is NaN or infinite in 9 of 9"),
    ({"affinities": [np.diag([1, np.inf, 1])]}, "in 1 of 9 places, the first at task 1 and task 1; it must be finite"),
    ({"rows": np.array([4.0, np.nan, 2.0])}, "rows of the predictor is NaN or infinite in 1 of 3 .* at task 1"),
    ({"affinities": [np.eye(4)]}, r"affinity 0 of the predictor has shape \(4, 4\); it must be \(3, 3\), as rows has"),
    ({"difficulty": np.ones(2)}, r"difficulty of the predictor has shape \(2,\)"),
])
def test_evidence_that_is_not_finite_or_of_other_tasks_is_named(changed, message):
    given = {"affinities": [np.eye(3)], "rows": np.full(3, 10.0), "difficulty": np.ones(3)} | changed
    with pytest.raises(DataError, match=message):
        GainPredictor(**given).fit(all_pairs(3), np.where(all_pairs(3), 0.1, np.nan))
