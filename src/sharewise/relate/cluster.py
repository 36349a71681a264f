"""Groups out of an affinity matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import squareform

from ..base.checks import within

Array = np.ndarray


def group(affinity: Float[Array, "T T"], names: Sequence[str], count: int) -> list[list[str]]:
    """At most ``count`` groups of names, by average linkage on 1 - affinity; a name keeps its order in its group.

    >>> group(np.array([[1, 0.9, 0.0], [0.9, 1, 0.1], [0.0, 0.1, 1]]), ["a", "b", "c"], count=2)
    [['a', 'b'], ['c']]
    """
    within("count", count, low=1)
    if len(names) <= 1:
        return [list(names)] if names else []
    distance = 1 - (affinity + affinity.T) / 2
    np.fill_diagonal(distance, 0.0)
    labels = fcluster(linkage(squareform(np.maximum(distance, 0), checks=False), "average"), count, "maxclust")
    members = {label: [name for name, own in zip(names, labels, strict=True) if own == label] for label in labels}
    return sorted(members.values(), key=lambda part: names.index(part[0]))
