"""LogLoss: another balancer, on the logarithms of the losses."""

from __future__ import annotations

import torch

from .balancer import Balancer
from .observed import positive_losses
from .scaled_signal import ScaledSignal
from .signal import Signal
from .update import Update
from .wrapper import Wrapper


class LogLoss(Wrapper):
    """Shows another balancer log L_t with its gradient g_t / L_t, and acts on these: relative progress counts.

    ``LogLoss(Equal())`` minimises the product of the losses; a loss that is multiplied by a constant gives the same
    step. A balancer that gives weights w has w_t / L_t in the end. Don't wrap a balancer that wants losses of at least
    0: logarithms may be negative.

    Lin, Jiang, Ye, Zhang, Chen, Chen, Liu, Kwok 2023, Dual-balancing for multi-task learning; its logarithm
    transformation (there with 1e-8 added to the loss; here a loss below 1e-12 counts as 1e-12).

    ``balancer``: any. UsageError for a negative loss.

    >>> import torch
    >>> from sharewise import balance
    >>> signal = balance.Signal({"a": torch.tensor(2.0), "b": torch.tensor(4.0)}, [])
    >>> balance.LogLoss(balance.Equal()).update(signal).values
    tensor([0.5000, 0.2500])
    """

    def __init__(self, balancer: Balancer) -> None:
        super().__init__(balancer)

    def update(self, signal: Signal) -> Update:
        losses = positive_losses(signal)
        logs = torch.where(signal.observed, losses.log(), torch.nan).to(signal.losses)
        return self.update_scaled(ScaledSignal(signal, logs, (1 / losses).to(signal.losses)))
