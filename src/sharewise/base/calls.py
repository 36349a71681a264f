"""Constructor calls as JSON: the one form in which configurations are written down.

A call names a class that a room exports and its keyword arguments; reading one can build nothing else.
"""

from __future__ import annotations

import inspect
from typing import Any

from . import catalogue
from .errors import UsageError


def to_call(thing: Any) -> Any:
    """A JSON-ready form of a value or of an object whose constructor stores its parameters unchanged.

    >>> from sharewise.balance import Fixed
    >>> to_call(Fixed(weights=[1.0, 2.0]))
    {'call': 'balance.Fixed', 'with': {'weights': [1.0, 2.0]}}
    """
    if thing is None or isinstance(thing, (bool, int, float, str)):
        return thing
    if isinstance(thing, dict):
        return {str(key): to_call(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [to_call(value) for value in thing]
    if hasattr(thing, "to_json"):
        return {"call": f"{catalogue.room_of(type(thing))}.{type(thing).__name__}", "json": thing.to_json()}
    options = {name: to_call(getattr(thing, name)) for name in inspect.signature(type(thing)).parameters}
    return {"call": f"{catalogue.room_of(type(thing))}.{type(thing).__name__}", "with": options}


def from_call(call: Any) -> Any:
    """The value or object that ``to_call`` described."""
    if isinstance(call, list):
        return [from_call(value) for value in call]
    if not isinstance(call, dict):
        return call
    if "call" not in call:
        return {key: from_call(value) for key, value in call.items()}
    room, _, name = str(call["call"]).rpartition(".")
    if room not in catalogue.ROOMS:
        raise UsageError("call", f"is {call['call']!r}", "it must name a class that a room exports", "Check the file.")
    maker = catalogue.load(room, name)
    if not isinstance(maker, type):
        raise UsageError("call", f"is {call['call']!r}", "it must name a class", "Check the file.")
    if "json" in call:
        return maker.from_json(call["json"])  # type: ignore[attr-defined]
    return maker(**{key: from_call(value) for key, value in call.get("with", {}).items()})
