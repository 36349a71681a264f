"""From trained bundles to the nets of each fold, at the moments that suit their tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from .bundle import Bundle
from .loop import Run
from .moments import choose_moments
from .nets import Net
from .shared_net import SharedNet
from .stacked import Stacked

Array = np.ndarray


def hand_out(parts: Sequence[tuple[Bundle, Run]], copies: Sequence[Any]) -> None:
    """Choose each network's moments and append its nets to the copy of its fold. A task's curve in a fold is that of
    the networks that learned it there, whoever else was in its group."""
    moments = min(len(run.moments) for _, run in parts)
    total = np.zeros((moments, len(copies), len(parts[0][0].tasks)))
    count = np.zeros_like(total)
    for bundle, run in parts:
        for curve, member, seats in zip(run.held_out[-moments:].swapaxes(0, 1), bundle.members, bundle.seats,
                                        strict=True):
            for slot, (at, real) in enumerate(seats):
                if real:
                    total[:, member.fold, at] += np.nan_to_num(curve[:, slot])
                    count[:, member.fold, at] += ~np.isnan(curve[:, slot])
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    chosen: dict[tuple[int, ...], Array] = {}
    for bundle, run in parts:
        for number, member in enumerate(bundle.members):
            if member.group not in chosen:
                chosen[member.group] = choose_moments(mean[:, :, list(member.group)])
            best = dict(zip(member.group, chosen[member.group][member.fold].tolist(), strict=True))
            copies[member.fold].nets_ += _nets(bundle, run, moments, number, best)


def _nets(bundle: Bundle, run: Run, moments: int, at: int, best: dict[int, int]) -> list[Net | SharedNet]:
    """The nets of member ``at``; ``best``: the moment of each of its tasks."""
    names = [name for name, _ in run.model.named_parameters()]
    nets: list[Net | SharedNet] = []
    for moment in sorted(set(best.values())):
        parts = {name: tensor[at].clone() for name, tensor in zip(names, run.moments[moment - moments], strict=True)}
        if isinstance(run.model, Stacked):
            answers = tuple(place for place, own in best.items() if own == moment)
            nets.append(run.model.net(at, parts, bundle.members[at].group, answers))
            continue
        depth = sum(name.startswith("trunk.weights.") for name in parts)
        layers = [(parts[f"trunk.weights.{layer}"], parts[f"trunk.biases.{layer}"]) for layer in range(depth)]
        heads: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        for number, block in enumerate(bundle.blocks):
            columns = zip(*(parts[f"heads.{number}.{part}"].chunk(len(block.slots), dim=1)
                            for part in ("weight", "bias")), strict=True)
            heads |= {task: (weight.contiguous(), bias.contiguous())
                      for slot, (weight, bias) in zip(block.slots, columns, strict=True)
                      for task, real in [bundle.seats[at][slot]] if real and best[task] == moment}
        nets.append(Net(layers, heads))
    return nets
