"""A worker process: ``python -m sharewise.plan.worker RUN_FOLDER``. Reads candidate numbers, answers JSON lines.

Every worker computes on one thread, so that a result does not depend on how many cores there are.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from .candidate import Candidate
from .crossfit import cross_fit
from .run import RunFolder


def fit_one(run: RunFolder, candidate: Candidate) -> float:
    """Fit and keep one candidate; how many seconds that took."""
    from ..task import Task

    began = time.monotonic()
    X, Y, folds = run.arrays()
    tasks = [Task.from_json(task) for task in run.state["tasks"]]
    fit = cross_fit(candidate, tasks, X, Y, folds)
    run.keep(candidate, fit, time.monotonic() - began)
    return time.monotonic() - began


def main() -> None:
    """Serve the numbers that come in on standard input until it ends."""
    run = RunFolder(Path(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not mix with the answers
    warnings.simplefilter("ignore")
    for line in sys.stdin:
        number = int(line)
        answer: dict[str, Any]
        try:
            answer = {"number": number, "seconds": fit_one(run, Candidate.from_json(run.state["candidates"][number]))}
        except Exception as error:
            answer = {"number": number, "error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    main()
