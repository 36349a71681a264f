"""From a table to arrays: tasks, features, the rows that train, the folds, and what the doctor says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ..base import DataError, UnknownNameError, UsageError
from ..base.checks import no_duplicates, within
from ..data import Encoder, Finding, encode_targets, examine, infer_tasks, split_folds, split_test
from ..task import Kind, Task, observed_rows

Array = np.ndarray
TEST_WORDS = ("test", "valid", "validation", "holdout", "eval")
FEWEST_TARGETS = 2
FEW_FOLDS, MANY_FOLDS, FEW_ROWS = 5, 10, 300  # where rows are few, each fold's models need nearly all of them


@dataclass(frozen=True)
class Question:
    """What is asked of a table: the arguments of ``Learner.fit`` that speak of columns."""

    targets: Sequence[str | Task]
    task_column: str | None = None
    group: str | None = None
    time: str | None = None
    split: str | None = None
    test: float = 0.0

    def check_columns(self, table: pd.DataFrame) -> None:
        """UnknownNameError for a column that the table lacks; UsageError where options are at odds."""
        for option in ("task_column", "group", "time", "split"):
            name = getattr(self, option)
            if name is not None and name not in table.columns:
                raise UnknownNameError.near(f"{option.replace('_', ' ')} column", name, table.columns)
        within("test", self.test, 0.0, 0.9)
        if self.split and self.test:
            raise UsageError("test", "is given beside a split column", "only one of them can name the test part",
                             "Leave one out.")

    def roles(self) -> tuple[str, ...]:
        """The columns that are no features because they have another role."""
        return tuple(name for name in (self.task_column, self.group, self.time, self.split) if name)


@dataclass(frozen=True)
class Prepared:
    """Arrays of the training rows, and all that led to them. ``test``: row numbers of the table's test part."""

    tasks: list[Task]
    features: list[str]
    encoder: Encoder
    X: Float[Array, "N D"]
    Y: Float[Array, "N W"]
    folds: Int[Array, "N"]
    groups: Int[Array, "N"] | None
    test: Int[Array, "n"]
    findings: list[Finding]
    words: str


def prepare(table: pd.DataFrame, question: Question, kinds: Mapping[str, str | Kind] | None, drop: Sequence[str],
            drop_leaks: bool, folds: int | None, seed: int) -> Prepared:
    """Everything before the first model. DataError or UsageError where the table or the question can't be used."""
    question.check_columns(table)
    tasks = infer_tasks(table, list(question.targets), dict(kinds or {}), question.task_column)
    features = _features(table, tasks, question, drop)
    Y = encode_targets(table, tasks)
    groups, time = _group_codes(table, question.group), _times(table, question.time)
    test = _test_part(table, Y, tasks, question, seed, groups, time)
    train = np.flatnonzero(~test & ~np.isnan(Y).all(axis=1))
    folds = folds or (MANY_FOLDS if FEW_FOLDS * 2 <= len(train) <= FEW_ROWS else FEW_FOLDS)
    _check_counts(Y[train], tasks, folds)
    findings = examine(table, tasks, features, Y=Y, test=test if test.any() else None, groups=groups)
    _raise_errors(findings)
    if drop_leaks:
        leaks = {column for finding in findings if finding.code == "leak" for column in finding.columns}
        features = [name for name in features if name not in leaks]
    if not features:
        raise DataError("the table", "has no feature column left", "it must have one at least", "Drop fewer columns.")
    encoder = Encoder().fit(table.iloc[train], features)
    own_groups = None if groups is None else groups[train]
    fold_of = split_folds(_dealt_by(Y[train], tasks), tasks, folds=folds, seed=seed, groups=own_groups,
                          time=None if time is None else time[train])
    return Prepared(tasks, features, encoder, encoder.transform(table.iloc[train]), Y[train], fold_of, own_groups,
                    np.flatnonzero(test), findings, _words(question, folds))


def _features(table: pd.DataFrame, tasks: Sequence[Task], question: Question, drop: Sequence[str]) -> list[str]:
    """The columns that are neither targets nor roles nor dropped, in the table's order."""
    no_duplicates("drop", list(drop))
    for name in drop:
        if name not in table.columns:
            raise UnknownNameError.near("column to drop", name, table.columns)
    taken = {column for task in tasks for column in task.columns} | set(question.roles()) | set(drop)
    return [name for name in table.columns if name not in taken]


def _group_codes(table: pd.DataFrame, column: str | None) -> Int[Array, "N"] | None:
    if column is None:
        return None
    codes, levels = pd.factorize(table[column], use_na_sentinel=False)
    if len(levels) < 2:
        raise DataError(f"group column {column!r}", "holds a single group", "it must hold two or more",
                        "Leave --group out.")
    return codes


def _times(table: pd.DataFrame, column: str | None) -> Float[Array, "N"] | None:
    """A column of numbers or dates as numbers; DataError where a row has no time."""
    if column is None:
        return None
    values = table[column]
    if not pd.api.types.is_numeric_dtype(values):
        values = pd.to_datetime(values, errors="coerce")
    missing = np.flatnonzero(values.isna())
    if len(missing):
        raise DataError(f"time column {column!r}", f"has {table[column].iloc[missing[0]]!r} in row {missing[0]}",
                        "every row needs a number or a date", "Mend or leave out the row.")
    return values.to_numpy().astype("int64" if values.dtype.kind == "M" else "float64").astype(float)


def _test_part(table: pd.DataFrame, Y: Array, tasks: Sequence[Task], question: Question, seed: int,
               groups: Array | None, time: Array | None) -> Array:
    if question.split:
        words = table[question.split].astype(str).str.lower()
        test = words.isin(TEST_WORDS).to_numpy()
        if not test.any() or test.all():
            raise DataError(f"split column {question.split!r}", f"holds {sorted(words.unique())[:5]!r}",
                            f"some rows, not all, must say one of {', '.join(TEST_WORDS)}", "Mend the column.")
        return test
    if question.test:
        return split_test(Y, tasks, fraction=question.test, seed=seed, groups=groups, time=time)
    return np.zeros(len(table), dtype=bool)


def _check_counts(Y: Float[Array, "N W"], tasks: Sequence[Task], folds: int) -> None:
    if len(Y) < folds:
        raise DataError("the table", f"has {len(Y)} rows with a target", f"it needs {folds} or more, one a fold",
                        "Add rows, or ask for fewer folds.")
    counts = observed_rows(Y, tasks).sum(axis=0)
    for task, count in zip(tasks, counts, strict=True):
        if count < FEWEST_TARGETS:
            raise DataError(f"target {task.name!r}", f"has {count} observed values to train on",
                            f"it needs {FEWEST_TARGETS} or more", "Add rows, or leave this task out.")


def _dealt_by(Y: Float[Array, "N W"], tasks: Sequence[Task]) -> Float[Array, "N W"]:
    """What the folds are balanced by: targets in the wide layout; in the long one a task's rows alone. There, folds
    with equal means and rates would hand small tasks the level of their held-out rows, and learning apart would look
    better than it is."""
    return np.where(np.isnan(Y), np.nan, 0.0) if tasks[0].task_column else Y


def _raise_errors(findings: Sequence[Finding]) -> None:
    for finding in findings:
        if finding.level == "error":
            raise DataError(f"{finding.subject!r}", finding.message, "training would mean nothing", finding.remedy)


def _words(question: Question, folds: int) -> str:
    how = "grouped by " + question.group if question.group else "blocks in time" if question.time else "stratified"
    return f"{folds} folds, {how}"


def describe_question(question: Question) -> dict[str, Any]:
    """The question as JSON, for the run folder."""
    return {**vars(question), "targets": [target.to_json() if isinstance(target, Task) else target
                                          for target in question.targets]}
