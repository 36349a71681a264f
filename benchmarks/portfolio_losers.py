"""Who loses, for the page of benchmarks/portfolio.py: a task in one split, on average over splits, or truly."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student

from sharewise.judge import holm
from sharewise.plan.evidence import Estimate, moderated_errors, posterior

Array = np.ndarray
SURE = 0.05
NOTHING = 1e-9  # a gain is a loss below minus this: tasks that are served as if apart do not lose


def matrices(cells: list[dict], name: str) -> list[Array]:
    """Gains [S, T] of the tasks of one set in its splits by a strategy (NaN: not judged), one matrix for each of the
    plans that it may stand for."""
    if name.startswith("random ") and "," not in name:
        titles = sorted({title for cell in cells for title in cell["gains"] if title.startswith(f"{name} ")})
    else:
        titles = [name] if any(name in cell["gains"] for cell in cells) else []
    tasks = 1 + max(max(cell["judged"]) for cell in cells)
    found = []
    for title in titles:
        gains = np.full((len(cells), tasks), np.nan)
        for row, cell in zip(gains, cells, strict=True):
            row[cell["judged"]] = cell["gains"][title]
        found.append(gains[:, ~np.isnan(gains).all(axis=0)])
    return found


def a_split(gains: Array) -> float:
    """Share of the tasks that lose in a split, mean over splits."""
    return float(np.mean([(own[~np.isnan(own)] < -NOTHING).mean() for own in gains]))


def on_average(gains: Array) -> float:
    """Share of the tasks whose mean over the splits is below 0."""
    return float((np.nanmean(gains, axis=0) < -NOTHING).mean())


def truly(gains: Array) -> float:
    """Estimated share of the tasks whose mean over endless splits would be below 0.

    The means over S splits scatter by chance: their errors are those of the splits, moderated over tasks, and the
    gains behind them normal with an unknown mean and spread (plan/evidence.py). Needs two splits; NaN with one."""
    if len(gains) < 2:
        return float("nan")
    judged = gains[:, (np.abs(np.nan_to_num(gains)) > NOTHING).any(axis=0)]  # the others are as good as apart
    if not judged.size:
        return 0.0
    means, errors, counts = means_and_errors(judged)
    estimates = [Estimate(mean, error, count, 3.0) for mean, error, count in zip(means, errors, counts, strict=True)]
    below = 1 - posterior(means, moderated_errors(estimates)).chance
    return float(below.sum() / gains.shape[1])


def means_and_errors(gains: Array) -> tuple[Array, Array, Array]:
    """Mean of each task over its splits, the standard error by their scatter, and how many they are (two at least)."""
    counts = np.maximum((~np.isnan(gains)).sum(axis=0), 2)
    return np.nanmean(gains, axis=0), np.nanstd(gains, axis=0) / np.sqrt(counts - 1), counts


def surely(gains: Array) -> int:
    """Number of tasks whose mean over the splits is below 0, two-sided at 5 % after Holm (0 with one split)."""
    if len(gains) < 2:
        return 0
    means, errors, counts = means_and_errors(gains)
    p_values = np.where(means < -NOTHING, 2 * student.cdf(means / np.maximum(errors, NOTHING), counts - 1), 1.0)
    return int((np.array(holm(p_values.tolist())) <= SURE).sum())


def who_loses(by_set: dict[str, list[dict]], name: str) -> list[str]:
    """A table: set by set, who loses, and whether it is the same tasks again."""
    lines = [f"Who loses by *{name}*. A split: share of tasks with a gain below 0 on the test rows of one split, mean "
             "over splits. On average: whose mean gain over the splits is below 0; by 1 %: below -1 %. Truly: whose "
             "mean over endless splits would be below 0, as estimated. Surely: number of tasks whose mean is below 0 "
             "beyond doubt (t-test over splits, 5 % after Holm over the set's tasks; splits share rows, so that it "
             "errs on the side of alarm). Always: that lose in every split. Halves: that lose on average over every "
             "other split (both halves take their turn), how many of them lose on average over the rest, too, and what "
             "they gain there.", "",
             "| set | splits | tasks | mean gain | lose a split | on average | by 1 % | truly | surely | always | "
             "halves | again | gain there |", "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    shares, counts = [], []
    for one, cells in by_set.items():
        gains = matrices(cells, name)[0]
        lost, again, there = halves(gains)
        below = float((np.nanmean(gains, axis=0) < -0.01).mean())
        shares.append([float(np.nanmean(gains)), a_split(gains), on_average(gains), below, truly(gains)])
        counts.append(gains.shape[1])
        always = int((np.nan_to_num(gains, nan=1.0) < -NOTHING).all(axis=0).sum())
        lines.append(_row([one, len(gains), counts[-1]], shares[-1],
                          [surely(gains), always, lost, again, f"{there / lost:+.1%}" if lost else ""]))
    lines.append(_row(["mean of the sets", "", ""], np.mean(shares, axis=0), [""] * 5))
    lines.append(_row(["all tasks alike", "", sum(counts)], np.average(shares, axis=0, weights=counts), [""] * 5))
    return lines


def _row(first: list, shares, last: list) -> str:
    cells = [*first, f"{shares[0]:+.1%}", *(f"{value:.0%}" for value in shares[1:]), *last]
    return "| " + " | ".join(map(str, cells)) + " |"


def halves(gains: Array) -> tuple[int, int, float]:
    """Of the tasks that lose on average over every other split: how many there are, how many of them lose on average
    over the other splits, and the sum of their mean gains there. The halves take turns."""
    lost, again, there = 0, 0, 0.0
    for start in (0, 1):
        if len(gains) < 2:
            continue
        parts = [gains[at::2] for at in (start, 1 - start)]
        judged = np.all([~np.isnan(part).all(axis=0) for part in parts], axis=0)
        seen, rest = (np.nanmean(part[:, judged], axis=0) for part in parts)
        losers = seen < -NOTHING
        lost, again = lost + int(losers.sum()), again + int((rest[losers] < -NOTHING).sum())
        there += float(rest[losers].sum())
    return lost, again, there


def sure_losers(by_set: dict[str, list[dict]], name: str) -> list[str]:
    """The tasks that surely lose in a split, with what they gain in the other splits."""
    lines = []
    for one, cells in by_set.items():
        for cell in cells:
            for task in cell["surely_lost"].get(name, []):
                others = [other["gains"][name][other["judged"].index(task)] for other in cells
                          if other is not cell and task in other["judged"]]
                at = cell["judged"].index(task)
                lines.append(f"| {one} | {task} | {cell['seed']} | {cell['separate_loss'][at]:.4f} | "
                             f"{cell['gains'][name][at]:+.1%} | "
                             + ", ".join(f"{gain:+.1%}" for gain in others) + " |")
    if not lines:
        return [f"No task surely loses by *{name}*."]
    count = sum(len(cells) for cells in by_set.values())
    return [f"Tasks that surely lose by *{name}* in a split, and what they gain in the others. By the split's rows, "
            f"5 % after Holm over its tasks: as {count} splits were asked, up to {SURE * count:.1f} would be found "
            "by chance alone. A gain is a share of the loss of the task's separate network: log loss of classes, of "
            "numbers the squared error in units of their variance.", "",
            "| set | task | seed | loss of separate | gain | in other splits |", "|---|--:|--:|--:|--:|---|", *lines]
