"""Pieces of one kind and shape, which share, as columns side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from ...task import Task
from ..pieces import Piece, is_constant, link, trivial

Array = np.ndarray


class Family(NamedTuple):
    """Columns that share: ``columns`` [N, K] of pieces of one kind and shape; ``groups`` lists the columns that have
    one common weight; ``pieces`` says to which piece each column belongs; ``classes`` is C for softmax; ``start`` are
    the scores of the trivial predictors."""

    columns: Float[Array, "N K"]
    groups: list[list[int]]
    pieces: list[int]
    loss: str
    classes: int
    start: Float[Array, "K"]

    @property
    def is_alone(self) -> bool:
        """Whether its columns are those of one task, with nobody to share with."""
        return len(self.groups[0]) == 1


def families(tasks: Sequence[Task], pieces: Sequence[Piece], train: Bool[Array, "N"]) -> list[Family]:
    """The pieces sorted into families; softmax pieces become C columns of 0 and 1."""
    members: dict[tuple[str, int], list[int]] = {}
    for at, piece in enumerate(pieces):
        kind = tasks[piece.at].kind
        members.setdefault((kind.name, kind.outputs), []).append(at)
    return [make_family([pieces[at] for at in ats], ats, train) for ats in members.values()]


def make_family(pieces: Sequence[Piece], numbers: Sequence[int], train: Bool[Array, "N"]) -> Family:
    """One family; the j-th pieces (or classes) of its tasks form the j-th group. Classes or counts that never vary in
    the rows to learn from count as not observed: their task gets the common weights, and its own trivial prediction at
    the centre."""
    columns: list[Array] = []
    groups: dict[int, list[int]] = {}
    owners: list[int] = []
    starts: list[float] = []
    for piece, number in zip(pieces, numbers, strict=True):
        own = piece._replace(target=piece.target[train])
        prior = trivial(own)
        for j in range(max(piece.classes, 1)):
            part = owners.count(number) if piece.classes else sum(pieces[k].at == piece.at for k in range(len(pieces))
                                                                  if numbers[k] < number)
            groups.setdefault(part, []).append(len(columns))
            owners.append(number)
            missing = np.isnan(piece.target) | (piece.loss != "squared" and is_constant(own))
            columns.append(np.where(missing, np.nan, piece.target == j if piece.classes else piece.target))
            starts.append(float(link(piece.loss, prior)[j]))
    return Family(np.stack(columns, axis=1), list(groups.values()), owners, pieces[0].loss, pieces[0].classes,
                  np.array(starts))
