"""What pays where: the summary of sharing.py over all sets, in words and in two tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import rankdata

from sharing_gains import EQUAL, bold, cells, gains, grid, unfit, verdict
from sharing_networks import BUILD

BASES = {"Separate": "separate networks", "HardSharing": "hard sharing"}


def summary(kept: Mapping[str, dict], sets: Sequence[str]) -> list[str]:
    """Words, a table over separate networks, and one over hard sharing, all at equal parameters."""
    ways = {name: cells(kept[name], EQUAL) for name in sets}
    parts = ["## What pays where", _words(ways), _by_rank(_ranks(ways, "Separate"))]
    for base, words in BASES.items():
        parts += [f"## Gain over {words} at {EQUAL}, %", _table(kept, ways, base)]
    return parts


def _ranks(ways: Mapping[str, Mapping[str, dict]], base: str) -> dict[str, dict[str, float]]:
    """By set, the rank of every way by its mean gain over a base; 1 is the best."""
    means = {name: {way: -np.mean(gains(entry, known[base])) for way, entry in known.items()}
             for name, known in ways.items() if base in known}
    return {name: dict(zip(one, rankdata([*one.values()]), strict=True)) for name, one in means.items()}


def _by_rank(ranks: Mapping[str, Mapping[str, float]]) -> str:
    found = {way: np.mean([one[way] for one in ranks.values() if way in one]) for way in BUILD
             if 2 * sum(way in one for one in ranks.values()) > len(ranks)}
    named = ", ".join(f"{way} ({found[way]:.1f})" for way in sorted(found, key=found.__getitem__))
    return f"By mean rank over the sets, of ways that ran on more than half of them, 1 being the best: {named}."


def _words(ways: Mapping[str, Mapping[str, dict]]) -> str:
    lines, compared, seen = [], 0, 0
    for name, known in ways.items():
        parts = []
        for base, words in ((base, words) for base, words in BASES.items() if base in known):
            found = {way: gains(entry, known[base]) for way, entry in known.items() if way != base}
            better, worse = ([way for way, values in found.items() if verdict(values) == sign] for sign in (1, -1))
            compared, seen = compared + len(found), seen + len(better) + len(worse)
            parts.append(f"over {words} {_named(better, found, 'gain')}, {_named(worse, found, 'lose')}")
        lines.append(f"- **{name}**: {'; '.join(parts)}.")
    return ("At equal parameters, beyond the seeds (in brackets the mean gain in percent; the largest first):\n\n"
            + "\n".join(lines) + f"\n\nOf {compared} comparisons {seen} leave out 0; chance alone would have about "
            f"{round(compared / 20)} do so.")


def _named(ways: Sequence[str], found: Mapping[str, np.ndarray], verb: str, most: int = 5) -> str:
    if not ways:
        return f"none {verb}s"
    order = sorted(ways, key=lambda way: -abs(np.mean(found[way])))
    named = ", ".join(f"{way} ({np.mean(found[way]):+.1f})" for way in order[:most])
    return f"{len(order)} of {len(found)} {verb}: {named}" + (", and others" if len(order) > most else "")


def _table(kept: Mapping[str, dict], ways: Mapping[str, Mapping[str, dict]], base: str) -> str:
    """Gains by set, the mean rank over the sets on which a way ran, and the median of its step's ratio."""
    ranks, body = _ranks(ways, base), []
    for way in BUILD:
        on = {name: known[way] for name, known in ways.items() if way in known and base in known}
        if on:
            shown = ["" if way == base else bold(gains(on[name], ways[name][base])) if name in on
                     else "no" if way in unfit(kept[name]) else "-" for name in ways]
            times = [entry["step_seconds"] / entry["step_seconds_separate"] for entry in on.values()]
            body.append([way, *shown, f"{np.mean([ranks[name][way] for name in on]):.1f} of {len(on)}",
                         f"{np.median(times):.2f}"])
    return grid(["", *ways, "mean rank of sets", "step x separate, median"], body)
