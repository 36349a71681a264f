"""The value Plan: who learns with whom, and who serves whom."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base import DataError, UsageError
from ..base.checks import no_duplicates


@dataclass(frozen=True)
class Group:
    """The tasks that one estimator ``learns``, and those among them that it ``serves`` (default: all it learns).

    A group may learn a task only for the help that it gives to the others.
    """

    learns: tuple[str, ...]
    serves: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "learns", tuple(self.learns))
        object.__setattr__(self, "serves", tuple(self.serves) or self.learns)
        if not self.learns:
            raise UsageError("a group", "learns no task", "it must learn at least one", "Name its tasks.")
        no_duplicates("a group", self.learns)
        strange = [name for name in self.serves if name not in self.learns]
        if strange:
            raise UsageError("a group", f"serves {strange[0]!r}, which it does not learn",
                             "it may serve only what it learns", "Add the task to learns.")


@dataclass(frozen=True)
class Plan:
    """A list of groups in which every task is served exactly once.

    >>> plan = Plan.of([["price", "sold"], ["grade"]])
    >>> plan.tasks
    ('price', 'sold', 'grade')
    >>> Plan.from_json(plan.to_json()) == plan
    True
    """

    groups: tuple[Group, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "groups", tuple(self.groups))
        no_duplicates("the served tasks of a plan", self.tasks)

    @classmethod
    def of(cls, groups: Sequence[Sequence[str]]) -> Plan:
        """The plan in which each list of names is a group that serves all that it learns."""
        return cls(tuple(Group(tuple(group)) for group in groups))

    @classmethod
    def separate(cls, tasks: Sequence[str]) -> Plan:
        """Every task alone."""
        return cls.of([[name] for name in tasks])

    @classmethod
    def together(cls, tasks: Sequence[str]) -> Plan:
        """All tasks in one group."""
        return cls.of([list(tasks)])

    @property
    def tasks(self) -> tuple[str, ...]:
        """All served tasks, in the order of the groups."""
        return tuple(name for group in self.groups for name in group.serves)

    @property
    def is_separate(self) -> bool:
        """Whether no task learns with another."""
        return all(len(group.learns) == 1 for group in self.groups)

    def check_tasks(self, tasks: Sequence[str]) -> Plan:
        """This plan, if it serves just these tasks; else a DataError that names what is missing or strange."""
        missing, strange = sorted(set(tasks) - set(self.tasks)), sorted(set(self.tasks) - set(tasks))
        if missing or strange:
            what = f"does not serve {missing[0]!r}" if missing else f"serves {strange[0]!r}, which is no task here"
            raise DataError("the plan", what, "it must serve every task once", "Mend the plan.")
        return self

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return {"groups": [{"learns": list(group.learns), "serves": list(group.serves)} for group in self.groups]}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Plan:
        """The plan that ``to_json`` described."""
        return cls(tuple(Group(tuple(group["learns"]), tuple(group.get("serves", ()))) for group in state["groups"]))

    @classmethod
    def read(cls, path: str | Path) -> Plan:
        """The plan in a JSON file. DataError where the file is missing or holds none."""
        try:
            state = json.loads(Path(path).read_text(encoding="utf-8"))
            if not isinstance(state, dict):
                raise ValueError(f"it holds {json.dumps(state)[:40]}")
            return cls.from_json(state)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(f"plan {str(path)!r}", f"can't be read ({error})",
                            'it must be "auto", "separate", "together" or a JSON file {"groups": [{"learns": [...]}]}',
                            "Check the path.") from error
