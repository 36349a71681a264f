"""Several modules of one build run as one, with their weights stacked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import torch
from jaxtyping import Float, Shaped
from torch import Tensor, nn

from .joined_layers import ACTIVATIONS, Build, JoinedLayers, Layer
from .ordinary import is_ordinary
from .trunk import Trunk

# Modules without parameters that treat every number by itself: one call serves all.
ELEMENTWISE = (nn.Identity, nn.Dropout, nn.ReLU, nn.SiLU, nn.GELU, nn.ELU, nn.LeakyReLU, nn.Softplus, nn.Tanh,
               nn.Sigmoid)
KNOWN = frozenset((nn.Linear, *ELEMENTWISE))
PLAIN = frozenset((nn.Identity, nn.ReLU, nn.SiLU, nn.Tanh, nn.Sigmoid))  # without settings


def run_each(modules: Sequence[nn.Module], inputs: Tensor) -> Float[Tensor, "K ..."]:
    """What each of K modules makes of the same inputs: in one go where they are stackable.

    The rows are innermost in memory then, as ``run_beside`` has it.
    """
    joined = join(modules) if inputs.ndim > 1 and is_ordinary(inputs) else None
    if joined is not None and is_ordinary(inputs, *joined[1]):
        return JoinedLayers.apply(joined[0], inputs, *joined[1])
    layers = _side_by_side(modules) if inputs.ndim > 1 else []
    return _run(layers, inputs.unsqueeze(0)) if layers else torch.stack([module(inputs) for module in modules])


def join(modules: Sequence[nn.Module], groups: int = 1) -> tuple[Build, list[Tensor]] | None:
    """Modules in ``groups`` of one size as ``JoinedLayers`` runs them; None where they differ or do more than that."""
    steps: list[Layer] = []
    parameters: list[Tensor] = []
    for layer in _side_by_side(modules):
        kind = type(layer[0])
        if kind is nn.Linear:
            weights, biases = linear_parts(layer)
            steps.append(Layer(bool(biases), None))
            parameters += weights
            parameters += biases
        elif kind in ACTIVATIONS and steps and steps[-1].activation is None:
            steps[-1] = Layer(steps[-1].has_bias, kind)
        elif not _does_nothing(layer[0]):
            return None
    return (Build(groups, len(modules) // groups, tuple(steps)), parameters) if steps else None


def _does_nothing(module: nn.Module) -> bool:
    return type(module) is nn.Identity or (type(module) is nn.Dropout and not (module.training and module.p))


def run_beside(modules: Sequence[nn.Module], inputs: Shaped[Tensor, "K ..."]) -> Float[Tensor, "K ..."]:
    """What each of K modules makes of inputs of its own: in one go where they are stackable.

    The rows are innermost in memory then: layer after layer reads and writes whole blocks, forward and backward, and
    mixing the K outputs copies nothing.
    """
    layers = _side_by_side(modules) if inputs.ndim > 2 else []
    if layers:
        return _run(layers, inputs)
    return torch.stack([module(given) for module, given in zip(modules, inputs, strict=True)])


def sum_first(products: Shaped[Tensor, "K ..."]) -> Shaped[Tensor, "..."]:
    """The sum over the first axis; rows that are innermost in memory stay there, which torch alone would turn round."""
    if products.ndim > 2 and products.stride(-1) > products.stride(-2):
        return products.mT.sum(0).mT
    return products.sum(0)


def _side_by_side(modules: Sequence[nn.Module]) -> list[tuple[nn.Module, ...]]:
    """The layers of K modules of one known build, each layer K times; none where they differ or one has a hook."""
    if len(modules) < 2:
        return []
    columns: list[list[nn.Module]] = [[] for _ in modules]
    if not all(map(_collect, modules, columns)) or len(set(map(len, columns))) > 1:
        return []
    layers = list(zip(*columns, strict=True))
    return layers if all(map(are_alike, layers)) else []


def are_alike(layer: Sequence[nn.Module]) -> bool:
    """Whether modules without modules inside are of one kind, mode and shape."""
    kind = type(layer[0])
    if len(set(map(type, layer))) > 1 or len({module.training for module in layer}) > 1:
        return False
    if kind is nn.Linear:
        weights, biases = linear_parts(layer)
        return len(biases) in (0, len(weights)) and len({weight.shape for weight in weights}) == 1
    return kind in PLAIN or len({module.extra_repr() for module in layer}) == 1


def linear_parts(layers: Sequence[nn.Module]) -> tuple[list[Tensor], list[Tensor]]:
    """The weights of linear layers, and the biases of those that have one."""
    held = [layer._parameters for layer in layers]  # as ``layer.weight``, which takes ten times as long
    weights, biases = [cast(Tensor, own["weight"]) for own in held], [own["bias"] for own in held]
    return weights, [bias for bias in biases if bias is not None]


def _collect(module: nn.Module, found: list[nn.Module]) -> bool:
    """Add the known layers that run one after another; False where one is not known, or has a hook to be called."""
    kind = type(module)
    if is_hooked(module):
        return False
    if kind in KNOWN:
        found.append(module)
        return True
    if kind.forward is Trunk.forward:
        module = cast(Trunk, module).stages
    elif kind is not nn.Sequential:
        return False
    for part in module._modules.values():  # noqa: SIM110  (many modules in every step: ``all`` takes longer)
        if part is None or not _collect(part, found):
            return False
    return True


def is_hooked(module: nn.Module) -> bool:
    """Whether calling the module does more than its ``forward``."""
    state = module.__dict__
    return bool(state["_forward_hooks"] or state["_forward_pre_hooks"] or state["_backward_hooks"]
                or state["_backward_pre_hooks"] or "forward" in state)


def _run(layers: Sequence[tuple[nn.Module, ...]], inputs: Shaped[Tensor, "*K ..."]) -> Float[Tensor, "K ..."]:
    """``inputs``: of each, or one for all."""
    for layer in layers:
        if isinstance(layer[0], nn.Linear):
            inputs = _linear(cast(Sequence[nn.Linear], layer), inputs)
        else:  # of its own each needs one, for dropout
            inputs = layer[0](inputs.expand(len(layer), *inputs.shape[1:]))
    return inputs


def _linear(layers: Sequence[nn.Linear], inputs: Float[Tensor, "*K ... D"]) -> Float[Tensor, "K ... C"]:
    columns = inputs.flatten(1, -2).mT
    if len(inputs) < len(layers):  # all read the same: one product, as of one wide layer
        wide = _product(layers, torch.cat, columns[0]).unflatten(0, (len(layers), -1))
    else:
        wide = _product(layers, torch.stack, columns)
    return wide.mT.unflatten(1, inputs.shape[1:-1])


def _product(layers: Sequence[nn.Linear], join: Callable[[list[Tensor]], Tensor],
             columns: Float[Tensor, "... D N"]) -> Float[Tensor, "... C N"]:
    weights = join([layer.weight for layer in layers])
    if layers[0].bias is None:
        return weights @ columns
    bias = join([layer.bias for layer in layers]).unsqueeze(-1)
    return torch.addmm(bias, weights, columns) if columns.ndim == 2 else torch.baddbmm(bias, weights, columns)
