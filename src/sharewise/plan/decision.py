"""The plan that is served, read off the choices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .candidate import Candidate
from .choice import TaskChoice
from .plan import Group, Plan


def served_plan(choices: dict[str, TaskChoice], candidates: Sequence[Candidate]) -> Plan:
    """Every task alone, but for those that shared learners serve: these learn with the tasks that the heaviest shared
    candidate in their ensemble learned them with. Tasks served out of the same group stand in one group."""
    learned: dict[tuple[str, ...], list[str]] = {}
    for name, choice in choices.items():
        learned.setdefault(_company(name, choice, candidates), []).append(name)
    return Plan(tuple(Group(learns, tuple(serves)) for learns, serves in learned.items()))


def _company(name: str, choice: TaskChoice, candidates: Sequence[Candidate]) -> tuple[str, ...]:
    weights = choice.weights["chosen"] * np.array([candidate.shares for candidate in candidates])
    if not choice.shared or not weights.any():
        return (name,)
    plan = candidates[int(weights.argmax())].plan
    return next(group.learns for group in plan.groups if name in group.serves)
