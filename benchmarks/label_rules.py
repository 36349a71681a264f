"""From probabilities to sets: the rules that labels.py judges every method of ours by, on test rows and out of fold.

A rule is read under the measure that it was made for; test rows choose nothing. ``predict`` is the method's own way.
One threshold for all labels is made for each measure, ``macro_f1 by label`` is one threshold a label. ``nearest seen
sets`` and ``likeliest seen sets`` say sets of training rows alone; ``example_f1 by row`` needs no threshold. Thresholds
come from probabilities out of fold (FOLDS stratified folds of the training rows), as in ``TunedDecision``. Out of fold
itself, a fold is decided by what the other folds say, so that its figures may be compared and chosen by.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from sharewise.solve import labels

FOLDS = 3
MEASURES = ("micro_f1", "macro_f1", "example_f1", "subset_accuracy", "hamming_loss")
MADE_FOR = {"hamming_loss": ("predict", "hamming_loss"),
            "subset_accuracy": ("predict", "subset_accuracy", "nearest seen sets", "likeliest seen sets"),
            "micro_f1": ("micro_f1", "predict"), "macro_f1": ("macro_f1 by label", "macro_f1", "predict"),
            "example_f1": ("example_f1 by row", "example_f1", "predict")}
RULES = tuple(dict.fromkeys(rule for rules in MADE_FOR.values() for rule in rules))
LABELS_BY_ROW = 60  # example_f1 by row takes N L^2 steps


class Answers(NamedTuple):
    """What a method says: ``said`` and ``chances`` of test rows, ``said_unseen`` and ``unseen`` of training rows by
    models that had not seen them, CPU ``seconds`` of one fit and prediction."""

    said: np.ndarray
    chances: np.ndarray
    said_unseen: np.ndarray
    unseen: np.ndarray
    seconds: float


def folds(Y: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Training rows to learn from, and those to answer for."""
    yield from labels.IterativeStratification(FOLDS).split(Y, Y)


def judge(answers: Answers, Y: np.ndarray, true: np.ndarray, rules: Iterable[str] = RULES) -> dict[str, Any]:
    """Measures of every rule, and of the ranking, on test rows (labels ``true``) and out of fold (``Y``)."""
    found = decided_unseen(answers, Y, rules)
    return {"seconds": answers.seconds,
            "rules": {rule: labels.measure_label_sets(true, one) for rule, one in
                      _decide(answers.chances, answers.said, answers.unseen, Y, rules).items()},
            "ranking": labels.measure_label_ranking(true, answers.chances),
            "folds": {"rules": {rule: chosen_by(Y, one) for rule, one in found.items()},
                      "ranking": labels.measure_label_ranking(Y, answers.unseen)}}


def decided_unseen(answers: Answers, Y: np.ndarray, rules: Iterable[str]) -> dict[str, np.ndarray]:
    """What the rules say of training rows, each fold by thresholds from the others."""
    found: dict[str, np.ndarray] = {}
    for others, fold in folds(Y):
        made = _decide(answers.unseen[fold], answers.said_unseen[fold], answers.unseen[others], Y[others], rules)
        for name, one in made.items():
            found.setdefault(name, np.zeros(Y.shape, dtype=bool))[fold] = one
    return found


def chosen_by(Y: np.ndarray, said: np.ndarray) -> dict[str, float]:
    """The measures that are chosen by: those of ``measure_label_sets`` of these names, in a tenth of its time."""
    true, said = Y > 0, said > 0
    hits = true & said
    return {"hamming_loss": float((true != said).mean()), "subset_accuracy": float((true == said).all(axis=1).mean()),
            "micro_f1": float(_f1(hits.sum(), true.sum() + said.sum(), np.nan)),
            "macro_f1": float(np.nanmean(_f1(hits.sum(axis=0), true.sum(axis=0) + said.sum(axis=0), np.nan))),
            "example_f1": float(_f1(hits.sum(axis=1), true.sum(axis=1) + said.sum(axis=1), 1.0).mean())}


def _f1(hits: np.ndarray, both: np.ndarray, nothing: float) -> np.ndarray:
    """F1 from how many are true and said, and the sum of how many are true and how many are said."""
    return np.where(both > 0, 2 * hits / np.maximum(both, 1), nothing)


def _decide(chances: np.ndarray, said: np.ndarray, unseen: np.ndarray, Y: np.ndarray,
            rules: Iterable[str]) -> dict[str, np.ndarray]:
    """Sets by the rules, with what they take from rows that the probabilities ``unseen`` and labels ``Y`` are of."""
    made: dict[str, Callable[[], np.ndarray]] = {
        "predict": lambda: said, "nearest seen sets": lambda: labels.nearest_seen_sets(said, Y),
        "likeliest seen sets": lambda: labels.likeliest_seen_sets(chances, Y),
        "macro_f1 by label": lambda: chances > labels.best_thresholds(unseen, Y, "macro_f1"),
        "example_f1 by row": lambda: labels.best_example_f1(chances)}
    return {rule: chances > labels.best_threshold(unseen, Y, rule) if rule in MEASURES else made[rule]()
            for rule in rules if rule != "example_f1 by row" or Y.shape[1] <= LABELS_BY_ROW}
