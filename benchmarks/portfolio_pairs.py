"""Differences of strategies, for the page of benchmarks/portfolio.py."""

from __future__ import annotations

import numpy as np

from portfolio_judge import SERVED

Array = np.ndarray
PAIRS = ((f"{SERVED}, mixed", "together"), (f"{SERVED}, mixed", "affinity, best"),
         (f"{SERVED}, mixed", f"{SERVED}, best"), (f"{SERVED}, mixed", f"{SERVED}, greedy"),
         (f"{SERVED}, mixed", f"{SERVED}, stacked"), (f"{SERVED}, mixed", "random + helpers, mixed"),
         ("outer, random + helpers, mixed", "together"), ("outer, random + helpers, mixed", "random + helpers, mixed"),
         ("even, mixed", "random, mixed"), ("even, best", "random, best"), ("even, mixed", "affinity, mixed"),
         ("affinity, mixed", "random, mixed"), ("even, mixed", "more starts, mixed"),
         ("random, mixed", "more starts, mixed"), (f"{SERVED}, promise", "together"))
DRAWS = 4000


def pairs(by_set: dict[str, list[dict]]) -> list[str]:
    """Differences of strategies in points, with 95 % intervals: sets are drawn, and seeds within them."""
    lines = ["Differences in points of gain, with 95 % intervals from drawing sets and, within them, seeds "
             f"({DRAWS} times). Worst: the set with the smallest difference, mean over its seeds.", "",
             "| strategy | against | points | interval | worst |", "|---|---|--:|--:|---|"]
    for one, other in PAIRS:
        gaps = {name: [100 * (np.mean(cell["gains"][one]) - np.mean(cell["gains"][other])) for cell in cells]
                for name, cells in by_set.items()}
        worst = min(gaps, key=lambda name: np.mean(gaps[name]))
        low, high = np.quantile(drawn([np.array(gap) for gap in gaps.values()]), (0.025, 0.975))
        mean = np.mean([np.mean(gap) for gap in gaps.values()])
        lines.append(f"| {one} | {other} | {mean:+.2f} | {low:+.2f} to {high:+.2f} | {worst} "
                     f"{np.mean(gaps[worst]):+.2f} |")
    return lines


def drawn(gaps: list[Array]) -> Array:
    """Means [DRAWS] over sets drawn with replacement, and seeds within them."""
    chance = np.random.default_rng(0)
    found = np.empty(DRAWS)
    for at in range(DRAWS):
        picked = chance.integers(len(gaps), size=len(gaps))
        found[at] = np.mean([gaps[one][chance.integers(len(gaps[one]), size=len(gaps[one]))].mean() for one in picked])
    return found
