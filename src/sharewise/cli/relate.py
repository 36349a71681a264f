"""Who helps whom in a table, and the groups that follow, in seconds and before any training that is dear.

A linear model checks every grouping on rows that neither found it nor learned; tasks stay alone where that brings no
certain gain. The plan can be handed to fit.

  sharewise relate houses.csv --targets price,sold,grade
  sharewise relate pupils.csv --targets score --task-column school --plan plan.json
  sharewise relate houses.csv --targets price,sold,grade --tree 3
  sharewise fit pupils.csv --targets score --task-column school --plan plan.json --out model/
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.checks import whole
from .fit import add_columns
from .parser import Parser, names

if TYPE_CHECKING:
    from ..plan import Relations

MOST_IN_PICTURE = 16
MOST_STAGES = 10_000
SHADES = ((0.5, "bold green"), (0.1, "green"), (-0.1, "dim"), (-0.5, "red"), (float("-inf"), "bold red"))


def add_arguments(parser: Parser) -> None:
    """The options of ``sharewise relate``."""
    parser.add_argument("table", metavar="TABLE", help="the table to look at")
    parser.add_argument("--targets", metavar="A,B", type=names, action="extend", required=True,
                        help="the tasks, columns of the table")
    parser.add_argument("--plan", metavar="FILE", type=Path, help="write the plan here, for fit --plan")
    parser.add_argument("--method", metavar="NAME", help="the one affinity to take (see: sharewise list affinities)")
    parser.add_argument("--budget", metavar="N", type=int, help="at most so many networks (default: as many as help)")
    parser.add_argument("--tree", metavar="STAGES", type=int,
                        help="also show who would share which stage of a network that branches (share.Branching)")
    columns = add_columns(parser)
    columns.add_argument("--group", metavar="C", help="rows of one group never stand on both sides of a split")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="fixes every random choice (default: 0)")


def run(options: argparse.Namespace) -> int:
    """Find, show, and write the plan."""
    if options.tree is not None:
        whole("--tree", options.tree, 1, MOST_STAGES)
    from ..plan import find_relations

    found = find_relations(options.table, options.targets, task_column=options.task_column,
                           kinds=dict(options.kind) or None, drop=options.drop, group=options.group,
                           method=options.method, networks=options.budget, seed=options.seed)
    print_affinity(found)
    print(found)
    if options.tree is not None:
        for stage, groups in enumerate(found.tree(options.tree)):
            print(f"stage {stage}: {' | '.join(', '.join(group) for group in groups)}")
    if options.plan:
        found.write_plan(options.plan)
        print(f"plan: {options.plan}")
    return 0


def print_affinity(found: Relations) -> None:
    """The matrix in colours, if there are few tasks: what the row does for the column."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from .evidence import WIDTH_OF_A_PIPE

    tasks = list(found.affinity)
    if not 1 < len(tasks) <= MOST_IN_PICTURE:
        return
    shown = Table(title=f"{found.method}: what the row does for the column")
    for head in ("", *tasks):
        shown.add_column(escape(head), justify="right", no_wrap=True)
    largest = max(float(found.affinity.abs().to_numpy().max()), 1e-12)
    for giver in tasks:
        cells = [(float(found.affinity.at[giver, taker]), taker == giver) for taker in tasks]
        coloured = ("" if own else f"[{_shade(value / largest)}]{value:+.2f}[/]" for value, own in cells)
        shown.add_row(escape(giver), *coloured)
    Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_PIPE).print(shown)


def _shade(share: float) -> str:
    return next(style for least, style in SHADES if share >= least)
