"""What ways of sharing are built of over a table: multilayer perceptrons and linear heads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ..share import MLP
from .layers import hash_seed, start_layer

EXPERTS = 4  # trunks that all tasks share, in mixtures
BASES = 2  # sets of weights that tasks combine
NODES = 3  # of every stage of a tree that is to be learned
Tree = tuple[tuple[int, ...], ...]  # for each stage the number of each task's group


@dataclass(frozen=True)
class Recipe:
    """How large a network is, and where it starts.

    ``starts``: the first raw outputs of each task by name; ``inputs``, ``hidden``: widths; ``depth``: how many layers
    a trunk has. One ``seed`` and number of the ``copy`` in an ensemble give one network. ``tree``: who shares which
    stage, where that was found; else two branches after the first stage, for what is told beforehand.
    """

    starts: Mapping[str, Sequence[float]]
    inputs: int
    hidden: int
    depth: int
    dropout: float
    seed: int
    copy: int
    tree: Tree = ()

    def trunk(self, number: int = 0) -> MLP:
        """A trunk that starts as a plain network of this seed does; another ``number`` starts elsewhere."""
        trunk = MLP(self.inputs, [self.hidden] * self.depth, self.dropout)
        layers = [module for module in trunk.modules() if isinstance(module, nn.Linear)]
        for at, layer in enumerate(layers):
            seed = hash_seed(self.seed, self.copy, at, *[number] * bool(number))
            weight, bias = start_layer(layer.in_features, layer.out_features, seed)
            layer.weight.data, layer.bias.data = weight.T.contiguous(), bias[0]
        return trunk

    def groups(self) -> list[list[list[str]]]:
        """For each stage the names of the tasks that share it."""
        halves = tuple(2 * at // len(self.starts) for at in range(len(self.starts)))
        stages = self.tree or ((0,) * len(halves), *[halves] * (self.depth - 1))
        return [[[name for name, own in zip(self.starts, numbers, strict=True) if own == group]
                 for group in dict.fromkeys(numbers)] for numbers in stages]

    def head(self, name: str) -> StartHead:
        """The head of a task."""
        return StartHead(self.hidden, self.starts[name])


class StartHead(nn.Linear):
    """A linear output that gives ``start`` whatever it reads, until it is trained."""

    def __init__(self, hidden: int, start: Sequence[float]) -> None:
        super().__init__(hidden, len(start))
        nn.init.zeros_(self.weight)
        self.bias.data = torch.tensor(start)


PARTS: dict[str, Callable[[Recipe], Any]] = {
    "trunk": Recipe.trunk,
    "trunks": lambda recipe: {name: recipe.trunk() for name in recipe.starts},
    "experts": lambda recipe: [recipe.trunk(number) for number in range(EXPERTS)],
    "bases": lambda recipe: [recipe.trunk() for _ in range(BASES)],
    "nodes": lambda recipe: [recipe.trunk(number) for number in range(NODES)],
    "shared": lambda recipe: [recipe.trunk()],
    "groups": Recipe.groups,
    "own": lambda recipe: {name: [recipe.trunk(1)] for name in recipe.starts},
    "heads": lambda recipe: {name: recipe.head(name) for name in recipe.starts},
}
