"""Is a shared learner better for this task? The promise as code: it serves only where the evidence says so, which
here means a chance of at least NEEDED that it gains more than MARGIN.

Gains of T tasks are estimated from their out-of-fold rows, each with its own error. They are shrunk towards their
common mean (normal-normal hierarchical model; Gelman et al. 2013, Bayesian Data Analysis, section 5.4), so that a
task with few rows follows what is seen over all tasks, and does not decide on noise.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import norm

from ..judge.resampling import cluster_error, number_units

Array = np.ndarray
PRIOR_MEAN_GAIN = 0.1  # standard deviation of the mean transfer gain before anything is seen
SPREADS = np.array([0.0, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4])  # of gains between tasks
MARGIN = 0.01  # a gain of less would not be worth a word: learners that are as good as equal stay separate
NEEDED = 0.8


def gain_and_error(apart: Float[Array, "N"], shared: Float[Array, "N"],
                   groups: Int[Array, "N"] | None = None) -> tuple[float, float]:
    """The transfer gain 1 - mean(shared) / mean(apart) and its standard error, over ``groups`` of rows where given.

    The models that are judged on the folds are the ones that would serve, so that only new rows are uncertain: the
    variance is that of the rows (Bayle et al. 2020, Cross-validation confidence intervals for test error, eq. 6), not
    the wider one for new training sets that the report's intervals have. Both 0 where nothing is left to gain."""
    if apart.mean() <= 0:
        return 0.0, 0.0
    gains = (apart - shared) / apart.mean()
    error = cluster_error((gains - gains.mean() * apart / apart.mean()) / len(gains), number_units(groups, len(gains)))
    return float(gains.mean()), error


def chance_of_gain(gains: Float[Array, "T"], errors: Float[Array, "T"], margin: float = 0.0) -> Float[Array, "T"]:
    """The posterior probability that each task's true gain is above ``margin``.

    The mean gain has the prior N(0, PRIOR_MEAN_GAIN^2), the spread between tasks a flat prior on SPREADS; both are
    integrated out, on the grid and in closed form.

    >>> chance_of_gain(np.array([0.1, 0.0]), np.array([0.01, 0.01])).round(2).tolist()
    [1.0, 0.54]
    """
    errors = np.maximum(errors, 1e-9)
    log_weights, chances = [], []
    for spread in SPREADS:
        variance = errors**2 + spread**2
        precision = 1 / PRIOR_MEAN_GAIN**2 + (1 / variance).sum()
        centre = (gains / variance).sum() / precision
        log_weights.append(0.5 * (centre**2 * precision - np.log(precision) - np.log(variance).sum()
                                  - (gains**2 / variance).sum()))
        shrink = spread**2 / variance
        mean = shrink * gains + (1 - shrink) * centre
        deviation = np.sqrt(shrink * errors**2 + (1 - shrink) ** 2 / precision)
        chances.append(norm.cdf((mean - margin) / np.maximum(deviation, 1e-12)))
    weights = np.exp(np.array(log_weights) - max(log_weights))
    return np.asarray(weights @ np.array(chances) / weights.sum())
