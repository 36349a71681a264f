"""The functions behind the metrics of label sets: of mean [n, L] and target [n, L], NaN where a label is unobserved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from .measures import Array, f1_of, mean_auroc

if TYPE_CHECKING:
    from ..task import Scale


def macro_auroc(mean: Float[Array, "n L"], target: Float[Array, "n L"], scale: Scale) -> float | None:
    """Mean AUROC of the labels that were observed both on and off."""
    return mean_auroc(mean, target)


def micro_f1(mean: Float[Array, "n L"], target: Float[Array, "n L"], scale: Scale) -> float | None:
    """F1 over all observed entries, at probability 0.5."""
    seen = ~np.isnan(target)
    return f1_of(target[seen] > 0.5, mean[seen] > 0.5)


def macro_f1(mean: Float[Array, "n L"], target: Float[Array, "n L"], scale: Scale) -> float | None:
    """Mean F1 of the labels that were observed on, or said, in some row."""
    found = [micro_f1(mean[:, [at]], target[:, [at]], scale) for at in range(target.shape[1])]
    known = [value for value in found if value is not None]
    return float(np.mean(known)) if known else None


def hamming_loss(mean: Float[Array, "n L"], target: Float[Array, "n L"], scale: Scale) -> float:
    """Share of observed entries that are said wrong."""
    seen = ~np.isnan(target)
    return float(np.mean((target[seen] > 0.5) != (mean[seen] > 0.5)))


def subset_accuracy(mean: Float[Array, "n L"], target: Float[Array, "n L"], scale: Scale) -> float | None:
    """Share of fully observed rows whose whole set is right."""
    full = _full(target)
    return float(np.mean(((mean > 0.5) == (target > 0.5)).all(axis=1)[full])) if full.any() else None


def lrap(mean: Float[Array, "n L"], target: Float[Array, "n L"], scale: Scale) -> float | None:
    """Label ranking average precision over fully observed rows."""
    from sklearn.metrics import label_ranking_average_precision_score

    full = _full(target)
    return float(label_ranking_average_precision_score(target[full], mean[full])) if full.any() else None


def _full(target: Float[Array, "n L"]) -> Bool[Array, "n"]:
    return ~np.isnan(target).any(axis=1)
