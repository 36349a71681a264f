"""Gradients of the slices of one tensor, put together instead of added up."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from torch import Tensor

from .cut import Cut
from .watching import watching


class Slices:
    """The nodes that take ``x[0]``, ``x[1]``, ... of one tensor x that nothing else reads, as attention does with
    queries, keys and values.

    Autograd makes of each slice's gradient a tensor of the size of x, zero elsewhere, and adds these up. Here the first
    slice of a pass makes one, and the others write into it: x's own node waits for them all. A hook of the user's on a
    slice or on x is called as ever, with the same gradient.
    """

    def __init__(self, nodes: list[Any]) -> None:
        self.nodes = nodes
        self.whole: Tensor | None = None

    def start(self) -> None:
        """To be called before each pass."""
        self.whole = None

    def watch(self) -> list[Any]:
        """The hooks' handles."""
        return [handle for node in self.nodes
                for handle in (node.register_prehook(self._write(node)), node.register_hook(self._keep))]

    def _write(self, node: Any) -> Any:
        def write(gradients: tuple[Tensor | None, ...]) -> tuple[None] | None:
            if self.whole is None or gradients[0] is None:
                return None
            self.whole.select(node._saved_dim, node._saved_index).add_(gradients[0])
            return (None,)
        return write

    def _keep(self, whole: tuple[Tensor | None, ...], _: tuple[Tensor | None, ...]) -> None:
        if self.whole is None:
            self.whole = whole[0]


def joined_slices(cut: Cut) -> AbstractContextManager[list[Slices]]:
    """Watch all such slices on the CPU; each is to ``start`` before each pass."""
    readers: dict[tuple[Any, int], list[Any]] = {}
    for node in cut.reached:
        if node.name() == "SelectBackward0" and node._input_metadata[0].device.type == "cpu":
            readers.setdefault(node.next_functions[0], []).append(node)
    return watching([Slices(nodes) for (parent, _), nodes in readers.items() if 1 < len(nodes) == cut.uses[parent]])
