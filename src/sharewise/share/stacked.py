"""Several modules of one build run as one, with their weights stacked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from .alike_layers import layers_beside
from .build import join
from .joined_layers import JoinedLayers
from .ordinary import is_ordinary


def run_each(modules: Sequence[nn.Module], inputs: Tensor) -> Float[Tensor, "K ..."]:
    """What each of K modules makes of the same inputs: in one go where they are stackable.

    The rows are innermost in memory then, as ``run_beside`` has it.
    """
    joined = join(modules) if inputs.ndim > 1 and is_ordinary(inputs) else None
    if joined is not None and is_ordinary(inputs, *joined[1]):
        return JoinedLayers.apply(joined[0], inputs, *joined[1])
    layers = layers_beside(modules) if inputs.ndim > 1 else []
    return _run(layers, inputs.unsqueeze(0)) if layers else torch.stack([module(inputs) for module in modules])


def run_beside(modules: Sequence[nn.Module], inputs: Shaped[Tensor, "K ..."]) -> Float[Tensor, "K ..."]:
    """What each of K modules makes of inputs of its own: in one go where they are stackable.

    The rows are innermost in memory then: layer after layer reads and writes whole blocks, forward and backward, and
    mixing the K outputs copies nothing.
    """
    layers = layers_beside(modules) if inputs.ndim > 2 else []
    if layers:
        return _run(layers, inputs)
    return torch.stack([module(given) for module, given in zip(modules, inputs, strict=True)])


def sum_first(products: Shaped[Tensor, "K ..."]) -> Shaped[Tensor, "..."]:
    """The sum over the first axis; rows that are innermost in memory stay there, which torch alone would turn round."""
    if products.ndim > 2 and products.stride(-1) > products.stride(-2):
        return products.mT.sum(0).mT
    return products.sum(0)


def _run(layers: Sequence[tuple[nn.Module, ...]], inputs: Shaped[Tensor, "*K ..."]) -> Float[Tensor, "K ..."]:
    """``inputs``: of each, or one for all."""
    for layer in layers:
        if isinstance(layer[0], nn.Linear):
            inputs = _linear(cast(Sequence[nn.Linear], layer), inputs)
        else:  # of its own each needs one, for dropout
            inputs = layer[0](inputs.expand(len(layer), *inputs.shape[1:]))
    return inputs


def _linear(layers: Sequence[nn.Linear], inputs: Float[Tensor, "*K ... D"]) -> Float[Tensor, "K ... C"]:
    columns = inputs.flatten(1, -2).mT
    if len(inputs) < len(layers):  # all read the same: one product, as of one wide layer
        wide = _product(layers, torch.cat, columns[0]).unflatten(0, (len(layers), -1))
    else:
        wide = _product(layers, torch.stack, columns)
    return wide.mT.unflatten(1, inputs.shape[1:-1])


def _product(layers: Sequence[nn.Linear], join: Callable[[list[Tensor]], Tensor],
             columns: Float[Tensor, "... D N"]) -> Float[Tensor, "... C N"]:
    weights = join([layer.weight for layer in layers])
    if layers[0].bias is None:
        return weights @ columns
    bias = join([layer.bias for layer in layers]).unsqueeze(-1)
    return torch.addmm(bias, weights, columns) if columns.ndim == 2 else torch.baddbmm(bias, weights, columns)
