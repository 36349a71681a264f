"""Names of columns that stand for several: y_*."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import pandas as pd


def matching(names: Sequence[Any], table: pd.DataFrame) -> list[Any]:
    """The names, and in the place of a pattern such as ``y_*`` all columns that it fits, each once. A column whose own
    name looks like a pattern is meant itself; a pattern that fits nothing stays, for the error about unknown columns.

    >>> matching(["y_*", "x", "y_a"], pd.DataFrame(columns=["x", "y_a", "y_b"]))
    ['y_a', 'y_b', 'x']
    """
    fits = {name: [column for column in table.columns if fnmatchcase(column, name)] or [name] for name in names
            if isinstance(name, str) and name not in table.columns and "=" not in name and set("*?[") & set(name)}
    found = [one for name in names for one in (fits[name] if isinstance(name, str) and name in fits else [name])]
    return list(dict.fromkeys(found)) if fits else found
