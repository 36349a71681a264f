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
    handles = [node.register_hook(_scaling(edges, scales)) for node, edges in _borders(reached, inside)]
    for node, tasks in reached.parted.items():
        node.scales = torch.stack([scales[tasks[lane]] if lane in tasks else torch.ones_like(scales[0])
                                   for lane in range(len(node._input_metadata))])
    try:
        torch.autograd.backward(roots, [one if mine else scale for one, scale, mine in
                                       zip(ones, scales, own, strict=True)], inputs=others)
    finally:
        for handle in handles:
            handle.remove()
        for node in reached.parted:
            node.scales = None


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


class Reach(dict[Any, int]):
    """Every node of the graph under the T roots -> the tasks whose loss reaches it, as the bits of an integer.

    ``parted``: nodes that run several tasks at once and keep them apart -> the task of each of their outputs that is
    reached. Such a node says in ``lanes_of_inputs`` to which output each of its inputs belongs alone (None: to all),
    and multiplies what it hands to inputs of all by ``scales``, a number an output, where these are set.
    """

    def __init__(self) -> None:
        super().__init__()
        self.parted: dict[Any, dict[int, int]] = {}

    def task_of(self, node: Any, at: int) -> int | None:
        """The one task whose gradient a node of its own hands to an input; None where a parted one hands on several."""
        if node not in self.parted:
            return self[node].bit_length() - 1
        lane = node.lanes_of_inputs[at]
        return None if lane is None else self.parted[node].get(lane)


def tasks_reaching(roots: Sequence[Node]) -> Reach:
    """Which tasks reach what."""
    order, reached = _children_last(roots), Reach()
    arrived: dict[Any, dict[int, int]] = {}
    bits = dict.fromkeys(order, 0)
    for task, node in enumerate(roots):
        bits[node] |= 1 << task
    starts = set(roots)
    for node in order:
        lanes = arrived.get(node, {})
        is_parted = bool(lanes) and node not in starts and all(map(_is_one, lanes.values()))
        if bits[node]:
            reached[node] = bits[node]
        if is_parted and not _is_one(bits[node]):
            reached.parted[node] = {lane: one.bit_length() - 1 for lane, one in lanes.items() if one}
        for at, (child, place) in enumerate(node.next_functions):
            if child is not None:
                lane = node.lanes_of_inputs[at] if is_parted else None
                passed = bits[node] if lane is None else lanes.get(lane, 0)
                bits[child] |= passed
                if hasattr(child, "lanes_of_inputs"):
                    found = arrived.setdefault(child, {})
                    found[place] = found.get(place, 0) | passed
    return reached


def _is_one(tasks: int) -> bool:
    return tasks & (tasks - 1) == 0


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


def _borders(reached: Reach, inside: set[int]) -> list[tuple[Any, dict[int, int | None]]]:
    """Nodes on which gradients of single tasks flow into the shared part, each with the edges, and whose the gradient
    is: None for those of several tasks, from a parted node."""
    found = []
    for node in reached:
        if is_own(node, reached, inside):
            edges = {at: reached.task_of(node, at) for at, (child, _) in enumerate(node.next_functions)
                     if child is not None and not is_own(child, reached, inside)}
            if edges:
                found.append((node, edges))
    return found


def is_own(node: Any, reached: Reach, inside: set[int]) -> bool:
    """Whether a node is one task's, or a parted one of several."""
    one_task = _is_one(reached.get(node, 0)) or node in reached.parted
    return one_task and not (is_leaf(node) and id(node.variable) in inside)


def is_leaf(node: Any) -> bool:
    return hasattr(node, "variable")


def _scaling(edges: dict[int, int | None], weights: Sequence[Tensor]) -> Any:
    def scale(grad_inputs: tuple[Tensor | None, ...], grad_outputs: tuple[Tensor | None, ...]) -> Any:
        tasks = [edges.get(at) for at in range(len(grad_inputs))]
        return tuple(grad if task is None or grad is None else grad * weights[task]
                     for grad, task in zip(grad_inputs, tasks, strict=True))
    return scale


def check_heads(reached: Reach, inside: set[int]) -> list[Any]:
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
