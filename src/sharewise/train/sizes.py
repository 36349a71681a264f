"""How wide a network is and how long it learns, by the number of its rows."""

from __future__ import annotations

import math

from .bundle import Sizes


def sizes_for(rows: int, hidden: int | None = None, steps: int | None = None, effort: float = 1.0) -> Sizes:
    """Width, batch and steps for about ``rows`` rows: all grow slowly, in steps of powers of two of the rows.

    >>> sizes_for(1000)
    Sizes(hidden=128, batch=64, steps=1149)
    """
    power = min(max(round(math.log2(max(rows, 1))), 3), 22)
    batch = 2 ** min(max(power - 4, 4), 8)
    by_rows = 250 * 2 ** (0.22 * power) * effort
    width = 64 if power < 7 else 128 if power < 14 else 192
    return Sizes(hidden or width, batch, steps or max(round(by_rows), 1))


def multiply_adds(sizes: Sizes, features: int, parts: int, depth: int, outputs: int) -> float:
    """Multiply-adds of training one network: forward, backward in the weights and, after the first layer, in the
    activations, for each row of each step; and about 12 for each weight of each step for the optimizer."""
    first = features * (1 + parts) * sizes.hidden
    later = (depth - 1) * sizes.hidden**2 + sizes.hidden * outputs
    return sizes.steps * (sizes.batch * (2.0 * first + 3.0 * later) + 12.0 * (first + later))
