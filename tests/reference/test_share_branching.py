"""Branching: its two ends, a tree by hand, trees that are refused; and a planted tree that is learned."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from sharewise import share
from sharewise.base import UnknownNameError, UsageError
from trunks import CASES

NAMES = ("a", "b", "c")


@pytest.mark.parametrize(("make", "shape"), CASES, ids=["rows", "maps", "tokens"])
def test_one_group_at_every_stage_is_hard_sharing_and_a_group_each_is_separate_networks(make, shape):
    torch.manual_seed(0)
    heads, trunks = {name: nn.Identity() for name in NAMES}, {name: make() for name in NAMES}
    inputs = torch.randn(*shape)
    one = share.Branching(trunks, heads, [[NAMES]] * 2)
    each = share.Branching(trunks, heads, [[[name] for name in NAMES]] * 2)
    hard, apart = share.HardSharing(trunks["a"], heads), share.Separate(trunks, heads)
    for model, wanted in ((one, hard), (each, apart)):
        found = model(inputs)
        assert all(torch.equal(found[name], raw) for name, raw in wanted(inputs).items())
        assert sum(p.numel() for p in model.parameters()) == sum(p.numel() for p in wanted.parameters())
        assert len(list(model.shared_parameters())) == len(list(wanted.shared_parameters()))


def test_a_tree_by_hand():
    torch.manual_seed(0)
    trunks, heads = {name: share.MLP(3, [4, 4, 4]) for name in NAMES}, {name: nn.Linear(4, 1) for name in NAMES}
    tree = [[["c", "b", "a"]], [["c", "a"], ["b"]], [["c"], ["a"], ["b"]]]
    model, x = share.Branching(trunks, heads, tree), torch.randn(6, 3)
    root = trunks["a"].stages[0](x)
    branch = trunks["a"].stages[1](root)
    wanted = {"a": trunks["a"].stages[2](branch), "c": trunks["c"].stages[2](branch),
              "b": trunks["b"].stages[2](trunks["b"].stages[1](root))}
    for name, raw in model(x).items():
        assert torch.equal(raw, heads[name](wanted[name]))
    shared = {id(p) for stage in trunks["a"].stages[:2] for p in stage.parameters()}
    assert {id(p) for p in model.shared_parameters()} == shared


@pytest.mark.parametrize(("tree", "error", "message"), [
    ([[NAMES]], UsageError, "for 1 stages; the trunks have 2"),
    ([[NAMES], [["a", "b"]]], UsageError, "leaves out 'c'"),
    ([[NAMES], [["a", "b"], ["b", "c"]]], UsageError, "twice"),
    ([[NAMES], [["a", "b"], ["d"]]], UnknownNameError, "'d'"),
    ([[NAMES], [NAMES, []]], UsageError, "empty"),
    ([NAMES, NAMES], UsageError, "in the place of a group"),
    ([[["a"], ["b", "c"]], [["a", "b"], ["c"]]], UsageError, "can't grow together")])
def test_a_tree_that_is_none_is_refused(tree, error, message):
    with pytest.raises(error, match=message):
        share.Branching({name: share.MLP(3, [4, 4]) for name in NAMES}, {name: nn.Linear(4, 1) for name in NAMES}, tree)


def learnable(nodes: int, make: Callable[[], share.Trunk] = lambda: share.MLP(3, [5, 4])) -> share.LearningToBranch:
    return share.LearningToBranch([make() for _ in range(nodes)], {name: nn.Identity() for name in NAMES}, seed=3)


@pytest.mark.parametrize(("make", "shape"), CASES, ids=["rows", "maps", "tokens"])
def test_with_one_node_a_stage_it_is_hard_sharing_to_the_bit(make, shape):
    torch.manual_seed(0)
    model, inputs = learnable(1, make), torch.randn(*shape)
    model.advance(0.5)
    wanted = share.HardSharing(model.nodes[0], dict(zip(NAMES, model.heads, strict=True)))(inputs)
    assert all(torch.equal(raw, wanted[name]) for name, raw in model(inputs).items())


def test_in_evaluation_it_is_the_tree_that_it_gives_away():
    torch.manual_seed(0)
    for _ in range(5):
        model, x = learnable(3), torch.randn(6, 3)
        for parameter in (*model.choices.parameters(), *model.head_choices.parameters()):
            nn.init.normal_(parameter)
        found, tree = model.eval()(x), model.branching()
        wanted = tree(x)
        for name, raw in found.items():
            torch.testing.assert_close(raw, wanted[name])
        assert {id(p) for p in tree.parameters()} <= {id(p) for p in model.parameters()}


def test_in_training_a_child_reads_a_softmax_of_its_parents():
    torch.manual_seed(0)
    model, x = learnable(2), torch.randn(6, 3)
    for parameter in (*model.choices.parameters(), *model.head_choices.parameters()):
        nn.init.normal_(parameter)
    model.advance(0.25)
    heat = 5.0**0.75 * 0.5**0.25
    first = [node.stages[0](x) for node in model.nodes]
    second = []
    for child, node in enumerate(model.nodes):
        d = torch.softmax((model.choices[0][child] + model.stage_noise[0, child]) / heat, 0)
        second.append(node.stages[1](d[0] * first[0] + d[1] * first[1]))
    for place, (name, raw) in enumerate(model(x).items()):
        d = torch.softmax((model.head_choices.of(name)[0] + model.head_noise[place]) / heat, 0)
        torch.testing.assert_close(raw, d[0] * second[0] + d[1] * second[1])


def test_noise_is_of_its_seed_and_goes_on_where_a_saved_state_stopped():
    one, other = learnable(2), learnable(2)
    for model in (one, other):
        model.advance(0.0)
    assert torch.equal(one.stage_noise, other.stage_noise) and one.stage_noise.std() > 0
    resumed = learnable(2)
    resumed.load_state_dict(one.state_dict())
    for model in (one, resumed):
        model.advance(0.1)
    assert torch.equal(one.head_noise, resumed.head_noise) and not torch.equal(one.head_noise, other.head_noise)
    draws = torch.stack([(one.advance(1.0), one.head_noise.clone())[1] for _ in range(2000)])
    assert draws.mean().item() == pytest.approx(0.5772, abs=0.05)  # of a Gumbel variable
    assert draws.std().item() == pytest.approx(torch.pi / 6**0.5, abs=0.05)


def test_tasks_that_need_one_feature_find_together_where_a_node_holds_only_one():
    torch.manual_seed(0)
    x = torch.randn(256, 4)
    u, v = torch.tanh(x[:, :1] - x[:, 1:2]), torch.tanh(x[:, 2:3] + x[:, 3:])
    targets = {"u": u, "v": v, "2u": 2 * u, "-v": -v}

    def node() -> share.Trunk:
        narrow = nn.Sequential(nn.Linear(4, 1), nn.Tanh())
        return share.Staged([narrow, nn.Sequential(nn.Linear(1, 4), nn.Tanh())], torch.zeros(1, 4))

    model = share.LearningToBranch([node() for _ in range(2)], {name: nn.Linear(4, 1) for name in targets})
    choices = [*model.choices.parameters(), *model.head_choices.parameters()]
    weights = [*model.nodes.parameters(), *model.heads.parameters()]
    optimizer = torch.optim.Adam([{"params": weights}, {"params": choices, "lr": 0.1}], lr=0.02)
    for step in range(600):
        model.advance(step / 600)
        optimizer.zero_grad()
        sum((raw - targets[name]).square().mean() for name, raw in model(x).items()).backward()
        optimizer.step()
    tree = model.eval().branching()
    assert tree.groups == [[["u", "2u"], ["v", "-v"]]] * 2
    assert all((raw - targets[name]).square().mean() < 0.1 * targets[name].var() for name, raw in tree(x).items())
