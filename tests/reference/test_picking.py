"""Picks for many tasks in one go are those of one task after the other, added up here as the words say."""

from __future__ import annotations

import numpy as np
import pytest

from sharewise.plan.ensemble import PICKS, ROWS_OF_TRUST, Bench, pick_for_all, select
from sharewise.plan.picking import ENTRIES, stacks
from sharewise.task import Binary, Count, Kind, Multiclass, Multilabel, Ordinal, Regression

KINDS = (Binary(), Binary(("no", "yes")), Multiclass(("a", "b", "c")), Ordinal((1, 2, 3)), Multilabel(("p", "q")))
NUMBERS = (Regression(), Count())


def bench(kind: Kind, rows: int, seed: int, members: int = 4) -> Bench:
    """Candidates that each know something else of a target, two of them sure of what is wrong in some rows."""
    rng = np.random.default_rng(seed)
    width, codes = kind.width, max(len(kind.classes), 2)
    target = rng.integers(0, codes if width == 1 and kind.classes else 2, size=(rows, width)).astype(float)
    known = np.eye(codes)[target[:, 0].astype(int)] if kind.outputs > width else target
    means = []
    for at in range(members):
        noise = rng.random((rows, kind.outputs)) * (1 + at % 2)
        mean = 0.4 * known + 0.3 * noise
        mean = mean / mean.sum(axis=1, keepdims=True) if kind.outputs > width else np.clip(mean, 0, 1)
        mean[: rows // 50] = 1 - known[: rows // 50] if at > 1 and kind.classes else mean[: rows // 50]
        means.append(mean)
    return Bench(kind, np.stack(means), target, rng.uniform(0.2, 2.0))


def one_by_one(start: np.ndarray, picks: int, benches: list[Bench]) -> np.ndarray:
    """The definition: every candidate is tried as the next member of the bag, and the best one joins."""
    bag = start.astype(float)
    for _ in range(picks):
        tried = []
        for member in range(len(bag)):
            weights = (bag + np.eye(len(bag))[member]) / (bag.sum() + 1)
            tried.append(sum(float(np.mean(one.kind.row_loss(np.tensordot(weights, one.means, axes=1), one.target)))
                             / one.unit for one in benches))
        bag[int(np.argmin(tried))] += 1
    return bag


@pytest.mark.parametrize("kinds", [KINDS, (Binary(),), (*KINDS, *NUMBERS)], ids=["classes", "binary", "mixed"])
def test_the_common_picks_are_those_of_the_definition(kinds: tuple[Kind, ...]) -> None:
    benches = [bench(kind, 15 + 7 * at, at) for at, kind in enumerate(kinds * 3)]
    np.testing.assert_array_equal(pick_for_all(benches), one_by_one(np.zeros(4), PICKS, benches))


def test_the_picks_of_each_task_of_classes_are_those_of_the_definition() -> None:
    benches = [bench(kind, rows, rows) for rows in (1, 12, 60, 61, 400, 5000) for kind in KINDS]
    common = one_by_one(np.zeros(4), PICKS, benches) / PICKS
    for one, found in zip(benches, select(benches), strict=True):
        own = round(PICKS * one.effective_rows / (one.effective_rows + ROWS_OF_TRUST))
        np.testing.assert_allclose(found, one_by_one(common * (PICKS - own), own, [one]) / PICKS, atol=1e-12)


def test_stacks_hold_every_task_once_with_its_own_kind_and_stay_small() -> None:
    benches = [bench(kind, 300, at) for at, kind in enumerate((*KINDS, *NUMBERS) * 20)]
    found = list(stacks(benches, range(len(benches))))
    assert sorted(at for pile in found for at in pile.at.tolist()) == list(range(len(benches)))
    assert all(type(benches[at].kind) is type(pile.kind) for pile in found for at in pile.at)
    assert all(len(pile.at) == 1 or pile.parts.size <= ENTRIES + 4 * 300 * 3 for pile in found)
    assert len(found) < len(benches) / 5


def test_a_side_of_one_candidate_needs_no_picks() -> None:
    assert [found.tolist() for found in select([bench(Binary(), 50, 0, members=1)] * 3)] == [[1.0]] * 3
