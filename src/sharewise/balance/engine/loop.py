"""One backward pass a task: exact for whatever can be differentiated."""

from __future__ import annotations

from functools import cached_property
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from .cut import Cut
from .gram import of_rows
from .route import Route, add, add_heads
from .slices import joined_slices
from .strided import strided_convolutions


class Loop(Route):
    """The gradient of each of S tasks in each shared parameter, as autograd gives it, and the heads' by the way.

    Unless ``keeps_graph``, the last pass frees it, as ``loss.backward()`` does. ``packed``: each task's gradients are
    copied into its row of the Jacobian [S, P] at once, for whoever wants that; else the Jacobian is not made.
    """

    name: ClassVar[str] = "loop"

    def __init__(self, cut: Cut, keeps_graph: bool = True, packed: bool = False) -> None:
        self.cut, self.packed = cut, packed
        self.sizes = [parameter.numel() for parameter in cut.shared]
        self.rows: list[list[Tensor]] = []
        self.heads: list[list[Tensor | None]] = []
        with joined_slices(cut) as slices, strided_convolutions(cut) as convolutions:
            for task, (root, own) in enumerate(zip(cut.roots, cut.heads, strict=True)):
                for one in slices:
                    one.start()
                for each in convolutions:
                    each.start()
                is_needed = keeps_graph or root is not cut.roots[-1]
                parts = torch.autograd.grad(root, [*cut.shared, *own], retain_graph=is_needed, allow_unused=True)
                known = [torch.zeros_like(parameter) if part is None else part.to_dense()  # it may be sparse
                         for part, parameter in zip(parts, cut.shared, strict=False)]
                if packed:
                    self._pack(self.jacobian[task], known)
                else:
                    self.rows.append(known)
                self.heads.append(list(parts[len(cut.shared):]))

    @cached_property
    def jacobian(self) -> Float[Tensor, "S P"]:
        """The gradients, a row a task."""
        matrix = self.cut.roots[0].new_empty(len(self.cut.roots), sum(self.sizes))
        for row, parts in zip(matrix, self.rows, strict=False):
            self._pack(row, parts)
        return matrix

    @cached_property
    def gramian(self) -> Float[Tensor, "S S"]:  # type: ignore[override]
        """Inner products of the tasks' gradients."""
        if self.packed:
            return of_rows(self.jacobian)
        total = self.cut.roots[0].new_zeros(len(self.rows), len(self.rows))
        for parts in zip(*self.rows, strict=True):
            total += of_rows(torch.stack(parts).reshape(len(parts), -1).to(total.dtype))
        return total

    def descend(self, weights: Float[Tensor, "S"], heads: str) -> None:
        if self.packed:
            self._add(weights.to(self.jacobian.dtype) @ self.jacobian)
        else:
            add((parameter, _combined(parts, weights))
                for parameter, parts in zip(self.cut.shared, zip(*self.rows, strict=True), strict=True))
        add_heads(self.cut.heads, self.heads, weights, heads)

    def descend_along(self, vector: Float[Tensor, "P"]) -> None:
        """The shared parameters get ``vector``, each task's own ones their plain gradient."""
        self._add(vector)
        add_heads(self.cut.heads, self.heads, vector.new_ones(len(self.heads)), "plain")

    def _pack(self, row: Float[Tensor, "P"], parts: list[Tensor]) -> None:
        for place, part in zip(row.split(self.sizes), parts, strict=True):
            place.view(part.shape).copy_(part)

    def _add(self, vector: Float[Tensor, "P"]) -> None:
        add((parameter, part.view(parameter.shape).clone())
            for parameter, part in zip(self.cut.shared, vector.split(self.sizes), strict=True))


def _combined(parts: tuple[Tensor, ...], weights: Float[Tensor, "S"]) -> Tensor:
    """Their weighted sum, in the digits of the weights."""
    total = torch.zeros_like(parts[0], dtype=weights.dtype)
    for part, weight in zip(parts, weights.tolist(), strict=True):
        total.add_(part, alpha=weight)
    return total
