"""The functions behind the metrics: of mean [n, C] and target [n, W] over rows that have an observed entry.

Each returns None where it is undefined, and never warns. Confusion measures are scikit-learn's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from .ranking import area_under_precision, area_under_roc

if TYPE_CHECKING:
    from ..task import Scale

Array = np.ndarray
SMALLEST = 1e-6


# -- numbers ---------------------------------------------------------------------------------------------------
def mse(mean: Float[Array, "n 1"], target: Float[Array, "n 1"], scale: Scale) -> float:
    """Mean squared error."""
    return float(np.mean((mean - target) ** 2))


def rmse(mean: Float[Array, "n 1"], target: Float[Array, "n 1"], scale: Scale) -> float:
    """Root of the mean squared error, in the target's units."""
    return float(np.sqrt(mse(mean, target, scale)))


def mae(mean: Float[Array, "n 1"], target: Float[Array, "n 1"], scale: Scale) -> float:
    """Mean absolute error, in the target's units."""
    return float(np.mean(np.abs(mean - target)))


def r2(mean: Float[Array, "n 1"], target: Float[Array, "n 1"], scale: Scale) -> float | None:
    """Share of the variance that is explained; None for a constant target."""
    spread = float(np.mean((target - target.mean()) ** 2))
    return None if spread <= 0 or len(target) < 2 else 1 - mse(mean, target, scale) / spread


def rrmse(mean: Float[Array, "n 1"], target: Float[Array, "n 1"], scale: Scale) -> float | None:
    """RMSE over that of the training mean, the usual measure in multi-target regression."""
    against = float(np.mean((target - scale.centre) ** 2))
    return None if against <= 0 else float(np.sqrt(mse(mean, target, scale) / against))


def poisson_deviance(mean: Float[Array, "n 1"], target: Float[Array, "n 1"], scale: Scale) -> float:
    """Mean Poisson deviance."""
    from sklearn.metrics import mean_poisson_deviance

    return float(mean_poisson_deviance(target[:, 0], np.maximum(mean[:, 0], SMALLEST * 1e-3)))


def d2(mean: Float[Array, "n 1"], target: Float[Array, "n 1"], scale: Scale) -> float | None:
    """Share of the Poisson deviance that is explained; None for a constant target."""
    if np.ptp(target) == 0:
        return None
    against = poisson_deviance(np.full_like(target, target.mean()), target, scale)
    return 1 - poisson_deviance(mean, target, scale) / against


# -- classes ---------------------------------------------------------------------------------------------------
def log_loss(mean: Float[Array, "n C"], target: Float[Array, "n W"], scale: Scale) -> float:
    """Minus the mean log probability of what was observed (for a multilabel: the mean over its observed labels)."""
    if mean.shape[1] == target.shape[1]:  # binary, multilabel: a probability per column
        safe = np.clip(mean, SMALLEST, 1 - SMALLEST)
        return float(np.mean(np.nanmean(-np.log(np.where(target > 0.5, safe, 1 - safe)) + 0 * target, axis=1)))
    safe = np.clip(mean, SMALLEST, None)
    code = target[:, 0].astype(int)
    return float(-np.mean(np.log(safe[np.arange(len(code)), code] / safe.sum(axis=1))))


def accuracy(mean: Float[Array, "n C"], target: Float[Array, "n 1"], scale: Scale) -> float:
    """Share of rows whose most probable class is the observed one."""
    return float(np.mean(_best(mean) == target[:, 0]))


def auroc(mean: Float[Array, "n 1"], target: Float[Array, "n 1"], scale: Scale) -> float | None:
    """Chance that a positive row is ranked above a negative one; None with one class."""
    return area_under_roc(mean[:, 0], target[:, 0] > 0.5) if np.ptp(target[:, 0]) else None


def average_precision(mean: Float[Array, "n 1"], target: Float[Array, "n 1"], scale: Scale) -> float | None:
    """Area under precision over recall; None without a positive row."""
    return area_under_precision(mean[:, 0], target[:, 0] > 0.5) if target.any() else None


def f1(mean: Float[Array, "n 1"], target: Float[Array, "n 1"], scale: Scale) -> float | None:
    """Harmonic mean of precision and recall at probability 0.5; None without a positive row, observed or said."""
    return f1_of((target > 0.5)[:, 0], (mean > 0.5)[:, 0])


def brier(mean: Float[Array, "n 1"], target: Float[Array, "n 1"], scale: Scale) -> float:
    """Mean squared error of the probability."""
    return mse(mean, target, scale)


def macro_f1(mean: Float[Array, "n C"], target: Float[Array, "n 1"], scale: Scale) -> float:
    """Mean over the classes that were observed or said of the F1 of each."""
    from sklearn.metrics import f1_score

    return float(f1_score(target[:, 0].astype(int), _best(mean), average="macro", zero_division=0.0))


def ovr_auroc(mean: Float[Array, "n C"], target: Float[Array, "n 1"], scale: Scale) -> float | None:
    """Mean AUROC of each class against the rest, over the classes that have rows on both sides."""
    flags = target == np.arange(mean.shape[1])
    return mean_auroc(mean, flags.astype(float))


def mae_classes(mean: Float[Array, "n C"], target: Float[Array, "n 1"], scale: Scale) -> float:
    """Mean distance, in classes, of the most probable class from the observed one."""
    return float(np.mean(np.abs(_best(mean) - target[:, 0])))


def quadratic_kappa(mean: Float[Array, "n C"], target: Float[Array, "n 1"], scale: Scale) -> float | None:
    """Cohen's kappa with quadratic weights; None where observed and said are one and the same class."""
    from sklearn.metrics import cohen_kappa_score

    code, best = target[:, 0].astype(int), _best(mean)
    if len(np.union1d(code, best)) < 2:
        return None
    return float(cohen_kappa_score(code, best, weights="quadratic", labels=np.arange(mean.shape[1])))


def _best(mean: Float[Array, "n C"]) -> Array:
    return (mean[:, 0] > 0.5).astype(int) if mean.shape[1] == 1 else mean.argmax(axis=1)


def f1_of(observed: Bool[Array, "n"], said: Bool[Array, "n"]) -> float | None:
    total = observed.sum() + said.sum()
    return float(2 * (observed & said).sum() / total) if total else None


def mean_auroc(mean: Float[Array, "n C"], flags: Float[Array, "n C"]) -> float | None:
    found = []
    for score, flag in zip(mean.T, flags.T, strict=True):
        seen = ~np.isnan(flag)
        if seen.any() and np.ptp(flag[seen]):
            found.append(area_under_roc(score[seen], flag[seen] > 0.5))
    return float(np.mean(found)) if found else None
