"""Branching: one network that parts into branches, stage by stage, as a given tree of the tasks says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from torch import Tensor, nn

from ..base import UsageError
from ..base.checks import at_least_one, no_duplicates, one_of
from .heads import heads_over
from .per_task import PerTask, ordered_as
from .shared_model import SharedModel
from .trunk import Trunk, check_alike


class Branching(SharedModel):
    """A tree of stages: at every stage the tasks of one group share it, and groups only ever part on the way up.

    Where all tasks are one group at every stage, it is hard sharing; where each is its own group from the first stage
    on, separate networks.

    Lu, Kumar, Zhai, Cheng, Javidi, Feris 2017, Fully-adaptive feature sharing in multi-task networks with applications
    in person attribute classification; Vandenhende, Georgoulis, De Brabandere, Van Gool 2020, Branched multi-task
    networks: Deciding what layers to share. The tree itself is given here, whatever proposed it.

    ``trunks``: a Trunk a task, alike; a group runs the stage of its first task in the order of ``heads``, and stages of
    the other tasks are left out; ``heads``: a module a task; ``groups``: for each stage the groups of tasks,
    ``[[["a", "b", "c"]], [["a", "b"], ["c"]]]`` for two stages. UsageError where trunks and heads name different tasks,
    trunks differ, a stage doesn't name every task once, or a group brings tasks together that had parted.

    >>> import torch
    >>> from sharewise.share import MLP
    >>> heads = {name: nn.Linear(8, 1) for name in ("a", "b", "c")}
    >>> tree = [[["a", "b", "c"]], [["a", "b"], ["c"]]]
    >>> model = Branching({name: MLP(3, [8, 8]) for name in heads}, heads, tree)
    >>> model(torch.zeros(5, 3))["c"].shape, len(model.own_modules("a")), len(model.own_modules("c"))
    (torch.Size([5, 1]), 1, 2)
    >>> model.structure()
    'stage 0: a, b, c; stage 1: a, b | c'
    """

    def __init__(self, trunks: Mapping[str, Trunk], heads: Mapping[str, nn.Module],
                 groups: Sequence[Sequence[Sequence[str]]]) -> None:
        super().__init__()
        self.tasks, self.groups = tuple(heads), groups
        trunks = ordered_as(heads, "trunks", trunks)
        stages = len(check_alike("trunks", trunks)) - 1
        _check(groups, self.tasks, stages)
        self.leaders = [{name: min(group, key=self.tasks.index) for group in stage for name in group}
                        for stage in groups]
        self.starts = {name: place for place in reversed(range(stages)) for name in self.leaders[place].values()}
        self.branches = PerTask("trunks", {name: nn.ModuleList(trunks[name].stages[start:])
                                           for name, start in self.starts.items()})
        self.heads = heads_over(trunks, heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        given: dict[str, Any] = dict.fromkeys(names, inputs)
        for place, leaders in enumerate(self.leaders):
            read = {leaders[name]: given[name] for name in names}
            outputs = {leader: self._node(place, leader)(features) for leader, features in read.items()}
            given = {name: outputs[leaders[name]] for name in names}
        return {name: self.heads.of(name)(given[name]) for name in names}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        alone = [place for place, stage in enumerate(self.groups) if [name] in map(list, stage)]
        return (*(self._node(place, name) for place in alone), self.heads.of(name))

    def structure(self) -> str:
        return "; ".join(f"stage {place}: " + " | ".join(", ".join(group) for group in stage)
                         for place, stage in enumerate(self.groups))

    def _node(self, place: int, leader: str) -> nn.Module:
        return self.branches.of(leader)[place - self.starts[leader]]


def _check(groups: Sequence[Sequence[Sequence[str]]], tasks: Sequence[str], stages: int) -> None:
    if len(groups) != stages:
        raise UsageError("groups", f"are given for {len(groups)} stages", f"the trunks have {stages}",
                         "Give the groups of every stage.")
    for place, stage in enumerate(groups):
        for group in stage:
            if isinstance(group, str):
                raise UsageError(f"groups[{place}]", f"has {group!r} in the place of a group",
                                 "a stage is a list of groups, and a group a list of names", f"Write [{group!r}].")
        named = [one_of("task", name, tasks) for group in stage for name in at_least_one("group", group)]
        no_duplicates(f"groups[{place}]", named)
        if missing := sorted(set(tasks) - set(named)):
            raise UsageError(f"groups[{place}]", f"leaves out {', '.join(map(repr, missing))}",
                             "every stage must name every task", "Add a group for each.")
    for place, (before, after) in enumerate(pairwise(groups), 1):
        for group in after:
            if not any(set(group) <= set(larger) for larger in before):
                raise UsageError(f"groups[{place}]", f"has the group {list(group)}, which stage {place - 1} had parted",
                                 "branches can't grow together again", "Make it a part of one group of that stage.")
