"""Lengths of time as people write them."""

from __future__ import annotations

import re

from ..base import UsageError

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def read_seconds(value: float | str | None) -> float | None:
    """Seconds out of a number or a text; None stays None. UsageError on anything else.

    >>> read_seconds("5m"), read_seconds("90s"), read_seconds(30), read_seconds("1.5h")
    (300.0, 90.0, 30.0, 5400.0)
    """
    if value is None:
        return None
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(value))
    if match is None or match[2] not in UNITS or float(match[1]) <= 0:
        raise UsageError("time budget", f"is {value!r}", 'it must be a length of time such as 90, "90s", "5m" or "1h"',
                         "Change it.")
    return float(match[1]) * UNITS[match[2]]
