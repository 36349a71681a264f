"""Task tokens: each task asks the shared features its own question, through cross-attention."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..base import UsageError
from ..base.checks import whole
from .features import Features
from .heads import heads_over
from .one_trunk import OneTrunk
from .per_task import PerTask
from .trunk import Trunk, check_trunk, placed_like

BLOCKS = 8  # tokens of a row


class TaskTokenDecoder(OneTrunk):
    """One trunk, and a small transformer decoder in which every task has a learned query that looks at all positions.

    q_t starts as a learned vector; in every layer q <- norm(q + attention(q, features, features)) and
    q <- norm(q + W relu(V q)), and raw_t = head_t(q_t). Queries don't see each other, so that a task's output does not
    depend on which others are asked for. Where all queries are equal, all heads read one attention-pooled vector.

    Ridnik, Sharir, Ben-Cohen, Ben-Baruch, Noy 2023, ML-Decoder: Scalable and versatile classification head: the decoder
    of Liu, Zhang, Yang, Su, Zhu 2021, Query2Label: A simple transformer way to multi-label classification, without
    attention between queries. Departures: a query stands for a task in the place of a label, and is learned; no
    position is added to the features, which is the backbone's matter. Rows have no positions, and these papers have
    none: there a token is a block of channels, with an embedding of its own (after Gorishniy, Rubachev, Khrulkov,
    Babenko 2021, Revisiting deep learning models for tabular data, section 3.3, where it is a single feature), so that
    a query chooses among features.

    ``trunk``: its last stage gives tokens, maps, or rows, which are cut into 8 tokens, or the next number that divides
    the channels C; ``heads``: a module a task, each reading one vector a row [N, C]; ``layers``: 1 or more;
    ``attention_heads``: a divisor of C (None: the greatest one that also divides 8). UsageError where there is no head.

    >>> from sharewise.share import ResNet
    >>> model = TaskTokenDecoder(ResNet(3, [8]), {name: nn.Linear(8, 1) for name in ("a", "b")})
    >>> model(torch.zeros(5, 3, 6, 6))["a"].shape
    torch.Size([5, 1])
    """

    def __init__(self, trunk: Trunk, heads: Mapping[str, nn.Module], layers: int = 1,
                 attention_heads: int | None = None) -> None:
        super().__init__()
        check_trunk("trunk", trunk)
        whole("layers", layers, 1, 1000)
        self.tasks, self.reads = tuple(heads), trunk.features[-1]
        channels = self.reads.channels
        self.attention_heads = math.gcd(channels, 8) if attention_heads is None else attention_heads
        if whole("attention_heads", self.attention_heads, 1, channels) and channels % self.attention_heads:
            raise UsageError("attention_heads", f"is {attention_heads}", f"it must divide the {channels} channels",
                             "Change it.")
        self.trunk = trunk
        self.tokens = placed_like(_Blocks(channels) if self.reads.positions == 0 else _Positions(self.reads), trunk)
        self.layers = placed_like(nn.ModuleList(_Layer(channels, self.attention_heads) for _ in range(layers)), trunk)
        self.queries = PerTask("queries", {
            name: placed_like(nn.ParameterList([torch.randn(channels)]), trunk) for name in heads})
        self.heads = heads_over(trunk, heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names, features = self.wanted(tasks), self.trunk(inputs)
        rows = features.shape[:-1] if self.reads.positions == 0 else features.shape[:1]
        tokens = self.tokens(features)
        seen = [cast(_Layer, layer).look(tokens) for layer in self.layers]  # the same for all tasks
        return {name: self.heads.of(name)(self._answer(name, seen).unflatten(0, rows)) for name in names}

    def represent(self, inputs: Any) -> Tensor:
        return self.trunk(inputs)

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.queries.of(name), self.heads.of(name))

    def _answer(self, name: str, seen: Sequence[tuple[Tensor, Tensor]]) -> Float[Tensor, "N C"]:
        answer = self.queries.of(name)[0].expand(len(seen[0][0]), -1)
        for layer, (keys, values) in zip(self.layers, seen, strict=True):
            answer = layer(answer, keys, values)
        return answer


class _Layer(nn.Module):
    def __init__(self, channels: int, attention_heads: int) -> None:
        super().__init__()
        self.attention_heads = attention_heads
        self.query, self.key_value = nn.Linear(channels, channels), nn.Linear(channels, 2 * channels)
        self.out = nn.Linear(channels, channels)
        self.after_attention, self.after_widening = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.widening = nn.Sequential(nn.Linear(channels, 4 * channels), nn.ReLU(), nn.Linear(4 * channels, channels))

    def look(self, tokens: Float[Tensor, "N L C"]) -> tuple[Float[Tensor, "N H L c"], Float[Tensor, "N H L c"]]:
        """Keys and values of H attention heads."""
        keys, values = (part.unflatten(-1, (self.attention_heads, -1)).transpose(1, 2)
                        for part in self.key_value(tokens).chunk(2, dim=-1))
        return keys, values

    def forward(self, asked: Float[Tensor, "N C"], keys: Tensor, values: Tensor) -> Float[Tensor, "N C"]:
        query = self.query(asked).unflatten(-1, (self.attention_heads, 1, -1))
        seen = nn.functional.scaled_dot_product_attention(query, keys, values)
        asked = self.after_attention(asked + self.out(seen.flatten(1)))
        return self.after_widening(asked + self.widening(asked))


class _Positions(nn.Module):
    """A token a position, [N, L, C]."""

    def __init__(self, reads: Features) -> None:
        super().__init__()
        self.reads = reads

    def forward(self, features: Tensor) -> Float[Tensor, "N L C"]:
        return self.reads.channels_last(features).flatten(1, -2)


class _Blocks(nn.Module):
    """Rows [..., N, C] as tokens [N, L, C]: token l is W_l h_l + b_l, h_l being the l-th of L blocks of channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        count = next(count for count in range(min(BLOCKS, channels), channels + 1) if channels % count == 0)
        bound = (count / channels) ** 0.5  # as nn.Linear starts
        self.weight = nn.Parameter(torch.empty(count, channels // count, channels).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(count, channels).uniform_(-bound, bound))

    def forward(self, features: Float[Tensor, "*B N C"]) -> Float[Tensor, "M L C"]:
        blocks = features.flatten(0, -2).unflatten(-1, (len(self.weight), 1, -1))
        return (blocks @ self.weight).squeeze(-2) + self.bias
