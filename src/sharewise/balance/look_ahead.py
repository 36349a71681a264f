"""What training losses would be after some more steps, without making them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ..base import JobError
from .observed import observed_softmax
from .signal import Signal


def slope_of_gap(train: Callable[[], Mapping[str, Tensor]], shared: Sequence[Tensor], logits: Float[Tensor, "T"],
                 tasks: Sequence[str], rate: float, steps: int) -> Float[Tensor, "T"]:
    """Slope in the logits of sum_t w_t (loss t now - loss t after gradient descent on that sum), w their softmax.

    The shared parameters walk and come back, so that they hold what they held before and graphs built on it stay
    good. JobError that names the task where the walk ends at a loss that is no number.
    """
    parameters = [parameter for parameter in dict.fromkeys(shared) if parameter.requires_grad]
    kept = [parameter.detach().clone() for parameter in parameters]
    try:
        signal = now = Signal(train(), parameters, tasks)
        weights = observed_softmax(logits.to(now.losses.device), now.observed)
        for step in range(steps):
            signal = signal if step == 0 else Signal(train(), parameters, tasks)
            _descend(signal, weights, rate)
        with torch.no_grad():
            then = Signal(train(), parameters, tasks).losses
    finally:
        for parameter, values in zip(parameters, kept, strict=True):
            parameter.data.copy_(values)
    for name, seen, loss in zip(tasks, now.observed.tolist(), then.tolist(), strict=True):
        if seen and not abs(loss) < float("inf"):
            raise JobError(f"the loss of task {name!r}", f"is {loss} after {steps} steps of gradient descent at the "
                           f"rate {rate:g}", "it must stay finite", "Give a smaller rate=.")
    falls = torch.where(now.observed, now.losses - then, 0.0).to(weights)
    return weights * (falls - weights @ falls)


def _descend(signal: Signal, weights: Float[Tensor, "T"], rate: float) -> None:
    roots = [root for root in signal.roots if root.requires_grad]
    if roots:
        scales = [weights[at].to(root) for at, root in zip(signal.moving, roots, strict=True)]
        slopes = torch.autograd.grad(roots, signal.shared, scales, allow_unused=True)
        for parameter, slope in zip(signal.shared, slopes, strict=True):
            if slope is not None:
                parameter.data.sub_(rate * slope)
