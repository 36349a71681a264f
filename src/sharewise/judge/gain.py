"""The value Gain: a relative improvement with its interval, and the verdict that follows from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .written import read_number, write_number


@dataclass(frozen=True)
class Gain:
    """A relative improvement with its interval: 0.05 is 5 % less loss than the reference.

    ``p_value`` is two-sided, against no difference; ``rows`` is how many rows (or tasks, for a mean over tasks)
    stand behind it. All NaN where there is too little to say anything.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    rows: int

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return {name: write_number(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Gain:
        """The gain that ``to_json`` described."""
        return cls(**{name: read_number(state[name]) for name in ("estimate", "low", "high", "p_value")},
                   rows=int(state["rows"]))


def nothing_known(rows: int, estimate: float = float("nan")) -> Gain:
    """The gain where there are too few rows for an interval."""
    return Gain(estimate, float("nan"), float("nan"), float("nan"), rows)


def verdict(gain: Gain, adjusted_p: float, alpha: float = 0.05) -> str:
    """"helped", "hurt" or "no difference": the sign of the gain where its adjusted p-value is at most ``alpha``.

    >>> verdict(Gain(0.1, 0.02, 0.2, 0.01, 100), adjusted_p=0.03)
    'helped'
    """
    if not adjusted_p <= alpha or not gain.estimate:
        return "no difference"
    return "helped" if gain.estimate > 0 else "hurt"
