"""Convolutions that skip positions: those that are read alone take part in the backward pass."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from .cut import Cut
from .nature import BY_ELEMENT
from .taken import take_over
from .watching import watching

BACKWARD = torch.ops.aten.convolution_backward.default
SURE = BY_ELEMENT | {"ConvolutionBackward0", "NativeBatchNormBackward0"}  # a gradient that comes in goes out again


class Strided:
    """A convolution with a kernel of one position and a stride, as where a residual network halves its map.

    It is one without a stride on the positions that it reads. PyTorch brings the whole input, and the gradient in it,
    into another layout and back; here the positions are taken out, once for all passes. Where the convolution
    ``other`` reads the same input and goes back later in the same pass, the gradient in the positions waits and is
    added to that one's; else it is put among zeros.
    """

    def __init__(self, node: Any, other: Any | None) -> None:
        self.node, self.other = node, other
        self.steps: tuple[Any, ...] = (..., *(slice(None, None, step) for step in node._saved_stride))
        self.positions: Tensor | None = None
        self.start()

    def start(self) -> None:
        """To be called before each pass."""
        self.waiting: Tensor | None = None
        self.is_late = self.other is None

    def watch(self) -> list[Any]:
        """The hooks' handles."""
        handles = [take_over(self.node, BACKWARD, self._go_back)]
        return handles if self.other is None else [*handles, take_over(self.other, BACKWARD, self._join)]

    def _go_back(self, flow: Tensor, inputs: Tensor, weight: Tensor, sizes: list[int] | None, stride: list[int],
                 *others: Any) -> tuple[Tensor | None, ...]:
        if self.positions is None:
            self.positions = inputs.detach()[self.steps].contiguous()
        part, *rest = BACKWARD(flow, self.positions, weight, sizes, [1] * len(stride), *others)
        if part is not None and self.is_late:
            whole = torch.zeros_like(inputs)
            whole[self.steps] = part
            return (whole, *rest)
        self.waiting = part
        return (None, *rest)

    def _join(self, *args: Any) -> tuple[Tensor | None, ...]:
        whole, *rest = BACKWARD(*args)
        if self.waiting is not None:
            whole[self.steps].add_(self.waiting)  # `+=` would copy it back too
        self.waiting, self.is_late = None, True
        return (whole, *rest)


def strided_convolutions(cut: Cut) -> AbstractContextManager[list[Strided]]:
    """Watch all such convolutions on the CPU; each is to ``start`` before each pass."""
    return watching(find_strided(cut))


def find_strided(cut: Cut) -> list[Strided]:
    """Every one of them, with the other convolution on its input that surely has a gradient in the same passes."""
    nodes = [node for node in cut.reached if node.name() == "ConvolutionBackward0"]
    strided = [node for node in nodes if _is_strided(node)]
    if not strided:
        return []
    parents: dict[Any, list[Any]] = {}
    for node in cut.reached:
        for child, _ in node.next_functions:
            parents.setdefault(child, []).append(node)
    others = [node for node in nodes if node not in strided and node._input_metadata[0].device.type == "cpu"]
    found = []
    for node in strided:
        above = _above(node, parents)
        joined = (one for one in others if one.next_functions[0] == node.next_functions[0]
                  and not above.isdisjoint(_above(one, parents)))
        found.append(Strided(node, next(joined, None)))
    return found


def _above(node: Any, parents: dict[Any, list[Any]]) -> set[Any]:
    """The nodes from which all that flows into a node comes, and comes without fail."""
    found = set()
    while len(parents.get(node, [])) == 1 and parents[node][0].name() in SURE:
        [node] = parents[node]
        found.add(node)
    return found


def _is_strided(node: Any) -> bool:
    """Whether a convolution is of this sort; what recomputes or fetches the tensors it saved is left alone."""
    kind = node._input_metadata[0]
    if kind.device.type != "cpu" or kind.dtype not in (torch.float32, torch.float64) or node._saved_transposed:
        return False
    if node._saved_groups > 1 or max(node._saved_stride) == 1 or any(node._saved_padding):
        return False
    if any(getattr(raw, "unpack_hook", raw) is not None for raw in (node._raw_saved_input, node._raw_saved_weight)):
        return False
    inputs, weight = node._saved_input, node._saved_weight
    return weight.shape[2:].numel() == 1 and inputs.layout == torch.strided and inputs.is_contiguous()
