"""All stages of networks side by side, and the units between them, as one node of the autograd graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from .build import Layer
from .differentiated import differentiated

Stages = tuple[tuple[Layer, ...], ...]  # the layers of each stage


class Stacks(NamedTuple):
    """The parameters of T networks, stacked: of each layer weights [T, C, D] and biases [T, C, 1] or None, and of each
    unit the rows of all tasks, [C, T, T]."""

    weights: Sequence[Tensor]
    biases: Sequence[Tensor | None]
    units: Sequence[Tensor]


class Pass(NamedTuple):
    """What comes out [T, C, N]; what each layer and unit reads, in their order; and what each activation keeps for the
    way back."""

    output: Tensor
    read: list[Tensor]
    kept: list[Tensor]


class StitchedStages(Function):
    """(stages, inputs [N, D], *parameters) -> what all last stages give, [T, N, C].

    ``parameters``: layer by layer T weights and then T biases; then unit by unit T rows [T, C], where that of task t
    says what it takes of each task's features, channel by channel. No unit follows the last stage. The rows of the
    batch are innermost in memory from end to end, so that no product turns what it reads.
    """

    @staticmethod
    def forward(ctx: Any, stages: Stages, inputs: Tensor, *parameters: Tensor) -> Tensor:  # type: ignore[override]
        stacks = stack(stages, parameters)
        output, read, kept = run_stages(stages, stacks, inputs)
        ctx.set_materialize_grads(False)
        ctx.stages, ctx.count = stages, len(parameters)
        ctx.save_for_backward(inputs, *parameters, *stacks.weights, *stacks.units, *read, *kept)
        return output.mT

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None) -> Any:  # type: ignore[override]
        if gradient is None:
            return (None,) * len(ctx.needs_input_grad)
        (inputs, *saved), stages = ctx.saved_tensors, ctx.stages
        parameters = saved[:ctx.count]
        if torch.is_grad_enabled():  # a gradient is to be differentiated
            return None, *differentiated(
                lambda parts: [run_stages(stages, stack(stages, parts[1:]), parts[0]).output.mT],
                [inputs, *parameters], [gradient])
        found, layers, units = iter(saved[ctx.count:]), sum(map(len, stages)), len(stages) - 1
        weights, mixes, read, kept = ([next(found) for _ in range(count)]
                                      for count in (layers, units, layers + units, layers))
        to_inputs, slopes = _back(stages, weights, mixes, Pass(gradient.mT, read, kept), ctx.needs_input_grad[1])
        return None, to_inputs, *(one for part in slopes for one in part.unbind())


def stack(stages: Stages, parameters: Sequence[Tensor]) -> Stacks:
    """The parameters as ``StitchedStages`` gets them, stacked."""
    layers = [layer for stage in stages for layer in stage]
    count = len(parameters) // (len(layers) + sum(layer.has_bias for layer in layers) + len(stages) - 1)
    groups = iter([torch.stack(list(parameters[at:at + count])) for at in range(0, len(parameters), count)])
    weights, biases = [], []
    for layer in layers:
        weights.append(next(groups))
        biases.append(next(groups).unsqueeze(2) if layer.has_bias else None)
    # batched products read a contiguous matrix a channel; others torch would take one by one
    return Stacks(weights, biases, [unit.permute(2, 0, 1).contiguous() for unit in groups])


def run_stages(stages: Stages, stacks: Stacks, inputs: Float[Tensor, "N D"]) -> Pass:
    """All stages, and a unit after each but the last."""
    features = inputs.mT.expand(len(stacks.weights[0]), *inputs.mT.shape)
    read, kept = [], []
    layers, units = zip(stacks.weights, stacks.biases, strict=True), iter(stacks.units)
    for place, stage in enumerate(stages):
        for layer in stage:
            read.append(features)
            weights, bias = next(layers)
            features = torch.bmm(weights, features) if bias is None else torch.baddbmm(bias, weights, features)
            features, keeps = layer.activate(features)
            kept.append(keeps)
        if place < len(stages) - 1:
            read.append(features)
            features = torch.bmm(next(units), features.transpose(0, 1)).transpose(0, 1)
    return Pass(features, read, kept)


def _back(stages: Stages, weights: list[Tensor], units: list[Tensor], kept: Pass,
          to_inputs: bool) -> tuple[Tensor | None, list[Tensor]]:
    """From the gradient in the output, which stands in its place, to those in the inputs, if wanted, and in the
    parameters, stacked."""
    gradient, read, results = kept
    layers: list[list[Tensor]] = []
    rows: list[Tensor] = []
    is_mine = False
    for place in reversed(range(len(stages))):
        if place < len(stages) - 1:
            by_channel = gradient.transpose(0, 1)
            in_unit = torch.bmm(by_channel, read.pop().transpose(0, 1).mT)
            rows.append(in_unit.permute(1, 2, 0).contiguous())
            gradient = torch.bmm(units[place].mT, by_channel).transpose(0, 1)
        for at, layer in reversed(list(enumerate(stages[place]))):
            matrix, keeps = weights.pop(), results.pop()
            gradient = layer.go_back(gradient, keeps, is_mine)
            layers.append([torch.bmm(gradient, read.pop().mT), *([gradient.sum(2)] if layer.has_bias else [])])
            if place or at or to_inputs:
                gradient, is_mine = torch.bmm(matrix.mT, gradient), True
    slopes = [*(one for layer in reversed(layers) for one in layer), *reversed(rows)]
    return (gradient.sum(0).mT if to_inputs else None), slopes
