"""How good predictions are, in the measures that people of each field expect."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from . import label_sets, measures
from .measures import Array

if TYPE_CHECKING:
    from ..task import Scale, Task


@dataclass(frozen=True)
class Metric:
    """One measure: its name in files, its title for people, which way is better, and the function of
    (mean [n, C], target [n, W], scale) over observed rows that computes it (None where it is undefined)."""

    name: str
    title: str
    greater_is_better: bool
    of: Callable[[Array, Array, Scale], float | None]


_LOG_LOSS = Metric("log_loss", "log loss", False, measures.log_loss)
_ACCURACY = Metric("accuracy", "accuracy", True, measures.accuracy)
_MAE = Metric("mae", "MAE", False, measures.mae)

_METRICS: dict[str, tuple[Metric, ...]] = {  # the first one of each kind is its headline
    "regression": (
        Metric("r2", "R²", True, measures.r2),
        Metric("rmse", "RMSE", False, measures.rmse),
        _MAE,
        Metric("mse", "MSE", False, measures.mse),
        Metric("rrmse", "RRMSE", False, measures.rrmse),
    ),
    "count": (
        Metric("d2", "D²", True, measures.d2),
        Metric("poisson_deviance", "Poisson deviance", False, measures.poisson_deviance),
        _MAE,
    ),
    "binary": (
        Metric("auroc", "AUROC", True, measures.auroc),
        Metric("average_precision", "average precision", True, measures.average_precision),
        _ACCURACY,
        Metric("f1", "F1", True, measures.f1),
        Metric("brier", "Brier score", False, measures.brier),
        _LOG_LOSS,
    ),
    "multiclass": (
        _ACCURACY,
        Metric("macro_f1", "macro F1", True, measures.macro_f1),
        Metric("ovr_auroc", "AUROC, one against rest", True, measures.ovr_auroc),
        _LOG_LOSS,
    ),
    "ordinal": (
        Metric("quadratic_kappa", "quadratic kappa", True, measures.quadratic_kappa),
        _ACCURACY,
        Metric("mae_classes", "MAE in classes", False, measures.mae_classes),
        _LOG_LOSS,
    ),
    "multilabel": (
        Metric("macro_auroc", "macro AUROC", True, label_sets.macro_auroc),
        Metric("micro_f1", "micro F1", True, label_sets.micro_f1),
        Metric("macro_f1", "macro F1", True, label_sets.macro_f1),
        Metric("hamming_loss", "Hamming loss", False, label_sets.hamming_loss),
        Metric("subset_accuracy", "subset accuracy", True, label_sets.subset_accuracy),
        Metric("lrap", "LRAP", True, label_sets.lrap),
        _LOG_LOSS,
    ),
}


def metrics_of(kind: str) -> tuple[Metric, ...]:
    """The metrics of a kind (by its name), the headline first.

    >>> [metric.name for metric in metrics_of("count")]
    ['d2', 'poisson_deviance', 'mae']
    """
    from ..base.checks import one_of

    return _METRICS[one_of("kind", kind, _METRICS)]


def headline(kind: str) -> str:
    """The name of the one metric that stands for a kind in a table.

    >>> headline("regression"), headline("ordinal")
    ('r2', 'quadratic_kappa')
    """
    return metrics_of(kind)[0].name


def metrics(
    task: Task, mean: Float[Array, "N C"], target: Float[Array, "N W"], scale: Scale
) -> dict[str, float | None]:
    """Every metric of the task's kind over the rows in which it is observed, by name.

    ``relative`` (mean row loss over that of the trivial predictor: 1 is trivial, 0 is perfect) and ``loss`` (mean
    row loss in its own units) stand first for every kind. None where a metric is undefined: no observed row, one
    class only, constant target. ``scale`` is that of the training rows: RRMSE is taken against their mean.

    >>> import numpy as np
    >>> from sharewise.task import Regression, Task
    >>> task, target = Task("price", Regression()), np.array([[1.0], [2.0], [3.0], [np.nan]])
    >>> found = metrics(task, np.array([[1.0], [2.0], [2.0], [9.0]]), target, task.kind.fit_scale(target))
    >>> round(found["r2"], 3), round(found["relative"], 3)
    (0.5, 0.5)
    """
    known = metrics_of(task.kind.name)
    rows = ~np.isnan(target).all(axis=1)
    if not rows.any():
        return dict.fromkeys(("relative", "loss", *(metric.name for metric in known)))
    mean, target = np.asarray(mean, dtype=np.float64)[rows], target[rows]
    loss = float(task.kind.row_loss(mean, target).mean())
    found: dict[str, float | None] = {"relative": loss / scale.unit, "loss": loss}
    for metric in known:
        value = metric.of(mean, target, scale)
        found[metric.name] = None if value is None or not np.isfinite(value) else float(value)
    return found
