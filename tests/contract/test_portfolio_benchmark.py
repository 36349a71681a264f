"""benchmarks/portfolio.py: its networks follow autograd, its choices and verdicts are right by hand."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """The modules of the benchmark."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        names = ("nets", "plans", "cells", "rules", "judge", "table", "sets", "losers")
        yield SimpleNamespace(**{name: import_module(f"portfolio_{name}") for name in names})


def cell_of(bench, held, target, task, test=None, test_target=None, names=("separate @ 1", "together @ 1")):
    """A cell of regression tasks whose test rows are like the held-out ones unless they are given."""
    held, target, task = np.array(held, dtype=float), np.array(target, dtype=float), np.array(task)
    rows = np.arange(len(task))
    test = held if test is None else np.array(test, dtype=float)
    test_target = target if test_target is None else np.array(test_target, dtype=float)
    return bench.cells.Cell(list(names), held, test, task, rows, rows % 2, target, task, rows, test_target,
                            np.zeros(task.max() + 1, dtype=bool), 0.0)


def test_a_bundle_of_networks_takes_the_steps_that_autograd_would(bench, monkeypatch):
    monkeypatch.setattr(bench.nets, "SHARED", (1, 32))
    monkeypatch.setattr(bench.nets, "WARM", 1e-9)
    chance = np.random.default_rng(0)
    X = chance.normal(size=(30, 4)).astype(np.float32)
    Z = np.where(chance.random((30, 3)) < 0.7, chance.normal(size=(30, 3)), np.nan)
    Z[:, 2] = Z[:, 2] > 0
    binary = np.array([False, False, True])
    job = bench.nets.Job((0, 2), np.arange(20), 0.0)
    parts = bench.nets.train([job], X, Z, binary, seed=3)
    draw = torch.Generator().manual_seed(3)
    first = (torch.randn(1, 4, bench.nets.HIDDEN, generator=draw) / 2)[0]
    last = torch.zeros(bench.nets.HIDDEN, 2, requires_grad=True)
    border = torch.zeros(2, requires_grad=True)
    picked = (torch.rand(1, 32, generator=draw) * 20).long()[0]
    raw = torch.tanh(torch.from_numpy(X)[picked] @ first) @ last + border
    target = torch.from_numpy(Z[:20][:, [0, 2]]).float()
    seen, wanted = ~target.isnan(), target.nan_to_num()[picked]
    loss = torch.stack([(raw[:, 0] - wanted[:, 0]) ** 2, torch.nn.functional.binary_cross_entropy_with_logits(
        raw[:, 1], wanted[:, 1], reduction="none")], dim=1)
    (loss * seen[picked] / seen.float().mean(dim=0)).sum().div(32).backward()
    torch.testing.assert_close(parts[2].grad[0], last.grad)
    torch.testing.assert_close(parts[3].grad[0, 0], border.grad)
    assert parts[0].grad.abs().max() == 0  # heads start at nought


def test_helpers_are_learned_and_not_served(bench):
    matrix = np.array([[0, 1, 5.0], [4, 0, 2], [3, 9, 0]])  # row helps column
    assert bench.plans.helped(lambda X, Z: matrix, 1)(None, None) == [([0, 1], [0]), ([1, 2], [1]), ([0, 2], [2])]


def test_groups_that_overlap_serve_each_task_once_and_learn_more(bench):
    matrix = np.kron(np.eye(2), np.ones((3, 3))) + 0.1 * np.eye(6)[::-1]
    teams = bench.plans.overlapping(lambda X, Z: matrix, 2)(None, None)
    assert sorted(task for _, serves in teams for task in serves) == list(range(6))
    assert all(len(learns) == 5 and set(serves) < set(learns) for learns, serves in teams)


def test_even_groups_have_nearly_equal_sizes_and_keep_what_belongs_together(bench):
    truth = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    near = (truth[:, None] == truth) + 0.05 * np.random.default_rng(0).random((8, 8))
    affinity = SimpleNamespace(find=lambda X, Z: SimpleNamespace(matrix=near))
    assert sorted(own for own, _ in bench.plans.even(affinity, 2)(None, None)) == [[0, 2, 4, 6], [1, 3, 5, 7]]
    near[:, 0] = near[0] = 0  # a task that is like no other has company all the same
    assert sorted(len(own) for own, _ in bench.plans.even(affinity, 3)(None, None)) == [2, 3, 3]


def test_partitions_are_as_many_as_bell_says(bench):
    assert [len(list(bench.judge.partitions(list(range(count))))) for count in range(7)] == [1, 1, 2, 5, 15, 52, 203]


def test_opposite_errors_are_stacked_half_and_half(bench):
    target = np.linspace(-1, 1, 80)
    one = cell_of(bench, [target + 0.5, target - 0.5], target, np.zeros(80, dtype=int))
    choice = bench.rules.Choice(one, ["separate", "together"])
    weights = choice.stacked(np.ones(80, dtype=bool), np.ones(2, dtype=bool))
    np.testing.assert_allclose(weights, 0.5, atol=0.02)


def test_a_task_with_few_rows_is_stacked_like_the_others(bench):
    task = np.repeat(np.arange(3), [200, 200, 4])
    off = np.where(task < 2, [[0.3], [1.0]], [[0.5], [0.4]])  # the large tasks want the first plan, the small one not
    target = np.random.default_rng(0).normal(size=len(task))
    weights = bench.rules.Choice(cell_of(bench, target + off, target, task), ["separate", "together"]).stacked(
        np.ones(len(task), dtype=bool), np.ones(2, dtype=bool))
    assert (weights[0] > 0.8).all()


def test_only_what_surely_loses_is_counted(bench):
    chance = np.random.default_rng(0)
    task = np.repeat([0, 1], 100)
    target = chance.normal(size=200)
    worse = target + np.where(task == 0, 0.8, 0.1) * chance.normal(size=200)
    better = target + 0.1 * chance.normal(size=200)
    one = cell_of(bench, [better, worse], target, task)
    apart, rows = (one.losses(means, test=True) for means in one.test)
    assert bench.judge.surely_lost(one, apart, rows, np.arange(2)) == [0]


def test_a_share_of_what_was_mixed_goes_to_each_task(bench):
    target = np.zeros(40)
    one = cell_of(bench, np.ones((2, 40)), target, np.repeat([0, 1], 20))
    choice = bench.rules.Choice(one, ["separate", "together"])
    other = np.array([[0.0], [1.0]])
    weights = choice._where(np.array([0.25, 1.0]), lambda kept, among: np.repeat(
        other if among.all() else 1 - other, 2, axis=1))
    np.testing.assert_allclose(weights, [[0.75, 0.0], [0.25, 1.0]])


def losing_cells(gains):
    """Cells of one set by a matrix of gains [S, T]."""
    return [{"set": "one", "seed": seed, "judged": np.flatnonzero(~np.isnan(own)).tolist(), "surely_lost": {"a": [1]},
             "separate_loss": [0.5] * 4, "gains": {"a": own[~np.isnan(own)].tolist()}}
            for seed, own in enumerate(gains)]


def test_losing_in_a_split_on_average_and_again_by_hand(bench):
    gains = np.array([[0.1, -0.1, -0.2, 0.0], [0.1, 0.3, -0.1, np.nan], [-0.1, -0.1, -0.3, 0.0]])
    cells = losing_cells(gains)
    found, = bench.losers.matrices(cells, "a")
    np.testing.assert_array_equal(found, gains)
    assert bench.losers.a_split(found) == pytest.approx((2 / 4 + 1 / 3 + 3 / 4) / 3)
    assert bench.losers.on_average(found) == 0.25
    lost, again, there = bench.losers.halves(found)  # seeds 0 and 2 name tasks 1 and 2, seed 1 names task 2
    assert (lost, again) == (3, 2)
    assert there == pytest.approx(0.3 - 0.1 - 0.25)
    assert bench.losers.sure_losers({"one": cells}, "a")[-2] == "| one | 1 | 1 | 0.5000 | +30.0% | -10.0%, -10.0% |"
    assert bench.losers.who_loses({"one": cells}, "a")[-3].startswith("| one | 3 | 4 | -3.6% | 53% | 25% | 25% | ")
    assert bench.losers.who_loses({"one": cells}, "a")[-3].endswith(" | 0 | 1 | 3 | 2 | -1.7% |")
    gains[:, 2] = [-0.2, -0.201, -0.199]  # beyond doubt, though three splits are few
    assert bench.losers.surely(gains) == 1


@pytest.mark.parametrize(("mean", "spread", "truth"), [(0.02, 0.02, 0.16), (0.03, 0.005, 0.0), (0.0, 0.05, 0.5)])
def test_the_share_that_truly_loses_is_found_behind_the_noise_of_few_splits(bench, mean, spread, truth):
    chance = np.random.default_rng(0)
    found, naive = [], []
    for _ in range(10):
        gains = mean + spread * chance.normal(size=40) + 0.06 * chance.normal(size=(6, 40))
        found.append(bench.losers.truly(gains))
        naive.append(bench.losers.on_average(gains))
    assert np.mean(found) == pytest.approx(truth, abs=0.05)
    assert abs(np.mean(found) - truth) < abs(np.mean(naive) - truth) + 0.03


def test_tasks_that_are_served_apart_do_not_lose(bench):
    gains = np.zeros((4, 3))
    gains[:, 0] = [0.1, 0.12, 0.09, 0.11]
    assert bench.losers.truly(gains) < 0.01
    assert bench.losers.truly(np.zeros((4, 3))) == 0
    assert np.isnan(bench.losers.truly(gains[:1]))


def test_cells_of_another_protocol_are_not_read(bench, tmp_path, monkeypatch):
    one = cell_of(bench, np.ones((2, 4)), np.zeros(4), np.array([0, 0, 1, 1]))
    one.write(tmp_path / "one.npz")
    assert bench.cells.Cell.read(tmp_path / "one.npz").names == one.names
    monkeypatch.setattr(bench.cells, "PROTOCOL", bench.cells.PROTOCOL + 1)
    with pytest.raises(ValueError, match=r"one\.npz was trained by protocol 2, not by 3: delete it"):
        bench.cells.Cell.read(tmp_path / "one.npz")


def test_a_split_oracle_has_no_luck(bench):
    chance = np.random.default_rng(0)
    target = np.zeros(4000)
    one = cell_of(bench, chance.normal(size=(20, 4000)), target, np.repeat(np.arange(200), 20),
                  names=[f"p{at} @ 1" for at in range(20)])
    losses = one.losses(one.test, test=True)
    assert one.by_task(losses, test=True).min(axis=0).mean() < 0.7
    assert bench.judge.split_oracle(one, losses).mean() == pytest.approx(1.0, abs=0.06)


def test_a_whole_cell_is_trained_kept_and_judged(bench, monkeypatch, tmp_path):
    monkeypatch.setattr(bench.nets, "ALONE", (30, 16))
    monkeypatch.setattr(bench.nets, "SHARED", (30, 32))
    one = bench.cells.train_cell(bench.sets.planted(0, tasks=4, rows=30, features=5), seed=0)
    one.write(tmp_path / "one.npz")
    again = bench.cells.Cell.read(tmp_path / "one.npz")
    found = bench.judge.judge(again)
    assert found["judged"] == [0, 1, 2, 3]
    gain = {title: np.mean(own) for title, own in found["gains"].items()}
    assert gain["separate"] == 0
    for title in bench.judge.PARTS:  # no rule beats the pick that knows the test rows
        for rule in ("best", "shrunk"):
            assert gain[f"{title}, {rule}"] <= gain[f"{title}, oracle"] + 1e-6
    assert gain["all partitions, best on test"] >= gain["all partitions, best out of fold"]
    text = bench.table.table([{"set": name, "seed": 0, **found} for name in ("one", "two")])
    assert f"| {bench.judge.SERVED}, stacked | " in text
