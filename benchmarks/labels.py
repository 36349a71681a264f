"""Label methods side by side on nine sets: python benchmarks/labels.py [--sets a,b] [--methods "x;y"] [--page]

One cell for each set and method, results/labels/SET.METHOD.json; what is there, and was not cut under a lower limit, is
not run anew, so that a run that was stopped goes on (means of methods are, where a method ran; --again: all). Then the
table, results/labels.md; with --page it is written from the cells that are there, and nothing is run.
scikit-multilearn's methods run where it is installed.

A cell is cut where one fit and prediction takes more than --limit CPU seconds, and fails where it takes more than
8 GiB; folds get as much again each. Every method of ours decides by several rules (label_rules.py), and is judged on
the test rows and out of fold on the training rows; by the latter the rule of a method is chosen, and the methods of a
set (label_choice.py). Anchors decide by their own ``predict``; "sklearn forest, tuned" has the thresholds by
scikit-learn's folds and a search on a grid of 99, one for all labels, for the same measures.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import warnings
from pathlib import Path
from time import perf_counter
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import label_cells
import label_methods
import label_sets
import label_table
from label_runs import MEANS, PLACE, judged, run

LIMIT = 300.0


def main() -> None:
    """Run what is missing, small sets first, then write the table."""
    base = label_methods.Bases(1, False)
    known = [*label_methods.anchors(base), "sklearn forest, tuned", *label_methods.ours(base), *MEANS]
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sets", default=",".join(label_sets.NAMES))
    ask.add_argument("--methods", default=";".join(known), help="names with ; between them")
    ask.add_argument("--limit", type=float, default=LIMIT, help="CPU seconds of one fit and prediction")
    ask.add_argument("--again", action="store_true", help="also what is there already")
    ask.add_argument("--page", action="store_true", help="run nothing, write the table from the cells")
    options = ask.parse_args()
    for name, ones, all_of_them in (("--sets", options.sets.split(","), label_sets.NAMES),
                                    ("--methods", options.methods.split(";"), known)):
        if unknown := [one for one in ones if one not in all_of_them]:
            ask.error(f"{name} {unknown[0]!r} is unknown; known are {', '.join(all_of_them)}")
    if not options.page and not label_sets.DATA.is_dir():
        ask.error(f"the folder {label_sets.DATA} is absent; set SHAREWISE_DATA to the folder of the sets")
    warnings.simplefilter("ignore")  # of others: constant labels, names of features, iterations
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in [] if options.page else options.sets.split(","):
        _run_set(name, options.methods.split(";"), options.limit, options.again)
    print(label_table.write(PLACE))


def _run_set(name: str, methods: list[str], limit: float, again: bool) -> None:
    """The cells of a set that are missing."""
    data, commit, fresh = label_sets.load(name), _commit(), False
    for method in methods:
        path = PLACE / f"{name}.{method.replace(' ', '-').replace(',', '')}.json"
        if path.exists() and not (again or (fresh and method in MEANS)) and _as_cut(path) >= limit:
            continue
        if method in MEANS and len(judged(name)) < 2:
            continue
        started = perf_counter()
        cell = label_cells.in_limits(lambda: run(data, method, limit), limit)  # noqa: B023
        path.write_text(json.dumps(
            {"set": name, "size": data.size, "method": method, "commit": commit, **_rounded(cell)}) + "\n")
        fresh |= method not in MEANS
        state = cell.get("failed", "cut" if "cut" in cell else "")
        print(f"{name} {method}: {perf_counter() - started:.1f} s {state}", flush=True)


def _commit() -> str:
    """What is checked out, and the date of it."""
    return subprocess.run(["git", "log", "-1", "--format=%h %as"], cwd=PLACE, capture_output=True, text=True,
                          check=True).stdout.strip()


def _as_cut(path: Path) -> float:
    """The limit under which a cell was cut; no limit where it was not."""
    return float(json.loads(path.read_text()).get("cut", np.inf))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return float(f"{value:.6g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
