"""Statistics and measures of label tables, worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import sparse

from sharewise.base import DataError
from sharewise.solve.labels import co_occurrence, label_statistics, measure_label_ranking, measure_label_sets

# Labels a, b, c, d; d is never on. Sets: {a} twice, {a, b}, {a, b, c}, nothing.
Y = np.array([[1, 0, 0, 0], [1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [0, 0, 0, 0]])


def test_one_label_alone_is_a_table_too() -> None:
    # on, said: both, nothing, the label without being said, said without being on
    found = measure_label_sets([[1], [0], [1], [0]], [[1], [0], [0], [1]])
    assert [found[name] for name in ("micro_f1", "macro_f1", "hamming_loss", "jaccard", "example_f1")] == [0.5] * 5
    with pytest.raises(DataError, match="has one label; a ranking needs two or more"):
        measure_label_ranking([[1], [0]], [[0.9], [0.1]])


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, list])
def test_statistics_worked_by_hand(kind: type) -> None:
    found = label_statistics(kind(Y))
    assert (found.rows, found.labels, found.counts.tolist()) == (5, 4, [4, 2, 1, 0])
    assert (found.cardinality, found.density) == pytest.approx((7 / 5, 7 / 20))
    assert found.imbalance.tolist() == [1.0, 2.0, 4.0, math.inf]
    assert found.mean_imbalance == pytest.approx(7 / 3)
    # Deviations from 7/3: -4/3, -1/3, 5/3; squares sum to 42/9; over 2 is 7/3; its root over 7/3.
    assert found.imbalance_variation == pytest.approx(math.sqrt(7 / 3) / (7 / 3))
    assert (found.sets, found.single_sets, found.set_share) == (4, 3, 4 / 5)


def test_a_table_in_which_no_label_is_on_has_no_imbalance() -> None:
    found = label_statistics(np.zeros((3, 2)))
    assert (found.cardinality, found.sets) == (0.0, 1)
    assert math.isnan(found.mean_imbalance)
    assert math.isnan(found.imbalance_variation)


def test_co_occurrence_counts_rows_with_both() -> None:
    assert co_occurrence(Y).tolist() == [[4, 2, 1, 0], [2, 2, 1, 0], [1, 1, 1, 0], [0, 0, 0, 0]]


def test_measures_of_sets_worked_by_hand() -> None:
    said = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 1, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
    found = measure_label_sets(Y, said)
    # By row: right; {b} for {a}; {a, b, c} for {a, b}; {a} for {a, b, c}; nothing for nothing.
    wanted = {
        "jaccard": (1 + 0 + 2 / 3 + 1 / 3 + 1) / 5, "subset_accuracy": 2 / 5, "hamming_loss": (2 + 1 + 2) / 20,
        "example_f1": (1 + 0 + 4 / 5 + 2 / 4 + 1) / 5,
        "example_precision": (1 + 0 + 2 / 3 + 1) / 4, "example_recall": (1 + 0 + 1 + 1 / 3) / 4,
        # hits 3, 1, 0, 0; said 3, 2, 1, 0; true 4, 2, 1, 0. d is neither said nor true: left out.
        "macro_f1": (6 / 7 + 2 / 4 + 0) / 3, "macro_precision": (1 + 1 / 2 + 0) / 3,
        "macro_recall": (3 / 4 + 1 / 2 + 0) / 3,
        "micro_f1": 8 / 13, "micro_precision": 4 / 6, "micro_recall": 4 / 7,
        "cardinality_said": 6 / 5, "empty_said": 1 / 5,
    }
    assert found == pytest.approx(wanted)


def test_measures_of_rankings_worked_by_hand() -> None:
    P = np.array([[0.9, 0.5, 0.2, 0.1], [0.4, 0.6, 0.3, 0.1], [0.7, 0.6, 0.8, 0.1], [0.9, 0.8, 0.2, 0.4],
                  [0.3, 0.2, 0.1, 0.05]])
    found = measure_label_ranking(Y, P)
    # True labels stand at place 1; 2; 2 and 3; 1, 2 and 4; the last row has none.
    assert found["one_error"] == pytest.approx(2 / 4)
    assert found["coverage"] == pytest.approx((0 + 1 + 2 + 3) / 4)
    assert found["ranking_loss"] == pytest.approx((0 + 1 / 3 + 2 / 4 + 1 / 3 + 0) / 5)
    assert found["ranking_precision"] == pytest.approx((1 + 1 / 2 + (1 / 2 + 2 / 3) / 2 + (1 + 1 + 3 / 4) / 3 + 1) / 5)
    # a: all four above .3 (row 5), so 1; b: rows 3, 4 (.6, .8) against .5, .6, .2: 5.5 of 6; c: .2 against .2, .3, .8,
    # .1: 1.5 of 4; d is never on.
    assert found["macro_auroc"] == pytest.approx((1 + 5.5 / 6 + 1.5 / 4) / 3)
    right = np.where(Y == 1, P, 1 - P)
    assert found["log_loss"] == pytest.approx(-np.log(right).mean())


def test_right_answers_are_the_best_of_all() -> None:
    sets, ranks = measure_label_sets(Y, Y), measure_label_ranking(Y, 0.1 + 0.8 * Y)
    assert sets["hamming_loss"] == ranks["ranking_loss"] == ranks["one_error"] == 0
    assert all(sets[name] == 1 for name in sets if name.endswith(("f1", "precision", "recall", "accuracy", "jaccard")))
    assert ranks["macro_auroc"] == ranks["micro_auroc"] == ranks["macro_auprc"] == ranks["ranking_precision"] == 1


def test_what_has_no_value_is_nan() -> None:
    never = np.zeros((3, 2))
    sets, ranks = measure_label_sets(never, never), measure_label_ranking(never, never + 0.2)
    assert sets["example_f1"] == sets["jaccard"] == 1
    assert math.isnan(sets["macro_f1"])
    assert all(math.isnan(ranks[name]) for name in ("one_error", "coverage", "macro_auroc", "micro_auroc"))


def test_tables_of_different_shapes_are_refused() -> None:
    with pytest.raises(DataError, match=r"have the shape \(5, 3\)"):
        measure_label_sets(Y, Y[:, :3])
    with pytest.raises(DataError, match="outside 0 to 1"):
        measure_label_ranking(Y, 2.0 * Y)
