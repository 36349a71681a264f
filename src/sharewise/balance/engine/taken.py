"""A gradient that takes over the operation that it flows into."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.utils._pytree import tree_map_only


class Taken(Tensor):
    """The gradient ``flow``, of which a node of the autograd graph knows no more than the shape.

    Where the node calls ``operation`` on it, ``instead(flow, *other arguments)`` is called: with what the node saved,
    and with which of its inputs want a gradient in this pass. Any other operation, as in a hook, gets ``flow`` itself.
    """

    flow: Tensor
    operation: Any
    instead: Callable[..., Any]

    @staticmethod
    def __new__(cls, flow: Tensor, operation: Any, instead: Callable[..., Any]) -> Taken:
        taken: Taken = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, flow.shape, strides=flow.stride(), dtype=flow.dtype, device=flow.device)
        taken.flow, taken.operation, taken.instead = flow, operation, instead
        return taken

    @classmethod
    def __torch_dispatch__(cls, called: Any, types: Any, args: Any = (),  # type: ignore[override]
                           kwargs: Any = None) -> Any:
        first = args[0]
        if isinstance(first, cls) and called is first.operation:
            return first.instead(first.flow, *args[1:])
        plain, named = tree_map_only(cls, lambda taken: taken.flow, (args, kwargs or {}))
        return called(*plain, **named)


def take_over(node: Any, operation: Any, instead: Callable[..., Any]) -> Any:
    """Have ``instead`` called for ``operation`` in each backward pass through a node; gives the hook's handle."""
    def take(flows: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...] | None:
        return None if flows[0] is None else (Taken(flows[0], operation, instead), *flows[1:])
    return node.register_prehook(take)
