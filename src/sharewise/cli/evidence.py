"""Tasks, findings, plan and report on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base import FolderError

if TYPE_CHECKING:
    from ..data import Finding
    from ..judge import Report
    from ..plan import Plan
    from ..task import Task

WIDTH_OF_A_PIPE = 160  # where there is no terminal to fit into
MOST_SHOWN = 30


def print_findings(findings: Sequence[Finding]) -> None:
    """What the doctor saw before training, a line each, on standard error."""
    for finding in findings:
        print(finding, file=sys.stderr)


def print_tasks(tasks: Sequence[Task]) -> None:
    """Every task with its kind and the reason for it; of very many only the first."""
    print("tasks:")
    for task in tasks[:MOST_SHOWN]:
        print(f"  {task.name}: {task.kind.name}{f' ({task.reason})' if task.reason else ''}")
    _print_rest(len(tasks))


def print_plan(plan: Plan) -> None:
    """Who learns with whom."""
    print("plan:")
    for group in plan.groups[:MOST_SHOWN]:
        helpers = ", ".join(name for name in group.learns if name not in group.serves)
        with_help = f" (with the help of {helpers})" if helpers else ""
        print(f"  {', '.join(group.serves)}{with_help}")
    _print_rest(len(plan.groups))


def print_members(members: Sequence[Any]) -> None:
    """The fitted candidates that serve."""
    print("served by:")
    for member in members:
        print(f"  {member.name}")
    print()


def print_report(report: Report) -> None:
    """The table of tasks, as wide as the terminal allows."""
    from rich.console import Console

    from ..judge import render_terminal

    Console(width=None if sys.stdout.isatty() else WIDTH_OF_A_PIPE).print(render_terminal(report))


def write_page(report: Report, path: Path) -> None:
    """The report as one self-contained HTML page."""
    from ..judge import render_html

    try:
        path.write_text(render_html(report), encoding="utf-8")
    except OSError as error:
        raise FolderError(f"page {str(path)!r}", f"can't be written ({error.strerror})",
                          "it must be a file in a folder that can be written to", "Name another.") from error
    print(f"report: {path}", file=sys.stderr)


def print_evidence(report: Report, folder: Path) -> None:
    """The report of a fit, and where its page is."""
    print_report(report)
    print_served(report)
    print(f"report: {folder / 'report.html'}")


def print_served(report: Report) -> None:
    """What each task's predictions are made of: families, ways of sharing, and their weights."""
    print("served by:")
    for task in report.tasks[:MOST_SHOWN]:
        print(f"  {task.name}: {task.served_by}")
    _print_rest(len(report.tasks))


def _print_rest(count: int) -> None:
    if count > MOST_SHOWN:
        print(f"  ... and {count - MOST_SHOWN} more")
