"""Balancers that compete, by name or as objects, made for the tasks of a table."""

from __future__ import annotations

import inspect
from collections.abc import Sequence

from ..balance import Balancer
from ..base import UsageError, catalogue
from ..base.checks import no_duplicates, one_of
from ..task import Task

Wanted = str | Balancer


def check_balancers(wanted: Sequence[Wanted], families: Sequence[str] | None = None,
                    plan: object = "auto") -> Sequence[Wanted]:
    """``wanted``, whose names are those of balancers that need nothing but the tasks. UsageError for others, for what
    only a training loop of one's own can serve, and where no shared network is to compete that they could balance."""
    if isinstance(wanted, (str, Balancer)):
        raise UsageError("balance", "is no list", "it must be a list of balancers", "Put it in brackets.")
    if len(wanted) and (plan == "separate" or "network" not in (families or ("network",))):
        raise UsageError("balance", "is given where no shared network competes", "balancers are for those alone",
                         "Leave it out, or let families and plan have shared networks.")
    known = catalogue.classes("balance", Balancer)
    for one in wanted:
        if isinstance(one, Balancer):
            for part in one.modules():
                _check_loop(type(part))
            continue
        _check_loop(known[one_of("balancer", one, known)])
        needed = _needed(known[one])
        if needed:
            raise UsageError(f"balancer {one!r}", f"needs {', '.join(needed)}",
                             f"by name there are only those that need nothing but the tasks: {_by_name()}",
                             f"Name one of these, or give an object in Python: balance=[balance.{one}"
                             f"({needed[0]}=...)].")
    no_duplicates("balance", [_name(one) for one in wanted])
    return wanted


def make_balancers(wanted: Sequence[Wanted], tasks: Sequence[Task]) -> dict[str, Balancer]:
    """Name -> balancer. Equal is left out: it always competes. UsageError where an object has other tasks."""
    names = [task.name for task in tasks]
    known = catalogue.classes("balance", Balancer)
    found: dict[str, Balancer] = {}
    for one in wanted:
        if isinstance(one, Balancer):
            if one.tasks and set(one.tasks) != set(names):
                raise UsageError(f"balancer {_name(one)!r}", f"is for the tasks {', '.join(one.tasks)}",
                                 f"the targets are {', '.join(names)}", "Make it for the targets.")
            found[_name(one)] = one
        else:
            found[one] = known[one](**dict.fromkeys(_required(known[one]), names))
    found.pop("Equal", None)
    return found


def _check_loop(kind: type) -> None:
    """UsageError for a balancer that asks more of the loop than ``backward``."""
    if issubclass(kind, Balancer) and kind.own_loop:
        raise UsageError(f"balancer {kind.__name__!r}", f"needs {kind.own_loop}",
                         "a fit of tables gives balancers the training losses alone",
                         f"Call it in a loop of your own, or name one of {_by_name()}.")


def _by_name() -> str:
    return ", ".join(name for name, kind in catalogue.classes("balance", Balancer).items()
                     if issubclass(kind, Balancer) and not kind.own_loop and not _needed(kind))


def _needed(kind: type) -> list[str]:
    return [name for name in _required(kind) if name != "tasks"]


def _required(kind: type) -> list[str]:
    return [name for name, one in inspect.signature(kind).parameters.items() if one.default is one.empty]


def _name(one: Wanted) -> str:
    return one if isinstance(one, str) else type(one).__name__
