"""Gains on a scale that neither their unit nor a ruined run decides."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Array = np.ndarray
OUTLIER = 3.0  # units; a gain that lies farther out is taken as this


def gain_unit(gains: Float[Array, "n"]) -> float:
    """The unit of gains: their median size over that of a standard normal variable; their root mean square where more
    than half of them are 0, and 1 where all are.

    >>> round(gain_unit(np.array([-0.2, 0.1, 7.0])), 4)
    0.2965
    """
    return float(np.median(np.abs(gains)) / 0.6745 or np.sqrt((gains**2).mean())) or 1.0


def in_units(gains: Float[Array, "*n"], unit: float) -> Float[Array, "*n"]:
    """Gains over their unit, those beyond three units as three.

    >>> in_units(np.array([-0.2, 0.1, 7.0]), 0.1)
    array([-2.,  1.,  3.])
    """
    return np.clip(gains / unit, -OUTLIER, OUTLIER)
