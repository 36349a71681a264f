"""Transfer gain: what learning with others brought a task, with an interval and a test right for the resampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float, Shaped

from ..base import DataError
from ..base.checks import within
from .gain import Gain, nothing_known
from .resampling import cluster_error, number_units, overlap_factor, t_interval

Array = np.ndarray


def compare(
    reference: Float[Array, "n"],
    candidate: Float[Array, "n"],
    folds: Shaped[Array, "n"] | None = None,
    groups: Shaped[Array, "n"] | None = None,
    level: float = 0.95,
) -> Gain:
    """The gain of a candidate over a reference, 1 - mean(candidate) / mean(reference), from losses of the same rows.

    The log of the ratio of means has the influence h_i = c_i / mean(c) - r_i / mean(r) in row i and the variance

        V = f * sum_g (sum of h_i over the rows i of g)^2 / n^2 * G / (G - 1)

    over G independent units g: rows, or ``groups`` (patients, sessions) where rows are not independent. The interval
    is exp(log ratio +- t sqrt(V)), t of G - 1 degrees of freedom, the test its dual.

    - ``folds`` None: rows of one test part that no training saw, f = 1: right for the models that were fitted.
    - ``folds`` [n], the fold that held out each row: out-of-fold losses of K cross-validation fits, whose training
      sets overlap, f = 1 + K / (K - 1): Nadeau and Bengio (2003, Inference for the generalization error, eq. 9),
      (1 / K + n_test / n_train) times the variance of a fold, with the variance of a fold taken from its rows
      (Bayle et al. 2020, Cross-validation confidence intervals for test error, eq. 6) and not from K values: the
      same size, and far more power than K - 1 degrees of freedom leave. ``benchmarks/error_rates.py`` measures both.

    Out of fold the gain is that of the fitted models, learned from (K - 1) / K of the rows; a learner that still
    profits from more rows will have caught up a little once it is fitted on all of them.

    Several repeats of cross-validation: hand in the mean over repeats of each row's loss, and one repeat's folds.
    Rows that are NaN in either are left out. DataError where shapes differ or a loss is infinite.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> alone = rng.gamma(2.0, size=400)
    >>> gain = compare(alone, 0.9 * alone + 0.02 * rng.random(400), folds=np.arange(400) % 5)
    >>> round(gain.estimate, 2), gain.low > 0.08, gain.p_value < 0.001
    (0.09, True, True)
    """
    within("level", level, 0.5, 0.9999)
    r, c, seen = paired(reference, candidate)
    units = number_units(None if groups is None else np.asarray(groups)[seen], len(r))
    if units.max(initial=0) < 1:
        return nothing_known(len(r))
    factor = 1.0 if folds is None else overlap_factor(folds)
    ratio = c.mean() / r.mean() if r.mean() > 0 else float(c.mean() > 0) * float("inf")
    if 0 < ratio < float("inf"):
        influence = c / c.mean() - r / r.mean()
        error = np.sqrt(factor) * cluster_error(influence / len(r), units)
        low, high, p_value = t_interval(float(np.log(ratio)), error, int(units.max()), level)
        return Gain(1 - float(ratio), 1 - float(np.exp(high)), 1 - float(np.exp(low)), p_value, len(r))
    error = np.sqrt(factor) * cluster_error((r - c) / len(r), units)  # one of them is perfect: no ratio to speak of
    _, _, p_value = t_interval(float(np.mean(r - c)), error, int(units.max()), level)
    gain = 1 - float(ratio) if r.any() or c.any() else 0.0
    return Gain(gain, gain, gain, p_value, len(r))


def mean_gain(
    reference: Mapping[str, Float[Array, "N"]],
    candidate: Mapping[str, Float[Array, "N"]],
    folds: Shaped[Array, "N"] | None = None,
    groups: Shaped[Array, "N"] | None = None,
    level: float = 0.95,
) -> Gain:
    """Delta-m of *these* tasks, on new rows: their mean gain, from the row losses of each task, NaN where unobserved.

    A row counts as one unit for all its tasks, so that tasks whose errors go together widen the interval as they
    must. The arguments are those of ``compare``, by task name; tasks with fewer than 2 rows are left out.

    >>> import numpy as np
    >>> alone = {"a": np.array([1.0, 2.0, 3.0, 2.0]), "b": np.array([4.0, 4.0, np.nan, 5.0])}
    >>> round(mean_gain(alone, {name: loss * 0.8 for name, loss in alone.items()}).estimate, 3)
    0.2
    """
    total, gains = np.zeros(0), []
    factor = 1.0 if folds is None else overlap_factor(folds)
    for name in reference:
        r, c, seen = paired(reference[name], candidate[name])
        if len(r) < 2 or r.mean() == 0:
            continue
        gains.append(1 - c.mean() / r.mean())
        rows = np.zeros(len(seen))
        rows[seen] = (c.mean() / r.mean()) * r - c
        total = rows / (r.mean() * len(r)) + (total if len(total) else 0.0)
    if not gains:
        return nothing_known(0)
    units, mean = number_units(groups, len(total)), float(np.mean(gains))
    if units.max() < 1:
        return nothing_known(len(gains), mean)
    error = np.sqrt(factor) * cluster_error(total / len(gains), units)
    return Gain(mean, *t_interval(mean, error, int(units.max()), level), len(gains))


def delta_m(gains: Sequence[Gain], level: float = 0.95) -> Gain:
    """Delta-m for *tasks like these*: the mean gain over tasks, with the t interval of tasks as a sample.

    It needs no rows, and says more than ``mean_gain`` where there are many tasks; NaN bounds with fewer than two.

    >>> round(delta_m([Gain(0.1, 0, 0.2, 0.1, 50), Gain(0.2, 0.1, 0.3, 0.01, 50)]).estimate, 3)
    0.15
    """
    values = np.array([gain.estimate for gain in gains if np.isfinite(gain.estimate)])
    if len(values) < 2:
        return nothing_known(len(values), float(values[0]) if len(values) else float("nan"))
    error = float(values.std(ddof=1) / np.sqrt(len(values)))
    mean = float(values.mean())
    return Gain(mean, *t_interval(mean, error, len(values) - 1, level), len(values))


def paired(reference: Array, candidate: Array) -> tuple[Array, Array, Bool[Array, "n"]]:
    """The losses of the rows that both have, and which rows of [n] those are. DataError if they do not fit."""
    r, c = np.asarray(reference, dtype=np.float64), np.asarray(candidate, dtype=np.float64)
    if r.shape != c.shape or r.ndim != 1:
        raise DataError("the losses to compare", f"have shapes {r.shape} and {c.shape}",
                        "both must be [n], of the same rows", "Judge both on the same rows.")
    seen = ~(np.isnan(r) | np.isnan(c))
    r, c = np.maximum(r[seen], 0.0), np.maximum(c[seen], 0.0)  # a deviance of 0 can come out as -1e-17
    if np.isinf(r).any() or np.isinf(c).any():
        raise DataError("the losses to compare", "hold an infinite value", "every loss must be finite or NaN",
                        "Check the predictions.")
    return r, c, seen
