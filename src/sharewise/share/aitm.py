"""AITM: each event of a funnel takes over what it needs from the one before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..base.checks import within
from .features import Features
from .funnel import funnel_of, needed
from .heads import heads_over
from .per_task import PerTask, ordered_as
from .shared_model import SharedModel
from .trunk import Trunk, check_alike, placed_like


class AITM(SharedModel):
    """Adaptive information transfer: towers in the order of a funnel, each weighing its own features with those before.

    q_t = trunk_t(bottom(x)) and raw_t = head_t(z_t), where z_1 = q_1 and, after that, z_t = sum_u w_u V u over the two
    u in {g(z_before), q_t}, with w = softmax over them of <K u, Q u> / sqrt(C): how much comes from the event before is
    decided anew for every row. g is relu(G z). ``calibration`` is the paper's behavioural expectation calibrator, a
    part of the loss that the training loop adds:

        raws = model(inputs); loss = sum(losses) + model.calibration(raws)

    Xi, Chen, Yan, Zhang, Zhu, Zhuang, Chen 2021, Modeling the sequential dependence among audience multi-step
    conversions with multi-task learning in targeted display advertising. Over tokens and maps, each
    position is weighed for itself.

    ``trunks``: a Trunk a task, alike; ``heads``: a module a task; ``bottom``: a module that all share, whose output the
    trunks read in the place of the inputs; ``funnel``: the tasks that are its events, in order (None: all, in the
    order of ``heads``); other tasks are towers of their own on the bottom; ``strength``, 0 or more, of the calibrator.
    UsageError where trunks and heads name different tasks, trunks differ, or the funnel names less than two tasks.
    Trunks of all events but the last are shared: later events depend on them.

    >>> from sharewise.share import MLP
    >>> heads = {name: nn.Linear(8, 1) for name in ("click", "purchase")}
    >>> model = AITM({name: MLP(3, [8]) for name in heads}, heads)
    >>> model(torch.zeros(5, 3))["purchase"].shape
    torch.Size([5, 1])
    """

    is_funnel: ClassVar[bool] = True

    def __init__(self, trunks: Mapping[str, Trunk], heads: Mapping[str, nn.Module], bottom: nn.Module | None = None,
                 funnel: Sequence[str] | None = None, strength: float = 0.6) -> None:
        super().__init__()
        within("strength", strength, 0.0)
        self.heads = heads_over(trunks, heads)
        self.tasks, self.funnel, self.strength = tuple(heads), funnel_of(heads, funnel), strength
        trunks = ordered_as(heads, "trunks", trunks)
        features = check_alike("trunks", trunks)[-1]
        self.bottom = nn.Identity() if bottom is None else bottom
        self.trunks = PerTask("trunks", trunks)
        self.transfers = nn.ModuleList(placed_like(_Transfer(features), trunks[event]) for event in self.funnel[1:])

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names, inputs = self.wanted(tasks), self.bottom(inputs)
        events = needed(self.funnel, names)
        features = {name: self.trunks.of(name)(inputs) for name in dict.fromkeys((*events, *names))}
        for transfer, (before, event) in zip(self.transfers, pairwise(events), strict=False):
            features[event] = transfer(features[before], features[event])
        return {name: self.heads.of(name)(features[name]) for name in names}

    def calibration(self, raws: Mapping[str, Float[Tensor, "..."]]) -> Float[Tensor, ""]:
        """strength * sum_t mean(max(p_t - p_before, 0)), p = sigmoid(raw): what events are likelier than they can be.

        ``raws``: by task, as ``forward`` gives them; events whose predecessor is not among them add nothing.
        """
        pairs = [(raws[event], raws[before]) for before, event in pairwise(self.funnel) if {before, event} <= set(raws)]
        excess = [(event.sigmoid() - before.sigmoid()).relu().mean() for event, before in pairs]
        return self.strength * sum(excess, start=self.penalty())

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        if name in self.funnel[:-1]:
            return (self.heads.of(name),)
        last = self.transfers[-1:] if name == self.funnel[-1] else ()
        return (self.heads.of(name), self.trunks.of(name), *last)


class _Transfer(nn.Module):
    """From one event to the next."""

    def __init__(self, features: Features) -> None:
        super().__init__()
        size = features.channels
        self.features = features
        self.hand_over = nn.Sequential(nn.Linear(size, size), nn.ReLU())
        self.value, self.key, self.query = (nn.Linear(size, size) for _ in range(3))

    def forward(self, before: Tensor, own: Tensor) -> Tensor:
        both = torch.stack([self.hand_over(self.features.channels_last(before)), self.features.channels_last(own)])
        scores = (self.key(both) * self.query(both)).sum(-1, keepdim=True) / both.shape[-1] ** 0.5
        return self.features.channels_back((scores.softmax(0) * self.value(both)).sum(0))
