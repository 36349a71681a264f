"""Progress on standard error: a bar with the time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .evidence import print_findings

if TYPE_CHECKING:
    from ..plan import Progress as Step

SECONDS_BETWEEN_LINES = 15.0


class Progress:
    """A listener for ``Learner(on_progress=...)``; says nothing where ``quiet``."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.findings_of: Any = None  # the Learner whose findings are shown before its first candidate is fitted
        self._bar: Any = None
        self._said = float("-inf")

    def __enter__(self) -> Self:
        if not self.quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(BarColumn(24), MofNCompleteColumn(), TextColumn("{task.description}"),
                            TextColumn("{task.fields[left]}"), console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("reading", total=None, left="")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, step: Step) -> None:
        if self.findings_of is not None:
            print_findings(self.findings_of.findings_)
            self.findings_of = None
        left = time_left(step.seconds_left)
        if self._bar is not None:
            self._bar.update(self._task, completed=step.done, total=step.total or None, description=step.label,
                             left=left)
        elif not self.quiet and self._is_due(step):
            self._said = time.monotonic()
            print(f"[{step.done}/{step.total}] {step.label}{' - ' + left if left else ''}", file=sys.stderr, flush=True)

    def _is_due(self, step: Step) -> bool:
        last = step.total > 0 and step.done == step.total
        return last or time.monotonic() - self._said >= SECONDS_BETWEEN_LINES


def time_left(seconds: float | None) -> str:
    """The time left in words a person uses; empty where it is not known.

    >>> time_left(42.3), time_left(200.0), time_left(7300.0), time_left(None)
    ('42 s left', '3 min left', '2 h 2 min left', '')
    """
    if seconds is None:
        return ""
    whole = max(0, round(seconds))
    if whole < 100:
        return f"{whole} s left"
    minutes = round(whole / 60)
    return f"{minutes} min left" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min left"
