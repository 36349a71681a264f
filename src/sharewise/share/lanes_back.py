"""The way back from what every task makes of the experts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from .build import Build
from .lanes import Lanes
from .layers_back import go_back_in_blocks
from .mix_by_row import slopes_by_row
from .run_lanes import Kept
from .run_layers import Run

through_softmax = torch.ops.aten._softmax_backward_data.default


def go_back_lanes(lanes: Lanes, common: Tensor | None, kept: Kept, gradient: Float[Tensor, "T N R"],
                  needed: Sequence[bool], scales: Float[Tensor, "T 1 1"] | None,
                  ) -> tuple[Tensor | None, Tensor | None, Tensor | None, list[Tensor]]:
    """From the gradients in all outputs to those in the inputs of all, ``needed`` or not, and in each task's own."""
    heads: list[Tensor] = []
    if kept.heads is not None:
        heads += torch.bmm(gradient.mT, kept.mixed).unbind()
        heads += gradient.sum(1).unbind() if lanes.has_bias else ()
        gradient = torch.bmm(gradient, kept.heads)
    in_weights: list[Tensor] = []
    experts: list[Tensor] = []
    to_common = to_given = to_reads = None
    if kept.run is not None:
        in_own, to_given, to_reads, experts = _through_own(lanes, kept, kept.run, gradient, needed[2])
        if to_given is not None and scales is not None:
            to_given = to_given * scales.unsqueeze(1)
        in_weights.append(in_own)
    if common is not None and kept.shares is not None:
        in_weights.append(torch.bmm(gradient.transpose(0, 1), common.permute(1, 2, 0)).permute(1, 2, 0))
        to_common = _to_common(kept.shares, _scaled(gradient, scales)) if needed[0] else None
    in_softmax = in_weights[0] if len(in_weights) == 1 else torch.cat(in_weights, dim=1)
    in_logits = through_softmax(in_softmax, kept.weights, 1, kept.weights.dtype)
    if needed[2]:
        through_gates = torch.bmm(in_logits.mT, kept.gates)
        to_reads = through_gates if to_reads is None else to_reads.add_(through_gates)
        to_reads = _scaled(to_reads, scales).sum(0) if lanes.reads_one else to_reads
    apart = () if lanes.reads_one else [None] * lanes.tasks if to_reads is None else to_reads.unbind()
    return to_common, to_given, to_reads, [*apart, *torch.bmm(in_logits, kept.reads).unbind(), *experts, *heads]


def _through_own(lanes: Lanes, kept: Kept, run: Run, gradient: Float[Tensor, "T N C"],
                 to_reads: bool) -> tuple[Float[Tensor, "T M N"], Tensor | None, Tensor | None, list[Tensor]]:
    """To the weights of own experts; to their outputs [T, M, N, C] where these were given, and else to what they read,
    if wanted, and to their parameters."""
    shares, in_weights = kept.weights[:, :lanes.own].mT.contiguous().unsqueeze(3), []

    def in_output(there: slice) -> Tensor:
        in_weights.append(slopes_by_row(run.output[there], gradient[there]))
        return shares[there] * gradient[there].unsqueeze(2)  # for a column and a row bmm takes longer

    if not lanes.layers:
        to_given = in_output(slice(0, lanes.tasks)).transpose(1, 2)
        return torch.cat(in_weights).mT, to_given, None, []
    build = Build(lanes.tasks, lanes.own, lanes.layers)
    back, experts = go_back_in_blocks(build, kept.reads, run, in_output, to_reads)
    return torch.cat(in_weights).mT, None, back, experts


def _to_common(shares: Float[Tensor, "N T S"], gradient: Float[Tensor, "T N C"]) -> Float[Tensor, "S N C"]:
    by_row, columns = gradient.transpose(0, 1), shares.mT
    return (columns * by_row if by_row.shape[1] == 1 else torch.bmm(columns, by_row)).transpose(0, 1)


def _scaled(flow: Tensor, scales: Tensor | None) -> Tensor:
    return flow if scales is None else flow * scales
