"""The number of shared parameters, for methods that keep a number for each of them."""

from __future__ import annotations

from ..base import UsageError
from .signal import Signal


def same_size(signal: Signal, size: int) -> None:
    """UsageError where the shared parameters have not ``size`` numbers."""
    actual = sum(parameter.numel() for parameter in signal.shared)
    if actual != size:
        raise UsageError("size", f"is {size}", f"the shared parameters have {actual} numbers", f"Give size={actual}.")
