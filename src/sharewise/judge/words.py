"""What the report says in words, the same in the terminal and on the page."""

from __future__ import annotations

import math
from collections.abc import Sequence

from .figures import MINUS, count, figure, interval, percent, seconds, size
from .metrics import metrics_of
from .report import BalanceResult, CostResult, Report, TaskResult

PREDICTORS = ("trivial", "separate", "together", "chosen")


def metric_title(task: TaskResult) -> str:
    """The title of a task's headline metric."""
    return any_title(task.kind, task.metric)


def any_title(kind: str, name: str) -> str:
    """The title of any metric of a kind."""
    both = {"relative": "relative loss", "loss": "loss"}
    return next((one.title for one in metrics_of(kind) if one.name == name), both.get(name, name))


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
    if report.candidates and not any(one.shares for one in report.candidates):
        cut = f" within the time ({report.budget})" if "fitted into it" in report.budget else ""
        return ("One task has nothing to be learned together with." if total == 1 else
                f"No candidate learned tasks together{cut}, so that it is not known whether that would help."
                f"{' Give more time.' if cut else ''}")
    first = (f"Learning together helped {helped} of {count(total, 'task')} and hurt {hurt}" if found["helped"]
             or found["hurt"] else f"Learning together made no proven difference to any of {count(total, 'task')}")
    lone = found["helped"] and any(one.get("code") == "no-counterpart" for one in report.findings)
    doubt = " Some of that may be the method's and not sharing's: see the findings." if lone else ""
    if mean is None or math.isnan(mean.estimate):
        return first + "." + doubt
    return f"{first}; mean gain {percent(mean.estimate)} {interval(mean)}".rstrip() + "." + doubt


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
        "The same rows also chose the separate and the shared learners: gains, above all small ones and their mean, "
        "are somewhat too rosy. A test part that took no part in the choice has no such bias."
        if report.rows_also_chose else "",
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


def balance_lines(one: BalanceResult, most: int | None = None) -> list[str]:
    """What is to be said of a balancer: its troubles, of many the first; else that there are none, or none known.

    >>> balance_lines(BalanceResult("network", ["a", "b"], [0.0], [[1.0, 1.0]], [[0.5, 0.5]], [0.0]))
    ['No task dominates, and no two tasks are in conflict.']
    """
    if one.troubles:
        shown = list(one.troubles[:most])
        more = len(one.troubles) - len(shown) + one.more
        return shown + ([f"And {more} more of that sort."] if more else [])
    if all(rate is None for rate in one.conflicts):
        return ["It computes no gradients of single tasks, so that dominance and conflict are not known."]
    if all(share is None for row in one.shares for share in row):
        return ["No two tasks are in conflict; it has no weights, so that dominance is not known."]
    return ["No task dominates, and no two tasks are in conflict."]


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


def _beside(value: str, separate: float | int | None, unit: str) -> str:
    if separate is None:
        return value
    return f"{value} (separate models: {figure(separate) if unit else f'{separate:,.0f}'}{unit})"
