"""Mean ranks of the methods of labels.py over the sets, and whether they differ by more than chance."""

from __future__ import annotations

import numpy as np
from scipy.stats import friedmanchisquare, rankdata, studentized_range, wilcoxon

from label_values import FIVE, TITLES, Cells, chosen, value, worst_last

OURS = "ours, chosen out of fold"


def grid(head: list[str], body: list[list[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def mean_ranks(cells: Cells, anchors: list[str], ours: list[str]) -> str:
    """Of the methods that have a cell on all sets."""
    everywhere = [name for name in [*anchors, *ours] if name != FIVE and all(name in found for found in cells.values())]
    table = {measure: np.mean([rankdata(worst_last([value(found[name], measure) for name in everywhere], measure))
                               for found in cells.values()], axis=0) for measure in TITLES}
    return (f"## Mean rank over {', '.join(cells)} of the {len(everywhere)} methods that were tried on all\n\n"
            "1 is best; a cell that was cut or failed is last.\n\n" + _ranks(everywhere, table))


def among_anchors(cells: Cells, anchors: list[str], ours: list[str]) -> str:
    """Our chosen method, a set and a measure at a time, as one more method among the anchors tried on all sets."""
    cells = {name: found for name, found in cells.items() if any("folds" in found.get(one, {}) for one in ours)}
    rivals = [name for name in anchors if all(name in found for found in cells.values())]
    rows, table, friedman = len(rivals) + 1, {}, []
    if rows < 3 or len(cells) < 3:
        return ""
    for measure in TITLES:
        ranks = np.array([rankdata(worst_last([value(found[chosen(found, ours, measure)], measure),
                                               *(value(found[name], measure) for name in rivals)], measure))
                          for found in cells.values()])
        table[measure] = ranks.mean(axis=0)
        friedman.append(f"{TITLES[measure]} {friedmanchisquare(*ranks.T).pvalue:.1g}")
    apart = studentized_range.ppf(0.95, rows, np.inf) / np.sqrt(2) * np.sqrt(rows * (rows + 1) / (6 * len(cells)))
    return (f"## Our chosen method among the anchors: mean rank over {', '.join(cells)}\n\n"
            "Ours is one choice for each set and measure, made on training rows. 1 is best; a cell that was cut or "
            "failed is last.\n\n" + _ranks([OURS, *rivals], table)
            + f"\n\nFriedman's test, p: {'; '.join(friedman)}. Nemenyi's critical distance of two mean ranks at 5 %: "
            f"{apart:.1f}.")


def signed_ranks(cells: Cells, anchors: list[str], ours: list[str]) -> str:
    """Our chosen method against each anchor, over the sets on which both ran."""
    both = {name: [found for found in cells.values() if "rules" in found.get(name, {})
                   and any("folds" in found.get(one, {}) for one in ours)] for name in anchors}
    columns = {measure: _wilcoxon({name: np.array([
        np.subtract(*worst_last([value(found[chosen(found, ours, measure)], measure),
                                 value(found[name], measure)], measure)) for found in sets])
        for name, sets in both.items()}) for measure in TITLES}
    body = [[name, str(len(sets)), *(columns[measure][at] for measure in TITLES)]
            for at, (name, sets) in enumerate(both.items())]
    return ("## Our chosen method against each anchor: Wilcoxon's signed ranks\n\nOver the sets on which both ran: "
            "+ ours is better, - worse in the sum of ranks; p is two-sided, after Holm's correction over the anchors "
            "of a measure. With five sets p is 0.06 at least before the correction, with nine 0.004.\n\n"
            + grid(["anchor", "sets", *TITLES.values()], body))


def _ranks(names: list[str], table: dict[str, np.ndarray]) -> str:
    mean = np.mean(list(table.values()), axis=0)
    body = [[names[at], *(f"**{table[m][at]:.1f}**" if table[m][at] == table[m].min() else f"{table[m][at]:.1f}"
                          for m in TITLES), f"{mean[at]:.1f}"] for at in np.argsort(mean, kind="stable")]
    return grid(["method", *TITLES.values(), "mean"], body)


def _wilcoxon(gaps: dict[str, np.ndarray]) -> list[str]:
    """For each anchor the sign and p of ours minus theirs, where low is good."""
    p, sign = [], []
    for gap in gaps.values():
        moved = gap[gap != 0]
        total = (rankdata(np.abs(moved)) * np.sign(moved)).sum()
        p.append(float(wilcoxon(moved).pvalue) if len(moved) else 1.0)
        sign.append("+" if total < 0 else "-" if total > 0 else "=")
    held, least = np.empty(len(p)), 0.0
    for place, at in enumerate(np.argsort(p)):
        least = max(least, min(1.0, p[at] * (len(p) - place)))
        held[at] = least
    return [f"{one} {at:.3f}" for one, at in zip(sign, held, strict=True)]
