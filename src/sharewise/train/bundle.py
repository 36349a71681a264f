"""Members and bundles: which networks are trained, and which of them run through one loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..share import HardSharing, SharedModel
from ..task import Scale, Task, slices
from .architecture import Architecture
from .layers import Head, Trunk
from .own_rows import is_apart
from .recipe import Recipe, Tree
from .seats import Seats, shape_of, take_seats
from .stacked import Stacked

Array = np.ndarray


class Member(NamedTuple):
    """One network: which fold it learns, which copy of the ensemble it is, its tasks (by place), its rows, and, where
    it branches, who shares which stage."""

    fold: int
    copy: int
    group: tuple[int, ...]
    rows: Array
    held_out: Array
    tree: Tree = ()


class Sizes(NamedTuple):
    """How large a network is and how long it learns."""

    hidden: int
    batch: int
    steps: int


@dataclass(frozen=True)
class Block:
    """Tasks whose losses are computed in one go: places in the group, columns of Z [B, Tk * W], units [B, Tk], and
    weights of classes [B, 1, Tk, W, codes] where their kind has any."""

    slots: tuple[int, ...]
    columns: Tensor
    unit: Tensor
    share: Tensor
    weights: Tensor | None = None


@dataclass(frozen=True)
class Bundle:
    """B members of one shape that train in one loop; ``seats``: the task in each slot of each member; ``names``: what
    the losses of the slots are called; ``has_own_rows``: no row belongs to two tasks."""

    members: Sequence[Member]
    seats: Sequence[Seats]
    names: tuple[str, ...]
    tasks: Sequence[Task]
    blocks: Sequence[Block]
    has_own_rows: bool = False

    @property
    def folds(self) -> Tensor:
        """The fold of each member [B]."""
        return torch.tensor([member.fold for member in self.members])

    def without_held_out(self) -> Bundle:
        """The same members with no rows to judge them by."""
        return replace(self, members=[member._replace(held_out=member.held_out[:0]) for member in self.members])

    def kind(self, slot: int):
        """The kind of a slot, alike in all members as far as shapes and losses go."""
        return self.tasks[self.seats[0][slot].task].kind

    def model(self, inputs: int, sizes: Sizes, depth: int, dropout: float, seed: int,
              scales: Sequence[dict[str, Scale]]) -> HardSharing:
        """All members as one shared model with a head a block; heads start at the trivial predictor."""
        trunk = Trunk([member.copy for member in self.members], inputs, sizes.hidden, depth, dropout, seed)
        starts = [torch.tensor([self._start(seats, block, scales[member.fold])
                                for member, seats in zip(self.members, self.seats, strict=True)])
                  for block in self.blocks]
        return HardSharing(trunk, {title: Head(sizes.hidden, start)
                                   for title, start in zip(self.titles, starts, strict=True)})

    def stacked(self, architecture: Architecture, inputs: int, sizes: Sizes, depth: int, dropout: float,
                seed: int, scales: Sequence[dict[str, Scale]]) -> Stacked:
        """All members as one model of another architecture."""
        shape = (inputs, sizes.hidden, depth, dropout, seed)
        recipes = [Recipe({self.tasks[at].name: self.tasks[at].kind.start(scales[member.fold][self.tasks[at].name])
                           for at in member.group}, *shape, member.copy, member.tree) for member in self.members]
        return Stacked(architecture, recipes, {title: [self.names[slot] for slot in block.slots]
                                               for title, block in zip(self.titles, self.blocks, strict=True)},
                       self.has_own_rows and len(self.blocks) == 1 and is_apart(architecture))

    @property
    def titles(self) -> list[str]:
        """What the blocks are called."""
        return [" ".join(self.names[slot] for slot in block.slots) for block in self.blocks]

    def _start(self, seats: Seats, block: Block, scales: dict[str, Scale]) -> list[float]:
        tasks = [self.tasks[seats[slot].task] for slot in block.slots]
        return [value for task in tasks for value in task.kind.start(scales[task.name])]

    def losses(self, model: SharedModel, x: Tensor, z: Sequence[Tensor]) -> list[Float[Tensor, "B Tk"]]:
        """Loss of each task of each member, block by block: sum over the observed rows of the batch over the number
        of rows that is to be expected, which is an unbiased estimate of the mean over all rows also where a batch
        holds few or none of them."""
        raws = self.raws(model, x, z)
        return [self._block_loss(raw, block, target) for raw, block, target in zip(raws, self.blocks, z, strict=True)]

    def raws(self, model: SharedModel, x: Tensor, z: Sequence[Tensor]) -> list[Tensor]:
        """Raw outputs [B, N, Tk * R] of each block; where rows are asked for their own task alone, that output stands
        in the place of every task, for it is read only where the task is observed."""
        if not (isinstance(model, Stacked) and model.own_rows is not None):
            return list(model(x).values())
        seen = ~z[0].isnan().unflatten(-1, (len(self.names), -1))
        raw = model.of_own_rows(x, seen.any(-1).int().argmax(-1))
        return [raw.unsqueeze(2).expand(-1, -1, len(self.names), -1).flatten(2)]

    def _block_loss(self, raw: Tensor, block: Block, target: Tensor) -> Tensor:
        rows, _ = self.row_losses(raw, block, target)
        return rows.sum(1) / (block.unit * block.share * raw.shape[1])

    def row_losses(self, raw: Tensor, block: Block, target: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and observed [B, N, Tk] of every row, in the units of the kind."""
        shape = (*raw.shape[:2], len(block.slots), -1)
        target = target.view(shape)
        seen = ~target.isnan()
        weights = () if block.weights is None else (block.weights,)
        return self.kind(block.slots[0]).loss(raw.view(shape), target, seen, *weights), seen.any(-1)


def make_bundle(members: Sequence[Member], tasks: Sequence[Task], observed: Bool[Array, "N T"],
                scales: Sequence[dict[str, Scale]], joined: bool) -> Bundle:
    """Members of one shape, or of any groups, as one bundle; ``joined``: tasks of one kind are computed together."""
    seats = take_seats([member.group for member in members], tasks)
    same = len({member.group for member in members}) == 1
    names = tuple(tasks[at].name if same else f"slot {slot}" for slot, (at, _) in enumerate(seats[0]))
    alike: dict[object, list[int]] = {}
    for slot, (at, _) in enumerate(seats[0]):
        alike.setdefault(shape_of(tasks[at]) if joined else slot, []).append(slot)
    blocks = [_block(tuple(slots), members, seats, tasks, observed, scales) for slots in alike.values()]
    return Bundle(members, seats, names, tasks, blocks,
                  bool((observed[:, list(members[0].group)].sum(axis=1) <= 1).all()))


def _block(slots: tuple[int, ...], members: Sequence[Member], seats: Sequence[Seats], tasks: Sequence[Task],
           observed: Array, scales: Sequence[dict[str, Scale]]) -> Block:
    parts = slices(tasks)
    never = sum(task.kind.width for task in tasks)  # the column of Z after the last
    rows = [[member_seats[slot] for slot in slots] for member_seats in seats]
    columns = [[column if real else never for at, real in row
                for column in range(parts[tasks[at].name].start, parts[tasks[at].name].stop)] for row in rows]
    scale = [[scales[member.fold][tasks[at].name] for at, _ in row] for member, row in zip(members, rows, strict=True)]
    share = [observed[member.rows][:, [at for at, _ in row]].mean(axis=0)
             for member, row in zip(members, rows, strict=True)]
    weights = [[one.weights for one in row] for row in scale]
    smallest = [[1 / max(len(member.rows), 1)] for member in members]
    return Block(slots, torch.tensor(columns), torch.tensor([[one.unit_z for one in row] for row in scale]),
                 torch.from_numpy(np.maximum(np.stack(share), smallest)).float(),
                 torch.tensor(weights).unsqueeze(1) if weights[0][0] else None)
