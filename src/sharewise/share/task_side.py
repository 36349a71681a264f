"""Gates and heads of several tasks over experts: in one go where all tasks have the like."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from .alike_layers import are_alike, is_hooked, linear_parts
from .build import Build, join
from .grouped_experts import GroupedExperts
from .lanes import Lanes
from .mixture import Gate, mix
from .ordinary import is_ordinary
from .stacked import run_each
from .task_lanes import TaskLanes


class Side(NamedTuple):
    """What a task has above common experts: what its gate and its own experts read, these, its gate, and its head."""

    reads: Tensor
    gate: Gate
    head: nn.Module
    own: Sequence[nn.Module] = ()


def read_experts(sides: Sequence[Side], common: Float[Tensor, "S ..."] | None) -> list[Tensor]:
    """The raw output of each task: its head of what its gate takes of its own and of the common experts."""
    found = _in_one_go(sides, common)
    if found is not None:
        return found
    return [side.head(weigh([run_each(tuple(side.own), side.reads) if len(side.own) else None, common],
                            side.gate(side.reads))) for side in sides]


def weigh(outputs: Sequence[Tensor | None], weights: Tensor) -> Tensor:
    """The sum of all outputs, which come in several stacks, by the weights that the stacks share out among them."""
    there = [stack for stack in outputs if stack is not None]
    first, *others = [mix(stack, part) for stack, part in zip(
        there, weights.split([len(stack) for stack in there]), strict=True)]
    return sum(others, start=first)


def pass_on(sides: Sequence[Side], common: Float[Tensor, "S ..."] | None,
            weights: Float[Tensor, "K ..."]) -> tuple[list[Tensor], Tensor] | None:
    """What the gates of each task make of its own and the common experts, and what ``weights`` make of all of these.

    None where they don't run in one go.
    """
    gates = _linear_gates(sides)
    joined = join([expert for side in sides for expert in side.own], len(sides)) if gates is not None else None
    reads = [side.reads for side in sides]
    if gates is None or joined is None or reads[0].ndim != 2:
        return None
    build, experts = joined
    if not is_ordinary(weights, *reads, *([] if common is None else [common]), *gates, *experts):
        return None
    reads_one = all(one is reads[0] for one in reads)
    stack = reads[0].expand(len(reads), *reads[0].shape) if reads_one else torch.stack(reads)
    own, side = GroupedExperts.apply(build, stack, weights, common, *experts)
    lanes = Lanes(len(sides), build.size, (), reads_one, False, False)
    return list(TaskLanes.apply(lanes, common, own, *(reads[:1] if reads_one else reads), *gates)), side


def _linear_gates(sides: Sequence[Side]) -> list[Tensor] | None:
    """The weights of gates over rows; None where they differ, or more than that is to be run."""
    first, gates = sides[0], [side.gate for side in sides]
    if first.gate.reads.positions or first.reads.ndim < 2 or not is_ordinary(first.reads):
        return None
    linear = [cast(nn.Module, gate._modules["linear"]) for gate in gates]
    if len({len(side.own) for side in sides}) > 1 or not are_alike(linear) or any(map(is_hooked, [*linear, *gates])):
        return None
    return linear_parts(linear)[0]


def _in_one_go(sides: Sequence[Side], common: Tensor | None) -> list[Tensor] | None:
    """None where the tasks differ in shape, or more than rows, linear gates and known layers is to be run."""
    gates, own = _linear_gates(sides), [expert for side in sides for expert in side.own]
    if gates is None:
        return None
    joined = join(own, len(sides)) if own else (Build(len(sides), 0, ()), [])
    if joined is None:
        return None
    (build, experts), first, heads = joined, sides[0], [side.head for side in sides]
    has_heads = type(first.head) is nn.Linear and are_alike(heads) and not any(map(is_hooked, heads))
    weights, biases = linear_parts(heads) if has_heads else ([], [])
    parameters = [*gates, *experts, *weights, *biases]
    if not is_ordinary(*(side.reads for side in sides), *([] if common is None else [common]), *parameters):
        return None
    reads_one = all(side.reads is first.reads for side in sides)
    reads = [first.reads] if reads_one else [side.reads for side in sides]
    rows = first.reads.shape[:-1]
    if len(rows) > 1:
        reads, common = [one.flatten(0, -2) for one in reads], None if common is None else common.flatten(1, -2)
    lanes = Lanes(len(sides), build.size, build.layers, reads_one, has_heads, bool(biases))
    found = list(TaskLanes.apply(lanes, common, None, *reads, *parameters))
    if len(rows) > 1:
        found = [raw.unflatten(0, rows) for raw in found]
    return found if has_heads else [head(mixed) for head, mixed in zip(heads, found, strict=True)]
