"""Modules looked through: the layers that they have alike, and whether calling them does no more than run these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from .trunk import Trunk

# Modules without parameters that treat every number by itself: one call serves all.
ELEMENTWISE = (nn.Identity, nn.Dropout, nn.ReLU, nn.SiLU, nn.GELU, nn.ELU, nn.LeakyReLU, nn.Softplus, nn.Tanh,
               nn.Sigmoid)
KNOWN = frozenset((nn.Linear, *ELEMENTWISE))
PLAIN = frozenset((nn.Identity, nn.ReLU, nn.SiLU, nn.Tanh, nn.Sigmoid))  # without settings


def layers_beside(modules: Sequence[nn.Module]) -> list[tuple[nn.Module, ...]]:
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
