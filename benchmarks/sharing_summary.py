"""What pays where: the summary of sharing.py over all sets, in words and in two tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.stats import rankdata

from sharing_gains import EQUAL, WIDE, bold, cells, gains, grid, unfit, verdict
from sharing_networks import BUILD

BASES = {"Separate": "separate networks", "HardSharing": "hard sharing"}


def summary(kept: Mapping[str, dict], sets: Sequence[str]) -> list[str]:
    """Words, and for both sizes a table over separate networks and one over hard sharing."""
    parts = ["## What pays where", _words(kept, sets)]
    for size in (EQUAL, WIDE):
        for base, words in BASES.items():
            table = _table(kept, sets, base, size)
            parts += [f"## Gain over {words} at {size}, %", table] if table else []
    return parts


def _words(kept: Mapping[str, dict], sets: Sequence[str]) -> str:
    lines, compared, seen = [], 0, 0
    for name in sets:
        ways, parts = cells(kept[name], EQUAL), []
        for base, words in ((base, words) for base, words in BASES.items() if base in ways):
            found = {way: gains(entry, ways[base]) for way, entry in ways.items() if way != base}
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


def _table(kept: Mapping[str, dict], sets: Sequence[str], base: str, size: str) -> str:
    """Gains by set, the mean rank over the sets on which a way ran, and the median of its step's ratio."""
    ways = {name: cells(kept[name], size) for name in sets}
    found = {name: {way: gains(entry, known[base]) for way, entry in known.items()} if base in known else {}
             for name, known in ways.items()}
    ranks = {name: dict(zip(one, rankdata([-np.mean(values) for values in one.values()]), strict=True))
             for name, one in found.items()}
    body = []
    for way in BUILD:
        on = [name for name in sets if way in found[name]]
        if on:
            times = [ways[name][way]["step_seconds"] / ways[name][way]["step_seconds_separate"] for name in on]
            shown = ["" if way == base and name in on else bold(found[name][way]) if name in on
                     else "no" if way in unfit(kept[name]) else "-" for name in sets]
            body.append([way, *shown, f"{np.mean([ranks[name][way] for name in on]):.1f} of {len(on)}",
                         f"{np.median(times):.2f}"])
    return grid(["", *sets, "mean rank of sets", "step x separate, median"], body) if len(body) > 1 else ""
