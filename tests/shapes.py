"""The type checker for tests: beartype, but for signatures that speak of ``Self``, which it reads in classes only."""

from __future__ import annotations

from collections.abc import Callable

from beartype import BeartypeConf, beartype
from beartype.roar import BeartypeDecorHintPep673Exception

CONFIG = BeartypeConf(is_pep484_tower=True)  # an int is a float, as type checkers have it


def check(function: Callable) -> Callable:
    """``function`` with its arguments and results checked at every call."""
    try:
        return beartype(conf=CONFIG)(function)
    except BeartypeDecorHintPep673Exception:
        return function
