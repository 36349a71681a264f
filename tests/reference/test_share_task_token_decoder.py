"""Task tokens: one forward pass by hand; equal queries are hard sharing; a query finds the position that it needs."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sharewise import share
from sharewise.base import UsageError


def attended(layer: nn.Module, query: torch.Tensor, tokens: torch.Tensor, heads: int) -> torch.Tensor:
    """What one query [C] makes of tokens [L, C] in one layer."""
    q, (k, v) = layer.query(query), layer.key_value(tokens).chunk(2, -1)
    parts = [torch.softmax(one @ of_all.T / len(one) ** 0.5, -1) @ values
             for one, of_all, values in zip(q.chunk(heads), k.chunk(heads, 1), v.chunk(heads, 1), strict=True)]
    size = query.shape
    query = nn.functional.layer_norm(query + layer.out(torch.cat(parts)), size)
    return nn.functional.layer_norm(query + layer.widening(query), size)


@pytest.mark.parametrize("kind", ["rows", "maps", "tokens"])
def test_one_forward_pass_by_hand(kind):
    torch.manual_seed(0)
    stage, shape = {"maps": (nn.Conv2d(2, 8, 1), (2, 2, 3, 4)), "tokens": (nn.Linear(3, 8), (2, 5, 3)),
                    "rows": (nn.Linear(3, 8), (2, 3))}[kind]
    inputs = torch.randn(*shape)
    trunk = share.Staged([stage], inputs)
    model = share.TaskTokenDecoder(trunk, {name: nn.Identity() for name in "ab"}, layers=2, attention_heads=4)
    features = trunk(inputs)
    tokens = features.flatten(2).mT if kind == "maps" else features
    if kind == "rows":  # a token a channel
        tokens = features[:, :, None] * model.tokens.weight[:, 0] + model.tokens.bias
    for name, raw in model(inputs).items():
        for row, seen in zip(raw, tokens, strict=True):
            query = model.queries.of(name)[0]
            for layer in model.layers:
                query = attended(layer, query, seen, heads=4)
            torch.testing.assert_close(row, query)


def test_with_equal_queries_all_tasks_read_one_vector():
    torch.manual_seed(0)
    model = share.TaskTokenDecoder(share.ResNet(2, [8]), {name: nn.Identity() for name in "ab"})
    image = torch.randn(2, 2, 4, 4)
    assert not torch.equal(*model(image).values())
    model.queries.of("b").load_state_dict(model.queries.of("a").state_dict())
    torch.testing.assert_close(*model(image).values())


def test_a_query_finds_the_token_that_its_task_needs():
    torch.manual_seed(0)
    places = torch.eye(4).expand(256, 4, 4)  # each token says where it stands, and one number
    tokens = torch.cat([places, torch.randn(256, 4, 1)], dim=-1)
    targets = {"first": tokens[:, 0, -1:], "third": tokens[:, 2, -1:]}
    trunk = share.Staged([nn.Linear(5, 8)], tokens)
    model = share.TaskTokenDecoder(trunk, {name: nn.Linear(8, 1) for name in targets})
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        sum((raw - targets[name]).square().mean() for name, raw in model(tokens).items()).backward()
        optimizer.step()
    assert all((raw - targets[name]).square().mean() < 0.05 for name, raw in model(tokens).items())


@pytest.mark.parametrize(("channels", "count"), [(1, 1), (3, 3), (8, 8), (11, 11), (24, 8), (26, 13), (128, 8)])
def test_rows_are_cut_into_blocks_of_channels_each_with_its_embedding(channels, count):
    torch.manual_seed(0)
    decoder = share.TaskTokenDecoder(share.MLP(3, [channels]), {"a": nn.Identity()})
    rows = torch.randn(2, 5, channels)  # axes before the rows come into them
    tokens, size = decoder.tokens(rows), channels // count
    assert tokens.shape == (10, count, channels)
    for block in range(count):
        part = rows.flatten(0, 1)[:, block * size:(block + 1) * size]
        torch.testing.assert_close(tokens[:, block], part @ decoder.tokens.weight[block] + decoder.tokens.bias[block])


def test_over_rows_queries_choose_different_features():
    torch.manual_seed(0)
    rows = torch.randn(256, 8)
    targets = {"first": rows[:, :1], "last": rows[:, -1:]}
    trunk = share.Staged([nn.Identity()], rows)  # nothing but the attention can tell the tasks' features apart
    model = share.TaskTokenDecoder(trunk, {name: nn.Linear(8, 1) for name in targets})
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(200):
        optimizer.zero_grad()
        sum((raw - targets[name]).square().mean() for name, raw in model(rows).items()).backward()
        optimizer.step()
    assert all((raw - targets[name]).square().mean() < 0.1 for name, raw in model(rows).items())
    keys, _ = model.layers[0].look(model.tokens(rows))
    looks = []
    for name in targets:
        query = model.layers[0].query(model.queries.of(name)[0]).unflatten(0, (keys.shape[1], 1, -1))
        looks.append((query @ keys.mT).softmax(-1).mean((0, 1, 2)))
    assert (looks[0] - looks[1]).abs().max() > 0.02


def test_attention_heads_must_divide_the_channels():
    with pytest.raises(UsageError, match="divide the 6 channels"):
        share.TaskTokenDecoder(share.MLP(3, [6]), {"a": nn.Linear(6, 1)}, attention_heads=4)
