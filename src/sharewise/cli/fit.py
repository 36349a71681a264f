"""Learn several targets of one table and write the model folder.

Targets are columns of TABLE (CSV, Parquet, Arrow, JSON lines, ARFF). With --task-column the table is long: a row
belongs to one of many tasks (a school, a patient), and --targets names the one column that all of them predict.

  sharewise fit houses.csv --targets price,sold,grade --out model/
  sharewise fit pupils.csv --targets score --task-column school --out model/ --time-budget 5m
  sharewise fit houses.csv --targets price,grade --kind "grade=ordinal:low<mid<high" --test 0.2 --out model/

Ctrl-C keeps what is done in OUT.run; the same command with --resume goes on from there.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from .parser import Parser, names, pair
from .run_folder import RunFolder


def add_arguments(parser: Parser) -> None:
    """The options of ``sharewise fit``."""
    parser.add_argument("table", metavar="TABLE", help="the table to learn from")
    parser.add_argument("--targets", metavar="A,B", type=names, action="extend", required=True,
                        help="what to predict; 'y_*' stands for all columns whose names fit")
    parser.add_argument("--out", metavar="FOLDER", type=Path, required=True, help="where the model goes")
    parser.add_argument("--overwrite", action="store_true", help="replace what stands at --out")
    parser.add_argument("--resume", action="store_true", help="go on where an earlier run was stopped")
    columns = add_columns(parser)
    columns.add_argument("--drop-leaks", action="store_true", help="drop features that alone give a target away")
    splits = parser.add_argument_group("splits")
    splits.add_argument("--group", metavar="C", help="rows of one group never stand on both sides of a split")
    splits.add_argument("--time", metavar="C", help="folds are blocks in time, the test part the latest rows")
    splits.add_argument("--split", metavar="C", help="a column that holds train or test")
    splits.add_argument("--test", metavar="SHARE", type=float, default=0.0,
                        help="share of the rows held out for the report, 0 to 0.9 (default: none)")
    splits.add_argument("--folds", metavar="K", type=int,
                        help="folds behind the evidence (default: 10 up to 150 rows, 3 above 5,000 a task, else 5)")
    parser.add_argument("--decide", metavar="RULE",
                        help="for which measure labels are said: hamming_loss, subset_accuracy, micro_f1, macro_f1, "
                             "example_f1, jaccard, cardinality, top_1, top_2, ... (default: what is above one half)")
    add_effort(parser)


def add_columns(parser: Parser) -> argparse._ArgumentGroup:
    """What every command that reads a table's targets has in common; the group, for more."""
    columns = parser.add_argument_group("columns")
    columns.add_argument("--task-column", metavar="C", help="long layout: the column that says whose row it is")
    columns.add_argument("--kind", metavar="NAME=KIND", type=pair, action="append", default=[],
                         help="set the kind of a target, or of one task of the long layout (see: sharewise list "
                              "kinds); may be given several times")
    columns.add_argument("--drop", metavar="A,B", type=names, action="extend", default=[],
                         help="columns that are no features; 'lag_*' stands for all that fit")
    return columns


def add_effort(parser: Parser, time_budget: str | None = None) -> None:
    """What ``fit`` and ``demo`` have in common: how much to try, and how to say so."""
    effort = parser.add_argument_group("effort")
    effort.add_argument("--time-budget", metavar="TIME", default=time_budget,
                        help=f"such as 90s, 5m, 2h, counting everything (default: {time_budget or 'none'})")
    effort.add_argument("--plan", metavar="PLAN", default="auto",
                        help="auto, separate, together, or a file with a plan (default: auto)")
    effort.add_argument("--families", metavar="A,B", type=names, help="sorts of models to try (default: all)")
    effort.add_argument("--balance", metavar="A,B", type=names, default=[],
                        help="balancers of shared networks, tried beside equal weights (see: sharewise list)")
    effort.add_argument("--share", metavar="A,B", type=names,
                        help="ways in which networks share (see: sharewise list sharing; default: a few)")
    effort.add_argument("--labels", metavar="A,B", type=names, default=[],
                        help="label methods to try beside the others, such as RAkELo (see: sharewise list labels)")
    effort.add_argument("--seed", metavar="N", type=int, default=0, help="fixes every random choice (default: 0)")
    effort.add_argument("--workers", metavar="N", type=int, help="processes to use (default: one a core)")
    effort.add_argument("--quiet", action="store_true", help="no progress, no table at the end")


def learner_options(options: argparse.Namespace) -> dict[str, Any]:
    """What the constructor of the Learner is given."""
    families = None if options.families is None else tuple(options.families)
    share = None if options.share is None else tuple(options.share)
    return {"time_budget": options.time_budget, "plan": options.plan, "families": families, "seed": options.seed,
            "balance": tuple(options.balance), "share": share, "labels": tuple(options.labels),
            "workers": options.workers}


def run(options: argparse.Namespace) -> int:
    """Fit, save, show the evidence."""
    run_folder = RunFolder(options.out, options.resume, options.overwrite)
    if run_folder.is_complete():
        print(f"{options.out} is complete: there is nothing to resume")
        return 0
    from ..plan import Learner
    from .evidence import print_evidence
    from .progress import Progress

    with run_folder.kept_on_stop(), Progress(options.quiet) as progress:
        learner = Learner(**learner_options(options), kinds=dict(options.kind) or None, folds=options.folds,
                          drop=tuple(options.drop), drop_leaks=options.drop_leaks, decide=options.decide,
                          on_progress=progress)
        progress.findings_of = learner
        learner.fit(options.table, targets=options.targets, task_column=options.task_column, group=options.group,
                    time=options.time, split=options.split, test=options.test, run_folder=run_folder.path,
                    resume=options.resume, started=options.started)
        run_folder.finish(learner.save)
    if not options.quiet:
        print_evidence(learner.report_, options.out)
    print(f"model: {options.out}")
    return 0
