"""Mixtures of experts: MMoE, OMoE, CGC and PLE at the limits where they meet, and in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from sharewise import share
from sharewise.base import UsageError

NAMES = ("a", "b")


def heads(size: int = 4) -> dict[str, nn.Module]:
    return {name: nn.Linear(size, 1) for name in NAMES}


def silu(x: np.ndarray) -> np.ndarray:
    return x / (1 + np.exp(-x))


def layer(x: np.ndarray, linear: nn.Linear) -> np.ndarray:
    return x @ linear.weight.detach().numpy().T + linear.bias.detach().numpy()


def weighed(gate: nn.Module, x: np.ndarray, outputs: list[np.ndarray]) -> np.ndarray:
    scores = np.exp(x @ gate.linear.weight.detach().numpy().T)
    return sum((scores[:, [k]] / scores.sum(1, keepdims=True)) * output for k, output in enumerate(outputs))


@pytest.mark.parametrize("model", [share.MMoE, share.OMoE])
def test_with_one_expert_it_is_hard_sharing_to_the_bit(model):
    torch.manual_seed(0)
    for trunk, inputs in ((share.MLP(3, [4, 4]), torch.randn(6, 3)), (share.ResNet(2, [4]), torch.randn(2, 2, 5, 5))):
        readers = {name: nn.Identity() for name in NAMES}
        mixed, hard = model([trunk], readers)(inputs), share.HardSharing(trunk, readers)(inputs)
        assert all(torch.equal(mixed[name], hard[name]) for name in NAMES)


def test_mmoe_in_numpy():
    torch.manual_seed(0)
    experts = [share.MLP(3, [4]) for _ in range(5)]
    model, x = share.MMoE(experts, heads()).double(), torch.randn(6, 3, dtype=torch.float64)
    outputs = [silu(layer(x.numpy(), expert.stages[0][0])) for expert in experts]
    for name, raw in model(x).items():
        wanted = layer(weighed(model.gates.of(name), x.numpy(), outputs), model.heads.of(name))
        np.testing.assert_allclose(raw.detach().numpy(), wanted, rtol=1e-12)


def test_omoe_is_mmoe_whose_gates_are_alike():
    torch.manual_seed(0)
    experts, readers, x = [share.MLP(3, [4]) for _ in range(3)], heads(), torch.randn(6, 3)
    one, many = share.OMoE(experts, readers), share.MMoE(experts, readers)
    for gate in many.gates:
        gate.load_state_dict(one.gate.state_dict())
    assert all(torch.equal(raw, many(x)[name]) for name, raw in one(x).items())


def test_a_gate_over_maps_reads_their_mean_and_experts_the_bottom():
    torch.manual_seed(0)
    bottom, experts = nn.Conv2d(3, 2, 3), [share.ResNet(2, [4]) for _ in range(2)]
    model, image = share.MMoE(experts, {"a": nn.Identity()}, bottom), torch.randn(2, 3, 7, 7)
    below = bottom(image)
    gate = (below.mean((2, 3)) @ model.gates.of("a").linear.weight.T).softmax(-1)
    wanted = sum(gate[:, k, None, None, None] * expert(below) for k, expert in enumerate(experts))
    torch.testing.assert_close(model(image)["a"], wanted)


def test_a_gate_can_not_read_ids():
    def expert() -> share.Trunk:
        layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
        return share.Transformer(nn.TransformerEncoder(layer, 1, enable_nested_tensor=False), nn.Embedding(9, 4))

    with pytest.raises(UsageError, match="ids"):
        share.MMoE([expert(), expert()], heads())


@pytest.mark.parametrize("model", [share.CGC, share.PLE])
def test_with_one_own_expert_each_and_none_shared_it_is_separate_networks(model):
    torch.manual_seed(0)
    trunks, readers, x = {name: share.MLP(3, [5, 4]) for name in NAMES}, heads(), torch.randn(6, 3)
    mixed = model([], {name: [trunk] for name, trunk in trunks.items()}, readers)
    apart = share.Separate(trunks, readers)(x)
    for name, raw in mixed(x).items():
        torch.testing.assert_close(raw, apart[name])  # stacked, products may round otherwise
    assert list(mixed.shared_parameters()) == []


def test_cgc_without_own_experts_is_mmoe():
    torch.manual_seed(0)
    experts, readers, x = [share.MLP(3, [4]) for _ in range(3)], heads(), torch.randn(6, 3)
    one, other = share.CGC(experts, {name: [] for name in NAMES}, readers), share.MMoE(experts, readers)
    for name in NAMES:
        other.gates.of(name).load_state_dict(one.level.gates.of(name).state_dict())
    assert all(torch.equal(raw, other(x)[name]) for name, raw in one(x).items())


def test_ple_of_one_stage_is_cgc():
    torch.manual_seed(0)
    shared, own, readers = [share.MLP(3, [4])], {name: [share.MLP(3, [4])] for name in NAMES}, heads()
    one, other, x = share.PLE(shared, own, readers), share.CGC(shared, own, readers), torch.randn(6, 3)
    for name in NAMES:
        other.level.gates.of(name).load_state_dict(one.levels[0].gates.of(name).state_dict())
    assert all(torch.equal(raw, other(x)[name]) for name, raw in one(x).items())


@pytest.mark.parametrize("bottom", [lambda: nn.Linear(5, 3), lambda: nn.EmbeddingBag(9, 3)], ids=["rows", "ids"])
def test_over_a_bottom_each_is_what_it_is_without_one_over_what_the_bottom_gives(bottom):
    torch.manual_seed(0)
    below, shared, own = bottom(), [share.MLP(3, [5, 4])], {name: [share.MLP(3, [5, 4])] for name in NAMES}
    x = torch.randn(6, 5) if isinstance(below, nn.Linear) else torch.randint(9, (6, 5))
    for kind in (share.CGC, share.PLE):
        plain, above = kind(shared, own, readers := heads()), kind(shared, own, readers, bottom=below)
        strange = above.load_state_dict(plain.state_dict(), strict=False)
        assert not strange.unexpected_keys and all(key.startswith("bottom.") for key in strange.missing_keys)
        wanted = plain(below(x))
        assert all(torch.equal(raw, wanted[name]) for name, raw in above(x).items())
        assert {id(p) for p in below.parameters()} <= {id(p) for p in above.shared_parameters()}
        for name in NAMES:
            torch.testing.assert_close(above(x, [name])[name], above(x)[name])


def test_over_a_bottom_cgc_without_own_experts_is_mmoe_and_ple_of_one_stage_is_cgc():
    torch.manual_seed(0)
    below, experts, readers, x = nn.Linear(5, 3), [share.MLP(3, [4]) for _ in range(3)], heads(), torch.randn(6, 5)
    none = {name: [] for name in NAMES}
    one, other = share.CGC(experts, none, readers, below), share.MMoE(experts, readers, below)
    third = share.PLE(experts, none, readers, below)
    for name in NAMES:
        for gate in (other.gates.of(name), third.levels[0].gates.of(name)):
            gate.load_state_dict(one.level.gates.of(name).state_dict())
    for name, raw in one(x).items():
        assert torch.equal(raw, other(x)[name]) and torch.equal(raw, third(x)[name])


@pytest.mark.parametrize("kind", [share.CGC, share.PLE])
def test_over_a_bottom_one_own_expert_each_is_one_stage_in_common_and_then_networks_apart(kind):
    torch.manual_seed(0)
    below, trunks, readers = nn.Linear(5, 3), {name: share.MLP(3, [5, 4]) for name in NAMES}, heads()
    model, x = kind([], {name: [trunk] for name, trunk in trunks.items()}, readers, below), torch.randn(6, 5)
    apart = share.Separate(trunks, readers)(below(x))
    for name, raw in model(x).items():
        torch.testing.assert_close(raw, apart[name])
    assert {id(p) for p in model.shared_parameters()} == {id(p) for p in below.parameters()}


def test_ple_of_two_levels_in_numpy():
    torch.manual_seed(0)
    shared = [share.MLP(3, [5, 4])]
    own = {"a": [share.MLP(3, [5, 4]) for _ in range(2)], "b": [share.MLP(3, [5, 4])]}
    model, inputs = share.PLE(shared, own, heads()).double(), torch.randn(6, 3, dtype=torch.float64)
    x = inputs.numpy()
    first, second = model.levels

    def run(trunk: share.Trunk, stage: int, given: np.ndarray) -> np.ndarray:
        return silu(layer(given, trunk.stages[stage][0]))

    below = {name: [run(trunk, 0, x) for trunk in own[name]] for name in NAMES}
    common = [run(trunk, 0, x) for trunk in shared]
    now = {name: weighed(first.gates.of(name), x, below[name] + common) for name in NAMES}
    side = weighed(first.shared_gate, x, below["a"] + below["b"] + common)
    assert second.shared_gate is None
    for name, raw in model(inputs).items():
        outputs = [run(trunk, 1, now[name]) for trunk in own[name]] + [run(trunk, 1, side) for trunk in shared]
        wanted = layer(weighed(second.gates.of(name), now[name], outputs), model.heads.of(name))
        np.testing.assert_allclose(raw.detach().numpy(), wanted, rtol=1e-12)


@pytest.mark.parametrize("shared", [0, 2])
def test_of_three_levels_a_task_owns_what_no_other_output_depends_on(shared):
    torch.manual_seed(0)
    sides, own = ([share.MLP(3, [4, 4, 4]) for _ in range(count)] for count in (shared, 2))
    model = share.PLE(sides, {name: [trunk] for name, trunk in zip(NAMES, own, strict=True)}, heads())
    outputs, users = model(torch.randn(6, 3)), {}
    for name in NAMES:
        grads = torch.autograd.grad(outputs[name].sum(), list(model.parameters()), retain_graph=True, allow_unused=True)
        users[name] = {id(p) for p, grad in zip(model.parameters(), grads, strict=True) if grad is not None}
    for name, other in (NAMES, NAMES[::-1]):
        assert {id(p) for p in model.task_parameters(name)} == users[name] - users[other]
        torch.testing.assert_close(model(torch.ones(1, 3), [name])[name], model(torch.ones(1, 3))[name])


@pytest.mark.parametrize("build", [
    lambda: share.MMoE([], heads()), lambda: share.CGC([], {name: [] for name in NAMES}, heads()),
    lambda: share.PLE([], {"a": [share.MLP(3, [4])], "b": []}, heads())])
def test_a_task_without_an_expert_is_refused(build):
    with pytest.raises(UsageError):
        build()
