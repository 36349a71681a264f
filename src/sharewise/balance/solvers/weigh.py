"""From a signal to a small matrix of the observed tasks, and back to weights of all tasks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float

from ..signal import Signal
from ..update import Weights


def weigh(signal: Signal, solve: Callable[[Float[np.ndarray, "S S"], float], Float[np.ndarray, "S"]]) -> Weights:
    """Weights that ``solve`` finds from the Gramian of the S observed tasks; 0 for a task that is not observed.

    ``solve`` gets a float64 Gramian with at least one entry that is not zero, and ``noise``: how large rounding in the
    signal's dtype is, relative to the Gramian's entries (S times the dtype's epsilon); what is smaller counts as zero.
    All-zero gradients get the weights 1, and gradients that are not finite NaN, as they would in a plain sum.

    >>> shared = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> signal = Signal({"a": shared.sum(), "b": shared[0] * torch.nan, "c": shared[0] * 3}, [shared])
    >>> weigh(signal, lambda gramian, noise: gramian.diagonal()).values
    tensor([2., 0., 9.])
    """
    values = torch.zeros_like(signal.losses)
    if signal.where:
        gramian = signal.gramian.detach()[signal.where][:, signal.where]
        noise = len(gramian) * torch.finfo(gramian.dtype).eps
        matrix = gramian.double().cpu().numpy()
        values[signal.where] = values.new_tensor(_solve(solve, (matrix + matrix.T) / 2, noise))
    return Weights(values)


def _solve(solve: Callable[[Float[np.ndarray, "S S"], float], Float[np.ndarray, "S"]],
           gramian: Float[np.ndarray, "S S"], noise: float) -> Float[np.ndarray, "S"]:
    if not np.isfinite(gramian).all():
        return np.full(len(gramian), np.nan)
    return solve(gramian, noise) if gramian.any() else np.ones(len(gramian))
