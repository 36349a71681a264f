"""Mean ranks of the methods of labels.py over the sets, and whether they differ by more than chance."""

from __future__ import annotations

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, studentized_range, wilcoxon

from label_values import TITLES, Cells, best, value, worst_last

OURS = "ours, chosen out of fold"


def grid(head: list[str], body: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def mean_ranks(cells: Cells, anchors: list[str], ours: list[str]) -> str:
    """Of the methods that have a cell on all sets."""
    everywhere = [name for name in [*anchors, *ours] if cells and all(name in found for found in cells.values())]
    table = {measure: np.mean([rankdata(worst_last([value(found[name], measure) for name in everywhere], measure))
                               for found in cells.values()], axis=0) for measure in TITLES}
    return (f"## Mean rank over {', '.join(cells)} of the {len(everywhere)} methods that were tried on all\n\n"
            "1 is best; a cell that was cut or failed is last.\n\n" + _ranks(everywhere, table))


def among_peers(cells: Cells, anchors: list[str], ours: list[str]) -> str:
    """Our chosen method, a set and a measure at a time, as one more method among the anchors."""
    rivals = [name for name in anchors if all(name in found for found in cells.values())]
    if len(rivals) < 2 or len(cells) < 3:
        return ""
    table, tests, friedman = {}, {}, []
    for measure in TITLES:
        chosen = [best(found, ours, measure, out_of_fold=True) for found in cells.values()]
        values = np.array([worst_last([value(found[name], measure) for name in [mine, *rivals]], measure)
                           for mine, found in zip(chosen, cells.values(), strict=True)])
        ranks = np.apply_along_axis(rankdata, 1, values)
        table[measure] = ranks.mean(axis=0)
        friedman.append(f"{TITLES[measure]} {friedmanchisquare(*ranks.T).pvalue:.1g}")
        tests[measure] = _wilcoxon(values)
    rows = len(rivals) + 1
    apart = studentized_range.ppf(0.95, rows, np.inf) / np.sqrt(2) * np.sqrt(rows * (rows + 1) / (6 * len(cells)))
    body = [[name, str(sum("rules" in found[name] for found in cells.values())),
             *(tests[measure][at] for measure in TITLES)] for at, name in enumerate(rivals)]
    return (f"## Our chosen method among the anchors: mean rank over {len(cells)} sets\n\n"
            "Ours is one method for each set and measure, chosen out of fold on training rows. 1 is best; a cell that "
            "was cut or failed is last.\n\n" + _ranks([OURS, *rivals], table)
            + f"\n\nFriedman's test, p: {'; '.join(friedman)}. Nemenyi's critical distance of two mean ranks at 5 %: "
            f"{apart:.1f}.\n\nWilcoxon's signed ranks, ours against each anchor over the sets on which it ran, p two-"
            "sided after Holm's correction over anchors; + is better, - worse than ours in the sum of ranks:\n\n"
            + grid(["anchor", "sets", *TITLES.values()], body))


def _ranks(names: list[str], table: dict[str, np.ndarray]) -> str:
    mean = np.mean(list(table.values()), axis=0)
    body = [[names[at], *(f"**{table[m][at]:.1f}**" if table[m][at] == table[m].min() else f"{table[m][at]:.1f}"
                          for m in TITLES), f"{mean[at]:.1f}"] for at in np.argsort(mean, kind="stable")]
    return grid(["method", *TITLES.values(), "mean"], body)


def _wilcoxon(values: np.ndarray) -> list[str]:
    """``values`` [sets, 1 + anchors], ours first, low is good: p and sign for each anchor."""
    p, sign = [], []
    for theirs in values[:, 1:].T:
        gap = (values[:, 0] - theirs)[np.isfinite(theirs)]
        gap = gap[gap != 0]
        signed = (rankdata(np.abs(gap)) * np.sign(gap)).sum()
        p.append(float(wilcoxon(gap).pvalue) if len(gap) else 1.0)
        sign.append("-" if signed < 0 else "+" if signed > 0 else "=")
    order, held, least = np.argsort(p), np.empty(len(p)), 0.0
    for place, at in enumerate(order):
        least = max(least, min(1.0, p[at] * (len(p) - place)))
        held[at] = least
    return [f"{one} {at:.3f}" for one, at in zip(sign, held, strict=True)]
