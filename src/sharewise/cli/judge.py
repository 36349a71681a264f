"""Judge a fitted model on a table whose targets are known.

  sharewise judge model/ held_out.csv
  sharewise judge model/ held_out.csv --html report.html
  sharewise judge model/ held_out.csv --json > report.json
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .parser import Parser


def add_arguments(parser: Parser) -> None:
    """The options of ``sharewise judge``."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="a folder that fit wrote")
    parser.add_argument("table", metavar="TABLE", help="rows with their targets, none of which the model has seen")
    parser.add_argument("--html", metavar="FILE", type=Path, help="also write the report as one self-contained page")
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of a table")


def run(options: argparse.Namespace) -> int:
    """Load, judge, print."""
    from ..data import read_table
    from ..judge import render_json
    from ..plan import load
    from .evidence import print_report, write_page

    report = load(options.model).judge(read_table(options.table))
    if options.json:
        print(render_json(report))
    else:
        print_report(report)
    if options.html:
        write_page(report, options.html)
    return 0
