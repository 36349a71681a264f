"""What sharing costs, counted by hand."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sharewise import share


def test_dense_layers_by_hand():
    # a row: 10 x 4 in the trunk, 4 x 1 and 4 x 2 in the heads; three rows
    heads = {"a": nn.Linear(4, 1), "b": nn.Linear(4, 2)}
    cost = share.describe(share.HardSharing(nn.Linear(10, 4), heads), torch.zeros(3, 10))
    assert (cost.shared_parameters, cost.own_parameters) == (44, {"a": 5, "b": 10})
    assert (cost.multiply_adds, cost.task_multiply_adds) == (3 * 52, {"a": 3 * 44, "b": 3 * 48})
    apart = share.describe(share.Separate({"a": nn.Linear(10, 4), "b": nn.Linear(10, 4)}, heads), torch.zeros(3, 10))
    assert (apart.shared_parameters, apart.own_parameters) == (0, {"a": 49, "b": 54})
    assert (apart.multiply_adds, apart.task_multiply_adds) == (3 * 92, {"a": 3 * 44, "b": 3 * 48})
    assert apart.parameters == apart.parameters_apart == cost.parameters_apart == 103


@pytest.mark.parametrize(("dtype", "size"), [(torch.float32, 4), (torch.float64, 8)])
def test_the_memory_of_a_step_by_hand(dtype, size):
    # three rows of 10 and their 4 features are kept once for both heads; 59 parameters and as many gradients
    heads = {"a": nn.Linear(4, 1), "b": nn.Linear(4, 2)}
    model = share.HardSharing(nn.Linear(10, 4), heads).to(dtype)
    cost = share.describe(model, torch.zeros(3, 10, dtype=dtype))
    kept = 3 * 10 + 3 * 4
    assert cost.step_bytes == size * (2 * 59 + kept)
    assert cost.task_step_bytes == {"a": size * (2 * 49 + kept), "b": size * (2 * 54 + kept)}
    model.trunk.requires_grad_(False)  # no gradient, and nothing kept to get one: only what the heads read
    assert share.describe(model, torch.zeros(3, 10, dtype=dtype)).step_bytes == size * (44 + 2 * 15 + 3 * 4)


def test_a_tree_is_told_in_words_and_where_there_is_none_nothing():
    names, x = ("a", "b"), torch.zeros(2, 3)
    heads = {name: nn.Linear(4, 1) for name in names}
    learned = share.LearningToBranch([share.MLP(3, [4, 4]) for _ in range(2)], heads)
    assert share.describe(learned, x).structure == "stage 0: a, b; stage 1: a, b"
    with torch.no_grad():
        learned.head_choices.of("b")[0][1] = 1.0
    assert share.describe(learned, x).structure == "stage 0: a, b; stage 1: a | b"
    with torch.no_grad():
        learned.choices[0][1, 1] = 1.0
    assert share.describe(share.multi_source(learned), dict.fromkeys(names, x)).structure == (
        "stage 0: a | b; stage 1: a | b")
    assert share.describe(share.HardSharing(share.MLP(3, [4]), heads), x).structure == ""


def test_the_memory_of_activations_grows_with_rows_and_that_of_parameters_does_not():
    model = share.Separate({name: share.MLP(5, [7, 7]) for name in "ab"}, {name: nn.Linear(7, 1) for name in "ab"})
    small, large = (share.describe(model, torch.zeros(rows, 5)) for rows in (10, 30))
    weights = 2 * 4 * small.parameters
    inputs = 4 * 5  # bytes of a row, which both trunks read: alone each keeps them
    assert large.step_bytes - weights == 3 * (small.step_bytes - weights) > 0
    assert sum(small.task_step_bytes.values()) == small.step_bytes + 10 * inputs


def test_convolutions_by_hand():
    # 5 x 5 places, 3 x 3 x 2 numbers each, for 4 channels
    model = share.HardSharing(nn.Conv2d(2, 4, 3), {"a": nn.Identity()})
    assert share.describe(model, torch.zeros(1, 2, 7, 7)).multiply_adds == 25 * 18 * 4


def test_attention_by_hand():
    # 3 tokens of 4 numbers: queries, keys, values and the way out 4 x (3 x 4 x 4), scores and means 2 x (3 x 3 x 4),
    # then 4 to 8 to 4
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    trunk = share.Transformer(nn.TransformerEncoder(layer, 1, enable_nested_tensor=False))
    cost = share.describe(share.HardSharing(trunk, {"a": nn.Identity()}), torch.zeros(1, 3, 4))
    assert cost.multiply_adds == 4 * 48 + 2 * 36 + 2 * 96


def test_experts_are_shared_and_gates_are_not():
    experts = [share.MLP(3, [5]) for _ in range(4)]
    model = share.MMoE(experts, {name: nn.Linear(5, 1) for name in "ab"})
    cost = share.describe(model, torch.zeros(1, 3))
    assert cost.shared_parameters == 4 * 20 and cost.own_parameters == {"a": 12 + 6, "b": 12 + 6}
    own = 12 + 4 * 5 + 5  # the gate, what it weighs, the head
    assert cost.multiply_adds == 4 * 15 + 2 * own and cost.task_multiply_adds["a"] == 4 * 15 + own


@pytest.mark.parametrize("rows", [1, 10])
def test_scales_reductions_and_updates_by_hand(rows):
    # rows of 3, two stages of 4, one number a task: 36 parameters and 12 + 16 + 4 multiply-adds a row in one network
    trunk, heads = lambda: share.MLP(3, [4, 4]), {name: nn.Linear(4, 1) for name in "ab"}
    film = share.FiLM(trunk(), heads, description=8)  # a controller 8 x 8 a stage, once for all rows; stage 0 runs once
    nddr = share.NDDR({name: trunk() for name in "ab"}, heads)  # 4 x 8 for each task after each stage
    lora = share.LoRA(trunk(), heads, rank=2)  # 4 x 2 x 3 and 4 x 2 x 4 to put weights together, once for all rows
    wanted = {film: (36 + 2 * 72, 8 + 5, rows * (12 + 2 * 20) + 4 * 64, rows * 32 + 2 * 64),
              nddr: (2 * 36 + 2 * 32, 32 + 5, rows * (2 * 32 + 4 * 32), rows * (2 * 28 + 3 * 32 + 4)),
              lora: (36, 14 + 16 + 5, 2 * (rows * 32 + 24 + 32), rows * 32 + 24 + 32)}
    for model, (shared, own, together, alone) in wanted.items():
        cost = share.describe(model, torch.zeros(rows, 3))
        assert (cost.shared_parameters, cost.own_parameters) == (shared, {"a": own, "b": own})
        assert (cost.multiply_adds, cost.task_multiply_adds) == (together, {"a": alone, "b": alone})
        assert cost.parameters_apart == 2 * (shared + own)


def test_the_memory_of_a_tree_by_hand():
    # a row keeps its 3 numbers and, of each of three stages, the 4 that silu reads and the 4 that it gives
    trunks, heads = {name: share.MLP(3, [4, 4]) for name in "ab"}, {name: nn.Linear(4, 1) for name in "ab"}
    cost = share.describe(share.Branching(trunks, heads, [[["a", "b"]], [["a"], ["b"]]]), torch.zeros(10, 3))
    assert cost.step_bytes == 4 * (2 * (16 + 2 * 25) + 10 * (3 + 3 * 8))
    assert cost.task_step_bytes == dict.fromkeys("ab", 4 * (2 * (16 + 25) + 10 * (3 + 2 * 8)))


def test_the_model_is_as_before():
    norm = nn.BatchNorm1d(4)
    model = share.HardSharing(nn.Sequential(nn.Linear(3, 4), norm, nn.Dropout()), {"a": nn.Linear(4, 1)})
    model.heads.eval()
    share.describe(model, torch.randn(5, 3))
    assert model.training and norm.training and not model.heads.training
    assert norm.num_batches_tracked == 0 and all(p.grad is None for p in model.parameters())
