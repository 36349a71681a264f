"""How good label sets and label rankings are, by every usual measure at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn import metrics

from ...base import DataError
from .targets import as_indicator, as_probabilities

Array = np.ndarray
AVERAGES = {"micro": "micro", "macro": "macro", "example": "samples"}


def measure_label_sets(Y: Any, said: Any) -> dict[str, float]:
    """The measures of predicted sets [N, L] against the true ones, by name; scikit-learn's functions.

    By row: ``jaccard`` (MEKA's Accuracy), ``subset_accuracy`` (its Exact match), ``hamming_loss``, ``example_f1``,
    ``example_precision``, ``example_recall``. By label: ``macro_f1``, ``macro_precision``, ``macro_recall``; over all
    entries: ``micro_f1``, ``micro_precision``, ``micro_recall``. ``cardinality_said`` is the mean size of the sets that
    were said, ``empty_said`` the share of rows of which nothing was.

    Where nothing is true and nothing was said, Jaccard and F1 of a row are 1. Otherwise what is 0 / 0 is left out of
    the mean: F1 of a label that is never on and never said, precision of what was never said, recall of what is never
    true; NaN where nothing is left. DataError: tables that are no labels, or of different shapes.

    >>> found = measure_label_sets([[1, 0], [1, 1]], [[1, 0], [1, 0]])
    >>> found["jaccard"], found["subset_accuracy"], found["hamming_loss"], found["micro_recall"]
    (0.75, 0.5, 0.25, 0.66...)
    """
    true = as_indicator(Y)
    labels = as_probabilities(as_indicator(said), true.shape) > 0.5
    # a label that is never true nor said changes none of these, and makes a table of one label, too
    both = [np.hstack([one, np.zeros((len(one), 1), dtype=bool)]) for one in (true, labels)]
    found = {"jaccard": metrics.jaccard_score(*both, average="samples", zero_division=1.0),
             "subset_accuracy": metrics.accuracy_score(true, labels),
             "hamming_loss": metrics.hamming_loss(true, labels)}
    for name, average in AVERAGES.items():
        nothing = 1.0 if name == "example" else np.nan
        found[f"{name}_f1"] = metrics.f1_score(*both, average=average, zero_division=nothing)
        found[f"{name}_precision"] = metrics.precision_score(*both, average=average, zero_division=np.nan)
        found[f"{name}_recall"] = metrics.recall_score(*both, average=average, zero_division=np.nan)
    found |= {"cardinality_said": labels.sum(axis=1).mean(), "empty_said": (~labels.any(axis=1)).mean()}
    return {name: float(value) for name, value in found.items()}


def measure_label_ranking(Y: Any, probabilities: Any) -> dict[str, float]:
    """The measures of probabilities [N, L] against the true sets, by name; scikit-learn's functions.

    By row: ``one_error`` (the first label is not true; of equals the first column), ``coverage`` (how far down the list
    all true labels are found, 0 at best where there is one), ``ranking_loss``, ``ranking_precision`` (LRAP, MEKA's Avg
    precision). By label: ``macro_auroc`` and ``macro_auprc``; over all entries: ``micro_auroc``, ``log_loss``.

    Rows without a label are left out of one error and coverage; ranking loss counts 0 and LRAP 1 for rows in which no
    or every label is true. Labels that are always or never on are left out by label. NaN where nothing is left.
    DataError: values that are no labels or probabilities, of different shapes, or of one label alone.

    Zhang, Zhou 2014, A review on multi-label learning algorithms.

    >>> found = measure_label_ranking([[1, 0, 0], [0, 1, 1]], [[0.9, 0.2, 0.1], [0.6, 0.8, 0.4]])
    >>> found["one_error"], found["coverage"], found["ranking_loss"]
    (0.0, 1.0, 0.25)
    """
    true = as_indicator(Y)
    P = as_probabilities(probabilities, true.shape)
    if true.shape[1] < 2:
        raise DataError("Y", "has one label", "a ranking needs two or more", "Use roc_auc_score of scikit-learn.")
    some, mixed = true.any(axis=1), true.any(axis=0) & ~true.all(axis=0)
    first, nan = np.take_along_axis(true, P.argmax(axis=1)[:, None], axis=1), float("nan")
    found = {"one_error": (~first[some]).mean() if some.any() else nan,
             "coverage": metrics.coverage_error(true[some], P[some]) - 1 if some.any() else nan,
             "ranking_loss": metrics.label_ranking_loss(true, P),
             "ranking_precision": metrics.label_ranking_average_precision_score(true, P),
             "macro_auroc": metrics.roc_auc_score(true[:, mixed], P[:, mixed], average="macro") if mixed.any() else nan,
             "macro_auprc": metrics.average_precision_score(true[:, mixed], P[:, mixed]) if mixed.any() else nan,
             "micro_auroc": metrics.roc_auc_score(true.ravel(), P.ravel()) if 0 < true.mean() < 1 else nan,
             "log_loss": metrics.log_loss(true.ravel(), P.ravel(), labels=[False, True])}
    return {name: float(value) for name, value in found.items()}
