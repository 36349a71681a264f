"""Numbers as JSON, which knows no NaN and no infinity: NaN is null, infinities are words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any


def write_number(value: Any) -> Any:
    """A JSON-ready form of a number; everything else as it is.

    >>> write_number(float("nan")), write_number(float("-inf")), write_number(0.5)
    (None, '-inf', 0.5)
    """
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)


def read_number(value: Any) -> float:
    """The number that ``write_number`` wrote."""
    return float("nan") if value is None else float(value)


def plain(value: Any) -> Any:
    """A JSON-ready form of nested dicts, sequences, numbers (NumPy's too) and text."""
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    return write_number(value)
