"""Who shares with whom in a table whose tasks are of several kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sklearn.base import clone

from ..solve.trees import PooledExtraTrees, PooledTrees
from ..task import Task
from .candidate import Candidate
from .plan import Group, Plan


def within_kinds(candidate: Candidate, tasks: Sequence[Task], apart: Sequence[Candidate]) -> Candidate:
    """Pooled trees as they share, within a kind and size; others as they are.

    A task without its like in its group is learned as by the one of the candidates ``apart`` of the same recipe, lest
    what another model of it alone brings be taken for a gain of sharing.
    """
    pooled = candidate.parts[0]
    if not isinstance(pooled, PooledTrees | PooledExtraTrees):
        return candidate
    by_name = {task.name: task for task in tasks}
    groups = []
    for group in candidate.plan.groups:
        for key in dict.fromkeys(kind_and_size(by_name[name]) for name in group.serves):
            learns, serves = (tuple(name for name in names if kind_and_size(by_name[name]) == key)
                              for names in (group.learns, group.serves))
            groups.append(Group(learns, serves))
    groups.sort(key=lambda group: -len(group.learns))  # the first part says what sort the candidate is
    recipe = candidate.name.removeprefix("pooled ").rsplit(", ", 1)[0]
    alone = next(one.parts[0] for one in apart if one.name == f"{recipe}, separate")
    parts = tuple(clone(pooled if len(group.learns) > 1 else alone).set_params(
        tasks=[by_name[name] for name in group.learns]) for group in groups)
    return replace(candidate, plan=Plan(tuple(groups)), parts=parts)


def learning_alone(candidates: Sequence[Candidate], tasks: Sequence[Task]) -> frozenset[str]:
    """The tasks that no candidate learns with another: lines share among tasks of one kind and size. A set of labels
    has company in itself."""
    by_name = {task.name: task for task in tasks}
    helped = {task.name for task in tasks if task.kind.width > 1}
    for one in (one for one in candidates if one.shares):
        for group in one.plan.groups:
            sizes = [kind_and_size(by_name[name]) for name in group.learns]
            helped |= {name for name in group.serves if len(sizes) > 1 and (
                one.family != "linear" or sizes.count(kind_and_size(by_name[name])) > 1)}
    return frozenset(by_name.keys() - helped)


def kind_and_size(task: Task) -> tuple[str, int]:
    """What tasks must have in common for lines and pooled trees to share anything."""
    return task.kind.name, task.kind.outputs
