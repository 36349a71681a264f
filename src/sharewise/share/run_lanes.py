"""What every task makes of the experts, with what is kept for the way back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from .build import Build
from .lanes import Lanes
from .mix_by_row import mix_by_row
from .run_layers import Run, run_layers


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
        mine = mix_by_row(weights[:, :lanes.own], run.output)
        mixed = mine if mixed is None else mine.add_(mixed)
    assert mixed is not None
    if not lanes.has_heads:
        return mixed, Kept(inputs, gate, weights, shares, mixed, None, run)
    head = torch.stack(heads)
    raw = (torch.baddbmm(torch.stack(biases).unsqueeze(1), mixed, head.mT) if lanes.has_bias
           else torch.bmm(mixed, head.mT))
    return raw, Kept(inputs, gate, weights, shares, mixed, head, run)


def _picker(there: list[int], axis: int = 0) -> Callable[[Tensor], Tensor]:
    """What takes some of the places of an axis."""
    if len(there) == 1:
        return lambda one: one.narrow(axis, there[0], 1)
    return lambda one: one.index_select(axis, torch.tensor(there, device=one.device))
