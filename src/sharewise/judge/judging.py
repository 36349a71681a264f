"""From predictions to a task's result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Shaped

from .calibration import Calibration
from .gain import verdict
from .holm import holm
from .metrics import metrics, metrics_of
from .reliability import calibration_error, reliability
from .report import TaskResult
from .transfer import compare

if TYPE_CHECKING:
    from ..task import Scale, Task

Array = np.ndarray


def judge_task(
    task: Task,
    scale: Scale,
    target: Float[Array, "N W"],
    means: Mapping[str, Float[Array, "N C"]],
    folds: Shaped[Array, "N"] | None = None,
    groups: Shaped[Array, "N"] | None = None,
    calibration: Calibration | None = None,
    calibrated: Float[Array, "N C"] | None = None,
    served_by: str = "",
    learned_with: Sequence[str] = (),
) -> TaskResult:
    """All that the report says of one task, from predictions for rows that no training saw.

    ``means`` holds "separate" and "chosen", perhaps "together" and "trivial" (without it: the scale's trivial
    prediction). ``calibrated`` is the chosen prediction after ``calibration``, itself corrected out of fold
    (``calibrate_held_out``). ``folds`` and ``groups`` are those of ``compare``. The verdict stays open until
    ``settle`` has seen all tasks.

    >>> from sharewise.task import Regression, Task
    >>> rng = np.random.default_rng(0)
    >>> task, target = Task("price", Regression()), rng.normal(size=(50, 1))
    >>> means = {"separate": 0.5 * target, "chosen": 0.6 * target}
    >>> result = judge_task(task, task.kind.fit_scale(target), target, means, folds=np.arange(50) % 5)
    >>> result.metric, round(result.gain.estimate, 2), round(result.losses["chosen"], 2)
    ('r2', 0.36, 0.16)
    >>> [one.verdict for one in settle([result])]
    ['helped']
    """
    known = {"trivial": np.tile(scale.trivial, (len(target), 1)), **means}
    found = {name: metrics(task, mean, target, scale) for name, mean in known.items()}
    first = metrics_of(task.kind.name)[0]
    row_losses = {name: task.kind.row_loss(known[name], target) for name in ("separate", "chosen")}
    after = known["chosen"] if calibrated is None else calibrated
    bins = [tuple(reliability(task, mean, target)) for mean in (known["chosen"], after)]
    errors = [calibration_error(task, one, scale.spread) if one else None for one in bins]
    value = {name: one[first.name] for name, one in found.items()}
    return TaskResult(
        name=task.name, kind=task.kind.name, metric=first.name, greater_is_better=first.greater_is_better,
        rows=int((~np.isnan(target).all(axis=1)).sum()), reason=task.reason,
        trivial=value["trivial"], separate=value["separate"], together=value.get("together"), chosen=value["chosen"],
        losses={name: one["relative"] for name, one in found.items()}, metrics=found,
        gain=compare(row_losses["separate"], row_losses["chosen"], folds, groups),
        served_by=served_by, learned_with=tuple(learned_with),
        calibration=calibration.method if calibration else "none",
        ece_before=errors[0], ece_after=errors[1], bins_before=bins[0], bins_after=bins[1])


def settle(results: Sequence[TaskResult], alpha: float = 0.05) -> tuple[TaskResult, ...]:
    """The results with their verdicts, after Holm's correction over all tasks: also over those that kept their
    separate learner (gain 0, p 1), since the same data decided which tasks would. Example: see ``judge_task``.

    >>> settle([])
    ()
    """
    adjusted = holm([result.gain.p_value for result in results])
    return tuple(replace(result, adjusted_p=p, verdict=verdict(result.gain, p, alpha))
                 for result, p in zip(results, adjusted, strict=True))
