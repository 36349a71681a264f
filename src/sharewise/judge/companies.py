"""Tasks that learned together, written down once for all of them and not once for each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST_NAMES = 30  # of a task's company; more are written as the number of a company, for T tasks would hold T * T names


def with_companies(state: dict[str, Any]) -> dict[str, Any]:
    """A report's JSON in which ``learned_with``, where it is long, is the number of one of the ``companies``: lists of
    names, of which each task learned with the others.

    >>> names = [f"t{at}" for at in range(40)]
    >>> tasks = [{"name": name, "learned_with": [other for other in names if other != name]} for name in names]
    >>> state = with_companies({"tasks": tasks})
    >>> state["tasks"][7]["learned_with"], len(state["companies"]), without_companies(state) == {"tasks": tasks}
    (0, 1, True)
    """
    order = {task["name"]: at for at, task in enumerate(state["tasks"])}
    numbers: dict[tuple[str, ...], int] = {}
    tasks = []
    for task in state["tasks"]:
        others = task["learned_with"]
        if len(others) > MOST_NAMES:
            company = tuple(sorted({task["name"], *others}, key=lambda name: (order.get(name, len(order)), name)))
            task = {**task, "learned_with": numbers.setdefault(company, len(numbers))}
        tasks.append(task)
    return {**state, "tasks": tasks, **({"companies": [list(one) for one in numbers]} if numbers else {})}


def without_companies(state: Mapping[str, Any]) -> dict[str, Any]:
    """The same with all names in ``learned_with``."""
    companies = state.get("companies", ())
    tasks = [{**task, "learned_with": [name for name in companies[task["learned_with"]] if name != task["name"]]}
             if isinstance(task["learned_with"], int) else task for task in state["tasks"]]
    return {**{name: value for name, value in state.items() if name != "companies"}, "tasks": tasks}
