"""The report in the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import figures, words
from .report import Report, TaskResult

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.table import Table
    from rich.text import Text

MOST_TASKS, SHOWN_OF_MANY, MOST_NAMES, MOST_TROUBLES, WIDE = 30, 20, 12, 3, 146
STYLES = {"helped": "bold green", "hurt": "bold red", "no difference": "dim"}
LEVELS = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def render_terminal(report: Report) -> RenderableType:
    """What rich prints: the sentence, the table of tasks (of many, those that moved most), who learned with whom,
    findings, cost. In a narrow terminal a task takes two lines.

    >>> from rich.console import Console
    >>> report = Report("table.csv", rows=10, features=2, tasks=())
    >>> Console(width=100).print(render_terminal(report))  # doctest: +ELLIPSIS
    table.csv
    10 rows · 2 features · 0 tasks · wide layout
    ...
    """
    return TerminalReport(report)


@dataclass(frozen=True)
class TerminalReport:
    """A report as rich prints it, fitted to the width that there is."""

    report: Report

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        from rich.text import Text

        report = self.report
        yield Text(report.title, style="bold")
        yield Text(_shape(report), style="dim")
        yield Text("\n" + words.headline_sentence(report) + "\n", style="bold")
        many = len(report.tasks) > MOST_TASKS
        shown = words.by_gain(report.tasks)[:SHOWN_OF_MANY] if many else report.tasks
        if shown:
            yield (_wide_table if options.max_width >= WIDE else _narrow_table)(shown)
        if many:
            yield Text(_the_rest(report), style="dim")
        for title, lines in (("Who learned with whom", _groups(report)), ("What is said", _decisions(report)),
                             ("Findings", _findings(report)), ("What the balancers did", _balance(report)),
                             ("Cost", _cost(report))):
            if lines:
                yield Text(f"\n{title}", style="bold")
                yield from lines


def _shape(report: Report) -> str:
    parts = [figures.count(report.rows, "row"), figures.count(report.features, "feature"),
             figures.count(len(report.tasks), "task"), f"{report.layout} layout", report.evidence]
    return " · ".join(part for part in parts if part)


def _wide_table(tasks: list[TaskResult] | tuple[TaskResult, ...]) -> Table:
    from rich.text import Text

    table = _table("task", "kind", "rows", "metric", "trivial", "separate", "together", "chosen", "gain",
                   "95 %", "verdict", "ECE")
    for task in tasks:
        style = STYLES.get(task.verdict, "")
        table.add_row(
            Text(task.name), Text(task.kind, style="dim"), f"{task.rows:,}",
            Text(words.metric_title(task), style="dim"),
            *_scores(task), Text(figures.percent(task.gain.estimate), style=style),
            Text(figures.interval(task.gain), style="dim"), Text(task.verdict, style=style), _calibration(task))
    return table


def _narrow_table(tasks: list[TaskResult] | tuple[TaskResult, ...]) -> Table:
    """Two lines a task: name over metric, gain over interval, verdict over calibration error."""
    from rich.text import Text

    table = _table("task", "trivial", "separate", "together", "chosen", "gain", "verdict")
    for task in tasks:
        style = STYLES.get(task.verdict, "")
        table.add_row(
            Text(task.name + "\n").append(words.metric_title(task), style="dim"), *_scores(task),
            Text(figures.percent(task.gain.estimate) + "\n", style=style)
            .append(figures.interval(task.gain), style="dim"),
            Text(task.verdict.replace("no difference", "same") + "\n", style=style)
            .append(f"ECE {figures.score(task.ece_after)}", style="dim"))
    return table


def _table(*titles: str) -> Table:
    """A table with these columns, in which the names of the tasks give way first."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    for title in titles:
        left = title in ("task", "kind", "metric", "verdict")
        table.add_column(title, justify="left" if left else "right", no_wrap=title != "task", overflow="fold",
                         max_width=24 if title == "task" else None)
    return table


def _scores(task: TaskResult) -> list[Text]:
    from rich.text import Text

    return [Text(figures.score(task.trivial), style="dim"), Text(figures.score(task.separate)),
            Text(figures.score(task.together)), Text(figures.score(task.chosen), style="bold")]


def _calibration(task: TaskResult) -> Text:
    from rich.text import Text

    after, before = figures.score(task.ece_after), f"was {figures.score(task.ece_before)}"
    return Text(after) if task.calibration == "none" else Text(after).append(f" {before}", style="dim")


def _the_rest(report: Report) -> str:
    found = words.verdicts(report.tasks)
    return (f"The {SHOWN_OF_MANY} of {len(report.tasks)} tasks that moved most. In all: {found['helped']} helped, "
            f"{found['hurt']} hurt, {found['no difference']} without a difference.")


def _groups(report: Report) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    lines = []
    for served, helping in words.learning_groups(report.tasks):
        line = Text(_names(served), style="not dim")
        if helping:
            line.append(" with the help of ", style="dim").append(_names(helping))
        else:
            line.append(" together", style="dim")
        lines.append(line)
    alone = [task.name for task in report.tasks if not task.learned_with]
    if alone:
        lines.append(Text(_names(alone)).append(" alone", style="dim"))
    return [Padding(line, (0, 0, 0, 2)) for line in lines]


def _names(names: list[str]) -> str:
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _findings(report: Report) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    return [Padding(Text(f"{one.get('level', 'note')}: ", style=LEVELS.get(one.get("level", ""), "cyan"))
                    .append(f"{one.get('subject', '')} ", style="bold")
                    .append(f"{one.get('message', '').rstrip('.')}.", style="not bold")
                    .append(f" {one.get('remedy', '')}", style="dim"), (0, 0, 0, 2)) for one in report.findings]


def _balance(report: Report) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    return [Padding(Text(f"{one.candidate}: ", style="bold").append(" ".join(words.balance_lines(one, MOST_TROUBLES)),
                                                                      style="not bold"), (0, 0, 0, 2))
            for one in report.balance]


def _decisions(report: Report) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    return [Padding(Text(decision), (0, 0, 0, 2)) for decision in report.decisions]


def _cost(report: Report) -> list[RenderableType]:
    from rich.text import Text

    return [Text(f"  {name}: {value}") for name, value in words.cost_lines(report.cost)]
