"""The way back through the layers of several modules of one build."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from .build import Build
from .run_layers import BLOCK, Run, apart


def go_back(build: Build, inputs: Float[Tensor, "G N D"], run: Run, gradient: Float[Tensor, "G N M C"],
            to_inputs: bool, is_mine: bool = False) -> tuple[Tensor | None, list[Tensor]]:
    """From the gradient in the output to those in the inputs, if wanted, and in the parameters.

    ``is_mine``: whether it may be written over.
    """
    found: list[Sequence[Tensor]] = []
    for place in reversed(range(len(build.layers))):
        layer, weights = build.layers[place], run.weights[place]
        gradient = layer.go_back(gradient, run.kept[place], is_mine)
        is_mine = is_mine or layer.activation is not None
        if place > 0:
            alone = apart(gradient)
            slopes, sums = torch.bmm(alone.mT, apart(run.given[place - 1])), alone.sum(1)
            gradient = torch.bmm(alone, weights).unflatten(0, (build.groups, build.size)).transpose(1, 2)
        elif build.groups == 1 and not gradient.is_contiguous():
            alone = apart(gradient)
            slopes, sums = torch.bmm(alone.mT, inputs.expand(len(alone), *inputs.shape[1:])), alone.sum(1)
            gradient = torch.bmm(alone, weights).sum(0, keepdim=True) if to_inputs else gradient
        else:
            wide = gradient.flatten(2)
            slopes, sums = torch.bmm(wide.mT, inputs).view(weights.shape), wide.sum(1).view(len(weights), -1)
            gradient = torch.bmm(wide, weights.view(build.groups, -1, weights.shape[-1])) if to_inputs else gradient
        found.append((*slopes.unbind(), *(sums.unbind() if layer.has_bias else ())))
    return (gradient if to_inputs else None), [one for part in reversed(found) for one in part]


def go_back_in_blocks(build: Build, inputs: Float[Tensor, "G N D"], run: Run,
                      gradient: Callable[[slice], Float[Tensor, "g N M C"]],
                      to_inputs: bool) -> tuple[Tensor | None, list[Tensor]]:
    """``go_back`` for as many groups at a time as fit into the cache, from a gradient that is made as it is needed."""
    many = max(1, BLOCK // max(1, run.output[0].numel()))
    backs, slopes = [], []
    for start in range(0, build.groups, many):
        there = slice(start, min(start + many, build.groups))
        block = build._replace(groups=there.stop - start)
        back, found = go_back(block, inputs[there], run.groups(there, build.size), gradient(there), to_inputs, True)
        backs.append(back)
        slopes.append([found[at:at + block.groups * build.size]
                       for at in range(0, len(found), block.groups * build.size)])
    if len(backs) == 1:
        return backs[0], [one for part in slopes[0] for one in part]
    whole = torch.cat([back for back in backs if back is not None]) if to_inputs else None
    return whole, [one for parts in zip(*slopes, strict=True) for part in parts for one in part]
