"""What every task makes of the experts, as one node of the autograd graph in which the tasks stay apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from .joined_layers import Build, Layer, Run, aten, differentiated, go_back_in_blocks, run_layers


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


class Kept(NamedTuple):
    """What a pass leaves for the way back: what was read [T, N, D], gates [T, K, D] and their weights [T, K, N], those
    of common experts once more [N, T, S], what was mixed [T, N, C], heads [T, R, C], and the run of own experts."""

    reads: Tensor
    gates: Tensor
    weights: Tensor
    shares: Tensor | None
    mixed: Tensor
    heads: Tensor | None
    run: Run | None

    def of(self, there: list[int], own: int) -> Kept:
        """The same of some of the tasks."""
        run, pick = self.run, _picker(there)
        if run is not None:
            matrices = [pick(one.unflatten(0, (-1, own))).flatten(0, 1) for one in run.weights]
            run = Run(pick(run.output), matrices, [pick(one) for one in run.kept], [pick(one) for one in run.given])
        shares = None if self.shares is None else _picker(there, 1)(self.shares)
        return Kept(pick(self.reads), pick(self.gates), pick(self.weights), shares, pick(self.mixed),
                    None if self.heads is None else pick(self.heads), run)


def run_lanes(lanes: Lanes, common: Float[Tensor, "S N C"] | None, given: Float[Tensor, "T M N C"] | None,
              parts: Sequence[Tensor]) -> tuple[Float[Tensor, "T N R"], Kept]:
    """What each task gives: sum_k softmax(G_t x_t)[k] e_k over its own and the common experts, and then its head."""
    reads, gates, experts, heads, biases = lanes.split(parts)
    if lanes.reads_one:
        inputs, gate = reads[0].expand(lanes.tasks, *reads[0].shape), torch.cat(gates)
        logits = torch.mm(gate, reads[0].mT).unflatten(0, (lanes.tasks, -1))
        gate = gate.view(lanes.tasks, -1, gate.shape[1])
    else:
        inputs, gate = torch.stack(reads), torch.stack(gates)
        logits = torch.bmm(gate, inputs.mT)
    weights = logits.softmax(1)  # [T, K, N]: over a short last axis it takes ten times as long
    run = None if given is None else Run(given.transpose(1, 2))
    if lanes.layers:
        run = run_layers(Build(lanes.tasks, lanes.own, lanes.layers), inputs, experts)
    mixed = shares = None
    if common is not None:
        shares = weights[:, lanes.own:].permute(2, 0, 1).contiguous()  # else torch would take products one by one
        mixed = torch.bmm(shares, common.transpose(0, 1)).transpose(0, 1)
    if run is not None:
        mine = torch.bmm(_by_row(weights[:, :lanes.own]), run.output.flatten(0, 1))
        mine = mine.view(*inputs.shape[:2], run.output.shape[-1])
        mixed = mine if mixed is None else mine.add_(mixed)
    assert mixed is not None
    if not lanes.has_heads:
        return mixed, Kept(inputs, gate, weights, shares, mixed, None, run)
    head = torch.stack(heads)
    raw = (torch.baddbmm(torch.stack(biases).unsqueeze(1), mixed, head.mT) if lanes.has_bias
           else torch.bmm(mixed, head.mT))
    return raw, Kept(inputs, gate, weights, shares, mixed, head, run)


def _by_row(weights: Float[Tensor, "T K N"]) -> Float[Tensor, "TN 1 K"]:
    return weights.mT.reshape(-1, 1, weights.shape[1])


class TaskLanes(Function):
    """(lanes, common [S, N, C] or None, given [T, M, N, C] or None, *parts) -> T times [N, R]; see ``run_lanes``.

    ``lanes_of_inputs`` says whose each input of the node is: that of the task whose output has that place, or None for
    what belongs to all. A task whose output gets no gradient leaves its own inputs without one. ``scales``: where they
    are set, what goes to the inputs of all is multiplied by them, task by task.
    """

    @staticmethod
    def forward(ctx: Any, lanes: Lanes, common: Tensor | None, given: Tensor | None,  # type: ignore[override]
                *parts: Tensor) -> tuple[Tensor, ...]:
        outputs, kept = run_lanes(lanes, common, given, parts)
        ctx.set_materialize_grads(False)
        ctx.lanes, ctx.scales, ctx.has_run = lanes, None, kept.run is not None
        ctx.lanes_of_inputs = (*[None] * ((common is not None) + (given is not None)), *lanes.owners())
        ctx.save_for_backward(common, given, *parts, *kept[:-1], *(kept.run.tensors() if kept.run is not None else ()))
        return tuple(aten.unbind_copy.int(outputs))  # no views: they may be written over

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:  # type: ignore[override]
        lanes, (common, given, *saved) = ctx.lanes, ctx.saved_tensors
        count = len(ctx.needs_input_grad) - 3
        there = [place for place, one in enumerate(gradients) if one is not None]
        flows = [one for one in gradients if one is not None]
        if not flows:
            return (None,) * len(ctx.needs_input_grad)
        if torch.is_grad_enabled():  # a gradient is to be differentiated
            return None, *_again(lanes, common, given, saved[:count], there, flows)
        reads, gates, weights, shares, mixed, heads, *run = saved[count:]
        kept = Kept(reads, gates, weights, shares, mixed, heads,
                    Run.of(run, len(lanes.layers)) if ctx.has_run else None)
        if len(there) < lanes.tasks:
            kept = kept.of(there, lanes.own)
        scales = None if ctx.scales is None else ctx.scales[there].view(-1, 1, 1)
        to_common, to_given, to_reads, slopes = _back(lanes.of(len(there)), common, kept, torch.stack(flows),
                                                      ctx.needs_input_grad[1:4], scales)
        found = iter(slopes)
        owned = [None if owner is None else next(found) if owner in there else None for owner in lanes.owners()]
        if lanes.reads_one:
            owned[0] = to_reads
        if to_given is not None and len(there) < lanes.tasks:
            to_given = _spread(to_given, there, lanes.tasks)
        return None, to_common, to_given, *owned


def _back(lanes: Lanes, common: Tensor | None, kept: Kept, gradient: Float[Tensor, "T N R"], needed: Sequence[bool],
          scales: Float[Tensor, "T 1 1"] | None) -> tuple[Tensor | None, Tensor | None, Tensor | None, list[Tensor]]:
    """From the gradients in all outputs to those in the inputs of all, and in each task's own."""
    heads: list[Tensor] = []
    if kept.heads is not None:
        heads += torch.bmm(gradient.mT, kept.mixed).unbind()
        heads += gradient.sum(1).unbind() if lanes.has_bias else ()
        gradient = torch.bmm(gradient, kept.heads)
    scaled = gradient if scales is None else gradient * scales
    in_weights: list[Tensor] = []
    experts: list[Tensor] = []
    to_common = to_given = to_reads = None
    if kept.run is not None:
        shares, outputs = kept.weights[:, :lanes.own].mT.contiguous().unsqueeze(3), kept.run.output
        in_own: list[Tensor] = []

        def in_output(there: slice) -> Tensor:
            flow = gradient[there].unsqueeze(2)
            slopes = torch.bmm(flow.flatten(0, 1), outputs[there].flatten(0, 1).mT)
            in_own.append(slopes.view(*flow.shape[:2], lanes.own))
            return shares[there] * flow  # for a column and a row bmm takes longer

        if lanes.layers:
            build = Build(lanes.tasks, lanes.own, lanes.layers)
            to_reads, experts = go_back_in_blocks(build, kept.reads, kept.run, in_output, needed[2])
        else:
            to_given = in_output(slice(0, lanes.tasks)).transpose(1, 2)
            to_given = to_given if scales is None else to_given * scales.unsqueeze(1)
        in_weights.append(torch.cat(in_own).mT)
    if common is not None and kept.shares is not None:
        in_weights.append(torch.bmm(gradient.transpose(0, 1), common.permute(1, 2, 0)).permute(1, 2, 0))
        if needed[0]:
            by_row, columns = scaled.transpose(0, 1), kept.shares.mT
            flow = columns * by_row if lanes.tasks == 1 else torch.bmm(columns, by_row)
            to_common = flow.transpose(0, 1)
    in_softmax = in_weights[0] if len(in_weights) == 1 else torch.cat(in_weights, dim=1)
    in_logits = aten._softmax_backward_data.default(in_softmax, kept.weights, 1, kept.weights.dtype)
    if needed[2]:
        through_gates = torch.bmm(in_logits.mT, kept.gates)
        to_reads = through_gates if to_reads is None else to_reads.add_(through_gates)
        if lanes.reads_one:
            to_reads = (to_reads if scales is None else to_reads * scales).sum(0)
    apart = () if lanes.reads_one else [None] * lanes.tasks if to_reads is None else to_reads.unbind()
    return to_common, to_given, to_reads, [*apart, *torch.bmm(in_logits, kept.reads).unbind(), *experts, *heads]


def _again(lanes: Lanes, common: Tensor | None, given: Tensor | None, parts: Sequence[Tensor], there: list[int],
           flows: Sequence[Tensor]) -> list[Tensor | None]:
    """The gradients as autograd gives them, which can be differentiated once more."""
    is_mine = [owner is None or owner in there for owner in lanes.owners()]
    mine = [one for one, has in zip(parts, is_mine, strict=True) if has]
    ahead = [one for one in (common, given) if one is not None]

    def run(inputs: list[Tensor]) -> Sequence[Tensor]:
        first = iter(inputs)
        both = [None if one is None else next(first) for one in (common, given)]
        own = None if both[1] is None else both[1][there]
        return run_lanes(lanes.of(len(there)), both[0], own, list(first))[0].unbind()

    found = iter(differentiated(run, [*ahead, *mine], flows))
    back = [None if one is None else next(found) for one in (common, given)]
    return [*back, *(next(found) if has else None for has in is_mine)]


def _picker(there: list[int], axis: int = 0) -> Callable[[Tensor], Tensor]:
    """What takes some of the places of an axis."""
    if len(there) == 1:
        return lambda one: one.narrow(axis, there[0], 1)
    return lambda one: one.index_select(axis, torch.tensor(there, device=one.device))


def _spread(part: Tensor, there: list[int], size: int) -> Tensor:
    """The same at their places on the first axis, zeros elsewhere."""
    whole = part.new_zeros(size, *part.shape[1:])
    whole[there] = part
    return whole
