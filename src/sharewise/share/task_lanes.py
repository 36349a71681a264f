"""What every task makes of the experts, as one node of the autograd graph in which the tasks stay apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from .differentiated import differentiated
from .lanes import Lanes
from .lanes_back import go_back_lanes
from .run_lanes import Kept, run_lanes
from .run_layers import Run


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
        return tuple(torch.ops.aten.unbind_copy.int(outputs))  # no views: they may be written over

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
        to_common, to_given, to_reads, slopes = go_back_lanes(lanes.of(len(there)), common, kept, torch.stack(flows),
                                                              ctx.needs_input_grad[1:4], scales)
        found = iter(slopes)
        owned = [None if owner is None else next(found) if owner in there else None for owner in lanes.owners()]
        if lanes.reads_one:
            owned[0] = to_reads
        if to_given is not None and len(there) < lanes.tasks:
            to_given = _spread(to_given, there, lanes.tasks)
        return None, to_common, to_given, *owned


def _again(lanes: Lanes, common: Tensor | None, given: Tensor | None, parts: Sequence[Tensor], there: list[int],
           flows: Sequence[Tensor]) -> list[Tensor | None]:
    """The gradients as autograd gives them, which can be differentiated once more."""
    mine = [one if owner is None or owner in there else None for owner, one in zip(lanes.owners(), parts, strict=True)]

    def run(inputs: list[Any]) -> Sequence[Tensor]:
        common, given, *mine = inputs
        own = None if given is None else given[there]
        return run_lanes(lanes.of(len(there)), common, own, [one for one in mine if one is not None])[0].unbind()

    return differentiated(run, [common, given, *mine], flows)


def _spread(part: Tensor, there: list[int], size: int) -> Tensor:
    """The same at their places on the first axis, zeros elsewhere."""
    whole = part.new_zeros(size, *part.shape[1:])
    whole[there] = part
    return whole
