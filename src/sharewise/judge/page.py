"""The report as one page of HTML that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import figures, pictures, words
from .balance_picture import draw_balance
from .report import BalanceResult, CandidateResult, Report

MOST_TASKS, MOST_PANELS, MOST_COLUMNS, MOST_CHIPS, MOST_MIXTURES = 30, 12, 16, 60, 8
STEPS, FARTHEST = 8, 0.25  # the heat map's shades; the loss over the best one at which the last shade is reached
TEMPLATE = Path(__file__).with_name("page.html.jinja")


def render_html(report: Report) -> str:
    """The whole report as the text of one HTML page: readable in light and dark, on paper, and without a network.

    Everything that comes from the report is escaped.

    >>> page = render_html(Report("sales & stock.csv", rows=10, features=2, tasks=()))
    >>> page.splitlines()[0], "sales &amp; stock.csv" in page, "<script" in page
    ('<!doctype html>', True, False)
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"score": figures.score, "percent": figures.percent, "interval": figures.interval,
                            "metric_title": words.metric_title}
    many = len(report.tasks) > MOST_TASKS
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        report=report, sentence=words.headline_sentence(report), counts=words.verdicts(report.tasks),
        forest=pictures.forest(report), many=many, shown=words.by_gain(report.tasks)[:20] if many else report.tasks,
        groups=_groups(report), alone=[task.name for task in report.tasks if not task.learned_with],
        most_chips=MOST_CHIPS, panels=pictures.panels(report.tasks, MOST_PANELS), most_panels=MOST_PANELS,
        balance=[_balance(one) for one in report.balance], board=board(report),
        cost=words.cost_lines(report.cost), measured=words.how_measured(report),
        metric_rows=[] if many else _metric_rows(report))


def board(report: Report) -> dict[str, Any]:
    """The candidates, the best in mean relative loss first, with a shade for each task: how far from the best one."""
    tasks = [task.name for task in report.tasks]
    table = np.array([[_number(one.losses.get(name)) for name in tasks] for one in report.candidates])
    table = table.reshape(len(report.candidates), len(tasks))
    seen = ~np.isnan(table)
    best = np.where(seen.any(axis=0), np.min(np.where(seen, table, np.inf), axis=0, initial=np.inf), np.nan)
    means = [float(row[known].mean()) if known.any() else float("nan") for row, known in zip(table, seen, strict=True)]
    rows = [_candidate(one, tasks, losses, best, mean)
            for one, losses, mean in zip(report.candidates, table, means, strict=True)]
    rows.sort(key=lambda row: (np.isnan(row["mean"]), row["mean"]))
    return {"tasks": tasks, "rows": rows, "wide": len(tasks) > MOST_COLUMNS}


def _candidate(
    one: CandidateResult, tasks: Sequence[str], losses: np.ndarray, best: np.ndarray, mean: float
) -> dict[str, Any]:
    cells = []
    for name, loss, least in zip(tasks, losses, best, strict=True):
        far = (loss / least - 1) / FARTHEST if least > 0 else float(loss > 0)
        weight = one.weights.get(name, 0.0)
        cells.append({"loss": f"{loss:.2f}" if loss < 10 else figures.figure(loss, 2), "weight": weight,
                      "shade": None if np.isnan(loss) else round(min(far, 1.0) * STEPS), "task": name})
    return {"one": one, "cells": cells, "mean": mean, "best": int(np.sum(losses == best)),
            "used": sum(weight > 0 for weight in one.weights.values()), "seconds": figures.seconds(one.seconds)}


def _balance(one: BalanceResult) -> dict[str, Any]:
    """What is said of a balancer, and its picture as an address: a page of its own, whose styles stay inside."""
    numbers = (np.array(values, dtype=float) for values in (one.steps, one.weights, one.shares, one.conflicts))
    picture = draw_balance(list(one.tasks), *numbers)
    return {"name": one.candidate, "said": words.balance_lines(one),
            "picture": "data:image/svg+xml;base64," + b64encode(picture.encode()).decode()}


def _metric_rows(report: Report) -> list[dict[str, Any]]:
    """A row a task and metric: the value of each of the four predictors."""
    return [{"task": task.name, "title": words.any_title(task.kind, name),
             "values": [task.metrics.get(which, {}).get(name) for which in words.PREDICTORS]}
            for task in report.tasks for name in task.metrics.get("chosen", {})]


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def _groups(report: Report) -> list[dict[str, Any]]:
    served_by = {task.name: task.served_by for task in report.tasks}
    found = []
    for served, helping in words.learning_groups(report.tasks):
        by_words: dict[str, list[str]] = {}
        for name in served:
            by_words.setdefault(served_by[name], []).append(name)
        by = list(by_words.items())
        if len(by) > MOST_MIXTURES:
            by = sorted(by, key=lambda one: -len(one[1]))[:MOST_MIXTURES]
        found.append({"served": served, "helping": helping, "by": by, "more": len(by_words) - len(by)})
    return found
