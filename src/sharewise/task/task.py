"""The value Task: a name, a kind, and where its values stand in a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .kind import Kind


@dataclass(frozen=True)
class Task:
    """One thing to predict.

    ``columns`` are the target columns of a table (default: the column of the task's name). In the long layout the
    task owns only the rows in which ``task_column`` is ``task_value``. ``reason`` says in words why it has its kind.

    >>> from sharewise.task import Ordinal
    >>> Task("grade", Ordinal(("low", "mid", "high"))).columns
    ('grade',)
    """

    name: str
    kind: Kind
    columns: tuple[str, ...] = ()
    reason: str = ""
    task_column: str | None = None
    task_value: Any = None

    def __post_init__(self) -> None:
        if not self.columns:
            object.__setattr__(self, "columns", (self.name,))

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return {**vars(self), "kind": self.kind.to_json(), "columns": list(self.columns)}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Task:
        """The task that ``to_json`` described."""
        return cls(**{**state, "kind": Kind.from_json(state["kind"]), "columns": tuple(state["columns"])})
