"""ESMM: chances of events that only follow one another, learned on all rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..base import UsageError
from .funnel import funnel_of, needed
from .heads import heads_over
from .one_trunk import OneTrunk


class ESMM(OneTrunk):
    """Entire space multi-task model: an event's chance is the product of its own and those of the events before it.

    For click and then purchase: p(click) = sigmoid(z_click), p(click and purchase) = sigmoid(z_click) *
    sigmoid(z_purchase), z being what the heads give, and so on along the ``funnel``. Raw outputs are the logits of
    these chances, so that the usual binary loss with a target for every row (purchase: 0 where there was no click) is
    the loss of the paper, and an event is never likelier than the one before it. ``conditional`` gives z: the logit of
    a purchase given a click, which is thus learned from all rows and not from the clicked ones alone.

    Ma, Zhao, Huang, Wang, Hu, Zhu, Gai 2018, Entire space multi-task model: An effective approach for estimating
    post-click conversion rate. What all rows teach beyond the clicked ones is the common trunk; where
    something unseen makes both click and purchase likelier, the conditional chance remains that among those who click.

    ``trunk``: any module; ``heads``: a module a task, each of a funnel's giving one logit a row; ``funnel``: the
    tasks that are its events, in order (None: all, in the order of ``heads``); other tasks are heads as in
    HardSharing. UsageError where there is no head, the funnel names less than two tasks, or its raw outputs differ in
    shape. All heads but the last are shared: later events depend on them.

    >>> model = ESMM(nn.Linear(3, 4), {"click": nn.Linear(4, 1), "purchase": nn.Linear(4, 1)})
    >>> raw = model(torch.zeros(5, 3))
    >>> bool((raw["purchase"] < raw["click"]).all())
    True
    """

    is_funnel: ClassVar[bool] = True

    def __init__(self, trunk: nn.Module, heads: Mapping[str, nn.Module], funnel: Sequence[str] | None = None) -> None:
        super().__init__()
        self.heads = heads_over(trunk, heads)
        self.tasks, self.funnel = tuple(heads), funnel_of(heads, funnel)
        self.trunk = trunk

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        events = needed(self.funnel, names)
        raws = self.conditional(inputs, tuple(dict.fromkeys((*events, *names))))
        for before, event in pairwise(events):
            raws[event] = _both(event, raws[before], raws[event])
        return {name: raws[name] for name in names}

    def conditional(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        """The logit of every event's chance given that the one before happened; of other tasks the raw output."""
        names, features = self.wanted(tasks), self.trunk(inputs)
        return {name: self.heads.of(name)(features) for name in names}

    def represent(self, inputs: Any) -> Tensor:
        return self.trunk(inputs)

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return () if name in self.funnel[:-1] else (self.heads.of(name),)


def _both(event: str, before: Float[Tensor, "..."], given: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """The logit of sigmoid(before) * sigmoid(given): (1 + exp -a) (1 + exp -b) - 1 are the odds against it."""
    if before.shape != given.shape:
        raise UsageError(f"the raw output of {event!r}", f"has the shape {list(given.shape)}",
                         f"it must be that of the event before, {list(before.shape)}", "Give both heads one output.")
    return -torch.stack([-before, -given, -before - given]).logsumexp(0)
