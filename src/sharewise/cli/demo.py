"""Run the main job on a real table that ships with the package (default: nhanes, health of US adults).

A fifth of the rows is held out for the report. The run ends with the table of tasks and the path of the HTML report.

  sharewise demo
  sharewise demo parkinsons --time-budget 3m --out patients/
"""

from __future__ import annotations

import argparse
from pathlib import Path

from .fit import add_effort, learner_options
from .parser import Parser
from .run_folder import RunFolder

TEST_SHARE = 0.2


def add_arguments(parser: Parser) -> None:
    """The options of ``sharewise demo``."""
    parser.add_argument("name", metavar="NAME", nargs="?", default="nhanes",
                        help="another shipped table (see: sharewise list datasets)")
    parser.add_argument("--out", metavar="FOLDER", type=Path, default=Path("demo"),
                        help="where the model goes (default: demo)")
    parser.add_argument("--resume", action="store_true", help="go on where an earlier run was stopped")
    add_effort(parser, time_budget="90s")


def run(options: argparse.Namespace) -> int:
    """Fit a shipped table, save, show the evidence. What stood at --out from an earlier demo is replaced."""
    run_folder = RunFolder(options.out, options.resume, overwrite=not options.resume)
    if run_folder.is_complete():
        print(f"{options.out} is complete: there is nothing to resume")
        return 0
    from ..data import datasets
    from ..plan import Learner
    from .evidence import print_evidence
    from .progress import Progress

    data = datasets.load(options.name)
    print(data.card.partition("\n")[0].lstrip("# "))
    with run_folder.kept_on_stop(), Progress(options.quiet) as progress:
        learner = Learner(**learner_options(options), kinds=data.kinds, drop=data.drop, on_progress=progress)
        progress.findings_of = learner
        learner.fit(data.table, targets=data.targets, task_column=data.task_column, group=data.group, test=TEST_SHARE,
                    run_folder=run_folder.path, resume=options.resume, started=options.started)
        run_folder.finish(learner.save)
    if not options.quiet:
        print_evidence(learner.report_, options.out)
    print(f"model: {options.out}")
    return 0
