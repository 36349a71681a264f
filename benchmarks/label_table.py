"""The table of labels.py, from the cells that are there."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from label_ranks import among_anchors, grid, mean_ranks, signed_ranks
from label_rules import MADE_FOR
from label_values import LOWER, TITLES, Cell, Cells, best, methods, read, rule, value

TIE = {"coverage": 0.1}  # absolute; 0.005 for the others, half of what ten test rows of 1,000 make


def write(place: Path) -> str:
    """The Markdown of all cells found, also written beside their folder."""
    cells = read(place)
    anchors, ours = methods(cells)
    full = {name: found for name, found in cells.items() if set(anchors) <= set(found)}
    spans = [cells] if len(full) in (0, len(cells)) else [full, cells]
    text = ["# Label methods side by side", HEAD, _sizes(cells), _verdict(cells, anchors, ours, CHOSEN, True),
            _choices(cells, ours), _verdict(cells, anchors, ours, HINDSIGHT, False),
            *(among_anchors(span, anchors, ours) for span in spans), signed_ranks(cells, anchors, ours),
            *(mean_ranks(span, anchors, ours) for span in spans),
            *(_measure(cells, measure, anchors, ours) for measure in TITLES), _seconds(cells, anchors, ours),
            _failures(cells)]
    made = "\n\n".join(part for part in text if part) + "\n"
    (place.parent / "labels.md").write_text(made)
    return made


HEAD = """`python benchmarks/labels.py`; how it is run stands at its top, what the rules are at the top of
`label_rules.py`. Anchors: `sklearn`, `skml` (scikit-multilearn-ng), LightGBM and XGBoost. Base models, alike for
all: random forest and extra trees of 300 trees (100 from 61 labels on), logistic regression, LightGBM and XGBoost
of 100 rounds, a perceptron of 256. `mixed` is `MixedEnsemble` of joint forest, joint extra trees, BR LightGBM, BR LR,
joint MLP and LP forest, of those that ran. A measure is read under a rule that was made for it, of several the one
that is best out of fold. A dash: not tried yet, for the time that it takes (see the seconds on smaller sets, in the
last table); `cut`: one fit and prediction did not end within the CPU seconds that stand there. One seed."""
CHOSEN = """## Our chosen method against the best anchor

Ours is chosen out of fold: of all our methods, under their rules, the one that is best on training rows that its models
had not seen. The anchor is the best with hindsight on the test rows, which is harsh on us; = is within 0.005 (coverage:
0.1)."""
HINDSIGHT = """## Our best method against the best anchor, both with hindsight

The best on the test rows of ours and of theirs: what a perfect choice would give."""


def _sizes(cells: Cells) -> str:
    return "Rows for training + for testing x features -> labels: " + "; ".join(
        f"{name} {next(iter(found.values()))['size']}" for name, found in cells.items()) + "."


def _verdict(cells: Cells, anchors: list[str], ours: list[str], title: str, chosen: bool) -> str:
    body, behind, states = [], [], {"+": 0, "=": 0, "BEHIND": 0}
    for name, found in cells.items():
        line = [name]
        for measure in TITLES:
            theirs, mine = best(found, anchors, measure), best(found, ours, measure, out_of_fold=chosen)
            if not (theirs and mine):
                line.append("-")
                continue
            a, b = value(found[theirs], measure), value(found[mine], measure)
            gap = (a - b) * (1 if measure in LOWER else -1)
            state = "=" if abs(gap) <= TIE.get(measure, 0.005) else "+" if gap > 0 else "BEHIND"
            states[state] += 1
            behind += [f"{name}, {TITLES[measure]}: {mine} {b:.3f} against {theirs} {a:.3f}"] * (state == "BEHIND")
            line.append(f"{b:.3f} {state} {a:.3f}")
        body.append(line)
    return (f"{title}\n\n" + grid(["set", *TITLES.values()], body) + f"\n\nBetter {states['+']}, even {states['=']}, "
            f"behind {states['BEHIND']}: " + ("; ".join(behind) or "nowhere") + ".")


def _choices(cells: Cells, ours: list[str]) -> str:
    body = []
    for name, found in cells.items():
        line = [name]
        for measure in TITLES:
            mine, hindsight = best(found, ours, measure, out_of_fold=True), best(found, ours, measure)
            how = f", {rule(found[mine], measure)}" if mine and measure in MADE_FOR else ""
            lost = abs(value(found[hindsight], measure) - value(found[mine], measure)) if mine else 0.0
            line.append(f"{mine}{how} ({lost:.3f})" if mine else "-")
        body.append(line)
    return ("### What was chosen, by which rule, and in brackets what it is behind our best with hindsight\n\n"
            + grid(["set", *TITLES.values()], body))


def _measure(cells: Cells, measure: str, anchors: list[str], ours: list[str]) -> str:
    tops = {name: value(found.get(best(found, [*anchors, *ours], measure), {}), measure)
            for name, found in cells.items()}
    body = [[name, *(_shown(found.get(name), measure, tops[where]) for where, found in cells.items())]
            for name in [*anchors, *ours]]
    way = "lower is better" if measure in LOWER else "higher is better"
    return f"## {TITLES[measure]} ({way})\n\n" + grid(["method", *cells], body)


def _shown(cell: Cell | None, measure: str, top: float) -> str:
    if cell is None or "rules" not in cell:
        return "-" if cell is None else "cut" if "cut" in cell else "failed"
    one = value(cell, measure)
    return "-" if np.isnan(one) else f"**{one:.3f}**" if one == top else f"{one:.3f}"


def _seconds(cells: Cells, anchors: list[str], ours: list[str]) -> str:
    body = [[name, *(_time(found.get(name)) for found in cells.values())] for name in [*anchors, *ours]]
    return ("## Seconds of one fit and prediction, one thread\n\nCPU seconds; with ~ by the wall clock of a machine "
            "that was shared, from an earlier run; with > cut. Thresholds and the choice need folds besides (`tuned` "
            "has them counted); mixed: the sum of its parts.\n\n" + grid(["method", *cells], body))


def _time(cell: Cell | None) -> str:
    if cell is None or not ("seconds" in cell or "cut" in cell):
        return "-"
    return f">{cell['cut']:.0f}" if "cut" in cell else f"{'~' * cell.get('wall_clock', False)}{cell['seconds']:.1f}"


def _failures(cells: Cells) -> str:
    lines = [f"- {name}, {method}: {cell['failed']}" for name, found in cells.items() for method, cell in found.items()
             if "failed" in cell]
    return "## Failed\n\n" + "\n".join(lines) if lines else ""
