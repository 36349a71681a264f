"""Show what is in a model folder: tasks and why, the plan, who serves what, the evidence.

  sharewise show model/
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .parser import Parser


def add_arguments(parser: Parser) -> None:
    """The argument of ``sharewise show``."""
    parser.add_argument("model", metavar="MODEL", type=Path, help="a folder that fit wrote")


def run(options: argparse.Namespace) -> int:
    """Load and describe; everything in the folder is checked on the way."""
    from ..plan import load
    from .evidence import print_members, print_plan, print_report, print_tasks

    learner = load(options.model)
    print_tasks(learner.tasks_)
    print_plan(learner.plan_)
    print_members(learner.served_.members)
    print_report(learner.report_)
    return 0
