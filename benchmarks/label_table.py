"""The table of labels.py, from the cells that are there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from label_ranks import among_anchors, grid, mean_ranks, signed_ranks
from label_values import LOWER, TITLES, Cell, Cells, best, chosen, methods, read, value
from label_verdict import CHOSEN, HINDSIGHT, choices, one_instead, verdict


def write(place: Path) -> str:
    """The Markdown of all cells found, also written beside their folder."""
    cells = read(place)
    anchors, ours = methods(cells)
    full = {name: found for name, found in cells.items() if set(anchors) <= set(found)}
    spans = [cells] if len(full) in (0, len(cells)) else [full, cells]
    text = ["# Label methods side by side", HEAD, _sizes(cells), verdict(cells, anchors, ours, CHOSEN, chosen),
            one_instead(cells, anchors, ours), choices(cells, ours), verdict(cells, anchors, ours, HINDSIGHT, best),
            *(among_anchors(span, anchors, ours) for span in spans), signed_ranks(cells, anchors, ours),
            *(mean_ranks(span, anchors, ours) for span in spans),
            *(_measure(cells, measure, anchors, ours) for measure in TITLES), _seconds(cells, anchors, ours),
            _failures(cells), _runs(cells)]
    made = "\n\n".join(part for part in text if part) + "\n"
    (place.parent / "labels.md").write_text(made)
    return made


HEAD = """`python benchmarks/labels.py`; how it is run stands at its top, what the rules are at the top of
`label_rules.py`. Anchors: `sklearn`, `skml` (scikit-multilearn-ng), LightGBM and XGBoost. Base models, alike for
all: random forest and extra trees of 300 trees (100 from 61 labels on), logistic regression, LightGBM and XGBoost
of 100 rounds, a perceptron of 256. `mixed` is `MixedEnsemble` of joint forest, joint extra trees, BR LightGBM, BR LR,
joint MLP and LP forest, of those that ran; `best five` that of the five of our methods that are best out of fold by the
measure (the cells name them). A measure is read under a rule that was made for it, of several the one that is best out
of fold. A dash: not tried; `cut`: one fit and prediction did not end within the CPU seconds that stand in the table of
seconds; `failed`: see the end. One seed."""
RUNS = """## Where the cells come from

By the commit that was checked out, with its date; 61b163c, c4c1cee, 5506826 and 041fffa are the commits that kept
theirs, and `best five` is by the code of the commit after the one that stands here. What our methods said at 61b163c
was judged again by the rules of c4c1cee.

"""


def _sizes(cells: Cells) -> str:
    return "Rows for training + for testing x features -> labels: " + "; ".join(
        f"{name} {next(iter(found.values()))['size']}" for name, found in cells.items()) + "."


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


def _runs(cells: Cells) -> str:
    """Where cells come from."""
    found: dict[str, Counter[str]] = {}
    for name, there in cells.items():
        for cell in there.values():
            found.setdefault(cell["commit"], Counter())[name] += 1
    lines = [f"- {commit}: {', '.join(f'{name} {count}' for name, count in found[commit].items())}"
             for commit in sorted(found, key=lambda commit: commit.split()[::-1])]
    return RUNS + "\n".join(lines)
