"""A way of sharing by name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from ..base import UsageError, catalogue
from ..base.checks import one_of
from ..share import Separate, SharedModel
from .layers import hash_seed
from .recipe import PARTS, Recipe

TRIAL = Recipe({"a": [0.0], "b": [0.0]}, 1, 64, 2, 0.0, 0, 0)


@dataclass(frozen=True)
class Architecture:
    """A way of sharing by the name that room ``share`` exports it under, to be built over a table.

    ``options``: what its constructor is given beside trunks and heads. UnknownNameError, with near names, for a name or
    option that is not there; UsageError for one that needs more than trunks and heads, or that shares nothing.

    >>> Architecture("SoftSharing", {"strength": 0.1}).to_json()
    {'call': 'share.SoftSharing', 'with': {'strength': 0.1}}
    """

    name: str = "HardSharing"
    options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        known = catalogue.classes("share", SharedModel)
        kind: type[SharedModel] = known[one_of("way of sharing", self.name, known)]
        if kind is Separate:
            raise UsageError(f"way of sharing {self.name!r}", "shares nothing", "learning apart always competes",
                             "Leave it out.")
        if kind.is_funnel:
            raise UsageError(f"way of sharing {self.name!r}", "reads the tasks as events, each after the one before",
                             "by name there are only those for which the order of tasks means nothing",
                             f"Use share.{self.name} in a network of your own.")
        strange = [part for part in required(kind) if part not in PARTS]
        if strange:
            raise UsageError(f"way of sharing {self.name!r}", f"needs {', '.join(strange)}",
                             "by name there are only those that are built of trunks and heads alone",
                             f"Use share.{self.name} in a network of your own.")
        for option in self.options:
            one_of(f"option of {self.name}", option, [one for one in _parameters(kind) if one not in PARTS])
        build(kind, TRIAL, **self.options)  # it checks the options, and whether such a trunk has what it needs

    @property
    def kind(self) -> type[SharedModel]:
        """The class of that name."""
        return catalogue.load("share", self.name)

    @property
    def finds_tree(self) -> bool:
        """Whether it must be told who shares which stage."""
        return "groups" in required(self.kind)

    @property
    def strength(self) -> float | None:
        """The default of its strength, where it has one."""
        parameter = _parameters(self.kind).get("strength")
        return None if parameter is None else parameter.default

    def build(self, recipe: Recipe) -> SharedModel:
        """The network."""
        return build(self.kind, recipe, **self.options)

    def to_json(self) -> dict[str, Any]:
        """The constructor call, without trunks and heads."""
        return {"call": f"share.{self.name}", "with": dict(self.options)}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Architecture:
        """The architecture that ``to_json`` described."""
        return cls(state["call"].removeprefix("share."), state["with"])


def build(kind: type[SharedModel], recipe: Recipe, **options: Any) -> SharedModel:
    """A network of that class."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(hash_seed(recipe.seed, recipe.copy))  # gates and the like start as they do by themselves
        return kind(**{part: PARTS[part](recipe) for part in required(kind)}, **options)


def names() -> list[str]:
    """The ways of sharing that can be had by name."""
    return [name for name in catalogue.classes("share", SharedModel) if _can_be_had(name)]


def _can_be_had(name: str) -> bool:
    try:
        return bool(Architecture(name).name)
    except UsageError:
        return False


def required(kind: type) -> list[str]:
    """The parameters that a constructor must be given."""
    return [name for name, one in _parameters(kind).items() if one.default is one.empty]


def _parameters(kind: type) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(kind).parameters
