"""The picture of what a balancer did: who supplied the steps, and how often tasks pulled against each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Real

from ..base import UsageError
from .pictures import Axis

TEMPLATE = Path(__file__).with_name("balance.svg.jinja")
LEFT, ACROSS, PANEL, GAP, TOP = 70.0, 640.0, 150.0, 56.0, 34.0
LINE, LETTER, SAMPLE = 18.0, 7.5, 56.0  # the list of tasks: height of a line, width of a letter, what stands before
MOST_POINTS = 120
CONFLICT = "#c4492f"


def render_balance(tasks: Sequence[str], steps: Int[np.ndarray, "S"], weights: Float[np.ndarray, "S T"],
                   norms: Float[np.ndarray, "S T"], cosines: Float[np.ndarray, "S T T"]) -> str:
    """A record of a balancer as the text of an SVG picture, which needs nothing else to be shown.

    Over the steps: the weight of each task; the share of the update that it supplies, |w_t| ||g_t|| over the sum of
    these over the tasks; the share of the pairs of tasks whose gradients have a negative cosine. Of more than 120 steps
    a point is the mean of two, or as many as it takes. A panel without a number is left out.

    ``tasks``: their names; ``steps`` [S]: their numbers, rising; ``weights`` [S, T]; ``norms`` [S, T]: lengths of the
    tasks' gradients; ``cosines`` [S, T, T] between these; NaN where nothing is known. These are the fields of a Record
    of ``balance``. UsageError where there is no step, or no number at all.

    >>> known = np.ones((2, 2)), np.ones((2, 2)), np.full((2, 2, 2), -0.5)
    >>> picture = render_balance(["price", "sold"], np.arange(2), *known)
    >>> picture[:4], "price" in picture, "in conflict" in picture
    ('<svg', True, True)
    """
    supplied = np.abs(weights) * norms
    total = np.nansum(supplied, axis=1, keepdims=True)
    shares = supplied / np.where(total > 0, total, np.nan)
    pairs = (~np.isnan(cosines)).sum(axis=(1, 2))
    rate = (cosines < 0).sum(axis=(1, 2)) / np.where(pairs > 0, pairs, np.nan)
    return draw_balance(tasks, steps, weights, shares, rate)


def draw_balance(tasks: Sequence[str], steps: Real[np.ndarray, "S"], weights: Float[np.ndarray, "S T"],
                 shares: Float[np.ndarray, "S T"], rate: Float[np.ndarray, "S"]) -> str:
    """The picture of ``render_balance`` from what is drawn: weights, shares of the update, and the rate of conflict."""
    from jinja2 import Environment, StrictUndefined

    colours = [f"hsl({round(360 * (at + 0.55) / len(tasks))} 52% 46%)" for at in range(len(tasks))]
    known = [(name, values, most, own) for name, values, most, own in (
        ("Weights", weights, None, colours), ("Share of the update", shares, 1.0, colours),
        ("Pairs of tasks in conflict", rate[:, None], 1.0, [CONFLICT])) if np.isfinite(values).any()]
    if not known:
        raise UsageError("the record", "holds no number", "there must be a step that is known", "Train a step first.")
    across = Axis(float(steps[0]), float(max(steps[-1], steps[0] + 1)), LEFT, LEFT + ACROSS)
    panels = [_panel(name, [_means(steps, column) for column in values.T], most, own, across, TOP + at * (PANEL + GAP))
              for at, (name, values, most, own) in enumerate(known)]
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        panels=panels, left=LEFT, right=LEFT + ACROSS, width=LEFT + ACROSS + SAMPLE + LETTER * max(map(len, tasks)),
        height=TOP + max(len(panels) * (PANEL + GAP), len(tasks) * LINE),
        tasks=[(name, colours[at], TOP + (at + 0.5) * LINE) for at, name in enumerate(tasks)],
        ticks=[(across.at(tick), f"{tick:g}") for tick in across.ticks() if tick == round(tick)])


def _panel(name: str, curves: list[list[tuple[float, float]]], most: float | None, colours: Sequence[str],
           across: Axis, top: float) -> dict[str, Any]:
    """Where a panel and its curves stand; its axis reaches from 0, or the lowest value, to ``most`` or the highest."""
    values = [value for curve in curves for _, value in curve]
    low, high = min(0.0, *values), max(values) if most is None else most
    up = Axis(low, high if high > low else low + 1.0, top + PANEL, top)
    return {"name": name, "top": top, "bottom": top + PANEL,
            "ticks": [(up.at(tick), f"{tick:g}") for tick in up.ticks(4)],
            "curves": [(colour, [(across.at(step), up.at(value)) for step, value in curve])
                       for colour, curve in zip(colours, curves, strict=True)]}


def _means(steps: np.ndarray, values: np.ndarray) -> list[tuple[float, float]]:
    """Mean step and mean value of runs of steps, at most ``MOST_POINTS``; runs without any value are left out."""
    length = -(-len(steps) // MOST_POINTS)
    runs = np.split(np.arange(len(steps)), range(length, len(steps), length))
    seen = [run[np.isfinite(values[run])] for run in runs]
    return [(float(steps[run].mean()), float(values[run].mean())) for run in seen if len(run)]
