"""The most probable of the label sets that were seen."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from sharewise.base import DataError
from sharewise.solve.labels import likeliest_seen_sets


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


def test_tables_of_different_widths_and_values_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(DataError, match="3 labels"):
        likeliest_seen_sets([[0.1, 0.2, 0.3]], [[1, 0]])
    with pytest.raises(DataError, match="outside 0 to 1"):
        likeliest_seen_sets([[0.1, 1.2]], [[1, 0]])
