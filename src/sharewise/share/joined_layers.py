"""The layers of several modules of one build as one node of the autograd graph."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from .build import Build
from .differentiated import differentiated
from .layers_back import go_back
from .run_layers import Run, run_layers


class JoinedLayers(Function):
    """(build, inputs, *parameters) -> what each module gives.

    For one group inputs [..., D] -> [M, ..., C]; else [G, ..., D] -> [G, M, ..., C].
    """

    @staticmethod
    def forward(ctx: Any, build: Build, inputs: Tensor, *parameters: Tensor) -> Tensor:  # type: ignore[override]
        run = run_layers(build, _rows(build, inputs), parameters)
        ctx.set_materialize_grads(False)
        ctx.build = build
        ctx.save_for_backward(inputs, *parameters, *run.tensors()[1:])
        return _modules_first(build, inputs, run.output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None) -> Any:  # type: ignore[override]
        if gradient is None:
            return (None,) * len(ctx.needs_input_grad)
        (inputs, *saved), build = ctx.saved_tensors, ctx.build
        count = len(ctx.needs_input_grad) - 2
        parameters = saved[:count]
        if torch.is_grad_enabled():  # a gradient is to be differentiated
            return None, *differentiated(lambda parts: [_modules_first(
                build, inputs, run_layers(build, _rows(build, parts[0]), parts[1:]).output)], [inputs, *parameters],
                [gradient])
        run = Run.of([gradient, *saved[count:]], len(build.layers))
        rows = gradient.unsqueeze(0) if build.groups == 1 else gradient
        back, slopes = go_back(build, _rows(build, inputs), run, rows.flatten(2, -2).transpose(1, 2),
                               ctx.needs_input_grad[1])
        return None, None if back is None else back.view(inputs.shape), *slopes


def _rows(build: Build, inputs: Tensor) -> Float[Tensor, "G N D"]:
    return (inputs.unsqueeze(0) if build.groups == 1 else inputs).flatten(1, -2)


def _modules_first(build: Build, inputs: Tensor, output: Float[Tensor, "G N M C"]) -> Tensor:
    output = output.transpose(1, 2)
    if build.groups == 1:
        return output[0] if inputs.ndim == 2 else output[0].unflatten(1, inputs.shape[:-1])
    return output if inputs.ndim == 3 else output.unflatten(2, inputs.shape[1:-1])
