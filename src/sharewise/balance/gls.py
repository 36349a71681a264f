"""GLS: the geometric loss strategy."""

from __future__ import annotations

from .balancer import Balancer
from .observed import positive_losses
from .signal import Signal
from .update import Update, Weights


class GLS(Balancer):
    """Minimises the geometric mean of the losses, (prod_t L_t)^(1/T): the weight of task t is that mean / (T L_t).

    A loss that is multiplied by a constant changes the length of the step, not its direction. T counts the observed
    tasks.

    Chennupati, Sistu, Yogamani, Rawashdeh 2019, MultiNet++: multi-stream feature aggregation and geometric loss
    strategy for multi-task learning; the plain geometric loss, not its focused variant.

    UsageError for a negative loss. A loss of 0 counts as 1e-12.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(1, requires_grad=True)
    >>> balance.backward({"a": shared.sum(), "b": 4 * shared.sum()}, [shared], balance.GLS())
    >>> shared.grad
    tensor([2.])
    """

    def __init__(self) -> None:
        super().__init__()

    def update(self, signal: Signal) -> Update:
        losses = positive_losses(signal)
        count = signal.observed.sum().clamp_min(1)
        weights = (losses.log().sum() / count - losses.log()).exp() / count
        return Weights((weights * signal.observed).to(signal.losses))
