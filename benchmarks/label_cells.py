"""Cells of labels.py in a process of their own each, which may take so many seconds and so much memory."""

from __future__ import annotations

import multiprocessing
import resource
import signal
from collections.abc import Callable
from typing import Any

MEMORY = 8 << 30  # bytes of addresses


def allow(seconds: float) -> None:
    """From now on, this process may take so many CPU seconds more."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime + seconds) + 1, hard))


def in_limits(work: Callable[[], dict[str, Any]], limit: float) -> dict[str, Any]:
    """What the work gives, run in a copy of this process that is allowed ``limit`` CPU seconds (it may allow itself
    more by ``allow``); {"cut": limit} where they did not do, {"failed": message} where it raised."""
    fork = multiprocessing.get_context("fork")  # the copy has the set already
    here, there = fork.Pipe(duplex=False)
    process = fork.Process(target=_run, args=(work, limit, there))
    process.start()
    there.close()
    try:
        cell = here.recv()
    except EOFError:
        process.join()
        cell = {"cut": limit} if process.exitcode == -signal.SIGXCPU else {"failed": f"exit code {process.exitcode}"}
    process.join()
    return cell


def _run(work: Callable[[], dict[str, Any]], limit: float, there: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    allow(limit)
    try:
        cell = work()
    except Exception as error:  # the table shows it, and the others must run
        cell = {"failed": f"{type(error).__name__}: {str(error)[:200]}"}
    there.send(cell)
