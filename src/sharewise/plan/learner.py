"""The main job: from a table to a model that is never knowingly worse than separate models, and the evidence."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..base import DataError, FolderError, NotFittedError, UsageError
from ..base.checks import at_least_one, one_of, whole
from ..base.estimator import fit_scales
from ..base.store import FORMAT, seal, unseal, writing
from ..data import as_table, encode_targets, format_predictions, format_probabilities, group_codes
from ..judge import Report, fit_calibration, render_html
from ..task import Kind, Task, slices
from .balancers import Wanted, check_balancers
from .candidate import Candidate
from .choice import TaskChoice, choose
from .decided import describe_decision, table_of
from .deciding import Decision, label_tables, read_rule
from .decision import served_plan
from .duration import read_seconds
from .effort import finish_seconds, slowness
from .label_methods import check_labels
from .plan import Plan
from .pool import Crew, Outcome, Progress, fit_all, fit_here
from .portfolio import FAMILIES, portfolio
from .prepare import Prepared, Question, as_list, as_name, describe_question, prepare
from .reporting import Evidence, RunFacts, build_report, evidence_of_choice, evidence_of_table
from .run import RunFolder
from .served import Member, Served
from .sharing import check_share
from .within_kinds import learning_alone

Array = np.ndarray


class Learner:
    """Learns several targets of a table, finds out which should learn together, and serves what paid.

    Parameters: ``time_budget`` in seconds or as text ("90s", "5m", "1h"), counting everything; None tries the whole
    portfolio. ``plan``: "auto" (all plans compete), "separate", "together", a Plan, or the path of a plan's JSON.
    ``families``: which of "linear", "trees", "network", "chain", "labels" may compete (None: all). ``kinds``:
    target -> kind, where the inferred one is not wanted ("ordinal:low<mid<high"). ``balance``: balancers, by name or as
    objects, with which shared networks are tried beside equal weights. ``share``: the ways in which shared networks
    share, by name (None: hard sharing, and in the long layout of one target FiLM too). ``labels``: label methods that
    are tried beside the rest, by name ("RAkELo"), over lines and over forests. ``drop``: columns that must not be
    features; ``drop_leaks`` drops what the leak watch names. ``folds``: how many parts the evidence rests on (None: 10
    up to 150 rows, 3 where a task has over 5,000, else 5). ``decide``: for which measure ``predict`` says labels, of
    multilabel targets and of all binary ones together: hamming_loss, subset_accuracy, micro_f1, macro_f1, example_f1,
    jaccard, cardinality, top_1, top_2, ... (None: what is above one half). ``workers``: processes to fit in (None: one
    a core; 0: this very process). ``on_progress`` is called with a Progress now and then.

    After ``fit``: ``tasks_``, ``findings_`` (the doctor's), ``plan_``, ``report_``, ``scales_``.

    >>> import numpy as np, pandas as pd
    >>> x = np.random.default_rng(0).normal(size=(80, 3))
    >>> table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(price=x[:, 0] * 3 + 5, sold=x[:, 1] > 0)
    >>> learner = Learner(families=("linear",), workers=0).fit(table, targets=["price", "sold"])
    >>> list(learner.predict(table.head(2)).columns)
    ['price', 'sold']
    """

    def __init__(self, *, time_budget: float | str | None = None, plan: str | Plan | Path = "auto",
                 families: Sequence[str] | None = None, kinds: Mapping[str, str | Kind] | None = None,
                 balance: Sequence[Wanted] = (), share: Sequence[str] | None = None, labels: Sequence[str] = (),
                 drop: Sequence[str | int] = (), drop_leaks: bool = False, folds: int | None = None,
                 decide: str | None = None, seed: int = 0, workers: int | None = None,
                 on_progress: Callable[[Progress], None] | None = None) -> None:
        self.time_budget, self.plan, self.families, self.kinds = time_budget, plan, families, kinds
        self.balance, self.share, self.labels = balance, share, labels
        self.drop, self.drop_leaks = drop, drop_leaks
        self.folds, self.decide, self.seed = folds, decide, seed
        self.workers, self.on_progress = workers, on_progress
        self._budget = read_seconds(time_budget)
        self._rule = None if decide is None else read_rule(decide)
        whole("folds", 2 if folds is None else folds, 2, 50)
        whole("seed", seed, 0, 2**32 - 1)
        whole("workers", 0 if workers is None else workers, 0, 1024)
        if isinstance(drop, (str, type(None))) or isinstance(families, str):
            raise UsageError("drop or families", "is no list", "it must be a list of names", "Put it in brackets.")
        if kinds is not None and not isinstance(kinds, Mapping):
            raise UsageError("kinds", f"is {kinds!r}", "it must be a dict from targets to kinds", "Change it.")
        for family in () if families is None else at_least_one("families", families):
            one_of("family", family, FAMILIES)
        check_balancers(balance, families, plan)
        check_share(share, families, plan, balance)
        check_labels(labels, families)

    # -- learning ----------------------------------------------------------------------------------------------
    def fit(self, table: Any, targets: Sequence[str | int | Task], *, task_column: str | int | None = None,
            group: str | int | None = None, time: str | int | None = None, split: str | int | None = None,
            test: float = 0.0, run_folder: str | Path | None = None, resume: bool = False,
            started: float | None = None) -> Learner:
        """Learn ``targets`` from a table: a path, a pandas or polars frame, an array, or a dict of columns.

        ``task_column``: the long layout, in which a row belongs to the task that this column names. ``group``: rows
        of one group stay in one fold. ``time``: folds are blocks in time. ``split``: a column that says train
        or test; ``test``: the share of rows to hold out instead. The test part is only looked at for the report.
        ``run_folder`` keeps what is done; with ``resume`` a broken-off fit goes on from there. ``started`` is the
        time.monotonic() that the budget counts from. DataError, UsageError or JobError, each with what to do.
        """
        came, worked = monotonic(), process_time()
        began = came if started is None else started
        roles = {"task_column": task_column, "group": group, "time": time, "split": split}
        named = {role: None if name is None else as_name(role, name) for role, name in roles.items()}
        question = Question(as_list(targets), **named, test=test)
        run = self._open_run(run_folder, resume)
        with Crew(run, self._crew_size()) as crew:
            frame = as_table(table)
            drop = [as_name("a column to drop", name) for name in self.drop]
            prepared = prepare(frame, question, self.kinds, drop, self.drop_leaks, self.folds, self.seed)
            self.tasks_, self.findings_, self.group_ = prepared.tasks, prepared.findings, question.group
            self.scales_ = fit_scales(self.tasks_, prepared.Y)
            tables = label_tables(self._rule, self.tasks_, prepared.Y, prepared.folds)
            candidates = portfolio(prepared, self.plan, self.families, self.seed, self._budget, self.balance,
                                   self.share, self.labels)
            run.start(prepared.X, prepared.Y, prepared.folds, self.tasks_, candidates, self._describe(question))
            spent = run.spent()
            elapsed = lambda: monotonic() - began + spent  # noqa: E731
            finish = finish_seconds(prepared.Y) * slowness(monotonic() - came, process_time() - worked)
            if crew.size:
                outcome = fit_all(run, candidates, self._budget, elapsed, crew, self.on_progress, finish)
            else:
                outcome = fit_here(run, candidates, self._budget, elapsed, self.on_progress, finish)
        self._choose(prepared, run, [candidates[number] for number in outcome.done])
        if self._rule is not None:
            evidence = evidence_of_choice(self.tasks_, prepared.Y, prepared.folds, prepared.groups, self.choices_,
                                          self.served_)
            self.served_.decisions = [Decision.fit(self._rule, one, *table_of(one, evidence)) for one in tables]
        self._judge(frame, prepared, run, candidates, outcome, elapsed)
        return self

    def _crew_size(self) -> int:
        return os.cpu_count() or 1 if self.workers is None else self.workers

    def _describe(self, question: Question) -> dict[str, Any]:
        """The options that decide the result, for the run folder to compare."""
        return {"question": describe_question(question), "seed": self.seed, "budget": self._budget,
                "drop": list(self.drop), "drop_leaks": self.drop_leaks}

    def _open_run(self, run_folder: str | Path | None, resume: bool) -> RunFolder:
        if run_folder is None:
            scratch = tempfile.mkdtemp(prefix="sharewise-")
            weakref.finalize(self, shutil.rmtree, scratch, ignore_errors=True)
            return RunFolder(scratch)
        if (Path(run_folder) / "work").exists() and not resume:
            raise FolderError(f"run folder {str(run_folder)!r}", "holds unfinished work", "it must be new or resumed",
                              "Add --resume (resume=True), or delete it.")
        return RunFolder(run_folder)

    def _choose(self, prepared: Prepared, run: RunFolder, done: list[Candidate]) -> None:
        """Ensembles and decisions per task, calibration, and what serves."""
        self.choices_: dict[str, TaskChoice] = choose(
            self.tasks_, prepared.Y, prepared.folds, [run.means(candidate) for candidate in done],
            [candidate.shares for candidate in done], {name: scale.unit for name, scale in self.scales_.items()},
            prepared.groups, self.seed, self.plan not in ("auto", "separate"), learning_alone(done, self.tasks_))
        self.plan_ = served_plan(self.choices_, done)
        parts = slices(self.tasks_)
        calibrations = {task.name: fit_calibration(task, one.means["chosen"], prepared.Y[one.rows, parts[task.name]])
                        for task in self.tasks_ if (one := self.choices_[task.name])}
        used = [at for at in range(len(done))
                if any(weights[at] > 0 for one in self.choices_.values() for weights in one.weights.values())]
        sides = list(next(iter(self.choices_.values())).weights)
        weights = {side: {name: one.weights[side][used].tolist() for name, one in self.choices_.items()}
                   for side in sides}
        members = [Member(done[at].name, done[at].family, done[at].shares, done[at].plan,
                          [done[at].serves(part) for part in range(len(done[at].parts))], run.folder(done[at]))
                   for at in used]
        self.served_ = Served(self.tasks_, self.scales_, prepared.encoder, members, weights, calibrations)

    def _judge(self, frame: pd.DataFrame, prepared: Prepared, run: RunFolder, candidates: list[Candidate],
               outcome: Outcome, elapsed: Callable[[], float]) -> None:
        """The report: on the test part where there is one, else on out-of-fold predictions."""
        if len(prepared.test):
            part = frame.iloc[prepared.test].reset_index(drop=True)
            evidence = self._evidence(part, f"the test part of {len(part)} rows")
        else:
            evidence = evidence_of_choice(self.tasks_, prepared.Y, prepared.folds, prepared.groups,
                                          self.choices_, self.served_)
        self.facts_ = RunFacts.of(prepared, run, candidates, outcome, self.served_, self.choices_, self._budget,
                                  elapsed(), frame)
        self.report_ = self._report(evidence)

    def _report(self, evidence: Evidence) -> Report:
        decided = [describe_decision(one, self.tasks_, evidence) for one in self.served_.decisions]
        return build_report(self.tasks_, self.served_, self.plan_, self.facts_, evidence, decided)

    def _evidence(self, frame: pd.DataFrame, words: str) -> Evidence:
        groups = group_codes(frame, self.group_)
        return evidence_of_table(self.tasks_, encode_targets(frame, self.tasks_), self.served_, frame, groups, words)

    # -- using -------------------------------------------------------------------------------------------------
    def predict_means(self, table: Any, which: str = "chosen") -> dict[str, Float[Array, "N C"]]:
        """Expected value or class probabilities [N, C] of each task; ``which`` may be "separate" or "together"."""
        means = self._fitted().predict_means(as_table(table), which)
        return self.served_.calibrate(means) if which == "chosen" else means

    def predict(self, table: Any) -> pd.DataFrame:
        """The best value of every target for every row, in the target's own labels or units; of labels, what ``decide``
        says."""
        frame = as_table(table)
        return format_predictions(self.served_.decide(self.predict_means(frame)), self.tasks_, frame)

    def predict_proba(self, table: Any) -> dict[str, pd.DataFrame]:
        """Class probabilities of the targets that have classes: a frame for each, with a column a class."""
        frame = as_table(table)
        return format_probabilities(self.predict_means(frame), self.tasks_, frame)

    def judge(self, table: Any) -> Report:
        """The report on new rows with known targets: separate, together and chosen, with the gain and its interval."""
        frame = as_table(table)
        self._fitted()
        evidence = self._evidence(frame, f"{len(frame)} new rows")
        if not any(map(len, evidence.rows.values())):
            raise DataError("the table", f"has no observed target in {len(frame)} rows", "it must have one at least",
                            "Fill in the targets of some rows.")
        return self._report(evidence)

    def _fitted(self) -> Served:
        if not hasattr(self, "served_"):
            raise NotFittedError.of(self)
        return self.served_

    # -- kept --------------------------------------------------------------------------------------------------
    def save(self, folder: str | Path, overwrite: bool = False) -> None:
        """Write the model as a folder: whole or not at all, no pickle. FolderError if it exists already."""
        from .. import __version__

        served = self._fitted()
        with writing(Path(folder), overwrite) as draft:
            state = served.write(draft)
            (draft / "report.json").write_text(json.dumps(self.report_.to_json()), encoding="utf-8")
            (draft / "report.html").write_text(render_html(self.report_), encoding="utf-8")
            seal(draft, {"sharewise": __version__, "plan": self.plan_.to_json(), "facts": self.facts_.to_json(),
                         "group": self.group_, **state}, FORMAT)

    @classmethod
    def load(cls, folder: str | Path) -> Learner:
        """The learner that ``save`` wrote. FolderError where the folder is missing, broken, changed or newer."""
        path = Path(folder)
        state = unseal(path, FORMAT)
        learner = cls()
        try:
            learner.served_ = Served.read(path, state)
            learner.plan_, learner.group_ = Plan.from_json(state["plan"]), state["group"]
            learner.facts_ = RunFacts.from_json(state["facts"])
            learner.report_ = Report.from_json(json.loads((path / "report.json").read_text(encoding="utf-8")))
        except (KeyError, TypeError, AttributeError) as error:
            raise FolderError(f"model folder {str(path)!r}", f"lacks a part of its description ({error})",
                              "it must be as save wrote it", "Copy it again, or fit again.") from error
        learner.tasks_, learner.scales_ = learner.served_.tasks, learner.served_.scales
        return learner


def load(folder: str | Path) -> Learner:
    """The learner in a model folder. FolderError where the folder is missing, broken, changed or newer.

    >>> import tempfile
    >>> import numpy as np, pandas as pd
    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> table = pd.DataFrame(x, columns=["a", "b"]).assign(price=x[:, 0] * 3 + 5)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     Learner(families=("linear",), workers=0).fit(table, ["price"]).save(place + "/model")
    ...     load(place + "/model").plan_.tasks
    ('price',)
    """
    return Learner.load(folder)
