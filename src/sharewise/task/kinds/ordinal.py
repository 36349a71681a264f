"""Ordinal: one of several classes in an order (cumulative link)."""

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
class Ordinal(Kind):
    """C classes from low to high. Cumulative link (McCullagh 1980, Regression models for ordinal data, eq. 2.4 with
    the logit): P(y > j) = sigmoid(a_j), a_0 > a_1 > ... The raw outputs [C - 1] are a_0 and the C - 2 drops before
    softplus; the drops may depend on the input, which keeps the order and frees the model of proportional odds.
    Log loss; mean is the probability of each class."""

    name: ClassVar[str] = "ordinal"
    loss_name: ClassVar[str] = "log loss"
    classes: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        check_classes(self.name, self.classes)

    @property
    def outputs(self) -> int:  # type: ignore[override]
        return len(self.classes)

    @property
    def raw_size(self) -> int:  # type: ignore[override]
        return len(self.classes) - 1

    def encode(self, values: pd.DataFrame) -> Float[Array, "N 1"]:
        return encode_labels(values, self.classes)

    def decode(self, mean: Float[Array, "N C"]) -> Array:
        return decode_labels(mean.argmax(axis=1), self.classes)

    def fit_scale(self, target: Float[Array, "N 1"]) -> Scale:
        return class_scale(target, len(self.classes))

    def _above(self, raw: Tensor) -> Tensor:
        """The cumulative logits a_j [..., N, C - 1] of P(y > j)."""
        from torch import cat
        from torch.nn.functional import softplus

        return cat([raw[..., :1], raw[..., :1] - softplus(raw[..., 1:]).cumsum(-1)], dim=-1)

    def loss(self, raw: Tensor, target: Tensor, observed: Tensor) -> Tensor:
        import torch
        from torch.nn.functional import logsigmoid

        above = self._above(raw)
        low, high = above[..., :-1], above[..., 1:]  # sigmoid(low) - sigmoid(high), taken apart to stay finite
        inner = logsigmoid(low) + logsigmoid(-high) + torch.log(-torch.expm1((high - low).clamp(max=-1e-6)))
        log_chance = torch.cat([logsigmoid(-above[..., :1]), inner, logsigmoid(above[..., -1:])], dim=-1)
        code = target.where(observed, torch.zeros_like(target)).long()
        loss = -log_chance.gather(-1, code)
        return loss.where(observed, torch.zeros_like(loss)).squeeze(-1)

    def mean(self, raw: Tensor) -> Tensor:
        from torch import cat, ones_like, zeros_like

        above = self._above(raw).sigmoid()
        edge = above[..., :1]
        return cat([ones_like(edge), above], -1) - cat([above, zeros_like(edge)], -1)

    def start(self, scale: Scale) -> tuple[float, ...]:
        above = 1 - np.cumsum(scale.trivial)[:-1]
        logits = np.log(above / (1 - above))
        drops = -np.diff(logits)
        return (float(logits[0]), *np.log(np.expm1(np.maximum(drops, 1e-3))).tolist())

    def row_loss(self, mean: Float[Array, "N C"], target: Float[Array, "N 1"]) -> Float[Array, "N"]:
        return log_loss(mean, target)
