"""Sums of outputs by weights that differ from row to row, and back: no weighed output is ever written."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def mix_by_row(weights: Float[Tensor, "T M N"], outputs: Float[Tensor, "T N M C"]) -> Float[Tensor, "T N C"]:
    """sum_m weights[t, m, n] outputs[t, n, m]: a product of a row and a matrix for each group and row."""
    groups, rows, size, width = outputs.shape
    by_row = weights.mT.contiguous().view(-1, 1, size)  # contiguous: others torch would take one by one
    return torch.bmm(by_row, outputs.flatten(0, 1)).view(groups, rows, width)


def slopes_by_row(outputs: Float[Tensor, "T N M C"], gradient: Float[Tensor, "T N C"]) -> Float[Tensor, "T N M"]:
    """From the gradient in what ``mix_by_row`` gives to the one in its weights, the rows first."""
    groups, rows, size, width = outputs.shape
    return torch.bmm(gradient.reshape(-1, 1, width), outputs.flatten(0, 1).mT).view(groups, rows, size)
