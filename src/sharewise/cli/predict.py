"""Predict the targets of new rows with a fitted model.

  sharewise predict model/ new.csv --out predicted.csv
  sharewise predict model/ new.csv --out predicted.parquet --proba

The file at --out has one row for each row of TABLE, in its order, and one column a target. With --proba, targets with
classes get one column a class instead, named target=class; where some tasks of a target are numbers, its column stays
for these.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .parser import Parser

if TYPE_CHECKING:
    import pandas as pd


def add_arguments(parser: Parser) -> None:
    """The options of ``sharewise predict``."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="a folder that fit wrote")
    parser.add_argument("table", metavar="TABLE", help="the rows to predict; targets are not needed")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="where the predictions go")
    parser.add_argument("--proba", action="store_true", help="probabilities of the classes instead of the best one")


def with_probabilities(frame: pd.DataFrame, probabilities: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The predictions with the probabilities of the classes in the place of the best class; numbers of other tasks of
    the same target stay."""
    best = {column for name, chances in probabilities.items()
            for column in (name, *(f"{name}.{label}" for label in chances.columns))}
    numbers = {name: frame[name].mask(chances.notna().any(axis=1)) for name, chances in probabilities.items()
               if name in frame and frame[name][chances.isna().all(axis=1)].notna().any()}
    made = {f"{name}={label}": chances[label] for name, chances in probabilities.items() for label in chances.columns}
    return frame.drop(columns=[column for column in frame.columns if column in best]).assign(**numbers, **made)


def run(options: argparse.Namespace) -> int:
    """Load, predict, write."""
    from ..data import read_table, write_table
    from ..plan import load

    learner = load(options.model)
    table = read_table(options.table)
    frame = learner.predict(table)
    if options.proba:
        frame = with_probabilities(frame, learner.predict_proba(table))
    write_table(frame, options.out)
    print(f"{len(frame)} rows: {options.out}")
    return 0
