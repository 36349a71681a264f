"""What one way of sharing gains over another, from the cells that sharing.py keeps, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import t

from sharing_networks import BUILD
from sharing_widths import SIZES

EQUAL, WIDE = SIZES


def cells(entries: dict, size: str) -> dict[str, dict]:
    """By way, the cells of a set at a size that have a seed, of the same rows and effort as the separate networks'. A
    way that is as wide at both sizes has one cell, which stands for both."""
    apart = entries.get(f"Separate, {EQUAL}", {})
    if not apart.get("seeds"):
        return {}
    found = {}
    for way in BUILD:
        equal = entries.get(f"{way}, {EQUAL}", {})
        is_both = size == WIDE and equal.get("widths") == apart["widths"]
        entry = equal if is_both else entries.get(f"{way}, {size}", {})
        if entry.get("seeds") and entry["recipe"] == apart["recipe"]:
            found[way] = entry
    return found


def unfit(entries: dict) -> dict[str, str]:
    """Ways that do not apply to a set, and why."""
    return {way: entry["unfit"] for way in BUILD if "unfit" in (entry := entries.get(f"{way}, {EQUAL}", {}))}


def gains(entry: dict, other: dict, tasks: Sequence[str] = ()) -> np.ndarray:
    """The gain of a way over another in percent, one for each seed that both have: mean over tasks, all or some."""
    signs = {task: 1 if higher else -1 for task, (_, higher) in entry["measures"].items()}
    seeds = sorted(set(entry["seeds"]) & set(other["seeds"]))
    pairs = [(entry["seeds"][seed]["scores"], other["seeds"][seed]["scores"]) for seed in seeds]
    return np.array([np.mean([100 * signs[task] * (ours[task] / theirs[task] - 1) for task in tasks or signs])
                     for ours, theirs in pairs])


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean and 95 % interval over seeds; no interval for one seed."""
    mean, size = float(np.mean(values)), len(values)
    if size < 2:
        return mean, float("nan"), float("nan")
    half = float(t.ppf(0.975, size - 1) * np.std(values, ddof=1) / np.sqrt(size))
    return mean, mean - half, mean + half


def verdict(values: Sequence[float]) -> int:
    """1 or -1 where the interval leaves out 0, else 0."""
    _, low, high = interval(values)
    return int(np.sign(low)) if low * high > 0 else 0


def shown(values: np.ndarray) -> str:
    """Mean and interval; the mean bold where the interval leaves out 0."""
    if not len(values):
        return "-"
    mean, low, high = interval(values)
    if np.isnan(low):
        return f"{mean:+.2f}"
    return f"{bold(values)} [{low:+.2f}, {high:+.2f}]"


def bold(values: np.ndarray) -> str:
    """The mean, bold where the interval leaves out 0."""
    return f"**{np.mean(values):+.2f}**" if verdict(values) else f"{np.mean(values):+.2f}"


def grid(heads: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
