"""The role Trunk: a network cut into stages, which is all that an architecture knows of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from torch import Tensor, nn

from ..base import UsageError
from ..base.checks import at_least_one
from .features import Features

M = TypeVar("M", bound=nn.Module)


class Trunk(nn.Module, ABC):
    """A network without a head, as ``stages`` that run one after another, each a module that reads one tensor
    (the first may read a dict of them).

    Architectures that share by stages (cross-stitch, attention, progressive extraction) read ``stages`` and
    ``features`` and nothing else, so that each works with every backbone that can be cut. Heads read what the last
    stage gives; a head over tokens or maps pools them itself, where it wants them pooled.
    """

    stages: nn.ModuleList

    @property
    @abstractmethod
    def features(self) -> tuple[Features, ...]:
        """What the trunk reads, and then what each of the S stages gives [S + 1]."""

    def forward(self, inputs: Any) -> Tensor:
        for stage in self.stages:
            inputs = stage(inputs)
        return inputs


def check_trunk(thing: str, trunk: Any) -> Trunk:
    """``trunk``; UsageError where it is none, or its features are not what it reads and what each stage gives."""
    if not isinstance(trunk, Trunk):
        raise UsageError(thing, f"is a {type(trunk).__name__}", "it must be a share.Trunk, which knows its stages and "
                         "what they give", "Wrap it: share.Staged([modules], example).")
    stages, known = len(trunk.stages), len(trunk.features)
    if not stages or known != stages + 1:
        raise UsageError(thing, f"has {stages} stages and {known} features", "it must have one stage or more, and know "
                         "what is read and what each stage gives", f"Mend {type(trunk).__name__}.features.")
    return trunk


def check_alike(thing: str, trunks: Mapping[str, Trunk]) -> tuple[Features, ...]:
    """The features that all ``trunks`` have; UsageError where there is none, one is none, or differs from the first."""
    at_least_one(thing, trunks)
    for name, trunk in trunks.items():
        check_trunk(f"{thing}[{name!r}]", trunk)
    first, *others = trunks.items()
    for name, trunk in others:
        if trunk.features != first[1].features:
            raise UsageError(f"{thing}[{name!r}]", f"has the features {_shown(trunk)}",
                             f"it must have those of {thing}[{first[0]!r}], {_shown(first[1])}",
                             "Build all from one recipe.")
    return first[1].features


def numbered(modules: Iterable[M]) -> dict[str, M]:
    """Modules by their place, for messages that name one."""
    return {str(place): module for place, module in enumerate(modules)}


def placed_like(module: M, trunk: nn.Module) -> M:
    """``module`` on the device and in the precision of the parameters of a trunk."""
    for parameter in trunk.parameters():
        return module.to(parameter.device, parameter.dtype)
    return module


def _shown(trunk: Trunk) -> str:
    return ", ".join(f"{part.channels} channels x {part.positions}" for part in trunk.features)
