"""Multiclass: one of several classes without an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..classes import check_classes, class_scale, decode_labels, encode_labels, log_loss
from ..kind import Array, Kind
from ..scale import Scale

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Multiclass(Kind):
    """C classes, softmax, log loss; mean is the probability of each class."""

    name: ClassVar[str] = "multiclass"
    loss_name: ClassVar[str] = "log loss"
    classes: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        check_classes(self.name, self.classes)

    @property
    def outputs(self) -> int:  # type: ignore[override]
        return len(self.classes)

    raw_size = outputs  # type: ignore[assignment]

    def encode(self, values: pd.DataFrame) -> Float[Array, "N 1"]:
        return encode_labels(values, self.classes)

    def decode(self, mean: Float[Array, "N C"]) -> Array:
        return decode_labels(mean.argmax(axis=1), self.classes)

    def fit_scale(self, target: Float[Array, "N 1"]) -> Scale:
        return class_scale(target, len(self.classes))

    def loss(self, raw: Tensor, target: Tensor, observed: Tensor) -> Tensor:
        from torch import zeros_like

        code = target.where(observed, zeros_like(target)).long()
        loss = -raw.log_softmax(-1).gather(-1, code)
        return loss.where(observed, zeros_like(loss)).squeeze(-1)

    def mean(self, raw: Tensor) -> Tensor:
        return raw.softmax(-1)

    def start(self, scale: Scale) -> tuple[float, ...]:
        return tuple(np.log(scale.trivial).tolist())

    def row_loss(self, mean: Float[Array, "N C"], target: Float[Array, "N 1"]) -> Float[Array, "N"]:
        return log_loss(mean, target)
