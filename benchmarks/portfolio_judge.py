"""What benchmarks/portfolio.py judges: gains on test rows, task by task, of every plan, portfolio and rule."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
from scipy.stats import norm

from portfolio_cells import Cell
from portfolio_plans import MOST_IN_FULL
from portfolio_rules import Choice
from sharewise.judge import holm

Array = np.ndarray
ENDS = ("separate", "together")
SERVED = "even + helpers"
PARTS = {"two ends": (), "more starts": (r".* again ",), "random": ("random ",),
         "affinity": ("ridge ", "outer ", "cross "), "random + helpers": ("random ", "chance "),
         "even": ("even ",), SERVED: ("even ", "helped ", "overlap "),
         "outer, random + helpers": ("even outer ", r"random \d [01]", "helped ", "overlap "),
         "affinity + helpers": ("ridge ", "outer ", "cross ", "helped ", "overlap ")}  # names of plans start so
SURE = 0.05


def judge(cell: Cell) -> dict:
    """Strategy -> test gain over separate of each of the ``judged`` tasks, and which of them surely lose;
    ``separate_loss``: what a gain is a share of, log loss of classes, and of numbers the error in units of their
    variance."""
    plans = list(dict.fromkeys(name.rpartition(" @ ")[0] for name in cell.names))
    single = {plan: cell.losses(cell.test[cell.names.index(cell.best(plan))], test=True) for plan in plans
              if not plan[0].isdigit()}
    apart = single["separate"]
    base = cell.by_task(apart, test=True)
    judged = np.flatnonzero(~np.isnan(base) & (np.bincount(cell.task, minlength=len(base)) > 1))
    found: dict[str, Array] = {}
    lost: dict[str, list[int]] = {}

    def keep(title: str, rows: Array) -> None:
        found[title] = cell.by_task(rows, test=True)
        lost[title] = surely_lost(cell, apart, rows, judged)

    for plan, rows in single.items():
        if "again" not in plan:
            keep(plan, rows)
    for title, starts in PARTS.items():
        members = [*ENDS, *(plan for plan in plans if starts and re.match("|".join(starts), plan))]
        choice = Choice(cell, members)
        for rule, weights in choice.rules(title == SERVED):
            keep(f"{title}, {rule}", cell.losses((weights[:, cell.test_task] * choice.test).sum(axis=0), test=True))
        losses = cell.losses(choice.test, test=True)
        found[f"{title}, a member"] = cell.by_task(losses, test=True).mean(axis=0)
        found[f"{title}, oracle"] = cell.by_task(losses, test=True).min(axis=0)
        found[f"{title}, split oracle"] = split_oracle(cell, losses)
    if len(base) <= MOST_IN_FULL:
        found |= every_partition(cell, plans)
    gains = {title: (1 - loss[judged] / np.maximum(base[judged], 1e-12)).round(6).tolist()
             for title, loss in found.items()}
    return {"judged": judged.tolist(), "decays": [cell.best(plan) for plan in ("separate", "together", "random 3 0")],
            "separate_loss": base[judged].round(6).tolist(), "surely_lost": lost, "gains": gains}


def surely_lost(cell: Cell, apart: Array, rows: Array, judged: Array) -> list[int]:
    """The tasks whose test rows lose against separate, two-sided at 5 % after Holm."""
    p_values = []
    for at in judged:
        surplus = (rows - apart)[cell.test_task == at]
        error = surplus.std(ddof=1) / np.sqrt(len(surplus)) if len(surplus) > 1 else 0.0
        score = surplus.mean() / error if error > 0 else 0.0
        p_values.append(2 * norm.sf(score) if score > 0 else 1.0)
    return judged[np.array(holm(p_values)) <= SURE].tolist()


def split_oracle(cell: Cell, losses: Array) -> Array:
    """Test losses of the plan that each task would pick on the other half of its test rows: the oracle without its
    luck."""
    half = np.random.default_rng(0).permutation(cell.test_row.max() + 1)[cell.test_row] % 2
    served = np.empty(losses.shape[1])
    for one in (0, 1):
        seen = np.where(half == one, losses, 0.0)
        best = np.nan_to_num(cell.by_task(seen, test=True), nan=np.inf).argmin(axis=0)[cell.test_task]
        served[half != one] = np.take_along_axis(losses, best[None], axis=0)[0][half != one]
    return cell.by_task(served, test=True)


def every_partition(cell: Cell, plans: list[str]) -> dict[str, Array]:
    """Test losses of the partition that is best out of fold, and of the one that is best on the test rows."""
    count = len(cell.binary)
    subsets = {name: cell.names.index(cell.best(name)) for name in plans if name[0].isdigit()}
    separate = cell.names.index(cell.best("separate"))
    scores = []
    for test, means in ((False, cell.held), (True, cell.test)):
        table = {name: cell.by_task(cell.losses(np.nan_to_num(means[at]), test), test) for name, at in subsets.items()}
        table |= {str(at): cell.by_task(cell.losses(means[separate], test), test) for at in range(count)}
        scores.append(np.stack([by_task(table, plan, count) for plan in partitions(list(range(count)))]))
        scores[-1] /= by_task(table, [[at] for at in range(count)], count)
    held, test = scores
    apart = cell.by_task(cell.losses(cell.test[separate], test=True), test=True)
    return {"all partitions, best out of fold": apart * test[held.mean(axis=1).argmin()],
            "all partitions, best on test": apart * test[test.mean(axis=1).argmin()]}


def by_task(table: dict[str, Array], plan: list[list[int]], count: int) -> Array:
    """Loss of each task in its own group."""
    found = np.empty(count)
    for group in plan:
        found[group] = table[",".join(map(str, sorted(group)))][group]
    return found


def partitions(items: list[int]) -> Iterator[list[list[int]]]:
    """Every way to put items into groups."""
    if not items:
        yield []
        return
    for rest in partitions(items[1:]):
        yield [[items[0]], *rest]
        for at in range(len(rest)):
            yield [*rest[:at], [items[0], *rest[at]], *rest[at + 1:]]
