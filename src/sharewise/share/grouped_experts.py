"""Experts in groups, and what one gate takes of all of them, as one node of the autograd graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from .build import Build
from .differentiated import differentiated
from .layers_back import go_back_in_blocks
from .mix_by_row import mix_by_row, slopes_by_row
from .run_layers import Run, run_layers


class GroupedExperts(Function):
    """(build, inputs [T, N, D], weights [K, N], common [S, N, C] or None, *parameters) -> what each expert gives
    [T, M, N, C], and sum_k weights[k] * outputs[k] over all of these and then the common ones, [N, C].

    One node, as the outputs have two ways back: here the two gradients in them meet in the memory of one.
    """

    @staticmethod
    def forward(ctx: Any, build: Build, inputs: Tensor, weights: Tensor, common: Tensor | None,  # type: ignore[override]
                *parameters: Tensor) -> tuple[Tensor, Tensor]:
        run = run_layers(build, inputs, parameters)
        ctx.set_materialize_grads(False)
        ctx.build = build
        ctx.save_for_backward(inputs, weights, common, *parameters, *run.tensors())
        return run.output.transpose(1, 2), _mix(weights, run.output, common)

    @staticmethod
    def backward(ctx: Any, in_own: Tensor | None, in_mixed: Tensor | None) -> Any:  # type: ignore[override]
        if in_own is None and in_mixed is None:
            return (None,) * len(ctx.needs_input_grad)
        (inputs, weights, common, *saved), build = ctx.saved_tensors, ctx.build
        count = len(ctx.needs_input_grad) - 4
        if torch.is_grad_enabled():  # a gradient is to be differentiated
            return None, *_again(build, inputs, weights, common, saved[:count], in_own, in_mixed)
        run = Run.of(saved[count:], len(build.layers))
        mine, rest = _split(weights, run.output)
        in_weights: list[Tensor] = []
        in_common = None

        def in_output(there: slice) -> Tensor:
            if in_mixed is None:
                return cast(Tensor, in_own)[there].transpose(1, 2).clone()
            outputs = run.output[there]
            flow = in_mixed.expand(len(outputs), *in_mixed.shape)
            in_weights.append(slopes_by_row(outputs, flow).mT.flatten(0, 1))
            found = mine[there].mT.contiguous().unsqueeze(3) * in_mixed.unsqueeze(1)
            return found if in_own is None else found.add_(in_own[there].transpose(1, 2))

        to_inputs, slopes = go_back_in_blocks(build, inputs, run, in_output, ctx.needs_input_grad[1])
        if in_mixed is not None and common is not None:
            in_weights.append(slopes_by_row(common.transpose(0, 1).unsqueeze(0), in_mixed.unsqueeze(0))[0].mT)
            in_common = (rest[0].mT.contiguous().unsqueeze(2) * in_mixed.unsqueeze(1)).transpose(0, 1)
        return None, to_inputs, torch.cat(in_weights) if in_weights else None, in_common, *slopes


def _mix(weights: Float[Tensor, "K N"], output: Float[Tensor, "T N M C"],
         common: Float[Tensor, "S N C"] | None) -> Float[Tensor, "N C"]:
    mine, rest = _split(weights, output)
    mixed = mix_by_row(mine, output).sum(0)
    return mixed if common is None else mixed + mix_by_row(rest, common.transpose(0, 1).unsqueeze(0))[0]


def _split(weights: Float[Tensor, "K N"],
           output: Float[Tensor, "T N M C"]) -> tuple[Float[Tensor, "T M N"], Float[Tensor, "1 S N"]]:
    groups, rows, size, _ = output.shape
    mine, rest = weights.split([groups * size, len(weights) - groups * size])
    return mine.view(groups, size, rows), rest.unsqueeze(0)


def _again(build: Build, inputs: Tensor, weights: Tensor, common: Tensor | None, parameters: Sequence[Tensor],
           in_own: Tensor | None, in_mixed: Tensor | None) -> list[Tensor | None]:
    """The gradients as autograd gives them, which can be differentiated once more."""

    def run(inputs: list[Any]) -> Sequence[Tensor]:
        reads, weights, common, *parameters = inputs
        output = run_layers(build, reads, parameters).output
        return output.transpose(1, 2), _mix(weights, output, common)

    return differentiated(run, [inputs, weights, common, *parameters], [in_own, in_mixed])
