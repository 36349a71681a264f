"""Decisions from probabilities: against trying every threshold, every set, every outcome."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, hamming_loss, jaccard_score
from sklearn.model_selection import cross_val_predict
from sklearn.multioutput import MultiOutputClassifier
from sklearn.svm import LinearSVC

from sharewise.base import DataError, UnknownNameError, UsageError
from sharewise.solve.labels import (
    BinaryRelevance,
    IterativeStratification,
    MLkNN,
    TunedDecision,
    best_example_f1,
    best_example_jaccard,
    best_threshold,
    best_thresholds,
    expected_f1_thresholds,
    top_labels,
)
from sharewise.solve.labels.thresholds import BY_LABEL, MEASURES


def score(measure: str, Y: np.ndarray, said: np.ndarray) -> float:
    """The measure by scikit-learn, higher is better."""
    if measure == "hamming_loss":
        return -hamming_loss(Y, said)
    if measure == "subset_accuracy":
        return accuracy_score(Y, said)
    if measure == "jaccard":
        return jaccard_score(Y, said, average="samples", zero_division=1.0)
    if measure == "cardinality":
        return -abs(float(said.sum()) - float(Y.sum()))
    average = {"micro_f1": "micro", "macro_f1": "macro", "example_f1": "samples"}[measure]
    return f1_score(Y, said, average=average, zero_division=1.0)


def table(seed: int, rows: int = 12, labels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities with ties and zeros, and labels some of which are never on."""
    chance = np.random.default_rng(seed)
    P = np.round(chance.random((rows, labels)), 1)
    Y = (P + chance.normal(scale=0.4, size=P.shape) > 0.6).astype(int)
    Y[:, 0] *= seed % 3 > 0
    return P, Y


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("seed", range(9))
def test_one_threshold_is_as_good_as_the_best_of_all(measure: str, seed: int) -> None:
    P, Y = table(seed)
    every = [score(measure, Y, (threshold < P).astype(int)) for threshold in (0.0, *np.arange(0.05, 1, 0.1), 1.0)]
    found = best_threshold(P, Y, measure)
    assert score(measure, Y, (found < P).astype(int)) == pytest.approx(max(every))
    assert 0 <= found <= 1


@pytest.mark.parametrize("measure", BY_LABEL)
@pytest.mark.parametrize("seed", range(4))
def test_thresholds_per_label_are_as_good_as_the_best_of_all(measure: str, seed: int) -> None:
    P, Y = table(seed, rows=5)
    each = [[0.0, *((np.unique(column)[1:] + np.unique(column)[:-1]) / 2), 1.0] for column in P.T]
    every = [score(measure, Y, (np.array(one) < P).astype(int)) for one in product(*each)]
    found = best_thresholds(P, Y, measure)
    if measure == "cardinality":  # label by label, where one says too many and another too few for the sum to tell
        off = [abs(int(said.sum()) - int(true.sum())) for said, true in zip((found < P).T, Y.T, strict=True)]
        least = [min(abs(int((threshold < column).sum()) - int(true.sum())) for threshold in tried)
                 for tried, column, true in zip(each, P.T, Y.T, strict=True)]
        assert off == least
        return
    assert score(measure, Y, (found < P).astype(int)) == pytest.approx(max(every))


def test_of_equal_thresholds_the_one_nearest_to_one_half_is_taken() -> None:
    P, Y = np.array([[0.95], [0.9], [0.1], [0.05]]), np.array([[1], [1], [0], [0]])
    for measure in MEASURES:
        assert best_threshold(P, Y, measure) == pytest.approx(0.5)
    for measure in BY_LABEL:
        assert best_thresholds(P, Y, measure) == pytest.approx([0.5])


def test_neighbouring_floats_are_parted() -> None:
    low, high = 0.3, np.nextafter(0.3, 1)
    assert (np.array([high, low]) > best_threshold([[high], [low]], [[1], [0]], "micro_f1")).tolist() == [True, False]


def test_where_no_label_is_on_nothing_is_said() -> None:
    P, Y = table(1)
    for measure in MEASURES:
        assert not (best_threshold(P, 0 * Y, measure) < P).any()
    for measure in BY_LABEL:
        assert not (best_thresholds(P, 0 * Y, measure) < P).any()


def test_calibrated_probabilities_of_independent_labels_need_no_other_threshold_than_one_half() -> None:
    chance = np.random.default_rng(0)
    P = chance.random((40_000, 3))
    Y = chance.random(P.shape) < P
    assert best_threshold(P, Y, "hamming_loss") == pytest.approx(0.5, abs=0.03)
    assert best_threshold(P, Y, "subset_accuracy") == pytest.approx(0.5, abs=0.03)
    # The threshold that is best for F1 is half the F1 it gives (Lipton, Elkan, Narayanaswamy 2014).
    threshold = best_threshold(P, Y, "micro_f1")
    assert threshold == pytest.approx(score("micro_f1", Y, threshold < P) / 2, abs=0.03)


def expected_f1(p: np.ndarray, said: tuple[int, ...], empty: float) -> float:
    """The expected F1 of a set, by every outcome of independent labels."""
    total = 0.0
    for outcome in product((0, 1), repeat=len(p)):
        chance = float(np.prod(np.where(outcome, p, 1 - p)))
        size = sum(said) + sum(outcome)
        total += chance * (2 * float(np.dot(said, outcome)) / size if size else empty)
    return total


def expected_jaccard(p: np.ndarray, said: tuple[int, ...]) -> float:
    """The expected Jaccard index of a set, by every outcome of independent labels."""
    total = 0.0
    for outcome in product((0, 1), repeat=len(p)):
        union = np.logical_or(said, outcome).sum()
        total += float(np.prod(np.where(outcome, p, 1 - p))) * (np.dot(said, outcome) / union if union else 1.0)
    return total


@pytest.mark.parametrize("labels", [1, 2, 3, 4, 5, 6])
def test_the_set_of_highest_expected_jaccard_is_the_best_of_all_sets(labels: int) -> None:
    chance = np.random.default_rng(labels)
    P = np.vstack([chance.random((4, labels)), chance.random((3, labels)) ** 4, np.eye(labels)[:1], np.ones(labels)])
    for p, said in zip(P, best_example_jaccard(P), strict=True):
        values = {each: expected_jaccard(p, each) for each in product((0, 1), repeat=labels)}
        assert values[tuple(said.astype(int).tolist())] == pytest.approx(max(values.values()))


def test_expected_jaccard_is_exact_for_many_labels_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the distribution of how many other labels are on, by convolution, for 41 labels."""
    P = np.sort(np.random.default_rng(0).random((3, 41)) ** 3)[:, ::-1]
    monkeypatch.setattr("sharewise.solve.labels.most_probable.ENTRIES", 1000)
    for p, said in zip(P, best_example_jaccard(P), strict=True):
        best = (float(np.prod(1 - p)), 0)
        for k in range(1, 42):
            others = np.ones(1)
            for other in p[k:]:
                others = np.convolve(others, [1 - other, other])
            best = max(best, (float(p[:k].sum() * np.sum(others / (k + np.arange(len(others))))), k))
        assert int(said.sum()) == best[1]
        assert said[:best[1]].all()


def test_thresholds_from_calibrated_probabilities_alone_are_those_from_labels_too() -> None:
    chance = np.random.default_rng(0)
    P = chance.beta(0.6, [1.0, 3.0, 8.0], size=(60_000, 3))
    Y = chance.random(P.shape) < P
    for measure in ("macro_f1", "micro_f1"):
        alone = score(measure, Y, expected_f1_thresholds(P, measure) < P)
        assert alone == pytest.approx(score(measure, Y, best_thresholds(P, Y, measure) < P), abs=0.003)
    each = expected_f1_thresholds(P)
    for label in range(3):  # theorem 1: the best threshold is half of what it reaches
        said = each[label] < P[:, label]
        assert each[label] == pytest.approx(P[said, label].sum() / (said.sum() + P[:, label].sum()))
    assert expected_f1_thresholds(np.zeros((4, 2))).tolist() == [1.0, 1.0]


@pytest.mark.parametrize("empty", [1.0, 0.0])
@pytest.mark.parametrize("labels", [1, 2, 3, 5, 6])
def test_the_set_of_highest_expected_f1_is_the_best_of_all_sets(labels: int, empty: float) -> None:
    chance = np.random.default_rng(labels)
    P = np.vstack([chance.random((4, labels)), chance.random((3, labels)) ** 4, np.eye(labels)[:1], np.ones(labels)])
    for p, said in zip(P, best_example_f1(P, empty), strict=True):
        values = {each: expected_f1(p, each, empty) for each in product((0, 1), repeat=labels)}
        assert values[tuple(said.astype(int).tolist())] == pytest.approx(max(values.values()))


def test_expected_f1_is_exact_for_many_labels_too() -> None:
    """Against the distribution of how many labels are on, by convolution, for 40 labels."""
    P = np.sort(np.random.default_rng(0).random((3, 40)) ** 5)[:, ::-1]
    for p, said in zip(P, best_example_f1(P), strict=True):
        best = (float(np.prod(1 - p)), 0)
        for k in range(1, 41):
            value = 0.0
            for i in range(k):
                others = np.ones(1)
                for other in np.delete(p, i):
                    others = np.convolve(others, [1 - other, other])
                value += 2 * p[i] * float(np.sum(others / (k + 1 + np.arange(len(others)))))
            best = max(best, (value, k))
        assert int(said.sum()) == best[1]
        assert said[:best[1]].all()


def test_rows_are_decided_for_themselves_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    P = np.random.default_rng(0).random((23, 5)) ** 2
    whole = best_example_f1(P)
    monkeypatch.setattr("sharewise.solve.labels.most_probable.ENTRIES", 100)
    assert np.array_equal(best_example_f1(P), whole)


def test_top_labels_are_the_most_probable_ones() -> None:
    P = np.array([[0.1, 0.5, 0.5, 0.2], [0.9, 0.8, 0.7, 0.6]])
    assert top_labels(P, 0).sum() == 0
    assert top_labels(P, 1).astype(int).tolist() == [[0, 1, 0, 0], [1, 0, 0, 0]]
    assert top_labels(P, 3).astype(int).tolist() == [[0, 1, 1, 1], [1, 1, 1, 0]]
    assert top_labels(P, 4).all()


def test_what_can_not_be_decided_is_refused() -> None:
    P, Y = table(1)
    with pytest.raises(UnknownNameError, match="micro_f1"):
        best_threshold(P, Y, "micro-f1")
    for measure in ("example_f1", "subset_accuracy"):
        with pytest.raises(UsageError, match="Use best_threshold"):
            best_thresholds(P, Y, measure)
    with pytest.raises(DataError, match="outside 0 to 1"):
        best_threshold(P + 1, Y, "micro_f1")
    with pytest.raises(DataError, match=r"have the shape \(12, 2\); they must be \[rows, labels\], here \(12, 3\)"):
        best_thresholds(P[:, :2], Y, "micro_f1")
    with pytest.raises(DataError, match="1 labels that were not observed"):
        best_threshold(P[:2, :1], np.array([[1.0], [np.nan]]), "micro_f1")
    with pytest.raises(UsageError, match="k is 4; it must be a whole number from 0 to 3"):
        top_labels(P, 4)


def rare(rows: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features, and three labels that few rows have and no feature tells for sure."""
    chance = np.random.default_rng(seed)
    X = chance.normal(size=(rows, 3))
    scores = X + chance.normal(size=X.shape)
    return X, (scores > np.quantile(scores, 0.85, axis=0)).astype(int)


@pytest.mark.parametrize(("by", "measure"), [("table", "micro_f1"), ("table", "subset_accuracy"),
                                             ("label", "macro_f1")])
def test_thresholds_are_tuned_on_rows_that_the_method_had_not_seen(by: str, measure: str) -> None:
    X, Y = rare()
    plain = MLkNN(k=5)
    tuned = TunedDecision(plain, measure=measure, by=by, folds=4, seed=3).fit(X, Y)
    unseen = cross_val_predict(plain, X, Y, cv=IterativeStratification(4, seed=3), method="predict_proba")
    wanted = (best_threshold if by == "table" else best_thresholds)(unseen, Y, measure)
    assert np.array_equal(tuned.threshold_, wanted)
    assert np.array_equal(tuned.predict_proba(X), plain.fit(X, Y).predict_proba(X))
    assert np.array_equal(tuned.predict(X), tuned.predict_proba(X) > wanted)


def test_by_row_it_is_the_set_of_highest_expected_f1() -> None:
    X, Y = rare()
    tuned = TunedDecision(BinaryRelevance(LogisticRegression()), measure="example_f1", by="row").fit(X, Y)
    assert np.array_equal(tuned.predict(X), best_example_f1(tuned.predict_proba(X)))


@pytest.mark.parametrize(("by", "measure"), [("table", "micro_f1"), ("label", "macro_f1"), ("table", "macro_f1")])
def test_the_measure_it_decides_for_is_better_on_new_rows(by: str, measure: str) -> None:
    X, Y = rare(900)
    plain = BinaryRelevance(LogisticRegression())
    tuned = TunedDecision(plain, measure=measure, by=by).fit(X[:600], Y[:600])
    before = score(measure, Y[600:], plain.fit(X[:600], Y[:600]).predict(X[600:]))
    assert score(measure, Y[600:], tuned.predict(X[600:])) > before + 0.1


@pytest.mark.parametrize(("options", "said"), [
    ({"by": "label", "measure": "example_f1"}, "by label it must be one of micro_f1, macro_f1, hamming_loss"),
    ({"by": "row"}, "by row it must be one of example_f1"),
    ({"by": "column"}, "near names|known are"),
    ({"measure": "f1"}, "near names|known are"),
    ({"folds": 1}, "folds is 1"),
])
def test_a_rule_that_is_none_is_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        TunedDecision(MLkNN(k=3), **options).fit(*rare(30))


def test_a_method_without_one_probability_a_label_is_refused() -> None:
    with pytest.raises(UsageError, match="estimator has no predict_proba"):
        TunedDecision(BinaryRelevance(LinearSVC())).fit(*rare(60))
    with pytest.raises(DataError, match="the probabilities have the shape"):
        TunedDecision(MultiOutputClassifier(LogisticRegression())).fit(*rare(60))
