"""Multilabel: a set of labels as one task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from jaxtyping import Float

from ...base import DataError
from ..classes import check_classes, encode_labels, fit_classes
from ..kind import SMALLEST_PROBABILITY, Array, Kind
from ..scale import Scale

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Multilabel(Kind):
    """L labels, each on or off; mean is the probability of each; log loss, averaged over the observed labels.

    The labels stand in L binary columns, or in one set-valued column: lists, or text with a ``separator``.
    """

    name: ClassVar[str] = "multilabel"
    loss_name: ClassVar[str] = "log loss"
    classes: tuple[Any, ...] = ()
    separator: str = ""  # of a set-valued column of text; empty: L columns, or one column of lists

    def __post_init__(self) -> None:
        check_classes(self.name, self.classes)

    @property
    def width(self) -> int:  # type: ignore[override]
        return len(self.classes)

    outputs = raw_size = width  # type: ignore[assignment]

    def encode(self, values: pd.DataFrame) -> Float[Array, "N L"]:
        if values.shape[1] == 1:
            return self._encode_sets(values)
        return np.hstack([encode_labels(values[[column]], (0, 1)) for column in values.columns])

    def _encode_sets(self, values: pd.DataFrame) -> Float[Array, "N L"]:
        column = values.columns[0]
        place = {label: at for at, label in enumerate(self.classes)}
        target = np.full((len(values), len(self.classes)), np.nan)
        for row, cell in enumerate(values[column]):
            labels = split_set(cell, self.separator)
            if labels is None:
                continue
            unknown = [label for label in labels if label not in place]
            if unknown:
                raise DataError(f"target {column!r}", f"has the label {unknown[0]!r} in row {row}",
                                f"its labels are {', '.join(map(repr, self.classes[:8]))}",
                                "Drop the label, or add it where the kind is set.")
            target[row] = 0.0
            target[row, [place[label] for label in labels]] = 1.0
        return target

    def decode(self, mean: Float[Array, "N L"]) -> Array:
        return (mean > 0.5).astype(int)

    def fit_scale(self, target: Float[Array, "N L"]) -> Scale:
        fits = [fit_classes(target[:, [at]], 2) for at in range(target.shape[1])]
        share = tuple(float(fit[0][1]) for fit in fits)
        losses = self.row_loss(np.tile(share, (len(target), 1)), target)
        seen = losses[~np.isnan(losses)]
        unit = float(seen.mean()) if len(seen) else 1.0
        return Scale(0.0, 1.0, share, unit, unit)

    def loss(self, raw: Tensor, target: Tensor, observed: Tensor) -> Tensor:
        from torch import zeros_like
        from torch.nn.functional import binary_cross_entropy_with_logits

        loss = binary_cross_entropy_with_logits(raw, target.where(observed, zeros_like(target)), reduction="none")
        return loss.where(observed, zeros_like(loss)).sum(-1) / observed.sum(-1).clamp(min=1)

    def mean(self, raw: Tensor) -> Tensor:
        return raw.sigmoid()

    def start(self, scale: Scale) -> tuple[float, ...]:
        share = np.asarray(scale.trivial)
        return tuple(np.log(share / (1 - share)).tolist())

    def row_loss(self, mean: Float[Array, "N L"], target: Float[Array, "N L"]) -> Float[Array, "N"]:
        safe = np.clip(mean, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY)
        seen = ~np.isnan(target)
        loss = -np.log(np.where(target > 0.5, safe, 1 - safe))
        total = np.where(seen, loss, 0.0).sum(axis=1)
        return np.where(seen.any(axis=1), total / np.maximum(seen.sum(axis=1), 1), np.nan)


def split_set(cell: Any, separator: str) -> list[Any] | None:
    """The labels in one cell of a set-valued column; None where the cell is missing."""
    if isinstance(cell, (list, tuple, set, frozenset, np.ndarray)):
        return list(cell)
    if pd.isna(cell):
        return None
    return [label.strip() for label in str(cell).split(separator or ";") if label.strip()]
