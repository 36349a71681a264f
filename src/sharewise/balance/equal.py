"""Equal: the plain sum of losses."""

from __future__ import annotations

from typing import ClassVar

from .balancer import Balancer
from .signal import Signal
from .update import Update, Weights


class Equal(Balancer):
    """Every task has weight 1: exactly ``sum(losses).backward()``, the baseline of every comparison.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(1, requires_grad=True)
    >>> balance.backward({"a": 2 * shared.sum(), "b": 3 * shared.sum()}, [shared], balance.Equal())
    >>> shared.grad
    tensor([5.])
    """

    is_constant: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()

    def update(self, signal: Signal) -> Update:
        return Weights(signal.observed.to(signal.losses.dtype))
