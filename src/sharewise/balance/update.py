"""What a balancer decides: a small value that applies itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from ..base import UsageError
from .signal import Signal


class Update(ABC):
    """The decision of one step. ``apply`` adds it to ``.grad``, as ``loss.backward()`` would."""

    @abstractmethod
    def apply(self, signal: Signal, heads: str) -> None:
        """Fill the gradients: of the shared parameters by this decision, of the others as ``heads`` says."""

    @abstractmethod
    def gradient(self, signal: Signal) -> Float[Tensor, "P"]:
        """What the shared parameters get."""

    @property
    def weights(self) -> Float[Tensor, "T"] | None:
        """The weights of the tasks; None where there are none."""
        return None

    def scaled(self, factors: Float[Tensor, "T"]) -> Update:
        """The same decision for gradients that were ``factors`` times as long when it was made."""
        return self


@dataclass(frozen=True)
class Weights(Update):
    """Shared parameters get sum_t values[t] * gradient_t; at most one backward pass, as the engine has it."""

    values: Float[Tensor, "T"]

    def apply(self, signal: Signal, heads: str) -> None:
        values = self.values.detach()
        signal.engine.descend(values if len(signal.moving) == len(values) else values[signal.moving], heads)

    def gradient(self, signal: Signal) -> Float[Tensor, "P"]:
        return self.values.detach()[signal.where].to(signal.jacobian) @ signal.jacobian[signal.where]

    @property
    def weights(self) -> Float[Tensor, "T"]:
        return self.values

    def scaled(self, factors: Float[Tensor, "T"]) -> Weights:
        return Weights(self.values * factors)


@dataclass(frozen=True)
class Direction(Update):
    """Shared parameters get the gradient ``vector`` [P] itself."""

    vector: Float[Tensor, "P"]

    def apply(self, signal: Signal, heads: str) -> None:
        if heads == "weighted":
            raise UsageError("heads", "is 'weighted'", "a balancer that gives a direction has no weights for them",
                             "Use heads='plain'.")
        signal.engine.descend_along(self.vector.detach())

    def gradient(self, signal: Signal) -> Float[Tensor, "P"]:
        return self.vector
