"""Binary: yes or no."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..class_weights import check_beta, raise_logits, weight_of
from ..classes import check_classes, class_scale, decode_labels, encode_labels
from ..kind import SMALLEST_PROBABILITY, Array, Kind
from ..scale import Scale

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, repr=False)
class Binary(Kind):
    """Two classes, the second of which is the positive one; mean is its probability. Log loss.

    ``class_balanced``: beta of ``class_balanced_weights`` for the loss of a network, 0 for none. Probabilities are
    those of the table as it is, not as it is weighed: the weights move what a network of limited size attends to.

    UsageError: classes that are not two, or a beta that is not from 0 to below 1.

    >>> Binary(("no", "yes"), class_balanced=0.99).fit_scale(np.array([[0.0], [0.0], [0.0], [1.0]])).trivial
    (0.25,)
    """

    name: ClassVar[str] = "binary"
    loss_name: ClassVar[str] = "log loss"
    classes: tuple[Any, ...] = (0, 1)
    class_balanced: float = 0.0

    def __post_init__(self) -> None:
        check_classes(self.name, self.classes, exactly=2)
        check_beta("class_balanced", self.class_balanced)

    @property
    def variant(self) -> tuple[Any, ...]:  # type: ignore[override]
        return (self.class_balanced > 0,)

    def encode(self, values: pd.DataFrame) -> Float[Array, "N 1"]:
        return encode_labels(values, self.classes)

    def decode(self, mean: Float[Array, "N 1"]) -> Array:
        return decode_labels(mean[:, 0] > 0.5, self.classes)

    def fit_scale(self, target: Float[Array, "N 1"]) -> Scale:
        scale = class_scale(target, 2, self.class_balanced)
        return replace(scale, trivial=scale.trivial[1:])

    def loss(self, raw: Tensor, target: Tensor, observed: Tensor, weights: Tensor | None = None) -> Tensor:
        from torch import zeros_like
        from torch.nn.functional import binary_cross_entropy_with_logits

        wanted = target.where(observed, zeros_like(target))
        if weights is None:
            loss = binary_cross_entropy_with_logits(raw, wanted, reduction="none")
        else:
            loss = binary_cross_entropy_with_logits(raise_logits(raw, weights), wanted, weight_of(wanted, weights),
                                                    reduction="none")
        return loss.where(observed, zeros_like(loss)).squeeze(-1)

    def mean(self, raw: Tensor) -> Tensor:
        return raw.sigmoid()

    def start(self, scale: Scale) -> tuple[float, ...]:
        return (float(np.log(scale.trivial[0] / (1 - scale.trivial[0]))),)

    def chance(self, mean: Float[Array, "*M N 1"], target: Float[Array, "N 1"]) -> Float[Array, "*M N"]:
        return np.where(target[:, 0] > 0.5, mean[..., 0], 1 - mean[..., 0])

    def row_loss(self, mean: Float[Array, "N 1"], target: Float[Array, "N 1"]) -> Float[Array, "N"]:
        safe = np.clip(mean[:, 0], SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        return -np.log(np.where(target[:, 0] > 0.5, safe, 1 - safe)) + 0 * target[:, 0]
