"""Where the tasks' own parts of the autograd graph end and the shared part begins."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, NamedTuple

from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge

from ...base import UsageError
from ..graph import is_leaf, is_own, tasks_reaching


class Crossing(NamedTuple):
    """Where the own part of a task hands on to the trunk: output ``place`` of ``node`` goes into ``edges[edge]``."""

    node: Any
    task: int
    place: int
    edge: int


class Cut:
    """The graph under the S ``roots``, cut where a node that one task reaches hands on to one that several reach.

    ``edges`` lead over the cut into the trunk, at the ``crossings``; ``leaves`` are shared parameters that a task's own
    part uses at once; ``trunk`` are the nodes below the cut, parents first; ``heads`` has each task's own parameters.
    ``is_clean``: no root is in the trunk, and nothing in the trunk leads back to the cut, so that the gradient in an
    edge of the cut comes from the tasks' own parts alone. ``is_plain``: no parameter outside ``shared`` is reached by
    several tasks. UsageError for a checkpoint that is reentrant.
    """

    def __init__(self, roots: Sequence[Tensor], shared: Sequence[Tensor]) -> None:
        self.roots, self.shared = list(roots), list(shared)
        starts = [get_gradient_edge(root).node for root in roots]
        self.reached = tasks_reaching(starts)
        inside = {id(parameter) for parameter in shared}
        self.heads: list[list[Tensor]] = [[] for _ in roots]
        self.trunk: list[Any] = []
        self.is_plain = True
        found: dict[tuple[Any, int], None] = {}
        crossings: list[tuple[Any, int, int, tuple[Any, int]]] = []
        for node, tasks in self.reached.items():
            if not is_own(node, self.reached, inside):
                self.trunk.append(node)
                self.is_plain &= not is_leaf(node) or id(node.variable) in inside
            elif is_leaf(node):
                self.heads[tasks.bit_length() - 1].append(node.variable)
            else:
                over = [(place, edge) for place, edge in enumerate(node.next_functions)
                        if edge[0] is not None and not is_own(edge[0], self.reached, inside)]
                found |= dict.fromkeys(edge for _, edge in over)
                for place, edge in over:
                    task = self.reached.task_of(node, place)
                    several = self.reached.parted[node].values() if task is None else (task,)
                    crossings += [(node, one, place, edge) for one in several]
        self.edges = [GradientEdge(node, at) for node, at in found if not is_leaf(node)]
        number = {(edge.node, edge.output_nr): at for at, edge in enumerate(self.edges)}
        self.crossings = [Crossing(node, task, place, number[edge]) for node, task, place, edge in crossings
                          if edge in number]
        self.leaves = [node.variable for node, _ in found if is_leaf(node)]
        for node in self.reached:
            if node.name() == "CheckpointFunctionBackward":
                raise UsageError("checkpoint(use_reentrant=True)", "hides its parameters from torch.autograd.grad",
                                 "single tasks' gradients need it", "Use checkpoint(..., use_reentrant=False).")
        below = {child for node in self.trunk for child, _ in node.next_functions}
        self.is_clean = below.isdisjoint(node for node, _ in found) and set(starts).isdisjoint(self.trunk)

    @cached_property
    def uses(self) -> dict[Any, int]:
        """How many edges lead into each node."""
        count: dict[Any, int] = {}
        for node in self.reached:
            for child, _ in node.next_functions:
                count[child] = count.get(child, 0) + 1
        return count
