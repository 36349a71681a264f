"""Numbers of the observed tasks alone, for methods that take shares, ratios or logarithms of losses."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..base import UsageError
from .signal import Signal

SMALLEST = 1e-12  # a loss below it counts as this


def positive_losses(signal: Signal) -> Float[Tensor, "T"]:
    """The losses in float64, kept above 0; 1 where not observed. UsageError where one is negative."""
    negative = (signal.losses < 0).nonzero()
    if len(negative):
        at = int(negative[0])
        raise UsageError(f"the loss of task {signal.tasks[at]!r}", f"is {signal.losses[at].item():g}",
                         "it must be at least 0, since this balancer takes ratios of losses",
                         "Use a loss without negative values, or another balancer.")
    return torch.where(signal.observed, signal.losses.double().clamp_min(SMALLEST), 1.0)


def observed_softmax(logits: Float[Tensor, "T"], observed: Bool[Tensor, "T"]) -> Float[Tensor, "T"]:
    """Softmax over the observed tasks: their shares sum to 1, the others have 0 (all of them where none is observed).

    >>> observed_softmax(torch.zeros(3), torch.tensor([True, False, True]))
    tensor([0.5000, 0.0000, 0.5000])
    """
    if not observed.any():
        return torch.zeros_like(logits)
    return torch.softmax(torch.where(observed, logits, -torch.inf), dim=0)
