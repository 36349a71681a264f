"""The geometry of the page's pictures: where points, bars and ticks go. Numbers only; the template draws them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from . import figures
from .gain import Gain
from .report import Report, TaskResult

WIDTH, LEFT, RIGHT = 960.0, 210.0, 200.0
ROW, THIN_ROW, MOST_LABELLED = 26.0, 5.0, 40
MOST_HEIGHT = 800.0  # of the rows of many tasks, which get thinner the more there are
PANEL = 150.0
KEPT = "its own learner"  # beside a gain of exactly 0


@dataclass(frozen=True)
class Axis:
    """A line from ``low`` to ``high`` in data, ``start`` to ``end`` on paper."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Where a value stands on paper, held inside the axis.

        >>> Axis(0.0, 2.0, 100.0, 200.0).at(1.0)
        150.0
        """
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)

    def ticks(self, most: int = 7) -> list[float]:
        """Round values (steps of 1, 2 or 5 times a power of ten) inside the axis, at most ``most``.

        >>> Axis(-0.12, 0.31, 0.0, 1.0).ticks()
        [-0.1, 0.0, 0.1, 0.2, 0.3]
        """
        rough = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(step * power for step in (1, 2, 5, 10) if step * power >= rough)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(at * step, 12) + 0.0 for at in range(first, last + 1)]


def forest(report: Report) -> dict[str, Any]:
    """A row a task from the largest gain to the largest loss, with its interval; delta-m below. Of more than 40
    tasks the rows are thin and carry no names; however many there are, they stay within a page's height."""
    tasks = sorted((task for task in report.tasks if math.isfinite(task.gain.estimate)),
                   key=lambda task: -task.gain.estimate)
    labelled = len(tasks) <= MOST_LABELLED
    height = ROW if labelled else min(THIN_ROW, MOST_HEIGHT / len(tasks))
    mean = report.delta_m if report.delta_m and math.isfinite(report.delta_m.estimate) else None
    axis = _gain_axis([task.gain for task in tasks] + ([mean] if mean else []), labelled)
    rows = [{**_bar(task.gain, axis), "y": round((at + 0.5) * height + 6, 2), "name": task.name,
             "class": task.verdict.replace(" ", "-"), "words": figures.percent(task.gain.estimate),
             "interval": figures.interval(task.gain) or ("" if task.gain.estimate else KEPT)}
            for at, task in enumerate(tasks)]
    bottom = round(len(tasks) * height + 12, 2)
    total = None
    if mean:
        total = {**_bar(mean, axis), "y": bottom + 16, "words": figures.percent(mean.estimate),
                 "interval": figures.interval(mean)}
    end = bottom + (32 if total else 0)
    return {"width": WIDTH, "height": end + 34, "labelled": labelled, "rows": rows, "total": total, "end": end,
            "bottom": bottom, "left": axis.start, "right": axis.end, "zero": axis.at(0.0),
            "ticks": [(axis.at(tick), f"{100 * tick:+.0f} %".replace("+0 ", "0 ").replace("-", figures.MINUS))
                      for tick in axis.ticks()]}


def panels(tasks: Sequence[TaskResult], most: int) -> list[dict[str, Any]]:
    """A reliability picture for each task that has bins; of more than ``most``, those that are worst calibrated."""
    known = [task for task in tasks if task.bins_after]
    if len(known) > most:
        known = sorted(known, key=lambda task: -(task.ece_after or 0.0))[:most]
    return [_panel(task) for task in known]


def _panel(task: TaskResult) -> dict[str, Any]:
    bins = [*task.bins_after, *task.bins_before]
    if task.kind in ("regression", "count"):
        low = min(min(bin.predicted, bin.low) for bin in bins)
        high = max(max(bin.predicted, bin.high) for bin in bins)
    else:
        low, high = 0.0, 1.0
    if not high > low:
        low, high = low - 0.5, high + 0.5
    x, y = Axis(low, high, 0.0, PANEL), Axis(low, high, PANEL, 0.0)
    changed = task.calibration != "none"
    return {"name": task.name, "size": PANEL, "low": figures.figure(low, 2), "high": figures.figure(high, 2),
            "before": [(x.at(bin.predicted), y.at(bin.observed)) for bin in task.bins_before] if changed else [],
            "after": [{"x": x.at(bin.predicted), "y": y.at(bin.observed), "low": y.at(bin.low), "high": y.at(bin.high),
                       "words": f"said {figures.figure(bin.predicted)}, observed {figures.figure(bin.observed)} in "
                                f"{figures.count(bin.rows, 'row')}"} for bin in task.bins_after],
            "words": (f"ECE {figures.score(task.ece_before)} → {figures.score(task.ece_after)}, {task.calibration}"
                      if changed else f"ECE {figures.score(task.ece_after)}, left as it is")}


def _gain_axis(gains: Sequence[Gain], labelled: bool) -> Axis:
    """Wide enough for every estimate; intervals that reach much farther are cut."""
    values = [gain.estimate for gain in gains if math.isfinite(gain.estimate)] or [0.0]
    reach = max(0.02, 1.2 * max(map(abs, values)))
    lows = [gain.low for gain in gains if math.isfinite(gain.low)] or [0.0]
    highs = [gain.high for gain in gains if math.isfinite(gain.high)] or [0.0]
    low = max(min(0.0, *values, *lows), min(0.0, *values) - reach)
    high = min(max(0.0, *values, *highs), max(0.0, *values) + reach)
    low, high = min(low, -0.03), max(high, 0.03)  # or the ticks could not be told apart
    edge = 0.03 * (high - low)
    return Axis(low - edge, high + edge, LEFT if labelled else 40.0, WIDTH - (RIGHT if labelled else 40.0))


def _bar(gain: Gain, axis: Axis) -> dict[str, Any]:
    low = gain.low if math.isfinite(gain.low) else gain.estimate
    high = gain.high if math.isfinite(gain.high) else gain.estimate
    return {"x": axis.at(gain.estimate), "low": axis.at(low), "high": axis.at(high),
            "cut_low": low < axis.low, "cut_high": high > axis.high}
