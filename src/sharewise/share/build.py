"""How modules of one build are built, layer by layer: what is to be known to run them in one go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor, nn

from .activation import ACTIVATIONS
from .alike_layers import layers_beside, linear_parts


class Layer(NamedTuple):
    """A linear layer and what follows it."""

    has_bias: bool
    activation: type[nn.Module] | None

    def activate(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """What follows makes of features, which it may write over; and what it keeps for the way back."""
        if self.activation is None:
            return features, features
        activation = ACTIVATIONS[self.activation]
        result = activation.run(features)
        return result, result if activation.keeps_result else features

    def go_back(self, gradient: Tensor, kept: Tensor, is_mine: bool) -> Tensor:
        """The gradient in what was activated; ``is_mine``: whether the one in the result may be written over."""
        if self.activation is None:
            return gradient
        activation = ACTIVATIONS[self.activation]
        return (activation.slope_into if is_mine else activation.slope)(gradient, kept)


class Build(NamedTuple):
    """So many ``groups`` of ``size`` modules each, all of these ``layers``; a group reads inputs of its own."""

    groups: int
    size: int
    layers: tuple[Layer, ...]


def join(modules: Sequence[nn.Module], groups: int = 1) -> tuple[Build, list[Tensor]] | None:
    """How modules in ``groups`` of one size are built, and their parameters as ``run_layers`` reads them.

    None where they differ, or do more than linear layers and known activations.
    """
    steps: list[Layer] = []
    parameters: list[Tensor] = []
    for layer in layers_beside(modules):
        kind = type(layer[0])
        if kind is nn.Linear:
            weights, biases = linear_parts(layer)
            steps.append(Layer(bool(biases), None))
            parameters += weights
            parameters += biases
        elif kind in ACTIVATIONS and steps and steps[-1].activation is None:
            steps[-1] = Layer(steps[-1].has_bias, kind)
        elif not _does_nothing(layer[0]):
            return None
    return (Build(groups, len(modules) // groups, tuple(steps)), parameters) if steps else None


def _does_nothing(module: nn.Module) -> bool:
    return type(module) is nn.Identity or (type(module) is nn.Dropout and not (module.training and module.p))
