"""A task that joins a trained model: predictions of the old tasks do not change, to the bit."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sharewise import share
from sharewise.base import UsageError, catalogue

HEADS = {"a": 1, "b": 2}


def trained() -> dict[str, share.SharedModel]:
    """A model of every class that a task can join, over a trunk that drops out and keeps running statistics."""
    torch.manual_seed(0)

    def trunk() -> share.Trunk:
        stages = [nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.3)), nn.Linear(5, 4)]
        return share.Staged(stages, torch.zeros(2, 3))

    def heads() -> dict[str, nn.Module]:
        return {name: nn.Linear(4, size) for name, size in HEADS.items()}

    models = {"HardSharing": share.HardSharing(trunk(), heads()), "MTAN": share.MTAN(trunk(), heads()),
              "FiLM": share.FiLM(trunk(), heads()), "OMoE": share.OMoE([trunk(), trunk()], heads()),
              "LoRA": share.LoRA(trunk(), heads()), "BottleneckAdapters": share.BottleneckAdapters(trunk(), heads()),
              "TaskTokenDecoder": share.TaskTokenDecoder(trunk(), heads()),
              "ESMM": share.ESMM(trunk(), {name: nn.Linear(4, 1) for name in HEADS})}
    for model in models.values():
        fit(model, list(HEADS))
    return models


def fit(model: share.SharedModel, tasks: list[str]) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.05, weight_decay=0.1)
    model.train()
    for _ in range(3):
        optimizer.zero_grad()
        loss = sum(raw.square().mean() for raw in model(torch.randn(16, 3) + 1, tasks).values())
        (loss + model.penalty()).backward()
        optimizer.step()


def test_every_model_that_a_task_can_join_is_here():
    assert set(trained()) == set(catalogue.classes("share", share.OneTrunk))


@pytest.mark.parametrize("name", sorted(trained()))
def test_old_predictions_stay_as_they_are_to_the_bit_whatever_is_trained(name):
    model, x = trained()[name], torch.randn(8, 3)
    with torch.no_grad():
        before = model.eval()(x)
    larger = share.add_task(model, "new", nn.Linear(4, 3))
    start = [parameter.detach().clone() for parameter in larger.task_parameters("new")]
    fit(larger, ["a", "b", "new"])
    with torch.no_grad():
        after = larger(x)
    assert list(after) == ["a", "b", "new"] and after["new"].shape == (8, 3)
    assert all(torch.equal(after[task], before[task]) for task in HEADS)
    assert not any(map(torch.equal, larger.task_parameters("new"), start))


def test_a_trained_transformer_stays_as_it_is_too():
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.3, batch_first=True)
    trunk = share.Transformer(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False))
    model, tokens = share.HardSharing(trunk, {"a": nn.Linear(4, 1)}).eval(), torch.randn(2, 3, 4)
    with torch.no_grad():
        before = model(tokens)["a"]
        larger = share.add_task(model, "new", nn.Linear(4, 1)).train()
        assert torch.equal(larger(tokens)["a"], before)


def test_parameters_stay_a_partition_and_another_task_can_join():
    model = trained()["FiLM"]
    own = len(list(model.task_parameters("a")))
    larger = share.add_task(share.add_task(model, "c", nn.Linear(4, 1)), "d", nn.Linear(4, 1))
    parts = [*larger.shared_parameters(), *(p for task in larger.tasks for p in larger.task_parameters(task))]
    assert sorted(map(id, parts)) == sorted(map(id, larger.parameters()))
    assert len(list(larger.task_parameters("a"))) == own
    assert {task: raw.shape[1] for task, raw in larger(torch.zeros(2, 3), ["d", "a"]).items()} == {"d": 1, "a": 1}


def test_the_new_head_reads_what_no_task_owns():
    model = trained()["FiLM"].eval()
    head, x = nn.Linear(4, 1), torch.randn(5, 3)
    assert torch.equal(share.add_task(model, "new", head)(x)["new"], head(model.trunk(x)))


def dropping(width: int = 4) -> share.Trunk:
    return share.MLP(3, [5, width], dropout=0.5)


def over_parts(kind: str) -> tuple[share.SharedModel, share.SharedModel]:
    """A trained model, and one of the task "new" over parts of it."""
    heads, new = {name: nn.Linear(4, size) for name, size in HEADS.items()}, {"new": nn.Linear(4, 3)}
    if kind == "an expert beside its experts":
        model = share.MMoE([dropping(), dropping()], heads)
        return model, share.CGC(list(model.experts), {"new": [dropping()]}, new)
    if kind == "adapters on its trunk":
        model = share.HardSharing(dropping(), heads)
        return model, share.BottleneckAdapters(model.trunk, new, bottleneck=2)
    model = share.LoRA(dropping(), heads)
    return model, share.LoRA(model.trunk.module, new, rank=1)


@pytest.mark.parametrize("kind", ["an expert beside its experts", "adapters on its trunk", "updates of its trunk"])
def test_a_task_that_brings_an_adapter_or_an_expert_leaves_the_old_predictions_to_the_bit(kind):
    torch.manual_seed(0)
    model, new = over_parts(kind)
    fit(model, list(HEADS))
    x, state = torch.randn(8, 3), {key: one.clone() for key, one in model.state_dict().items()}
    before = model.eval()(x)
    larger = share.add_task(model, "new", new)
    assert isinstance(larger, share.OneTrunk) == isinstance(model, share.OneTrunk)
    moving = [parameter for parameter in larger.parameters() if parameter.requires_grad]
    assert set(map(id, moving)) == set(map(id, larger.task_parameters("new")))
    start = [parameter.detach().clone() for parameter in moving]
    fit(larger, ["a", "b", "new"])
    after = larger.train()(x)
    assert all(torch.equal(after[task], before[task]) for task in HEADS) and after["new"].shape == (8, 3)
    assert all(torch.equal(one, state[key]) for key, one in model.state_dict().items())
    assert not all(map(torch.equal, moving, start))
    parts = [*larger.shared_parameters(), *(p for task in larger.tasks for p in larger.task_parameters(task))]
    assert sorted(map(id, parts)) == sorted(map(id, larger.parameters()))
    again = share.add_task(larger, "another", share.HardSharing(nn.Linear(3, 2), {"another": nn.Linear(2, 1)}))
    assert all(torch.equal(again.train()(x)[task], before[task]) for task in HEADS)


def test_the_penalty_and_the_progress_of_a_model_that_joins_count():
    model = share.HardSharing(share.MLP(3, [4]), {"a": nn.Linear(4, 1)})
    new = share.DSelectK([share.MLP(3, [4]) for _ in range(2)], {"new": nn.Linear(4, 1)}, strength=1.0)
    assert share.add_task(model, "new", new).penalty() == new.penalty() > 0
    tree = share.LearningToBranch([share.MLP(3, [4]) for _ in range(2)], {"new": nn.Linear(4, 1)})
    share.add_task(model, "new", tree).advance(0.5)
    assert tree.draws == 1


def test_a_model_of_other_tasks_can_not_join():
    model = share.HardSharing(share.MLP(3, [4]), {"a": nn.Linear(4, 1)})
    with pytest.raises(UsageError, match="that one alone"):
        share.add_task(model, "new", share.HardSharing(share.MLP(3, [4]), {"b": nn.Linear(4, 1)}))


def test_a_name_that_is_there_and_a_model_without_a_common_trunk_are_refused():
    head = nn.Linear(4, 1)
    with pytest.raises(UsageError, match="already"):
        share.add_task(trained()["FiLM"], "a", head)
    apart = share.Separate({"a": share.MLP(3, [4])}, {"a": nn.Linear(4, 1)})
    with pytest.raises(UsageError, match="belongs to all tasks"):
        share.add_task(apart, "b", head)
