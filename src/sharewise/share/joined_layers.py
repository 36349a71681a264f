"""The layers of several modules of one build as one node of the autograd graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd import Function

aten = torch.ops.aten
BLOCK = 2**18  # numbers, 1 MiB of float32: longer ones leave the cache between two steps, and their memory is new


class Activation(NamedTuple):
    """``run`` may write over what it reads. ``slope(gradient, kept)``: kept is the result, if ``keeps_result``, or what
    was read. ``slope_into(gradient, kept)``: the same, written over the gradient."""

    run: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor, Tensor], Tensor]
    slope_into: Callable[[Tensor, Tensor], Tensor]
    keeps_result: bool

    def back(self, gradient: Tensor, kept: Tensor, is_mine: bool) -> Tensor:
        """The gradient in what was read; ``is_mine``: whether the one in the result may be written over."""
        return (self.slope_into if is_mine else self.slope)(gradient, kept)


# the overloads by name: to find them by what they are given takes as long as a small one takes to run
threshold, tanh, sigmoid, silu = aten.threshold_backward, aten.tanh_backward, aten.sigmoid_backward, aten.silu_backward
ACTIVATIONS: dict[type[nn.Module], Activation] = {
    nn.ReLU: Activation(torch.relu_, lambda gradient, kept: threshold.default(gradient, kept, 0),
                        lambda gradient, kept: threshold.grad_input(gradient, kept, 0, grad_input=gradient), True),
    nn.Tanh: Activation(torch.tanh_, tanh.default,
                        lambda gradient, kept: tanh.grad_input(gradient, kept, grad_input=gradient), True),
    nn.Sigmoid: Activation(torch.sigmoid_, sigmoid.default,
                           lambda gradient, kept: sigmoid.grad_input(gradient, kept, grad_input=gradient), True),
    nn.SiLU: Activation(nn.functional.silu, silu.default,
                        lambda gradient, kept: silu.grad_input(gradient, kept, grad_input=gradient), False)}


class Layer(NamedTuple):
    """A linear layer and what follows it."""

    has_bias: bool
    activation: type[nn.Module] | None


class Build(NamedTuple):
    """So many ``groups`` of ``size`` modules each, all of these ``layers``; a group reads inputs of its own."""

    groups: int
    size: int
    layers: tuple[Layer, ...]


class Run(NamedTuple):
    """What a pass leaves for the way back: what comes out, of each layer the weights [G M, C, D] and what the
    activation keeps, and of all but the last what it gives [G, N, M, C]."""

    output: Tensor
    weights: Sequence[Tensor] = ()
    kept: Sequence[Tensor] = ()
    given: Sequence[Tensor] = ()

    def tensors(self) -> tuple[Tensor, ...]:
        """All, to be saved."""
        return self.output, *self.weights, *self.kept, *self.given

    def groups(self, there: slice, size: int) -> Run:
        """The same of some of the groups, which have so many modules."""
        modules = slice(there.start * size, there.stop * size)
        return Run(self.output[there], [one[modules] for one in self.weights], [one[there] for one in self.kept],
                   [one[there] for one in self.given])

    @classmethod
    def of(cls, saved: Sequence[Tensor], depth: int) -> Run:
        """What ``tensors`` gave for so many layers."""
        return cls(saved[0], saved[1:1 + depth], saved[1 + depth:1 + 2 * depth], saved[1 + 2 * depth:])


def run_layers(build: Build, inputs: Float[Tensor, "G N D"], parameters: list[Tensor] | tuple[Tensor, ...]) -> Run:
    """``parameters``: layer by layer the weights of all modules, group by group, and then their biases."""
    (groups, size, layers), modules = build, build.groups * build.size
    matrices, kept, given, at = [], [], [], 0
    features = inputs.unsqueeze(2)
    for place, layer in enumerate(layers):
        weights, at = torch.cat(parameters[at:at + modules]), at + modules
        bias = None
        if layer.has_bias:
            bias, at = torch.cat(parameters[at:at + modules]), at + modules
        matrices.append(weights.view(modules, -1, weights.shape[1]))
        if place == 0 and groups == 1 and len(layers) > 1:  # the layers above run apart: so that nothing is turned
            alone = _product(inputs.expand(size, *inputs.shape[1:]), matrices[-1], bias)
            features = alone.unsqueeze(0).transpose(1, 2)
        elif place == 0:  # a group reads one thing: one wide product
            wide = _product(inputs, weights.view(groups, -1, weights.shape[1]), bias)
            features = wide.unflatten(-1, (size, -1))
        else:
            alone = _product(_apart(features), matrices[-1], bias)
            features = alone.unflatten(0, (groups, size)).transpose(1, 2)
        read = features
        if layer.activation is not None:
            activation = ACTIVATIONS[layer.activation]
            features = activation.run(read)
            read = features if activation.keeps_result else read
        kept.append(read)
        given.append(features)
    return Run(features, matrices, kept, given[:-1])


def go_back(build: Build, inputs: Float[Tensor, "G N D"], run: Run, gradient: Float[Tensor, "G N M C"],
            to_inputs: bool, is_mine: bool = False) -> tuple[Tensor | None, list[Tensor]]:
    """From the gradient in the output to those in the inputs, if wanted, and in the parameters.

    ``is_mine``: whether it may be written over.
    """
    found: list[Sequence[Tensor]] = []
    for place in reversed(range(len(build.layers))):
        layer, weights = build.layers[place], run.weights[place]
        if layer.activation is not None:
            gradient = ACTIVATIONS[layer.activation].back(gradient, run.kept[place], is_mine)
            is_mine = True
        if place > 0:
            alone = _apart(gradient)
            slopes, sums = torch.bmm(alone.mT, _apart(run.given[place - 1])), alone.sum(1)
            gradient = torch.bmm(alone, weights).unflatten(0, (build.groups, build.size)).transpose(1, 2)
        elif build.groups == 1 and not gradient.is_contiguous():
            alone = _apart(gradient)
            slopes, sums = torch.bmm(alone.mT, inputs.expand(len(alone), *inputs.shape[1:])), alone.sum(1)
            gradient = torch.bmm(alone, weights).sum(0, keepdim=True) if to_inputs else gradient
        else:
            wide = gradient.flatten(2)
            slopes, sums = torch.bmm(wide.mT, inputs).view(weights.shape), wide.sum(1).view(len(weights), -1)
            gradient = torch.bmm(wide, weights.view(build.groups, -1, weights.shape[-1])) if to_inputs else gradient
        found.append((*slopes.unbind(), *(sums.unbind() if layer.has_bias else ())))
    return (gradient if to_inputs else None), [one for part in reversed(found) for one in part]


def go_back_in_blocks(build: Build, inputs: Float[Tensor, "G N D"], run: Run,
                      gradient: Callable[[slice], Float[Tensor, "g N M C"]],
                      to_inputs: bool) -> tuple[Tensor | None, list[Tensor]]:
    """``go_back`` for as many groups at a time as fit into the cache, from a gradient that is made as it is needed."""
    many = max(1, BLOCK // max(1, run.output[0].numel()))
    backs, slopes = [], []
    for start in range(0, build.groups, many):
        there = slice(start, min(start + many, build.groups))
        block = build._replace(groups=there.stop - start)
        back, found = go_back(block, inputs[there], run.groups(there, build.size), gradient(there), to_inputs, True)
        backs.append(back)
        slopes.append([found[at:at + block.groups * build.size]
                       for at in range(0, len(found), block.groups * build.size)])
    if len(backs) == 1:
        return backs[0], [one for part in slopes[0] for one in part]
    whole = torch.cat([back for back in backs if back is not None]) if to_inputs else None
    return whole, [one for parts in zip(*slopes, strict=True) for part in parts for one in part]


def _product(inputs: Float[Tensor, "K N D"], weights: Float[Tensor, "K C D"],
             bias: Float[Tensor, "KC"] | None) -> Float[Tensor, "K N C"]:
    if len(inputs) == 1:
        return nn.functional.linear(inputs[0], weights[0], bias).unsqueeze(0)
    if bias is not None and inputs.shape[1] * weights.shape[1] >= BLOCK and not torch.is_grad_enabled():
        product = inputs.new_empty(*inputs.shape[:2], weights.shape[1])
        for place, one in enumerate(bias.view(len(inputs), -1)):  # one by one the bias is still in the cache
            torch.addmm(one, inputs[place], weights[place].mT, out=product[place])
        return product
    product = torch.bmm(inputs, weights.mT)  # baddbmm would first write the bias to every row
    return product if bias is None else product.add_(bias.view(len(inputs), 1, -1))


def _apart(features: Float[Tensor, "G N M C"]) -> Float[Tensor, "GM N C"]:
    """A matrix a module; a copy only where there are several groups of several modules."""
    return features.transpose(1, 2).flatten(0, 1)


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


def differentiated(run: Callable[[list[Tensor]], Sequence[Tensor]], inputs: Sequence[Tensor],
                   gradients: Sequence[Tensor]) -> list[Tensor | None]:
    """The gradients in those inputs of ``run`` that learn, as autograd gives them, with a graph of their own."""
    alone = [one.view_as(one) for one in inputs]  # one may depend on another: no way back leads through both
    wanted = [one for one in alone if one.requires_grad]
    found = iter(torch.autograd.grad(run(alone), wanted, gradients, create_graph=True, allow_unused=True))
    return [next(found) if one.requires_grad else None for one in alone]
