"""What a network reads of X: robustly scaled numbers, flags for gaps, piecewise linear encodings."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Array = np.ndarray
ROWS_FOR_QUANTILES = 10_000


@dataclass(frozen=True)
class Features:
    """Fitted on the rows of F fits at once (folds); the layout of columns is the same in all of them.

    A number becomes u / sqrt(1 + (u / 3)^2), u = (x - median) / (quartile range / 1.349): robust scaling and smooth
    clipping (Holzmuller, Grinsztajn, Steinwart 2024, Better by default: strong pre-tuned MLPs and boosted trees). A
    gap becomes 0 and a flag. A number with more than two values also becomes Q piecewise linear parts between
    quantiles, clip(2 (x - low_q) / width_q - 1, -1, 1) (Gorishniy, Rubachev, Babenko 2022, On embeddings for numerical
    features in tabular deep learning, section 3.2; here clipped at both ends and centred).

    ``centre``, ``scale`` [F, D] (scale 0: constant, says nothing); ``gaps`` [G] the columns with flags and ``flag``
    [F, G] whether the fit saw a gap; ``binned`` [C] the columns with parts; ``slope``, ``shift`` [F, C, Q].
    """

    centre: Float[Tensor, "F D"]
    scale: Float[Tensor, "F D"]
    gaps: Int[Tensor, "G"]
    flag: Float[Tensor, "F G"]
    binned: Int[Tensor, "C"]
    slope: Float[Tensor, "F C Q"]
    shift: Float[Tensor, "F C Q"]

    @property
    def size(self) -> int:
        """How many inputs the network has."""
        return self.centre.shape[1] + len(self.gaps) + self.slope[0].numel()

    @torch.no_grad()
    def embed(self, x: Float[Tensor, "B N D"], fit: Int[Tensor, "B"]) -> Float[Tensor, "B N I"]:
        """Inputs of the network for rows x of B members, each scaled as its ``fit`` says."""
        missing = x.isnan()
        centre = self.centre[fit].unsqueeze(1)
        filled = torch.where(missing, centre, x)
        scaled = (filled - centre).mul_(self.scale[fit].unsqueeze(1))
        parts = [scaled.div_((scaled / 3).square_().add_(1).sqrt_())]
        if len(self.gaps):
            parts.append(missing[:, :, self.gaps] * self.flag[fit].unsqueeze(1))
        if self.slope[0].numel():
            values = filled[:, :, self.binned].unsqueeze(-1)
            pieces = torch.addcmul(self.shift[fit].unsqueeze(1), values, self.slope[fit].unsqueeze(1)).clamp_(-1, 1)
            parts.append(pieces.flatten(2))
        return torch.cat(parts, dim=-1)

    def of(self, fit: int) -> Features:
        """The features of one fit alone."""
        return Features(**{field.name: value if field.name in ("gaps", "binned") else value[fit : fit + 1].clone()
                           for field in fields(self) for value in [getattr(self, field.name)]})


def fit_features(X: Float[Array, "N D"], train: Bool[Array, "K N"], bins: int, budget: int = 640) -> Features:
    """Fit on the rows of each fold; at most ``bins`` parts a column, at most ``budget`` parts in all."""
    distinct = np.array([min(len(np.unique(column[~np.isnan(column)])), 65) for column in X.T], dtype=int)
    gaps = np.flatnonzero(np.isnan(X).any(axis=0))
    binned = np.flatnonzero(distinct > 2)
    parts = min(bins, budget // max(len(binned), 1), int(train.sum(axis=1).min()) // 16)
    if parts < 2 or not len(binned):
        binned, parts = binned[:0], 0
    fits = [_fit_one(X[rows], distinct <= 2, binned, parts) for rows in train]
    centre, scale, slope, shift = (torch.from_numpy(np.stack(part).astype(np.float32))
                                   for part in zip(*fits, strict=True))
    flag = torch.from_numpy(np.stack([np.isnan(X[rows][:, gaps]).any(axis=0) for rows in train]).astype(np.float32))
    return Features(centre, scale, torch.from_numpy(gaps), flag, torch.from_numpy(binned), slope, shift)


def _fit_one(X: Array, plain: Array, binned: Array, parts: int) -> tuple[Array, Array, Array, Array]:
    step = -(-len(X) // ROWS_FOR_QUANTILES)
    ordered = np.sort(X[::step].astype(np.float64), axis=0)
    low, middle, high = _quantiles(ordered, np.array([0.25, 0.5, 0.75]))
    with np.errstate(invalid="ignore"):
        count = np.maximum((~np.isnan(X)).sum(axis=0), 1)
        mean = np.nansum(X, axis=0, dtype=np.float64) / count
        deviation = np.sqrt(np.nansum((X - mean) ** 2, axis=0) / count)
    spread = np.where(plain | (high <= low), deviation, (high - low) / 1.349)
    spread = np.where(plain, np.maximum(spread, 0.1 * (deviation > 0)), spread)
    centre = np.where(plain, mean, middle)
    alive = deviation > 1e-7 * np.maximum(np.abs(mean), 1e-30)
    scale = np.where(alive, 1 / np.where(spread > 0, spread, 1.0), 0.0)
    edges = np.stack([_edges(ordered[:, column], parts) for column in binned]) if parts else np.zeros((0, 1))
    width = np.diff(edges, axis=1)
    real = width > 1e-7 * np.maximum(np.abs(edges[:, :-1]), 1e-30)
    slope = np.where(real, 2 / np.where(real, width, 1.0), 0.0)
    return centre, scale, slope, np.where(real, -edges[:, :-1] * slope - 1, 0.0)


def _quantiles(ordered: Float[Array, "N D"], levels: Float[Array, "Q"]) -> Float[Array, "Q D"]:
    """Quantiles of sorted columns whose NaN stand last; 0 for a column of NaN alone."""
    count = (~np.isnan(ordered)).sum(axis=0)
    place = levels[:, None] * np.maximum(count - 1, 0)
    low = np.floor(place).astype(int)
    high = np.minimum(low + 1, np.maximum(count - 1, 0))
    below, above = np.take_along_axis(ordered, low, axis=0), np.take_along_axis(ordered, high, axis=0)
    return np.where(count > 0, below + (above - below) * (place - low), 0.0)


def _edges(column: Float[Array, "N"], parts: int) -> Float[Array, "E"]:
    """Ends of the parts: all values where they are few, else quantiles."""
    values = np.unique(column[~np.isnan(column)])
    if len(values) > parts + 1:
        return _quantiles(column[:, None], np.linspace(0, 1, parts + 1))[:, 0]
    return np.pad(values, (0, parts + 1 - len(values)), mode="edge") if len(values) else np.zeros(parts + 1)
