"""A moving average a task, as state."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class MovingAverage(nn.Module):
    """Exponential moving average of T numbers, each over the steps in which it was observed, unbiased from the first.

    After n observations x_1 ... x_n: sum_i beta^(n-i) x_i / sum_i beta^(n-i).

    >>> average = MovingAverage(2, beta=0.5)
    >>> average.see(torch.tensor([1.0, 5.0]), torch.tensor([True, True])).tolist()
    [1.0, 5.0]
    >>> average.see(torch.tensor([4.0, 7.0]), torch.tensor([True, False])).tolist()
    [3.0, 5.0]
    """

    total: Tensor
    weight: Tensor

    def __init__(self, size: int, beta: float) -> None:
        super().__init__()
        self.beta = beta
        self.register_buffer("total", torch.zeros(size, dtype=torch.float64))
        self.register_buffer("weight", torch.zeros(size, dtype=torch.float64))

    def see(self, values: Float[Tensor, "T"], observed: Bool[Tensor, "T"]) -> Float[Tensor, "T"]:
        """Take in the observed values; the averages after it (0 for one that was never observed)."""
        seen = observed.to(self.total.device)
        self.total.copy_(torch.where(seen, self.beta * self.total + values.to(self.total), self.total))
        self.weight.copy_(torch.where(seen, self.beta * self.weight + 1, self.weight))
        return self.total / self.weight.clamp_min(1)  # the sum of the factors is 1 or more once there is one
