"""Figures in words: numbers, scores, percentages, durations and sizes, the same in the terminal and on the page."""

from __future__ import annotations

import math

from .gain import Gain

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


def percent(value: float) -> str:
    """A share as a percentage with one decimal.

    >>> [percent(share).split() for share in (0.0321, -0.5)]
    [['+3.2', '%'], ['−50.0', '%']]
    """
    if not math.isfinite(value):
        return figure(value)
    rounded = round(100 * value, 1) + 0.0
    return f"{rounded:{'+' if rounded else ''}.1f}\u00a0%".replace("-", MINUS)


def interval(gain: Gain) -> str:
    """Its bounds in percent, in brackets; nothing where there is no interval (too few rows, or the very same model)."""
    if not (math.isfinite(gain.low) and math.isfinite(gain.high)) or gain.low == gain.high:
        return ""
    return f"[{percent(gain.low)[:-2]}, {percent(gain.high)[:-2]}]"


def count(number: int, thing: str) -> str:
    """A number of things.

    >>> count(1, "task"), count(1200, "row")
    ('1 task', '1,200 rows')
    """
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


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
