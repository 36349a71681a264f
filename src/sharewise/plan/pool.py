"""Worker processes at the edge: started, fed, watched, and stopped at the deadline."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..base import JobError
from .candidate import Candidate
from .run import RunFolder
from .schedule import Schedule


@dataclass(frozen=True)
class Progress:
    """How far a fit has come: ``done`` of ``total`` candidates; ``seconds_left`` is None while unknown."""

    done: int
    total: int
    label: str
    seconds_left: float | None


@dataclass(frozen=True)
class Outcome:
    """Numbers of the candidates that are done, and the failed ones with their reasons."""

    done: list[int]
    failed: dict[int, str]


class Worker:
    """One worker process; its answers go into a queue."""

    def __init__(self, run: RunFolder, answers: queue.Queue) -> None:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            environment[name] = "1"
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed in stop
        self.process = subprocess.Popen([sys.executable, "-m", "sharewise.base.attended", str(os.getpid()),
                                         "sharewise.plan.worker", str(run.path.resolve())],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
                                        env=environment, start_new_session=True)
        self.number: int | None = None
        threading.Thread(target=self._listen, args=(answers,), daemon=True).start()

    def _listen(self, answers: queue.Queue) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            answers.put((self, json.loads(line)))
        answers.put((self, None))

    def give(self, number: int) -> None:
        """Let it fit a candidate."""
        assert self.process.stdin is not None
        self.number = number
        self.process.stdin.write(f"{number}\n".encode())
        self.process.stdin.flush()

    def last_words(self) -> str:
        """The last line that it wrote before it ended."""
        self.process.wait()
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self.process.returncode}"

    def stop(self) -> None:
        """End it now."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.log):
            with suppress(OSError):
                stream.close()  # type: ignore[union-attr]


class Crew:
    """Workers that start, and import what they need, while the table is still being prepared."""

    def __init__(self, run: RunFolder, size: int) -> None:
        self.run, self.size = run, size
        self.answers: queue.Queue = queue.Queue()
        self.workers = [Worker(run, self.answers) for _ in range(size)]

    def replace(self, worker: Worker) -> Worker:
        """A new worker in the place of one that ended."""
        worker.stop()
        self.workers.remove(worker)
        self.workers.append(Worker(self.run, self.answers))
        return self.workers[-1]

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.stop()


def fit_all(run: RunFolder, candidates: Sequence[Candidate], budget: float | None, elapsed: Callable[[], float],
            crew: Crew, on_progress: Callable[[Progress], None] | None, finish: float = 0.0) -> Outcome:
    """Fit candidates in order until all are done or the budget says stop, ``finish`` seconds before its end. JobError
    where none can be done."""
    done = [number for number, candidate in enumerate(candidates) if run.is_done(candidate)]
    schedule = schedule_of(candidates, budget, done, finish)
    failed: dict[int, str] = {}
    idle, busy = list(crew.workers), set[int]()
    while True:
        while idle and (number := schedule.next(elapsed(), not done and not busy, busy)) is not None:
            idle.pop().give(number)
            schedule = schedule.taken(number)
            busy.add(number)
        _report(on_progress, candidates, schedule, done, busy, elapsed(), crew.size)
        if not busy or elapsed() > schedule.deadline:
            break
        try:
            worker, answer = crew.answers.get(timeout=min(1.0, max(schedule.deadline - elapsed(), 0.01)))
        except queue.Empty:
            continue
        run.spend(elapsed())
        number = worker.number
        if number is None:  # it ended before it was given anything
            raise JobError("a worker process", f"can't start ({worker.last_words()})", "it must run Python",
                           "Try workers=0, which fits in this process.")
        busy.discard(number)
        worker.number = None
        if answer is None:
            failed[number] = f"its process ended: {worker.last_words()}"
            worker = crew.replace(worker)
        elif "error" in answer:
            failed[number] = answer["error"]
        else:
            done.append(number)
            schedule = schedule.finished(number, answer["seconds"])
        idle.append(worker)
    return _checked(Outcome(sorted(done), failed), candidates, budget)


def fit_here(run: RunFolder, candidates: Sequence[Candidate], budget: float | None, elapsed: Callable[[], float],
             on_progress: Callable[[Progress], None] | None, finish: float = 0.0) -> Outcome:
    """The same in this very process, one after the other; a candidate that has begun is always finished."""
    from .worker import fit_one

    done = [number for number, candidate in enumerate(candidates) if run.is_done(candidate)]
    schedule = schedule_of(candidates, budget, done, finish)
    while (number := schedule.next(elapsed(), not done)) is not None:
        _report(on_progress, candidates, schedule, done, {number}, elapsed(), 1)
        schedule = schedule.taken(number).finished(number, fit_one(run, candidates[number]))
        done.append(number)
        run.spend(elapsed())
    return _checked(Outcome(sorted(done), {}), candidates, budget)


def schedule_of(candidates: Sequence[Candidate], budget: float | None, done: Sequence[int],
                finish: float = 0.0) -> Schedule:
    """The schedule of these candidates."""
    return Schedule.of([candidate.seconds for candidate in candidates], budget, done,
                       [candidate.kin for candidate in candidates], [candidate.sort for candidate in candidates],
                       [candidate.shares for candidate in candidates],
                       [candidate.apart(candidates) if candidate.shares else () for candidate in candidates],
                       [candidate.finds_groups for candidate in candidates], finish)


def _report(on_progress: Callable[[Progress], None] | None, candidates: Sequence[Candidate], schedule: Schedule,
            done: Sequence[int], busy: set[int], elapsed: float, workers: int) -> None:
    if on_progress is None:
        return
    label = ", ".join(candidates[number].name for number in sorted(busy)) or "choosing"
    left = sum(schedule.expected(number) for number in (*schedule.waiting, *busy)) / max(workers, 1)
    left = min(left, max(schedule.deadline - elapsed, 0.0))
    on_progress(Progress(len(done), len(candidates), label, left if done else None))


def _checked(outcome: Outcome, candidates: Sequence[Candidate], budget: float | None) -> Outcome:
    if outcome.done:
        return outcome
    if outcome.failed:
        number, reason = next(iter(outcome.failed.items()))
        raise JobError(f"every candidate ({candidates[number].name}, ...)", f"failed ({reason})",
                       "at least one must succeed", "Look at the data, or name other --families.")
    raise JobError("the time budget", f"of {budget:g} seconds ended before the first candidate was fitted",
                   "it must allow for one at least", "Give more time.")

