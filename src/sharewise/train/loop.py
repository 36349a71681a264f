"""The loop: batches, steps, a schedule, a running mean of the weights, and losses of held-out rows on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..balance import Balancer, Record
from ..share import SharedModel
from .batches import batches
from .bundle import Bundle, Sizes
from .features import Features
from .layers import Head, Trunk
from .step import take_step

MOMENTS = (0.06, 0.1, 0.15, 0.22, 0.3, 0.4, 0.55, 0.7, 0.85, 1.0)
SNAPSHOT_BYTES = 400_000_000
ROWS_AT_ONCE = 1024
MOST_HELD_OUT = 4096


@dataclass(frozen=True)
class Rows:
    """The data of a fit: X [N, D], and the standardised targets of each fold, Z [K, N, W]."""

    X: Tensor
    Z: Tensor
    features: Features

    def inputs(self, rows: Tensor, folds: Tensor) -> Tensor:
        """Network inputs [B, M, I] of the rows [B, M]."""
        return self.features.embed(self.X[rows], folds)

    def targets(self, rows: Tensor, folds: Tensor, bundle: Bundle) -> list[Tensor]:
        """Targets [B, M, Tk * W] of each block."""
        return [self.Z[folds[:, None, None], rows[:, :, None], block.columns[:, None, :]] for block in bundle.blocks]


@dataclass(frozen=True)
class Run:
    """What the loop hands on: the parameters at S moments, the held-out loss there [S, B, T] (NaN: no rows), and what
    the balancer did, where that was watched."""

    model: SharedModel
    moments: list[list[Tensor]]
    held_out: Float[np.ndarray, "S B T"]
    record: Record | None = None


def train(model: SharedModel, bundle: Bundle, rows: Rows, sizes: Sizes, balancer: Balancer, rate: float,
          decay: float, seed: int) -> Run:
    """Train all members of a bundle. Deterministic for a seed and a number of threads."""
    mean = deepcopy(model).eval()
    optimizer = make_optimizer(model, balancer, rate, decay)
    shared = list(model.shared_parameters())
    heads = "weighted" if balancer.is_constant else "plain"
    stops = checkpoints(sizes.steps, model, any(len(member.held_out) for member in bundle.members))
    moments: list[list[Tensor]] = []
    curves: list[np.ndarray] = []
    folds = bundle.folds
    model.train()
    for step, chosen in enumerate(batches(bundle.members, len(rows.X), sizes.batch, sizes.steps, seed), start=1):
        set_rate(optimizer, rate * one_cycle((step - 1) / sizes.steps))
        model.advance((step - 1) / sizes.steps)
        losses = bundle.losses(model, rows.inputs(chosen, folds), rows.targets(chosen, folds, bundle))
        take_step(by_name(bundle, losses), shared, balancer, optimizer, heads, model.penalty())
        if step % 4 == 0 or step == sizes.steps:
            follow(mean, model, 0.12)
        if step in stops:
            moments.append([parameter.detach().clone() for parameter in mean.parameters()])
            curves.append(held_out_losses(mean, bundle, rows))
    return Run(mean, moments, np.stack(curves))


def by_name(bundle: Bundle, losses: Sequence[Tensor]) -> dict[str, Tensor]:
    """Loss of each slot, summed over the members: their parameters are apart, so each gets its own gradient."""
    return {bundle.names[slot]: loss for block, part in zip(bundle.blocks, losses, strict=True)
            for slot, loss in zip(block.slots, part.sum(0).unbind(), strict=True)}


def one_cycle(done: float, warm: float = 0.08) -> float:
    """Share of the full rate: a short rise, then a cosine to 0."""
    if done < warm:
        return (done + 0.004) / (warm + 0.004)
    return 0.5 + 0.5 * math.cos(math.pi * (done - warm) / (1 - warm))


def checkpoints(steps: int, model: SharedModel, has_held_out: bool) -> set[int]:
    """The steps whose parameters are kept: the last alone where nothing is held out, fewer for large models."""
    if not has_held_out:
        return {steps}
    size = 4 * sum(parameter.numel() for parameter in model.parameters())
    kept = min(max(SNAPSHOT_BYTES // size, 1), len(MOMENTS))
    return {max(round(steps * share), 1) for share in MOMENTS[-kept:]}


def make_optimizer(model: SharedModel, balancer: Balancer, rate: float, decay: float) -> torch.optim.Optimizer:
    """AdamW (Loshchilov, Hutter 2019). The weights of layers decay; biases, the balancer's own parameters, and what
    mixes or scales features, which would mean another way of sharing at 0, do not."""
    layers = [module for module in model.modules() if isinstance(module, (Trunk, Head, nn.Linear))]
    decaying = {id(one) for layer in layers for name, one in layer.named_parameters() if "weight" in name}
    moving = [parameter for parameter in model.parameters() if parameter.requires_grad]
    weights = [parameter for parameter in moving if id(parameter) in decaying]
    others = [parameter for parameter in moving if id(parameter) not in decaying]
    groups = [{"params": weights, "weight_decay": decay},
              {"params": others + list(balancer.parameters()), "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.98), fused=True)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate


@torch.no_grad()
def follow(mean: SharedModel, model: SharedModel, share: float) -> None:
    """Move the running mean of the weights towards the weights."""
    torch._foreach_lerp_(list(mean.parameters()), list(model.parameters()), share)


@torch.no_grad()
def held_out_losses(model: SharedModel, bundle: Bundle, rows: Rows) -> Float[np.ndarray, "B T"]:
    """Mean loss of each task of each member over its held-out rows, over the unit of the task; NaN without rows."""
    held = [member.held_out[:: -(-len(member.held_out) // MOST_HELD_OUT) or 1] for member in bundle.members]
    most = max(len(part) for part in held)
    padded = torch.from_numpy(np.stack([np.pad(part, (0, most - len(part))) for part in held]))
    real = torch.arange(most)[None, :] < torch.tensor([len(part) for part in held])[:, None]
    total = torch.zeros(len(held), len(bundle.names))
    count = torch.zeros_like(total)
    folds = bundle.folds
    for low in range(0, most, ROWS_AT_ONCE):
        chosen, kept = padded[:, low : low + ROWS_AT_ONCE], real[:, low : low + ROWS_AT_ONCE]
        targets = rows.targets(chosen, folds, bundle)
        raws = bundle.raws(model, rows.inputs(chosen, folds), targets)
        for raw, block, target in zip(raws, bundle.blocks, targets, strict=True):
            loss, seen = bundle.row_losses(raw, block, target)
            use = seen & kept.unsqueeze(-1)
            total[:, list(block.slots)] += (loss * use).sum(1) / block.unit
            count[:, list(block.slots)] += use.sum(1)
    return torch.where(count > 0, total / count, torch.nan).numpy()
