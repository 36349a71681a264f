"""Argument checks at the door: each returns the checked value or raises a four-part error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from numbers import Integral
from typing import TypeVar

from .errors import UnknownNameError, UsageError

V = TypeVar("V")
N = TypeVar("N", int, float)


def one_of(thing: str, name: V, known: Collection[V]) -> V:
    """``name`` if it is one of the ``known`` ones, else an UnknownNameError with near names."""
    if name not in known:
        raise UnknownNameError.near(thing, name, known)
    return name


def within(thing: str, value: N, low: float = float("-inf"), high: float = float("inf")) -> N:
    """``value`` if it is a finite number in [low, high], else a UsageError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        span = f"from {low:g} to {high:g}" if high < float("inf") else f"of at least {low:g}"
        raise UsageError(thing, f"is {value!r}", f"it must be a number {span}", "Change it.")
    return value


def whole(thing: str, value: int, low: int, high: int) -> int:
    """``value`` if it is a whole number from ``low`` to ``high``, else a UsageError."""
    if isinstance(value, bool) or not isinstance(value, Integral) or not low <= value <= high:
        raise UsageError(thing, f"is {value!r}", f"it must be a whole number from {low} to {high}", "Change it.")
    return int(value)


def at_least_one(thing: str, names: Collection[V]) -> Collection[V]:
    """``names`` if there is any, else a UsageError."""
    if not names:
        raise UsageError(thing, "is empty", "it must name at least one", "Name one.")
    return names


def no_duplicates(thing: str, names: Collection[V]) -> Collection[V]:
    """``names`` if no name stands in it twice, else a UsageError that names the doubles."""
    doubles = sorted(str(name) for name, count in Counter(names).items() if count > 1)
    if doubles:
        raise UsageError(thing, f"has {', '.join(map(repr, doubles))} twice", "each name may stand once",
                         "Rename or drop one of them.")
    return names
