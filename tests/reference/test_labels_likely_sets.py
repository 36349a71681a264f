"""The most probable of the label sets that were seen."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from sharewise.base import DataError, UsageError
from sharewise.solve.labels import best_seen_sets, likeliest_seen_sets
from sharewise.solve.labels.likely_sets import LIFTS


def test_it_is_the_set_with_the_highest_product_of_probabilities() -> None:
    """Against the products themselves, set by set."""
    chance = np.random.default_rng(0)
    P, seen = chance.uniform(0.05, 0.95, size=(40, 5)), chance.random((12, 5)) < 0.4
    products = np.stack([np.where(one, P, 1 - P).prod(axis=1) for one in seen], axis=1)
    assert np.array_equal(likeliest_seen_sets(P, seen), seen[products.argmax(axis=1)])


def test_where_all_sets_were_seen_every_label_is_on_above_one_half() -> None:
    P = np.random.default_rng(1).random((30, 4))
    assert np.array_equal(likeliest_seen_sets(P, list(product([0, 1], repeat=4))), P > 0.5)


def test_of_equals_the_set_of_more_rows_is_said() -> None:
    assert likeliest_seen_sets([[0.5, 0.5]], [[1, 0], [0, 1], [0, 1]]).tolist() == [[False, True]]


def test_a_probability_of_naught_rules_nothing_out_by_itself() -> None:
    said = likeliest_seen_sets([[0.0, 1.0, 1.0], [0.0, 0.2, 0.2]], [[1, 1, 1], [1, 0, 0]])
    assert said.tolist() == [[True, True, True], [True, False, False]]


def test_parts_of_the_rows_are_answered_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = np.random.default_rng(2)
    P, seen = chance.random((23, 6)), chance.random((9, 6)) < 0.3
    whole = likeliest_seen_sets(P, seen)
    monkeypatch.setattr("sharewise.solve.labels.likely_sets.ENTRIES", 20)
    assert np.array_equal(likeliest_seen_sets(P, seen), whole)
    monkeypatch.setattr("sharewise.solve.labels.likely_sets.DENSE_ENTRIES", 10)
    assert np.array_equal(likeliest_seen_sets(P, seen), whole)


def test_tables_of_different_widths_and_values_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(DataError, match="3 labels"):
        likeliest_seen_sets([[0.1, 0.2, 0.3]], [[1, 0]])
    with pytest.raises(UsageError, match="lift is 2"):
        likeliest_seen_sets([[0.1, 0.2]], [[1, 0]], lift=2)
    with pytest.raises(DataError, match="outside 0 to 1"):
        likeliest_seen_sets([[0.1, 1.2]], [[1, 0]])


def test_the_whole_lift_is_bayes_rule_where_rows_speak_of_each_label_apart() -> None:
    """Labels from a joint table, one feature a label that depends on its own label alone: p(set | row) by hand."""
    chance = np.random.default_rng(3)
    sets = np.array(list(product([False, True], repeat=3)))
    times = chance.integers(1, 40, size=8)
    prior, share = times / times.sum(), np.average(sets, axis=0, weights=times)
    ratio = np.exp(chance.normal(size=(50, 3)))  # p(feature | on) / p(feature | off)
    odds = ratio * share / (1 - share)
    truth = prior * np.where(sets, ratio[:, None], 1.0).prod(axis=2)
    said = likeliest_seen_sets(odds / (1 + odds), np.repeat(sets, times, axis=0), lift=1.0)
    assert (said == sets[truth.argmax(axis=1)]).all(axis=1).mean() > 0.95  # shares are kept half a row from 0 and 1


def test_what_is_right_is_counted_by_the_sets_of_the_other_rows() -> None:
    chance = np.random.default_rng(4)
    Y = chance.random((60, 4)) < [0.5, 0.4, 0.2, 0.1]
    P = np.clip(0.5 * Y + 0.5 * chance.random((60, 4)), 0, 1)
    seen, right = best_seen_sets(P, Y)
    brute = [np.mean([np.array_equal(likeliest_seen_sets(P[[at]], np.delete(Y, at, axis=0), lift)[0], Y[at])
                      for at in range(60)]) for lift in LIFTS]
    assert right == pytest.approx(max(brute), abs=0.051)  # shares of labels are those of all rows
    assert any(np.array_equal(seen.say(P), likeliest_seen_sets(P, Y, lift)) for lift in LIFTS)
    once = np.eye(4, dtype=bool)
    assert best_seen_sets(np.where(once, 0.9, 0.1), once)[1] == 0.0
