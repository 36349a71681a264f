"""Picks of candidates one after the other, for many tasks in one go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from ..task import Kind
from ..task.kind import SMALLEST_PROBABILITY

if TYPE_CHECKING:
    from .ensemble import Bench

Array = np.ndarray
ENTRIES = 30_000  # means of all candidates that are worked on at once: few enough to stay in the processor's cache


class Stack(NamedTuple):
    """Tasks of one kind side by side, S rows in all.

    ``parts`` [M, S, C]: what the members of a bag add up, each candidate's mean, or, with ``are_chances``, its
    probability [M, S, 1] of what was observed. ``target`` [S, W]. Of each of the t tasks: its number ``at``, its first
    row, its number of rows, the trivial predictor's loss.
    """

    kind: Kind
    parts: Float[Array, "M S C"]
    are_chances: bool
    target: Float[Array, "S W"]
    at: Int[Array, "t"]
    starts: Int[Array, "t"]
    sizes: Int[Array, "t"]
    units: Float[Array, "t"]

    @classmethod
    def of(cls, benches: Sequence[Bench], at: Sequence[int]) -> Stack:
        """The benches with these numbers, which are of one kind and have rows."""
        own = [benches[number] for number in at]
        kind, means = own[0].kind, np.concatenate([one.means for one in own], axis=1)
        target, sizes = np.concatenate([one.target for one in own]), np.array([len(one.target) for one in own])
        chances = kind.chance(means, target)
        return cls(kind, means if chances is None else chances[..., None], chances is not None, target, np.array(at),
                   np.cumsum(sizes) - sizes, sizes, np.array([one.unit for one in own]))

    def losses(self, sums: Float[Array, "M S C"], members: float) -> Float[Array, "M t"]:
        """Mean relative losses of bags of so many ``members`` that add up to ``sums``, which are overwritten."""
        if self.are_chances:  # minus log(sum / members)
            np.clip(sums, SMALLEST_PROBABILITY * members, (1 - SMALLEST_PROBABILITY) * members, out=sums)
            loss, level = np.log(sums, out=sums)[..., 0], np.log(members)
            return (level - np.add.reduceat(loss, self.starts, axis=1) / self.sizes) / self.units
        sums /= members
        target = np.broadcast_to(self.target, (len(sums), *self.target.shape)).reshape(-1, self.target.shape[1])
        loss = self.kind.row_loss(sums.reshape(-1, sums.shape[-1]), target).reshape(sums.shape[:2])
        return np.add.reduceat(loss, self.starts, axis=1) / self.sizes / self.units


def stacks(benches: Sequence[Bench], at: Sequence[int]) -> Iterator[Stack]:
    """The benches with these numbers in stacks of not many more than ENTRIES means."""
    alike: dict[object, list[int]] = {}
    for number in at:
        kind = benches[number].kind
        alike.setdefault((type(kind), kind.outputs, kind.variant), []).append(number)
    for numbers in alike.values():
        ends = np.cumsum([benches[number].means.size for number in numbers])
        for piece in np.split(numbers, np.flatnonzero(np.diff(ends // ENTRIES)) + 1):
            yield Stack.of(benches, piece.tolist())


def pick_in_common(piles: Sequence[Stack], picks: int) -> Int[Array, "M"]:
    """So many candidates, some of them several times, one at a time, each the one that lowers the mean over all tasks
    most."""
    bag = np.zeros(len(piles[0].parts), dtype=int)
    sums = [np.zeros(pile.parts.shape[1:]) for pile in piles]
    for members in range(1, picks + 1):
        losses = [pile.losses(held + pile.parts, members).sum(axis=1) for held, pile in zip(sums, piles, strict=True)]
        best = int(np.argmin(np.sum(losses, axis=0)))
        bag[best] += 1
        for held, pile in zip(sums, piles, strict=True):
            held += pile.parts[best]
    return bag


def pick_for_each(pile: Stack, bags: Float[Array, "t M"], picks: int) -> Float[Array, "t M"]:
    """The bags of the tasks with so many more picks each, one at a time, the one that lowers its own task's loss
    most. All bags must be of one size."""
    bags, task = bags.copy(), np.repeat(np.arange(len(pile.at)), pile.sizes)
    tasks, rows = np.arange(len(pile.at)), np.arange(len(task))
    members = float(bags[0].sum())
    held = sum(weights[task, None] * part for weights, part in zip(bags.T, pile.parts, strict=True))
    for _ in range(picks):
        members += 1
        best = pile.losses(held + pile.parts, members).argmin(axis=0)
        bags[tasks, best] += 1
        held = held + pile.parts[best[task], rows]
    return bags
