"""Tasks beside each other that have the like: which tensor is whose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import NamedTuple

from torch import Tensor

from .build import Layer


class Lanes(NamedTuple):
    """Tasks that have the like: gates; ``own`` experts each, whose outputs are given, or which are run where they have
    ``layers``; and, where ``has_heads``, linear heads, with biases or not.

    ``reads_one``: whether all tasks' gates and own experts read one thing.
    """

    tasks: int
    own: int
    layers: tuple[Layer, ...]
    reads_one: bool
    has_heads: bool
    has_bias: bool

    @cache  # noqa: B019  (a few numbers that are asked for in every step)
    def owners(self) -> tuple[int | None, ...]:
        """Whose each of the ``parts`` is."""
        each: list[int | None] = list(range(self.tasks))
        experts = [place // self.own for layer in self.layers for _ in range(1 + layer.has_bias)
                   for place in range(self.tasks * self.own)]
        return (*([None] if self.reads_one else each), *each, *experts, *each * self.has_heads, *each * self.has_bias)

    def split(self, parts: Sequence[Tensor]) -> list[list[Tensor]]:
        """What is read, gates, parameters of own experts, weights and biases of heads."""
        experts = self.tasks * self.own * sum(1 + layer.has_bias for layer in self.layers)
        ends = [0, *accumulate([1 if self.reads_one else self.tasks, self.tasks, experts, self.tasks * self.has_heads,
                                self.tasks * self.has_bias])]
        return [list(parts[start:end]) for start, end in pairwise(ends)]

    def of(self, count: int) -> Lanes:
        """As many of the tasks."""
        return self._replace(tasks=count)
