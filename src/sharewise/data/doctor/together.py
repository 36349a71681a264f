"""Two or three features that give a target away together: a number by a formula, a class by a rule."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from .explain import Levels
from .finding import Finding
from .formula import parts_of
from .link import formula_finding
from .rule import rule_of
from .sample import Target

Array = np.ndarray


def together_findings(target: Target, values: Float[Array, "n"], features: dict[str, Levels], left: dict[str, float],
                      limit: float) -> Iterator[Finding]:
    """The finding where features that do not give a target away by themselves do so together, if any.

    ``left`` is the share of the target's variance that each leaves by itself, ``limit`` what a rule may leave.
    """
    if target.classes:
        rule = rule_of(values.astype(int), features, left, limit)
        if rule:
            yield formula_finding(target, rule[0], "rule", rule[1], len(values))
        return
    names = [name for name, feature in features.items() if feature.ordered and len(feature.place) > 2]
    if len(names) < 2:
        return
    X = np.stack([features[name].place[features[name].code] for name in names], axis=1)
    parts = parts_of(values, X)
    if parts:
        places, form, share = parts
        yield formula_finding(target, tuple(names[place] for place in places), form, share, len(values))
