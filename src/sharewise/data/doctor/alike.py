"""Names that say the same: 'y_diabetes' and 'DiabetesAge'."""

from __future__ import annotations

import re

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
EMPTY = {"y", "x", "the", "is", "has", "target", "label", "class", "value", "total", "mean", "avg", "ave", "average",
         "min", "max", "sum", "num", "number", "count", "of", "in", "per", "std", "log"}


def words_of(name: str) -> set[str]:
    """The telling words of a column's name, in lower case: no digits, no word such as 'y' or 'mean'.

    >>> sorted(words_of("y_BPSysAve")), sorted(words_of("BPSys1"))
    (['bp', 'sys'], ['bp', 'sys'])
    """
    return {word.lower() for word in WORD.findall(str(name))} - EMPTY


def alike(target: str, feature: str) -> bool:
    """Whether one name holds all telling words of the other, and three letters of them at least.

    >>> alike("y_diabetes", "DiabetesAge"), alike("BMI", "BMI_WHO"), alike("BPSysAve", "BPDiaAve")
    (True, True, False)
    """
    first, second = words_of(target), words_of(feature)
    shared = first & second
    return shared in (first, second) and sum(map(len, shared)) >= 3
