"""Features near to one that gives a target away: the first and second reading beside their mean."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from .alike import alike
from .explain import Levels, unexplained
from .link import Link

Array = np.ndarray
KIN = 0.25  # so little of the feature that gives the target away is left by its kin
FEWEST_ROWS, MOST_LEVELS = 100, 20


def with_kin(links: Sequence[Link], leaking: Sequence[str], features: dict[str, Levels],
             left: dict[str, float]) -> list[Link]:
    """The links, and as suspects the kin of ``leaking`` features: those whose name is alike and that tell most of one.

    What gives a target away is seldom alone in its table. Its kin say less of the target by themselves, and no more
    than an honest feature may; what gives them away is whose kin they are.
    """
    told = {link.feature for link in links if link.code != "strong-feature"} | set(leaking)
    kin = {}
    for of in leaking:
        for name in features:
            if name not in told and name not in kin and alike(of, name) and _left(features[of], features[name]) < KIN:
                kin[name] = Link(name, left[name], "suspect", f"kin of {of!r}")
    return [link for link in links if link.feature not in kin] + list(kin.values())


def _left(of: Levels, feature: Levels) -> float:
    """The share of a feature's variance that another leaves, in the rows that have both."""
    rows = ~of.missing & ~feature.missing
    code = of.code[rows]
    if rows.sum() < FEWEST_ROWS or len(np.unique(code)) < 2:
        return 1.0
    if of.ordered:
        columns = pd.Series(code).rank().to_numpy()[:, None]
    elif len(of.place) > MOST_LEVELS:
        return 1.0
    else:
        columns = (code[:, None] == np.unique(code)).astype(float)
    weight = columns.var(axis=0)
    return float(unexplained(feature.where(rows), columns) @ weight / weight.sum())
