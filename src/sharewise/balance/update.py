"""What a balancer decides: a small value that applies itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ..base import UsageError
from .graph import add_gradient, backward_heads, backward_weighted
from .signal import Signal


class Update(ABC):
    """The decision of one step. ``apply`` adds it to ``.grad``, as ``loss.backward()`` would."""

    @abstractmethod
    def apply(self, signal: Signal, heads: str) -> None:
        """Fill the gradients: of the shared parameters by this decision, of the others as ``heads`` says."""


@dataclass(frozen=True)
class Weights(Update):
    """Shared parameters get sum_t values[t] * gradient_t; one backward pass if no Jacobian is there already."""

    values: Float[Tensor, "T"]

    def apply(self, signal: Signal, heads: str) -> None:
        weights = self.values.detach()[signal.where]
        if not signal.has_jacobian:
            backward_weighted(signal.roots, weights, signal.shared, heads)
            return
        rows = signal.jacobian[signal.where]
        add_gradient(signal.shared, weights.to(rows.dtype) @ rows)
        backward_heads(signal.roots, weights if heads == "weighted" else torch.ones_like(weights), signal.shared)


@dataclass(frozen=True)
class Direction(Update):
    """Shared parameters get the gradient ``vector`` [P] itself."""

    vector: Float[Tensor, "P"]

    def apply(self, signal: Signal, heads: str) -> None:
        if heads == "weighted":
            raise UsageError("heads", "is 'weighted'", "a balancer that gives a direction has no weights for them",
                             "Use heads='plain'.")
        add_gradient(signal.shared, self.vector.detach())
        ones = signal.losses.new_ones(len(signal.roots))
        backward_heads(signal.roots, ones, signal.shared)
