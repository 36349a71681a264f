"""Hooks on nodes of the graph, for the time of some passes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar, runtime_checkable


@runtime_checkable
class Watcher(Protocol):
    """What has hooks to set."""

    def watch(self) -> list[Any]:
        """Set them; gives their handles."""
        ...


Some = TypeVar("Some", bound=Watcher)


@contextmanager
def watching(watchers: list[Some]) -> Iterator[list[Some]]:
    """All of them watch inside the ``with``, and none after it."""
    handles = [handle for one in watchers for handle in one.watch()]
    try:
        yield watchers
    finally:
        for handle in handles:
            handle.remove()
