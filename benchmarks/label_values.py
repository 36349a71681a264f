"""What the cells of labels.py say: the value of a method by a measure, and what of ours is chosen out of fold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

import label_methods
import label_sets
from label_rules import MADE_FOR

Cell = dict[str, Any]
Cells = dict[str, dict[str, Cell]]  # by set, then by method
TITLES = {"hamming_loss": "Hamming loss", "subset_accuracy": "Subset accuracy", "micro_f1": "Micro-F1",
          "macro_f1": "Macro-F1", "example_f1": "Example F1", "ranking_precision": "LRAP", "coverage": "Coverage",
          "ranking_loss": "Ranking loss", "macro_auroc": "Macro AUROC"}
LOWER = ("hamming_loss", "coverage", "ranking_loss")
FIVE = "best five"  # label_choice.py


def read(place: Path) -> Cells:
    """The cells that are there."""
    found: Cells = {name: {} for name in label_sets.NAMES}
    for path in sorted(place.glob("*.json")):
        cell = json.loads(path.read_text())
        found[cell["set"]][cell["method"]] = cell
    return {name: cells for name, cells in found.items() if cells}


def methods(cells: Cells) -> tuple[list[str], list[str]]:
    """Names of the anchors that have a cell, and of ours."""
    base = label_methods.Bases(1, False)
    ours = [*label_methods.ours(base), "mixed", FIVE]
    there = dict.fromkeys(name for found in cells.values() for name in found)
    return [name for name in there if name not in ours], [name for name in ours if name in there]


def rule(cell: Cell, measure: str) -> str:
    """Of the rules made for a measure the one that is best out of fold; on the test rows for anchors, which have no
    folds: harsh on us. "" where there is none."""
    rules = cell.get("folds", cell).get("rules", {})
    there = [name for name in MADE_FOR[measure] if measure in rules.get(name, {})]
    return (min if measure in LOWER else max)(there, key=lambda name: rules[name][measure], default="")


def value(cell: Cell, measure: str, out_of_fold: bool = False) -> float:
    """What a method achieves by a measure on the test rows, or out of fold; NaN where it was cut or failed, or has no
    such figure."""
    side = cell.get("folds", {}) if out_of_fold else cell
    group = side.get("rules", {}).get(rule(cell, measure), {}) if measure in MADE_FOR else side.get("ranking", {})
    found = group.get(measure)
    return float("nan") if found is None else float(found)


def best(cells: dict[str, Cell], names: list[str], measure: str, out_of_fold: bool = False) -> str:
    """The method with the best value; the first of equals; "" where none has any."""
    values = {name: value(cells[name], measure, out_of_fold) for name in names if name in cells}
    values = {name: one for name, one in values.items() if not np.isnan(one)}
    return (min if measure in LOWER else max)(values, key=values.__getitem__) if values else ""


def chosen(cells: dict[str, Cell], ours: list[str], measure: str) -> str:
    """What of ours stands for a set and a measure (label_choice.py): the mean of the best five, or one method that is
    ahead of it by more than a standard error out of fold."""
    if np.isnan(value(cells.get(FIVE, {}), measure)) or cells[FIVE]["lead"][measure] > 1:
        return best(cells, [name for name in ours if name != FIVE], measure, out_of_fold=True)
    return FIVE


def worst_last(values: list[float], measure: str) -> np.ndarray:
    """Values of which low is good, what is missing being worse than all."""
    signed = np.array(values) * (1 if measure in LOWER else -1)
    return np.round(np.where(np.isnan(signed), np.inf, signed), 6)
