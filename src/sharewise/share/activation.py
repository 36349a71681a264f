"""Activations whose way back is written by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Activation(NamedTuple):
    """``run`` may write over what it reads. ``slope(gradient, kept)``: kept is the result, if ``keeps_result``, or what
    was read. ``slope_into(gradient, kept)``: the same, written over the gradient."""

    run: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor, Tensor], Tensor]
    slope_into: Callable[[Tensor, Tensor], Tensor]
    keeps_result: bool


# the overloads by name: to find them by what they are given takes as long as a small one takes to run
aten = torch.ops.aten
threshold, tanh, sigmoid, silu = aten.threshold_backward, aten.tanh_backward, aten.sigmoid_backward, aten.silu_backward
ACTIVATIONS: dict[type[nn.Module], Activation] = {
    nn.ReLU: Activation(torch.relu_, lambda gradient, kept: threshold.default(gradient, kept, 0),
                        lambda gradient, kept: threshold.grad_input(gradient, kept, 0, grad_input=gradient), True),
    nn.Tanh: Activation(torch.tanh_, tanh.default,
                        lambda gradient, kept: tanh.grad_input(gradient, kept, grad_input=gradient), True),
    nn.Sigmoid: Activation(torch.sigmoid_, sigmoid.default,
                           lambda gradient, kept: sigmoid.grad_input(gradient, kept, grad_input=gradient), True),
    nn.SiLU: Activation(nn.functional.silu, silu.default,
                        lambda gradient, kept: silu.grad_input(gradient, kept, grad_input=gradient), False)}
