"""benchmarks/sharing.py: every exported way runs, budgets are kept, and what it measures is right by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from sharewise.base.catalogue import classes
from sharewise.share import SharedModel, Staged

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
WAYS = sorted(classes("share", SharedModel))


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """The modules of the benchmark."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        names = {"networks": "sharing_networks", "parts": "sharing_parts", "widths": "sharing_widths",
                 "training": "sharing_training", "gains": "sharing_gains", "summary": "sharing_summary",
                 "table": "sharing_table", "problem": "sharing_sets.problem", "targets": "sharing_sets.targets"}
        yield SimpleNamespace(**{short: import_module(name) for short, name in names.items()})


@pytest.fixture(scope="module")
def problem(bench):
    """Two yes-or-no tasks that hang on the first two of six numbers."""
    chance = torch.Generator().manual_seed(0)
    inputs = torch.randn(240, 6, generator=chance)
    part = bench.problem.Part(inputs, {"a": (inputs[:, 0] > 0).float(), "b": (inputs[:, 0] + inputs[:, 1] > 0).float()})
    parts = [part.take(torch.arange(first, first + 80)) for first in (0, 80, 160)]
    effort = bench.problem.Effort(12, 16, (bench.problem.Trial(0.01, 0.01), bench.problem.Trial(0.03, 0.01)))
    return bench.problem.Problem("planted", "planted", dict.fromkeys("ab", bench.targets.YesNo()), *parts, effort,
                                 width=24, stages=2, trunk=lambda widths: Normalized(6, widths),
                                 head=lambda task, width: nn.Linear(width, 1), funnel=("a", "b"))


class Normalized(Staged):
    """A trunk that every way can read, with normalisation layers."""

    def __init__(self, inputs: int, widths: tuple[int, ...]) -> None:
        stages = [nn.Sequential(nn.Linear(low, high), nn.LayerNorm(high), nn.SiLU())
                  for low, high in pairwise((inputs, *widths))]
        super().__init__(stages, torch.zeros(1, inputs))


def test_every_exported_way_can_be_built(bench):
    assert sorted(bench.networks.BUILD) == WAYS


@pytest.mark.parametrize("way", WAYS)
def test_every_way_keeps_the_budget_learns_and_is_timed(bench, problem, way):
    networks, training = bench.networks, bench.training
    widths = bench.widths.widths_of(way, problem, "equal parameters")
    budget = networks.count(networks.build("Separate", problem, (24, 24)))
    assert abs(networks.count(networks.whole(way, problem, widths)) / budget - 1) <= 0.05
    assert bench.widths.widths_of(way, problem, "equal width") == (24, 24)
    chosen, found = training.search(way, problem, widths)
    assert len(found) == 2 and set(chosen) == {"a", "b"}
    done = training.train(way, problem, widths, chosen, seed=1)
    assert set(done.scores(problem, problem.test)) == {"a", "b"}
    assert min(done.scores(problem, problem.test).values()) > 0.5
    assert min(training.step_seconds(way, problem, widths, turns=6)) > 0


def test_adapters_train_what_they_add_alone(bench, problem):
    done = bench.training.train("LoRA", problem, (24, 24), dict.fromkeys("ab", problem.effort.trials[0]), seed=0)
    assert not any(weight.requires_grad for weight in done.network.model.trunk.parameters())
    assert all(weight.abs().sum() > 0 for weight in done.network.model.updates.of("a")[0].up)


def test_separate_networks_stop_each_for_itself_and_others_together(bench):
    network = bench.networks.Network(nn.Identity(), nn.Linear(1, 1))
    looks = [{"a": 1.0, "b": 2.0}, {"a": 2.0, "b": 0.5}, {"a": 3.0, "b": 3.0}]
    for apart, best in ((True, {"a": 1.0, "b": 0.5}), (False, looks[1])):
        done = bench.training.Trained(network)
        for now in looks:
            done.look(now, apart)
        assert done.losses == best


def test_a_table_of_ids_is_not_in_the_budget(bench):
    network = nn.Sequential(nn.Embedding(10, 2), nn.Linear(2, 3))
    assert (bench.networks.count(network), bench.networks.count(network, tables=True)) == (9, 20)


def test_spans_are_counted_whole(bench):
    tags = bench.targets.Tags(("B-x", "I-x", "B-y", "I-y", "O"))
    true = torch.tensor([[0, 1, 4, 2], [4, 0, 0, -1]])
    assert tags.spans(true) == {(0, 0, 2, "x"), (0, 3, 4, "y"), (1, 1, 2, "x"), (1, 2, 3, "x")}
    found = torch.tensor([[0, 4, 4, 2], [4, 0, 1, 0]])  # of these three one is right; behind the end nothing counts
    assert tags.spans(torch.where(true >= 0, found, -1)) == {(0, 0, 1, "x"), (0, 3, 4, "y"), (1, 1, 3, "x")}
    assert tags.score(nn.functional.one_hot(found, 5).float(), true) == pytest.approx(2 / 7)


def test_losses_and_measures_by_hand(bench):
    targets = bench.targets
    gap = torch.tensor([1.0, float("nan"), 0.0])
    assert float(targets.YesNo().loss(torch.zeros(3, 1), gap)) == pytest.approx(np.log(2))
    assert targets.YesNo().score(torch.tensor([[2.0], [9.0], [1.0]]), gap) == 1.0
    truth = torch.tensor([[[0, 1], [1, -1]]])
    raw = nn.functional.one_hot(torch.tensor([[[0, 1], [0, 0]]]), 2).movedim(-1, 1).float()
    assert targets.Pixels(2).score(raw, truth) == pytest.approx((1 / 2 + 1 / 2) / 2)
    assert targets.OneOf(2).score(raw, truth) == pytest.approx(2 / 3)
    shares = torch.tensor([[0.5, 0.5, 0.0]])
    assert float(targets.Shares(3).loss(torch.zeros(1, 3), shares)) == pytest.approx(np.log(3) - np.log(2))
    assert targets.Shares(3).score(torch.zeros(1, 3), shares) == pytest.approx(100 * (1 / 6 + 1 / 6 + 1 / 3) / 3)


def test_gains_are_paired_by_seed_and_turned_where_lower_is_better(bench):
    def entry(*scores):
        return {"measures": {"up": ["AUROC", True], "down": ["error", False]},
                "seeds": {str(seed): {"scores": dict(zip(("up", "down"), pair, strict=True))}
                          for seed, pair in enumerate(scores)}}
    found = bench.gains.gains(entry((1.1, 0.9), (1.0, 2.0), (5, 5)), entry((1.0, 1.0), (1.0, 1.0)))
    assert found == pytest.approx([10.0, -50.0])
    assert bench.gains.gains(entry((1.1, 0.5)), entry((1.0, 1.0)), ["up"]) == pytest.approx([10.0])
    mean, low, high = bench.gains.interval([1.0, 2.0, 3.0])
    assert (mean, high - mean, mean - low) == pytest.approx((2.0, 4.302653 / 3**0.5, 4.302653 / 3**0.5), rel=1e-6)


def _entry(recipe="new", scores=(0.75,), widths=(2,), **others):
    return {"recipe": recipe, "about": "about", "widths": list(widths), "parameters": 1, "table_parameters": 0,
            "multiply_adds": 1, "trials": [{}], "step_seconds": 1.0, "step_seconds_separate": 1.0,
            "measures": {"a": ["AUROC", True]}, **others,
            "seeds": {str(seed): {"scores": {"a": score}} for seed, score in enumerate(scores)}}


def _rows(text, way):
    return [[cell.strip() for cell in line.split(" | ")[1:]] for line in text.splitlines()
            if line.startswith(f"| {way} ")]


def test_the_tables_leave_out_what_was_measured_on_other_rows(bench):
    kept = {"adult": {f"{way}, equal parameters": _entry(recipe, widths=(2 + (way != "Separate"),)) for way, recipe in
                      {"Separate": "new", "HardSharing": "new", "PLE": "old"}.items()}}
    text = bench.table.write(kept)
    assert _rows(text, "HardSharing")[0][0] == "+0.00"
    assert _rows(text, "PLE") == []


def test_what_does_not_apply_is_said_with_the_reason(bench):
    reason = "its tasks are no funnel of events"
    kept = {"adult": {"Separate, equal parameters": _entry(), "HardSharing, equal parameters": _entry(widths=(3,)),
                      "ESMM, equal parameters": {"recipe": "new", "unfit": reason}}}
    assert f"Does not apply: ESMM ({reason})." in bench.table.write(kept)


def test_a_way_that_is_as_wide_at_both_sizes_has_one_cell_for_both(bench):
    kept = {"Separate, equal parameters": _entry(), "SoftSharing, equal parameters": _entry(scores=(0.8,)),
            "HardSharing, equal parameters": _entry(widths=(3,)), "HardSharing, equal width": _entry(scores=(0.7,))}
    found = bench.gains.cells(kept, "equal width")
    assert {way: entry["seeds"]["0"]["scores"]["a"] for way, entry in found.items()} == {
        "Separate": 0.75, "HardSharing": 0.7, "SoftSharing": 0.8}


def test_the_summary_names_what_gains_and_loses_beyond_the_seeds(bench):
    kept = {"adult": {"Separate, equal parameters": _entry(scores=(0.5, 0.5)),
                      "HardSharing, equal parameters": _entry(scores=(0.55, 0.551), widths=(3,)),
                      "MMoE, equal parameters": _entry(scores=(0.3, 0.9), widths=(3,)),
                      "PLE, equal parameters": _entry(scores=(0.45, 0.451), widths=(3,))}}
    text = "\n".join(bench.summary.summary(kept, ["adult"]))
    assert "over separate networks 1 of 3 gain: HardSharing (+10.1), 1 of 3 lose: PLE (-9.9)" in text
    assert "over hard sharing none gains, 2 of 3 lose: PLE (-18.2), Separate (-9.2)" in text
    assert "Of 6 comparisons 4 leave out 0" in text


def test_groups_of_a_tree_are_the_tasks_whose_targets_go_together(bench, problem):
    chance = torch.Generator().manual_seed(0)
    some, other = (torch.rand(200, generator=chance) > 0.5 for _ in range(2))
    targets = {"a": some.float(), "b": other.float(), "c": (~some).float(), "d": other.float()}
    part = bench.problem.Part(torch.zeros(200, 6), targets)
    planted = replace(problem, train=part, targets=dict.fromkeys(targets, bench.targets.YesNo()))
    first, second = bench.parts.Parts(planted, (4, 4)).tree()
    assert first == [["a", "b", "c", "d"]] and sorted(map(sorted, second)) == [["a", "c"], ["b", "d"]]


def test_choices_learn_faster_and_do_not_decay_and_noise_is_new_in_every_step(bench, problem):
    network = bench.networks.build("LearningToBranch", problem, (4, 4))
    groups = bench.training._groups(network, dict.fromkeys("ab", bench.problem.Trial(0.01, 0.5)))
    rates = {id(weight): (group["lr"], group["weight_decay"]) for group in groups for weight in group["params"]}
    assert {rates[id(choice)] for choice in network.choices()} == {(0.05, 0.0)}
    assert rates[id(next(network.model.nodes.parameters()))] == (0.01, 0.5)
    optimiser = torch.optim.AdamW(groups)
    seen = []
    for progress in (0.5, 1.0):
        bench.training.take_step(network, problem, problem.train, optimiser, progress)
        seen.append((float(network.model.temperature), network.model.head_noise.clone()))
    assert seen[0][0] > seen[1][0] and not torch.equal(seen[0][1], seen[1][1])


def test_the_calibrator_of_a_funnel_is_a_part_of_the_loss(bench, problem):
    network = bench.networks.build("AITM", problem, (4, 4))
    raws = {"a": torch.zeros(3, 1), "b": torch.full((3, 1), 2.0)}  # b, which follows a, likelier than a
    excess = float(torch.sigmoid(torch.tensor(2.0))) - 0.5
    assert network.added(raws).item() == pytest.approx(0.6 * excess)


def test_costs_are_of_one_row_of_a_batch(bench, problem):
    weights = 6 * 24 + 24 * 24 + 2 * 24
    found = bench.networks.cost("HardSharing", problem, (24, 24))
    assert found == {"parameters": weights + 24 + 24 + 2 * 48 + 2, "table_parameters": 0, "multiply_adds": weights}
    apart = bench.networks.cost("LoRA", problem, (24, 24))["multiply_adds"]
    assert weights < apart < 4 * weights  # its weights are put together once for all rows
