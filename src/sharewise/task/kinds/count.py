"""Count: how often something happened (Poisson, log link)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy.special import xlogy

from ...base import DataError
from ..kind import Array, Kind
from ..numbers import encode_numbers
from ..scale import Scale

if TYPE_CHECKING:
    from torch import Tensor

SMALLEST_RATE = 1e-6


@dataclass(frozen=True)
class Count(Kind):
    """A whole number from 0 up: Poisson deviance. Learned as a ratio to the mean count, given back as a rate."""

    name: ClassVar[str] = "count"
    loss_name: ClassVar[str] = "Poisson deviance"
    likelihood_factor: ClassVar[float] = 0.5

    def encode(self, values: pd.DataFrame) -> Float[Array, "N 1"]:
        target = encode_numbers(values)
        wrong = np.flatnonzero((target < 0) | (target != np.round(target)) & ~np.isnan(target))
        if len(wrong):
            raise DataError(f"target {values.columns[0]!r}", f"has {target[wrong[0], 0]:g} in row {wrong[0]}",
                            "a count must be a whole number from 0 up", "Use --kind regression for it.")
        return target

    def decode(self, mean: Float[Array, "N 1"]) -> Array:
        return mean[:, 0]

    def fit_scale(self, target: Float[Array, "N 1"]) -> Scale:
        seen = target[~np.isnan(target)]
        rate = max(float(seen.mean()), SMALLEST_RATE) if len(seen) else 1.0
        unit = float(np.mean(deviance(seen, np.full_like(seen, rate)))) if len(seen) else 1.0
        unit = unit if unit > 1e-12 else 1.0
        return Scale(0.0, rate, (rate,), unit, unit / rate)

    def restore(self, mean: Float[Array, "N 1"], scale: Scale) -> Float[Array, "N 1"]:
        return np.maximum(mean, SMALLEST_RATE) * scale.spread

    def loss(self, raw: Tensor, target: Tensor, observed: Tensor) -> Tensor:
        import torch

        z = target.where(observed, torch.ones_like(target))
        both = 2 * (torch.xlogy(z, z) - z * raw - z + raw.exp())
        return both.where(observed, torch.zeros_like(both)).squeeze(-1)

    def mean(self, raw: Tensor) -> Tensor:
        return raw.exp()

    def start(self, scale: Scale) -> tuple[float, ...]:
        return (0.0,)

    def row_loss(self, mean: Float[Array, "N 1"], target: Float[Array, "N 1"]) -> Float[Array, "N"]:
        return deviance(target[:, 0], np.maximum(mean[:, 0], SMALLEST_RATE * 1e-3))


def deviance(count: Float[Array, "N"], rate: Float[Array, "N"]) -> Float[Array, "N"]:
    """Poisson deviance of each row: 2 (y log(y / rate) - y + rate)."""
    return 2 * (xlogy(count, count / rate) - count + rate)
