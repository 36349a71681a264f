"""What mixtures of experts have in common: experts of one shape, what they read, and heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from .heads import heads_over
from .mixture import check_experts
from .shared_model import SharedModel
from .stacked import run_each
from .trunk import Trunk


class ExpertMixture(SharedModel):
    """K experts over a bottom that all share; how their outputs are weighed is the model's own."""

    def __init__(self, experts: Sequence[Trunk], heads: Mapping[str, nn.Module], bottom: nn.Module | None) -> None:
        super().__init__()
        self.tasks = tuple(heads)
        self.reads = check_experts("experts", experts)
        self.bottom = nn.Identity() if bottom is None else bottom
        self.experts = nn.ModuleList(experts)
        self.heads = heads_over(experts[0], heads)

    def run_experts(self, inputs: Any) -> tuple[Tensor, Tensor]:
        """What the experts read, and what each of them makes of it [K, ...]."""
        inputs = self.bottom(inputs)
        return inputs, run_each(tuple(self.experts), inputs)
