"""The engine: one walk over the autograd graph tells the heads from the shared part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.graph import Node, get_gradient_edge

from ..base import UsageError


def backward_weighted(roots: Sequence[Tensor], weights: Float[Tensor, "T"], shared: Sequence[Tensor],
                      heads: str) -> None:
    """One backward pass: shared parameters get the weighted sum of gradients; heads the weighted or the plain one.

    For plain heads the weight enters where a task's own part of the graph ends: the gradient that leaves the last node
    that only this task reaches is multiplied by its weight. Heads compiled into one node with the trunk take another
    pass. UsageError where a parameter that is not in ``shared`` is reached by several tasks in some other way, since it
    has no plain gradient of one task.
    """
    if heads == "weighted" or all(weight == 1 for weight in weights.tolist()):
        joint = torch.stack(list(roots))  # one root is checked once; T are checked T times
        joint.backward(weights.to(joint.dtype))
        return
    scales = [weight.to(root.dtype) for root, weight in zip(roots, weights.unbind(), strict=True)]
    nodes = [get_gradient_edge(root).node for root in roots]
    reached = tasks_reaching(nodes)
    inside = {id(parameter) for parameter in shared}
    compiled = check_heads(reached, inside)
    hidden = [node.variable for node in compiled]
    others = [node.variable for node in reached if is_leaf(node) and node not in compiled] if hidden else None
    ones = [torch.ones_like(scale) for scale in scales]
    if hidden:
        torch.autograd.backward(roots, ones, retain_graph=True, inputs=hidden)
    own = [is_own(node, reached, inside) for node in nodes]
    handles = [node.register_hook(_scaling(edges, scales[task]))
               for node, task, edges in _borders(reached, inside)]
    try:
        torch.autograd.backward(roots, [one if mine else scale for one, scale, mine in
                                       zip(ones, scales, own, strict=True)], inputs=others)
    finally:
        for handle in handles:
            handle.remove()


def backward_heads(roots: Sequence[Tensor], weights: Float[Tensor, "T"], shared: Sequence[Tensor]) -> None:
    """Weighted sum of gradients for every parameter that is not in ``shared``; the shared ones stay untouched."""
    pairs = [(root, weight) for root, weight in zip(roots, weights.unbind(), strict=True) if root.requires_grad]
    inside = {id(parameter) for parameter in shared}
    reached = tasks_reaching([get_gradient_edge(root).node for root, _ in pairs])
    others = [node.variable for node in reached if is_leaf(node) and id(node.variable) not in inside]
    if others:
        torch.autograd.backward([root for root, _ in pairs], [weight.to(root.dtype) for root, weight in pairs],
                                inputs=others)


def add_gradient(shared: Sequence[Tensor], vector: Float[Tensor, "P"]) -> None:
    """Add the parts of one long gradient to ``.grad`` of the shared parameters."""
    parts = vector.split([parameter.numel() for parameter in shared])
    for parameter, part in zip(shared, parts, strict=True):
        gradient = part.reshape(parameter.shape).to(parameter.dtype)
        parameter.grad = gradient.clone() if parameter.grad is None else parameter.grad + gradient


def tasks_reaching(roots: Sequence[Node]) -> dict[Any, int]:
    """Every node of the graph under the T ``roots`` -> the tasks whose loss reaches it, as the bits of an integer."""
    order = _children_last(roots)
    reached = dict.fromkeys(order, 0)
    for task, node in enumerate(roots):
        reached[node] |= 1 << task
    for node in order:
        for child, _ in node.next_functions:
            if child is not None:
                reached[child] |= reached[node]
    return reached


def _children_last(roots: Sequence[Node]) -> list[Any]:
    done: list[Any] = []
    seen: set[Any] = set()
    stack: list[tuple[Any, bool]] = [(node, False) for node in roots]
    while stack:
        node, left = stack.pop()
        if left:
            done.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            stack.extend((child, False) for child, _ in node.next_functions if child is not None and child not in seen)
    return done[::-1]


def _borders(reached: dict[Any, int], inside: set[int]) -> list[tuple[Any, int, list[int]]]:
    """(node, task, edges): the edges on which the gradient of one task alone flows into the shared part."""
    found = []
    for node, tasks in reached.items():
        if is_own(node, reached, inside):
            edges = [at for at, (child, _) in enumerate(node.next_functions)
                     if child is not None and not is_own(child, reached, inside)]
            if edges:
                found.append((node, tasks.bit_length() - 1, edges))
    return found


def is_own(node: Any, reached: dict[Any, int], inside: set[int]) -> bool:
    one_task = reached[node] & (reached[node] - 1) == 0
    return one_task and not (is_leaf(node) and id(node.variable) in inside)


def is_leaf(node: Any) -> bool:
    return hasattr(node, "variable")


def _scaling(edges: list[int], weight: Tensor) -> Any:
    def scale(grad_inputs: tuple[Tensor | None, ...], grad_outputs: tuple[Tensor | None, ...]) -> Any:
        return tuple(grad * weight if at in edges and grad is not None else grad for at, grad in enumerate(grad_inputs))
    return scale


def check_heads(reached: dict[Any, int], inside: set[int]) -> list[Any]:
    """The leaves of parameters, not ``inside``, that several tasks reach by way of a compiled function alone.

    ``torch.compile`` makes one node of all that it compiles, so that every task reaches every parameter in there. Whose
    a parameter is can't be seen; it counts as that of a head, whose plain gradient is that of the sum. UsageError where
    several tasks reach a parameter in some other way: it has no plain gradient of one task.
    """
    found = [node for node, tasks in reached.items()
             if tasks & (tasks - 1) and is_leaf(node) and id(node.variable) not in inside]
    if found:
        elsewhere = {child for node in reached if node.name() != "CompiledFunctionBackward"
                     for child, _ in node.next_functions}
        for node in found:
            if node in elsewhere:
                raise UsageError(f"a parameter of shape {tuple(node.variable.shape)}",
                                 f"is reached by {reached[node].bit_count()} tasks and is not among the shared ones",
                                 "a head belongs to one task",
                                 "Name it among the shared ones, or use heads='weighted'.")
    return found
