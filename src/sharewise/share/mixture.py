"""Experts and gates: what all mixtures of experts are made of."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from ..base import UsageError
from .features import Features
from .per_task import check_own
from .stacked import sum_first
from .trunk import Trunk, check_alike, numbered


class Gate(nn.Module):
    """Weights of K experts for every row: softmax(W x), x what the experts read, averaged over its positions.

    UsageError where the experts read no numbers (ids), which a gate can't weigh.
    """

    def __init__(self, reads: Features, experts: int) -> None:
        super().__init__()
        if reads.channels == 0:
            raise UsageError("the gate", "would read inputs that have no channels (ids)",
                             "experts under a gate must read numbers", "Give a bottom that embeds them.")
        self.reads = reads
        self.linear = nn.Linear(reads.channels, experts, bias=False)

    def forward(self, inputs: Float[Tensor, "..."]) -> Float[Tensor, "K *rows"]:
        # over a last axis of so few numbers a softmax takes torch ten times as long
        return self.linear(self.reads.pool(inputs)).movedim(-1, 0).softmax(0)


def mix(outputs: Float[Tensor, "K *features"], weights: Float[Tensor, "K *rows"]) -> Float[Tensor, "*features"]:
    """sum_k weights[k] * outputs[k]: a weight for every row, or, with no axis but K, for all rows."""
    return sum_first(weights.reshape(*weights.shape, *[1] * (outputs.ndim - weights.ndim)) * outputs)


def check_experts(thing: str, experts: Sequence[Trunk]) -> Features:
    """What the experts read; UsageError where there is none, they differ, or one stands twice."""
    features = check_alike(thing, numbered(experts))
    check_own(thing, numbered(experts))
    return features[0]
