"""Which of two values is the positive one."""

from __future__ import annotations

import shlex
from typing import Any

from .word_scales import word_order

POSITIVE = frozenset(("1", "yes", "true", "positive", "pos", "on", "present", "+", "ja", "si", "oui"))
NEGATIVE = frozenset(("0", "no", "false", "negative", "neg", "off", "absent", "none", "never", "-", "nein", "non"))
LETTERS = (["y", "n"], ["t", "f"])


def positive_first(values: list[Any], name: object = "NAME") -> tuple[list[Any], str]:
    """Two sorted values of the target ``name`` with the positive one in front, and why it is.

    >>> positive_first(["No", "Yes"])
    (['Yes', 'No'], "'Yes' is positive")
    >>> positive_first([1, 2])
    ([2, 1], '2 is positive: the higher')
    """
    low, high = values
    if isinstance(low, bool) or not isinstance(low, str):
        return [high, low], f"{high!r} is positive" + ("" if isinstance(low, bool) or high == 1 else ": the higher")
    words = [str(value).strip().lower() for value in values]
    for at in (0, 1):
        if words[at] in POSITIVE or words[1 - at] in NEGATIVE or [words[at], words[1 - at]] in LETTERS:
            return [values[at], values[1 - at]], f"{values[at]!r} is positive"
    order = word_order(values)
    if order:
        return order[::-1], f"{order[1]!r} is positive: the higher"
    other = shlex.quote(f"{name}=binary:{low}")
    return [high, low], f"{high!r} is positive: the last in the alphabet (to change: --kind {other})"
