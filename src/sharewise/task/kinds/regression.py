"""Regression: a number on a scale with units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..kind import Array, Kind
from ..numbers import encode_numbers
from ..scale import Scale

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Regression(Kind):
    """A real number: squared error, learned standardised, given back in its own units."""

    name: ClassVar[str] = "regression"
    loss_name: ClassVar[str] = "squared error"
    likelihood_factor: ClassVar[float] = 0.5

    def encode(self, values: pd.DataFrame) -> Float[Array, "N 1"]:
        return encode_numbers(values)

    def decode(self, mean: Float[Array, "N 1"]) -> Array:
        return mean[:, 0]

    def fit_scale(self, target: Float[Array, "N 1"]) -> Scale:
        seen = target[~np.isnan(target)]
        if not len(seen):
            return Scale(0.0, 1.0, (0.0,), 1.0, 1.0)
        centre, spread = float(seen.mean()), float(seen.std())
        if spread <= 1e-12 * max(abs(centre), 1e-300):
            spread = abs(centre) or 1.0  # constant here: nothing to learn, and no division by zero
        return Scale(centre, spread, (centre,), spread**2, 1.0)

    def loss(self, raw: Tensor, target: Tensor, observed: Tensor) -> Tensor:
        return (raw - target.where(observed, raw.detach())).square().squeeze(-1)

    def mean(self, raw: Tensor) -> Tensor:
        return raw

    def start(self, scale: Scale) -> tuple[float, ...]:
        return (0.0,)

    def row_loss(self, mean: Float[Array, "N 1"], target: Float[Array, "N 1"]) -> Float[Array, "N"]:
        return np.square(mean - target)[:, 0]
