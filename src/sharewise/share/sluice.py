"""Sluice: subspaces of all tasks' features are mixed, and every task takes a mixture of all its stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..base import UsageError
from ..base.checks import whole, within
from .evaluating import evaluating
from .features import Features
from .heads import heads_over
from .per_task import PerTask, ordered_as
from .shared_model import SharedModel
from .side_by_side import Row, SideBySide
from .trunk import Trunk, placed_like

TRIED_LENGTH = 16  # of each axis of positions


class Sluice(SharedModel):
    """Networks side by side that share subspaces of their features, and heads that read all stages.

    The channels of task t after stage s are cut into G subspaces. Subspace g goes on as sum over all tasks u and
    subspaces h of a[s, t, g, u, h] x[s, u, h]; the head reads sum_s b[t, s] x~[t, s], x~ being what is mixed. With a
    the identity and b = 1 for the last stage alone, these are separate networks. ``penalty()`` is ``strength`` times
    sum over stages, tasks and pairs g < h of |W_g W_h'|^2, W_g the rows of a weight that write subspace g: subspaces
    are to hold different things.

    Ruder, Bingel, Augenstein, Søgaard 2019, Latent multi-task architecture learning. For any backbone, the
    weights W are all those of a stage that write as many rows as there are channels.

    ``trunks``: a Trunk a task, alike, with stages that all give one shape; ``heads``: a module a task; ``subspaces``:
    G, a divisor of the channels; ``own``, 0 to 1: what a starts with on its diagonal and b on the last stage (the
    others share the rest); ``strength``, 0 or more. UsageError where trunks and heads name different tasks, trunks
    differ, or stages give different shapes (in maps and tokens, of a small input of zeros that runs through them once).

    >>> from sharewise.share import MLP
    >>> heads = {name: nn.Linear(8, 1) for name in ("a", "b")}
    >>> model = Sluice({name: MLP(3, [8, 8]) for name in heads}, heads)
    >>> model(torch.zeros(5, 3))["a"].shape, model.penalty().shape
    (torch.Size([5, 1]), torch.Size([]))
    """

    def __init__(self, trunks: Mapping[str, Trunk], heads: Mapping[str, nn.Module], subspaces: int = 2,
                 own: float = 0.9, strength: float = 0.01) -> None:
        super().__init__()
        within("own", own, 0.0, 1.0)
        within("strength", strength, 0.0)
        whole("subspaces", subspaces, 1, 10**6)
        self.tasks, self.subspaces, self.own, self.strength = tuple(heads), subspaces, own, strength
        trunks = ordered_as(heads, "trunks", trunks)
        self.networks = SideBySide(trunks, lambda place, _: _Row(place, len(heads), subspaces, own))
        stages = self.networks.features[1:]
        _check_one_shape(stages, subspaces)
        _check_lengths(next(iter(trunks.values())))
        self.stage_weights = PerTask("stage weights", {
            name: placed_like(nn.ParameterList([_spread(len(stages), -1, own)]), trunks[name]) for name in trunks})
        self.heads = heads_over(trunks, heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        after, given = self.networks(inputs)
        after.append(self.networks.last(given, names))
        return {name: self.heads.of(name)(self._mixed(name, [stage[name] for stage in after])) for name in names}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.heads.of(name), self.stage_weights.of(name), self.networks.own_row(name))

    def penalty(self) -> Float[Tensor, ""]:
        channels = self.networks.features[-1].channels
        overlaps = [self._overlap(weight) for trunk in self.networks.trunks for weight in trunk.parameters()
                    if weight.ndim > 1 and len(weight) == channels]
        return self.strength * sum(overlaps, start=super().penalty())

    def _mixed(self, name: str, stages: Sequence[Tensor]) -> Tensor:
        weights = self.stage_weights.of(name)[0]
        _check_same(stages)
        mixed = weights[0] * stages[0]
        for weight, features in zip(weights[1:], stages[1:], strict=True):
            mixed = mixed + weight * features
        return mixed

    def _overlap(self, weight: Tensor) -> Tensor:
        """The sum of |W_g W_h'|^2 over the pairs g < h."""
        rows = weight.flatten(1)
        squares = (rows @ rows.mT).square()
        blocks = squares.unflatten(0, (self.subspaces, -1)).unflatten(2, (self.subspaces, -1)).sum((1, 3))
        return blocks.triu(1).sum()


class _Row(Row):
    """One task's rows of a unit: weight [G, T G] over the subspaces of all tasks."""

    def __init__(self, place: int, tasks: int, subspaces: int, own: float) -> None:
        super().__init__()
        size = tasks * subspaces
        self.weight = nn.Parameter(torch.stack([_spread(size, place * subspaces + g, own) for g in range(subspaces)]))

    def forward(self, given: Tensor) -> Tensor:
        return (self.weight @ self._parts(given)).flatten(-2)

    def together(self, rows: Sequence[Row], given: Tensor) -> Tensor:
        weight = torch.cat([row.weight for row in cast(Sequence[_Row], rows)])
        mixed = (weight @ self._parts(given)).unflatten(-2, (len(rows), -1))
        return mixed.flatten(-2).movedim(-2, 0)

    def _parts(self, given: Tensor) -> Tensor:
        """The subspaces of all tasks [..., T G, C / G]."""
        return given.unflatten(-1, (len(self.weight), -1)).movedim(0, -3).flatten(-3, -2)


def _spread(size: int, place: int, own: float) -> Tensor:
    """``own`` at one place, the rest in equal parts at the others."""
    weights = torch.full((size,), (1 - own) / max(size - 1, 1))
    weights[place] = own if size > 1 else 1.0
    return weights


def _check_one_shape(features: Sequence[Features], subspaces: int) -> None:
    if len(set(features)) > 1:
        raise UsageError("trunks", f"have stages that give {[part.channels for part in features]} channels",
                         "all stages must give one shape, for the head reads a mixture of them",
                         "Make all stages equally wide.")
    if features[0].channels % subspaces:
        raise UsageError("subspaces", f"is {subspaces}", f"it must divide the {features[0].channels} channels",
                         "Change it.")


def _check_lengths(trunk: Trunk) -> None:
    """UsageError where stages give maps or sequences of several lengths; a trunk that can't read this small input, or
    reads ids, is only asked when it runs."""
    reads = trunk.features[0]
    like = next(trunk.parameters(), torch.zeros(()))
    if reads.positions == 0 or reads.channels == 0:
        return
    lengths = [TRIED_LENGTH] * reads.positions
    features = like.new_zeros((1, *lengths, reads.channels) if reads.positions == 1 else (1, reads.channels, *lengths))
    found = []
    with evaluating(trunk), torch.no_grad():
        for stage in trunk.stages:
            try:
                features = stage(features)
            except (RuntimeError, ValueError):  # it asks for another length
                return
            found.append(features)
    _check_same(found)


def _check_same(stages: Sequence[Tensor]) -> None:
    shapes = [list(features.shape[1:]) for features in stages]
    if any(shape != shapes[0] for shape in shapes):
        raise UsageError("trunks", f"have stages that give {', '.join(map(str, shapes))} for one input",
                         "all stages must give one shape, for the head reads a mixture of them",
                         "Keep the lengths from stage to stage, as share.ResNet(..., stride=1) does.")
