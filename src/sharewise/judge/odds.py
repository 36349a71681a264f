"""Tasks whose loss says one thing and whose metric another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .figures import score
from .report import TaskResult
from .words import metric_title

CLEAR = 0.02  # by which a metric, of which 1 is perfect, must move against the loss


def at_odds(results: Sequence[TaskResult]) -> list[dict[str, Any]]:
    """A finding for each task that was helped or hurt in its loss while its headline metric says the opposite.

    >>> from sharewise.judge import Gain
    >>> gain = Gain(0.3, 0.2, 0.4, 0.0, 300)
    >>> found, = at_odds([TaskResult("digit", "ordinal", "quadratic_kappa", True, 300, 0.0, 0.96, None, 0.91, gain,
    ...                              "helped")])
    >>> found["message"]
    'was helped by its loss, yet its quadratic kappa went from 0.960 to 0.910'
    """
    found = []
    for task in results:
        if task.verdict == "no difference" or task.separate is None or task.chosen is None:
            continue
        better = (task.chosen - task.separate) * (1 if task.greater_is_better else -1)
        if (better if task.verdict == "hurt" else -better) >= CLEAR:
            found.append({"level": "warning", "code": "at-odds", "subject": task.name, "columns": [],
                          "message": f"was {task.verdict} by its loss, yet its {metric_title(task)} went from "
                                     f"{score(task.separate)} to {score(task.chosen)}",
                          "remedy": "Verdicts go by the loss; look at what counts for you."})
    return found
