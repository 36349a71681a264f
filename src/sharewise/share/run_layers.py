"""The layers of several modules of one build, forward, with what is kept for the way back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .build import Build

BLOCK = 2**18  # numbers, 1 MiB of float32: longer ones leave the cache between two steps, and their memory is new


class Run(NamedTuple):
    """What a pass leaves for the way back: what comes out, of each layer the weights [G M, C, D] and what the
    activation keeps, and of all but the last what it gives [G, N, M, C]."""

    output: Tensor
    weights: Sequence[Tensor] = ()
    kept: Sequence[Tensor] = ()
    given: Sequence[Tensor] = ()

    def tensors(self) -> tuple[Tensor, ...]:
        """All, to be saved."""
        return self.output, *self.weights, *self.kept, *self.given

    def groups(self, there: slice, size: int) -> Run:
        """The same of some of the groups, which have so many modules."""
        modules = slice(there.start * size, there.stop * size)
        return Run(self.output[there], [one[modules] for one in self.weights], [one[there] for one in self.kept],
                   [one[there] for one in self.given])

    @classmethod
    def of(cls, saved: Sequence[Tensor], depth: int) -> Run:
        """What ``tensors`` gave for so many layers."""
        return cls(saved[0], saved[1:1 + depth], saved[1 + depth:1 + 2 * depth], saved[1 + 2 * depth:])


def run_layers(build: Build, inputs: Float[Tensor, "G N D"], parameters: list[Tensor] | tuple[Tensor, ...]) -> Run:
    """``parameters``: layer by layer the weights of all modules, group by group, and then their biases."""
    (groups, size, layers), modules = build, build.groups * build.size
    matrices, kept, given, at = [], [], [], 0
    features = inputs.unsqueeze(2)
    for place, layer in enumerate(layers):
        weights, at = torch.cat(parameters[at:at + modules]), at + modules
        bias = None
        if layer.has_bias:
            bias, at = torch.cat(parameters[at:at + modules]), at + modules
        matrices.append(weights.view(modules, -1, weights.shape[1]))
        if place == 0 and groups == 1 and len(layers) > 1:  # the layers above run apart: so that nothing is turned
            alone = _product(inputs.expand(size, *inputs.shape[1:]), matrices[-1], bias)
            features = alone.unsqueeze(0).transpose(1, 2)
        elif place == 0:  # a group reads one thing: one wide product
            wide = _product(inputs, weights.view(groups, -1, weights.shape[1]), bias)
            features = wide.unflatten(-1, (size, -1))
        else:
            alone = _product(apart(features), matrices[-1], bias)
            features = alone.unflatten(0, (groups, size)).transpose(1, 2)
        features, keeps = layer.activate(features)
        kept.append(keeps)
        given.append(features)
    return Run(features, matrices, kept, given[:-1])


def _product(inputs: Float[Tensor, "K N D"], weights: Float[Tensor, "K C D"],
             bias: Float[Tensor, "KC"] | None) -> Float[Tensor, "K N C"]:
    if len(inputs) == 1:
        return nn.functional.linear(inputs[0], weights[0], bias).unsqueeze(0)
    if bias is not None and inputs.shape[1] * weights.shape[1] >= BLOCK and not torch.is_grad_enabled():
        product = inputs.new_empty(*inputs.shape[:2], weights.shape[1])
        for place, one in enumerate(bias.view(len(inputs), -1)):  # one by one the bias is still in the cache
            torch.addmm(one, inputs[place], weights[place].mT, out=product[place])
        return product
    product = torch.bmm(inputs, weights.mT)  # baddbmm would first write the bias to every row
    return product if bias is None else product.add_(bias.view(len(inputs), 1, -1))


def apart(features: Float[Tensor, "G N M C"]) -> Float[Tensor, "GM N C"]:
    """A matrix a module; a copy only where there are several groups of several modules."""
    return features.transpose(1, 2).flatten(0, 1)
