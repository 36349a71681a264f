"""The last unit of cross-stitch and its heads, as one node of the autograd graph in which the tasks stay apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from .differentiated import differentiated


class StitchLanes(Function):
    """(has_bias, given [T, N, C], *rows [T, C], *heads [R, C], *biases [R]), K each -> K times [N, R].

    Task k's is sum over t and c of heads[k][r, c] rows[k][t, c] given[t, n, c] (+ biases[k][r]): row and head are
    multiplied first, so that nothing as long as the features is made for each task.

    ``lanes_of_inputs``: whose each tensor that is read is, None for what belongs to all. A task whose output gets no
    gradient leaves its own inputs without one. ``scales``: where they are set, what goes to ``given`` is multiplied by
    them, task by task.
    """

    @staticmethod
    def forward(ctx: Any, has_bias: bool, given: Tensor, *parts: Tensor) -> tuple[Tensor, ...]:  # type: ignore[override]
        count = len(parts) // (2 + has_bias)
        ctx.set_materialize_grads(False)
        ctx.has_bias, ctx.scales = has_bias, None
        ctx.lanes_of_inputs = (None, *[*range(count)] * (2 + has_bias))
        ctx.save_for_backward(given, *parts)
        return tuple(one.clone(memory_format=torch.contiguous_format)  # no views: they may be written over
                     for one in _run(has_bias, given, parts))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor | None) -> Any:  # type: ignore[override]
        given, *parts = ctx.saved_tensors
        there = [place for place, one in enumerate(gradients) if one is not None]
        flows = [one for one in gradients if one is not None]
        if not flows:
            return (None,) * len(ctx.needs_input_grad)
        owners = ctx.lanes_of_inputs[1:]
        mine = [one for owner, one in zip(owners, parts, strict=True) if owner in there]
        if torch.is_grad_enabled():  # a gradient is to be differentiated
            back, *slopes = differentiated(lambda inputs: _run(ctx.has_bias, inputs[0], inputs[1:]), [given, *mine],
                                           flows)
        else:
            back, *slopes = _back(ctx.has_bias, given, mine, flows, ctx.needs_input_grad[1],
                                  None if ctx.scales is None else ctx.scales[there])
        found = iter(slopes)
        return None, back, *(next(found) if owner in there else None for owner in owners)


def _run(has_bias: bool, given: Float[Tensor, "T N C"], parts: Sequence[Tensor]) -> Sequence[Float[Tensor, "N R"]]:
    rows, heads, *biases = _split(has_bias, parts)
    raw = _weights(rows, heads) @ _columns(given)
    if has_bias:
        raw = raw + biases[0].view(-1, 1)
    return raw.view(*heads.shape[:2], given.shape[1]).mT.unbind()


def _back(has_bias: bool, given: Float[Tensor, "T N C"], parts: Sequence[Tensor], flows: Sequence[Tensor],
          to_given: bool, scales: Float[Tensor, "K"] | None) -> list[Tensor | None]:
    rows, heads, *_ = _split(has_bias, parts)
    flow = torch.stack([one.mT for one in flows])  # [K, R, N]
    slopes = (flow.flatten(0, 1) @ _columns(given).mT).view(*heads.shape[:2], *rows.shape[1:])
    back = None
    if to_given:
        scaled = flow if scales is None else flow * scales.view(-1, 1, 1)
        back = (_weights(rows, heads).mT @ scaled.flatten(0, 1)).view(len(given), given.shape[2], given.shape[1]).mT
    return [back, *(slopes * heads.unsqueeze(2)).sum(1).unbind(), *(slopes * rows.unsqueeze(1)).sum(2).unbind(),
            *(flow.sum(2).unbind() if has_bias else ())]


def _split(has_bias: bool, parts: Sequence[Tensor]) -> list[Tensor]:
    count = len(parts) // (2 + has_bias)
    return [torch.stack(list(parts[start:start + count])) for start in range(0, len(parts), count)]


def _weights(rows: Float[Tensor, "K T C"], heads: Float[Tensor, "K R C"]) -> Float[Tensor, "KR TC"]:
    return (rows.unsqueeze(1) * heads.unsqueeze(2)).flatten(2).flatten(0, 1)


def _columns(given: Float[Tensor, "T N C"]) -> Float[Tensor, "TC N"]:
    # no copy where the rows are innermost in memory
    return given.mT.reshape(len(given) * given.shape[2], given.shape[1])
