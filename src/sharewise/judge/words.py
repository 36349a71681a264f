"""What the report says in words and figures, the same in the terminal and on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .gain import Gain
from .metrics import metrics_of
from .report import CostResult, Report, TaskResult

PREDICTORS = ("trivial", "separate", "together", "chosen")
MINUS, DASH = "\u2212", "\u2013"


def figure(value: float | None, digits: int = 3) -> str:
    """A number to so many significant digits; a dash where there is none.

    >>> figure(0.81239), figure(1234567.0), figure(None)
    ('0.812', '1,234,567', '–')
    """
    if value is None or math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        size = 0 if value == 0 else math.floor(math.log10(abs(value)))
        text = f"{value:,.{max(digits - 1 - size, 0)}f}"
    else:
        text = f"{value:,.0f}" if 1e6 <= abs(value) < 1e9 else f"{value:.{digits - 1}e}"
    return text.replace("-", MINUS)


def score(value: float | None) -> str:
    """A metric's value: three decimals below 10, four significant digits from there on.

    >>> score(0.5), score(123.456), score(-0.0001)
    ('0.500', '123.5', '0.000')
    """
    if value is None or not math.isfinite(value) or abs(value) >= 10:
        return figure(value, 4)
    return f"{round(value, 3) + 0.0:.3f}".replace("-", MINUS)


def percent(value: float, signed: bool = True) -> str:
    """A share as a percentage with one decimal.

    >>> percent(0.0321), percent(-0.5), percent(0.032, signed=False)
    ('+3.2 %', '−50.0 %', '3.2 %')
    """
    if not math.isfinite(value):
        return figure(value)
    rounded = round(100 * value, 1) + 0.0
    return f"{rounded:{'+' if signed and rounded else ''}.1f}\u00a0%".replace("-", MINUS)


def interval(gain: Gain) -> str:
    """Its bounds in percent, in brackets; nothing where there is no interval (too few rows, or the very same model)."""
    if not (math.isfinite(gain.low) and math.isfinite(gain.high)) or gain.low == gain.high:
        return ""
    return f"[{percent(gain.low)[:-2]}, {percent(gain.high)[:-2]}]"


def metric_title(task: TaskResult) -> str:
    """The title of a task's headline metric."""
    return any_title(task.kind, task.metric)


def any_title(kind: str, name: str) -> str:
    """The title of any metric of a kind."""
    both = {"relative": "relative loss", "loss": "loss"}
    return next((one.title for one in metrics_of(kind) if one.name == name), both.get(name, name))


def count(number: int, thing: str) -> str:
    """>>> count(1, "task"), count(1200, "row")
    ('1 task', '1,200 rows')
    """
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def verdicts(tasks: Sequence[TaskResult]) -> dict[str, int]:
    """How many tasks were helped, hurt, and neither."""
    return {name: sum(task.verdict == name for task in tasks) for name in ("helped", "hurt", "no difference")}


def headline_sentence(report: Report) -> str:
    """The whole report in one sentence: 'Learning together helped 5 of 12 tasks and hurt none; ...'."""
    found, total, mean = verdicts(report.tasks), len(report.tasks), report.delta_m
    if mean is not None and not found["helped"] and not found["hurt"] and (mean.low > 0 or mean.high < 0):
        return (f"Learning together brought a mean gain of {percent(mean.estimate)} {interval(mean)} over "
                f"{count(total, 'task')}; no task shows it by itself.")
    helped = "none" if not found["helped"] else str(found["helped"])
    hurt = "none" if not found["hurt"] else str(found["hurt"])
    first = (f"Learning together helped {helped} of {count(total, 'task')} and hurt {hurt}" if found["helped"]
             or found["hurt"] else f"Learning together made no proven difference to any of {count(total, 'task')}")
    if mean is None or math.isnan(mean.estimate):
        return first + "."
    return f"{first}; mean gain {percent(mean.estimate)} {interval(mean)}".rstrip() + "."


def how_measured(report: Report) -> list[str]:
    """How the figures came about, a paragraph each."""
    overlap = (f"The {report.folds} fits behind the out-of-fold predictions share most of their training rows. The "
               f"variance is therefore widened by 1 + K/(K{MINUS}1) = {1 + report.folds / (report.folds - 1):.2f} "
               "(Nadeau and Bengio 2003), with the variance of a fold taken from its rows (Bayle et al. 2020)."
               if report.folds > 1 else
               "The rows that judged were in no training set, so their variance is taken as it is.")
    said = [
        f"Judged on: {report.evidence}." if report.evidence else "",
        f"Split: {report.split}." if report.split else "",
        f"Budget: {report.budget}." if report.budget else "",
        "Gain is 1 minus the mean loss of the chosen learner over that of the best separate learner of the task, on "
        "the same rows (squared error, Poisson deviance or log loss, by kind): +5 % is 5 % less loss. Its 95 % "
        f"interval is that of the log ratio of the two means, rows paired. {overlap}",
        f"A verdict of helped or hurt needs a p-value of at most {report.alpha:g} after Holm's correction over all "
        f"{count(len(report.tasks), 'task')}: the chance of any false verdict stays under {100 * report.alpha:g} %. "
        f"“No difference” means that none was shown, not that there is none.",
        "Relative loss is loss over that of the trivial predictor, which knows no features: 1 is no better than "
        "trivial, 0 is perfect. Calibration error (ECE) is the mean distance between what was said and what came "
        "true over up to ten bins of equally many rows; for numbers, in standard deviations of the target.",
    ]
    return [text for text in said if text]


def learning_groups(tasks: Sequence[TaskResult]) -> list[tuple[list[str], list[str]]]:
    """Who learned with whom: for each set of tasks that were learned as one, those it serves and those that only
    help, largest first. Tasks that learned alone are not among them."""
    found: dict[frozenset[str], list[str]] = {}
    for task in tasks:
        if task.learned_with:
            found.setdefault(frozenset({*task.learned_with, task.name}), []).append(task.name)
    order = {task.name: at for at, task in enumerate(tasks)}
    return sorted(((served, sorted(members - set(served), key=lambda name: order.get(name, len(order))))
                   for members, served in found.items()), key=lambda pair: -len(pair[0]))


def by_gain(tasks: Sequence[TaskResult]) -> list[TaskResult]:
    """The tasks, the largest gain or loss first."""
    return sorted(tasks, key=lambda task: -abs(task.gain.estimate) if math.isfinite(task.gain.estimate) else 1.0)


def cost_lines(cost: CostResult) -> list[tuple[str, str]]:
    """Each cost that was measured: its name and its value in words."""
    lines = []
    if cost.fit_seconds is not None:
        lines.append(("fit", seconds(cost.fit_seconds)))
    if cost.predict_ms is not None:
        lines.append(("predict, a row", _beside(figure(cost.predict_ms) + " ms", cost.predict_ms_separate, " ms")))
    if cost.parameters is not None:
        lines.append(("parameters", _beside(f"{cost.parameters:,}", cost.parameters_separate, "")))
    if cost.disk_bytes is not None:
        lines.append(("on disk", size(cost.disk_bytes)))
    return lines


def seconds(value: float) -> str:
    """A duration.

    >>> seconds(3.21), seconds(135.0)
    ('3.2 s', '2 min 15 s')
    """
    return f"{value:.1f} s" if value < 60 else f"{int(value // 60)} min {value % 60:.0f} s"


def size(value: float) -> str:
    """A size on disk.

    >>> size(2048), size(3_500_000)
    ('2.0 kB', '3.5 MB')
    """
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if value >= factor:
            return f"{value / factor:.1f} {unit}"
    return f"{value:.0f} B"


def _beside(value: str, separate: float | None, unit: str) -> str:
    if separate is None:
        return value
    return f"{value} (separate models: {figure(separate) if unit else f'{separate:,.0f}'}{unit})"
