"""Binary: yes or no."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..classes import check_classes, decode_labels, encode_labels, fit_classes
from ..kind import SMALLEST_PROBABILITY, Array, Kind
from ..scale import Scale

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Binary(Kind):
    """Two classes, the second of which is the positive one; mean is its probability. Log loss."""

    name: ClassVar[str] = "binary"
    loss_name: ClassVar[str] = "log loss"
    classes: tuple[Any, ...] = (0, 1)

    def __post_init__(self) -> None:
        check_classes(self.name, self.classes, exactly=2)

    def encode(self, values: pd.DataFrame) -> Float[Array, "N 1"]:
        return encode_labels(values, self.classes)

    def decode(self, mean: Float[Array, "N 1"]) -> Array:
        return decode_labels(mean[:, 0] > 0.5, self.classes)

    def fit_scale(self, target: Float[Array, "N 1"]) -> Scale:
        share, entropy = fit_classes(target, 2)
        return Scale(0.0, 1.0, (float(share[1]),), entropy, entropy)

    def loss(self, raw: Tensor, target: Tensor, observed: Tensor) -> Tensor:
        from torch import zeros_like
        from torch.nn.functional import binary_cross_entropy_with_logits

        loss = binary_cross_entropy_with_logits(raw, target.where(observed, zeros_like(target)), reduction="none")
        return loss.where(observed, zeros_like(loss)).squeeze(-1)

    def mean(self, raw: Tensor) -> Tensor:
        return raw.sigmoid()

    def start(self, scale: Scale) -> tuple[float, ...]:
        return (float(np.log(scale.trivial[0] / (1 - scale.trivial[0]))),)

    def row_loss(self, mean: Float[Array, "N 1"], target: Float[Array, "N 1"]) -> Float[Array, "N"]:
        safe = np.clip(mean[:, 0], SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        return -np.log(np.where(target[:, 0] > 0.5, safe, 1 - safe)) + 0 * target[:, 0]
