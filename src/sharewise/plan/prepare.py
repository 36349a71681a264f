"""From a table to arrays: tasks, features, the rows that train, the folds, and what the doctor says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ..base import DataError, UnknownNameError, UsageError
from ..base.checks import no_duplicates, within
from ..data import (
    Encoder,
    Finding,
    encode_targets,
    examine,
    group_codes,
    infer_tasks,
    split_folds,
    split_test,
    without_false_order,
)
from ..task import Kind, Task, observed_rows
from .patterns import matching

Array = np.ndarray
TEST_WORDS = ("test", "valid", "validation", "holdout", "eval")
FEWEST_TARGETS = 2
ROLES = ("task_column", "group", "time", "split")
MANY_FOLDS, FOLDS, FEW_FOLDS = 10, 5, 3
FEW_ROWS, MANY_ROWS = 150, 5000  # where rows are few, each fold needs nearly all; where a task has many, two thirds do


def as_name(thing: str, column: Any) -> str:
    """The name of a column as tables have it here: text. A table may have numbers for names; UsageError on others."""
    if isinstance(column, bool) or not isinstance(column, (str, Integral)):
        raise UsageError(thing, f"is {column!r}", "it must be the name of a column", "Change it.")
    return str(column)


def as_list(targets: Sequence[str | int | Task]) -> list[str | Task]:
    """The targets that are asked for, each once. UsageError where there are none, or one stands twice."""
    listed = [targets] if isinstance(targets, (str, Task)) else list(() if targets is None else targets)
    names = [target if isinstance(target, Task) else as_name("a target", target) for target in listed]
    if not names:
        raise UsageError("targets", "is empty", "it must name one or more columns", "Name them.")
    no_duplicates("targets", [name if isinstance(name, str) else name.name for name in names])
    return names


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
        targets = {column for target in self.targets
                   for column in (target.columns if isinstance(target, Task) else (target,))}
        for option in ROLES:
            name, thing = getattr(self, option), f"{option.removesuffix('_column')} column"
            if name is not None and name not in table.columns:
                raise UnknownNameError.near(thing, name, table.columns)
            if name in targets:
                raise UsageError(f"{thing} {name!r}", "is also a target", "a column can have one role", "Name another.")
        within("test", self.test, 0.0, 0.9)
        if self.split and self.test:
            raise UsageError("test", "is given beside a split column", "only one of them can name the test part",
                             "Leave one out.")

    def roles(self) -> tuple[str, ...]:
        """The columns that are no features because they have another role."""
        return tuple(name for option in ROLES if (name := getattr(self, option)) is not None)


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
    question = replace(question, targets=matching(question.targets, table))
    drop = matching(drop, table)
    question.check_columns(table)
    tasks = infer_tasks(table, list(question.targets), dict(kinds or {}), question.task_column)
    features = _features(table, tasks, question, drop)
    Y = encode_targets(table, tasks)
    groups, time = group_codes(table, question.group), _times(table, question.time)
    _check_groups(groups, question.group)
    test = _test_part(table, Y, tasks, question, seed, groups, time)
    train = np.flatnonzero(~test & ~np.isnan(Y).all(axis=1))
    own_groups, own_time = (None if values is None else values[train] for values in (groups, time))
    encoder = _encoder(table, train, features)
    X = encoder.transform(table)  # the test rows too: a cell that can't be read is found before any training
    tasks, notes = without_false_order(tasks, X, Y, train, _given(question, kinds or {}), seed)
    Y = encode_targets(table, tasks) if notes else Y
    folds = folds or _fold_count(Y[train], tasks, own_groups if own_time is None else own_time)
    _check_counts(Y[train], tasks, folds)
    findings = notes + examine(table, tasks, features, Y=Y, test=test if test.any() else None, groups=groups,
                       by_time=question.time is not None)
    _raise_errors(findings)
    if drop_leaks:
        leaks = {column for finding in findings if finding.code == "leak" for column in finding.columns}
        features = [name for name in features if name not in leaks]
        encoder = _encoder(table, train, features)
        X = encoder.transform(table)
    fold_of = split_folds(_dealt_by(Y[train], tasks), tasks, folds=folds, seed=seed, groups=own_groups,
                          time=own_time)
    return Prepared(tasks, features, encoder, X[train], Y[train], fold_of, own_groups,
                    np.flatnonzero(test), findings, _words(question, folds))


def _given(question: Question, kinds: Mapping[str, str | Kind]) -> set[str]:
    """The columns, and tasks of the long layout, whose kind was asked for."""
    columns = (column for target in question.targets if isinstance(target, Task) for column in target.columns)
    return {*map(str, kinds), *columns}


def _fold_count(Y: Float[Array, "N W"], tasks: Sequence[Task], units: Array | None) -> int:
    """Ten folds where rows are few, three where a task has many, else five; not more than five where there are too few
    groups or moments."""
    typical = observed_rows(Y, tasks).sum() / len(tasks)
    count = MANY_FOLDS if len(Y) <= FEW_ROWS else FEW_FOLDS if typical > MANY_ROWS else FOLDS
    return count if units is None or len(np.unique(units)) >= count else min(count, FOLDS)


def _encoder(table: pd.DataFrame, train: Int[Array, "n"], features: list[str]) -> Encoder:
    if not features:
        raise DataError("the table", "has no feature column left", "it must have one at least",
                        "Drop fewer columns, or name fewer targets.")
    return Encoder().fit(table.iloc[train], features)


def _features(table: pd.DataFrame, tasks: Sequence[Task], question: Question, drop: Sequence[str]) -> list[str]:
    """The columns that are neither targets nor roles nor dropped, in the table's order."""
    no_duplicates("drop", list(drop))
    for name in drop:
        if name not in table.columns:
            raise UnknownNameError.near("column to drop", name, table.columns)
    taken = {column for task in tasks for column in task.columns} | set(question.roles()) | set(drop)
    return [name for name in table.columns if name not in taken]


def _check_groups(groups: Int[Array, "N"] | None, column: str | None) -> None:
    if groups is not None and groups.max() < 1:
        raise DataError(f"group column {column!r}", "holds a single group", "it must hold two or more",
                        "Leave --group out.")


def _times(table: pd.DataFrame, column: str | None) -> Float[Array, "N"] | None:
    """A column of numbers or dates as numbers; DataError where a row has no time."""
    if column is None:
        return None
    values = table[column]
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.dt.to_timestamp()
    if pd.api.types.is_timedelta64_dtype(values):
        values = values.dt.total_seconds()
    if not pd.api.types.is_numeric_dtype(values):
        dates = pd.to_datetime(values, errors="coerce", format="mixed", utc=True)
        values = dates.astype("int64").where(dates.notna())
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if len(wrong):
        cell = table[column].iloc[wrong[0]]
        was = "is empty" if pd.isna(cell) else f"has {cell!s}"
        raise DataError(f"time column {column!r}", f"{was} in row {wrong[0]}", "every row needs a number or a date",
                        "Mend or leave out the row.")
    return numbers


def _test_part(table: pd.DataFrame, Y: Array, tasks: Sequence[Task], question: Question, seed: int,
               groups: Array | None, time: Array | None) -> Array:
    if question.split:
        words = table[question.split].astype(str).str.lower()
        test = words.isin(TEST_WORDS).to_numpy()
        if not test.any() or test.all():
            raise DataError(f"split column {question.split!r}", f"holds {sorted(words.unique())[:5]!r}",
                            f"some rows, not all, must say one of {', '.join(TEST_WORDS)}", "Mend the column.")
        if np.isnan(Y[test]).all():
            raise DataError(f"split column {question.split!r}", f"names {test.sum()} test rows without a target",
                            "some must have one, to be judged on", "Leave them out and predict them later.")
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
        fewest = 1 if task.task_column else FEWEST_TARGETS  # a school of one pupil still learns from the others
        if count < fewest:
            raise DataError(f"target {task.name!r}", f"has {count} observed values to train on",
                            f"it needs {fewest} or more", "Add rows, or leave this task out.")


def _dealt_by(Y: Float[Array, "N W"], tasks: Sequence[Task]) -> Float[Array, "N W"]:
    """What the folds are balanced by: targets in the wide layout; in the long one a task's rows alone. There, folds
    with equal means and rates would hand small tasks the level of their held-out rows, and learning apart would look
    better than it is."""
    return np.where(np.isnan(Y), np.nan, 0.0) if tasks[0].task_column else Y


def _raise_errors(findings: Sequence[Finding]) -> None:
    errors = [finding for finding in findings if finding.level == "error"]
    for first in errors[:1]:
        raise DataError(f"target {first.subject!r}", first.message, "training would mean nothing",
                        first.remedy).and_more([other.subject for other in errors[1:]])


def _words(question: Question, folds: int) -> str:
    how = "grouped by " + question.group if question.group else "blocks in time" if question.time else "stratified"
    return f"{folds} folds, {how}"


def describe_question(question: Question) -> dict[str, Any]:
    """The question as JSON, for the run folder."""
    return {**vars(question), "targets": [target.to_json() if isinstance(target, Task) else target
                                          for target in question.targets]}
