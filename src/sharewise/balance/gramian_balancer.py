"""What balancers have in common whose weights follow from the gradients' inner products alone."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from jaxtyping import Float

from .balancer import Balancer
from .signal import Signal
from .solvers import weigh
from .update import Update


class GramianBalancer(Balancer):
    """A balancer without state that reads the Gramian, and gives weights."""

    needs: ClassVar[str] = "gramian"

    def __init__(self) -> None:
        super().__init__()

    @abstractmethod
    def weights(self, gramian: Float[np.ndarray, "T T"], noise: float) -> Float[np.ndarray, "T"]:
        """Weights of the observed tasks; ``noise`` is the relative error of the Gramian."""

    def update(self, signal: Signal) -> Update:
        return weigh(signal, self.weights)
