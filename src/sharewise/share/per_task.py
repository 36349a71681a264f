"""One module a task, found by the task's name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from torch import nn

from ..base import UsageError
from ..base.checks import at_least_one

N = TypeVar("N", bound=Mapping[str, Any])


class PerTask(nn.ModuleList):
    """Modules by task name; names may hold dots, which ``nn.ModuleDict`` refuses.

    ``thing`` is what messages call them. UsageError where there is none, or one parameter belongs to two tasks.
    """

    def __init__(self, thing: str, modules: Mapping[str, nn.Module]) -> None:
        check_own(thing, modules)
        super().__init__(modules.values())
        self.names = tuple(modules)
        self.place = {name: str(place) for place, name in enumerate(modules)}

    def of(self, name: str) -> Any:
        """The module of a task."""
        return self._modules[self.place[name]]


def ordered_as(heads: Mapping[str, Any], thing: str, modules: Mapping[str, Any]) -> dict[str, Any]:
    """``modules`` in the order of ``heads``. UsageError where they don't name the same tasks."""
    check_named(thing, modules)
    check_named("heads", heads)
    if set(modules) != set(heads):
        raise UsageError(f"{thing} and heads", f"name {sorted(modules)} and {sorted(heads)}",
                         "both must name the same tasks", f"Give every task its own in {thing} and in heads.")
    return {name: modules[name] for name in heads}


def check_named(thing: str, modules: N) -> N:
    """``modules``; UsageError where they don't stand under names."""
    if not hasattr(modules, "items"):
        raise UsageError(thing, f"are a {type(modules).__name__}", "they must be a dict from tasks to modules",
                         "Name each task once.")
    return modules


def check_own(thing: str, modules: Mapping[str, nn.Module]) -> None:
    """UsageError unless there is a module, all are modules, and no parameter belongs to two of them."""
    at_least_one(thing, check_named(thing, modules))
    for name, module in modules.items():
        if not isinstance(module, nn.Module):
            raise UsageError(f"{thing}[{name!r}]", f"is {module!r}", "it must be a module", "Give every task its own.")
    owner: dict[int, str] = {}
    for name, parameter in _parameters(modules.items()):
        if owner.setdefault(id(parameter), name) != name:
            raise UsageError(f"{thing}[{name!r}]", f"has a parameter of {thing}[{owner[id(parameter)]!r}]",
                             "each must have its own", "Make one module for each.")


def _parameters(modules: Iterable[tuple[str, nn.Module]]) -> Iterable[tuple[str, nn.Parameter]]:
    return ((name, parameter) for name, module in modules for parameter in module.parameters())
