"""Ours against the best anchor of each set and measure: better, even or behind, and what was chosen.

What was chosen by out-of-fold figures is judged on the test rows, against the anchor that is best there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np

from label_ranks import grid
from label_rules import MADE_FOR
from label_values import FIVE, LOWER, TITLES, Cell, Cells, best, chosen, rule, value

TIE = {"coverage": 0.1}  # absolute; 0.005 for the others, half of what ten test rows of 1,000 make
Choice = Callable[[dict[str, Cell], list[str], str], str]
CHOSEN = """## Ours, chosen out of fold, against the best anchor

Ours is `best five`, or the one method that is ahead of it by more than a standard error out of fold, and for subset
accuracy always the one that is best (why: `label_choice.py`): training rows that models had not seen say which. The
anchor is the best with hindsight on the test rows, which is harsh on us; = is within 0.005 (coverage: 0.1)."""
WARNING = """

The rule of choice was found on these sets: the mean of five on the test rows of the first six, the one standard error
after the three large ones had shown the mean behind one method, so that the verdict above flatters it somewhat."""
HINDSIGHT = """## Our best method against the best anchor, both with hindsight

The best on the test rows of ours and of theirs: what a perfect choice would give."""


def verdict(cells: Cells, anchors: list[str], ours: list[str], title: str, choice: Choice) -> str:
    """The table of a choice against the best anchor."""
    body, behind, states = [], [], Counter({"+": 0, "=": 0, "BEHIND": 0})
    for name, found in cells.items():
        line = [name]
        for measure in TITLES:
            theirs, mine = best(found, anchors, measure), choice(found, ours, measure)
            if not (theirs and mine):
                line.append("-")
                continue
            a, b = value(found[theirs], measure), value(found[mine], measure)
            state = _state(a, b, measure)
            states[state] += 1
            behind += [f"{name}, {TITLES[measure]}: {mine} {b:.3f} against {theirs} {a:.3f}"] * (state == "BEHIND")
            line.append(f"{b:.3f} {state} {a:.3f}")
        body.append(line)
    return (f"{title}\n\n" + grid(["set", *TITLES.values()], body) + f"\n\nBetter {states['+']}, even {states['=']}, "
            f"behind {states['BEHIND']}: " + ("; ".join(behind) or "nowhere") + ".")


def _state(theirs: float, ours: float, measure: str) -> str:
    gap = (theirs - ours) * (1 if measure in LOWER else -1)
    return "=" if abs(gap) <= TIE.get(measure, 0.005) else "+" if gap > 0 else "BEHIND"


def one_instead(cells: Cells, anchors: list[str], ours: list[str]) -> str:
    """What simpler choices would give."""
    def one(found: dict[str, Cell], measure: str) -> str:
        return best(found, [name for name in ours if name != FIVE], measure, out_of_fold=True)

    def five(found: dict[str, Cell], measure: str) -> str:
        return one(found, measure) if np.isnan(value(found.get(FIVE, {}), measure)) else FIVE

    lines = []
    for title, choice in (("the one method that is best out of fold", one), ("`best five` always, but for sets", five)):
        states: Counter[str] = Counter()
        gaps = []
        for found in cells.values():
            for measure in TITLES:
                theirs, other, mine = (value(found[name], measure) for name in (
                    best(found, anchors, measure), choice(found, measure), chosen(found, ours, measure)))
                states[_state(theirs, other, measure)] += 1
                gaps.append(round((other - mine) * (1 if measure in LOWER else -1), 6))
        lines.append(f"With {title}: better {states['+']}, even {states['=']}, behind {states['BEHIND']}; what was "
                     f"chosen is better than that in {sum(gap > 0 for gap in gaps)} cases and worse in "
                     f"{sum(gap < 0 for gap in gaps)}.")
    return " ".join(lines) + WARNING


def choices(cells: Cells, ours: list[str]) -> str:
    """What was chosen, and what a perfect choice would have added."""
    body = []
    for name, found in cells.items():
        line = [name]
        for measure in TITLES:
            mine, hindsight = chosen(found, ours, measure), best(found, ours, measure)
            how = f", {rule(found[mine], measure)}" if mine and measure in MADE_FOR else ""
            lost = abs(value(found[hindsight], measure) - value(found[mine], measure)) if mine else 0.0
            line.append(f"{mine}{how} ({lost:.3f})" if mine else "-")
        body.append(line)
    return ("### What was chosen, by which rule, and in brackets what it is behind our best with hindsight\n\n"
            + grid(["set", *TITLES.values()], body))
