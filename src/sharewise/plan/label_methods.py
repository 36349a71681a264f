"""Methods for label sets that compete, by name: each over lines and over forests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from sklearn.base import clone

from ..base import DataError, UsageError
from ..base.checks import no_duplicates
from ..base.estimator import Estimator
from ..solve.labels import LabelMethod
from ..solve.labels.in_fits import method_class, needs_base
from ..solve.labels.label_method import LABELS
from ..task import Task, slices
from .candidate import Candidate
from .plan import Plan

Array = np.ndarray
FEWEST_WHOLE = 0.9  # share of the rows with labels that have all of them: the methods learn from these alone


def check_labels(wanted: Sequence[str], families: Sequence[str] | None = None) -> Sequence[str]:
    """``wanted``, the names of label methods. UsageError, UnknownNameError for others, and where their family is not to
    compete."""
    if isinstance(wanted, (str, type(None))):
        raise UsageError("labels", "is no list", "it must be a list of names", "Put it in brackets.")
    for name in no_duplicates("labels", wanted):
        method_class(name)
    if len(wanted) and "labels" not in (families or ("labels",)):
        raise UsageError("labels", "is given where the family labels does not compete", "it names methods of that one",
                         "Leave it out, or add labels to families.")
    return wanted


def label_candidates(wanted: Sequence[str], tasks: Sequence[Task], Y: Float[Array, "N W"], plans: Mapping[str, Plan],
                     mixed: bool, bases: Mapping[str, Estimator], seed: int) -> list[Candidate]:
    """Candidates of the ``wanted`` methods over each of the ``bases``: for each set-valued task alone, and for all
    labels of the table together. Tasks of other kinds learn alone by the same base, if the plans let a group be
    ``mixed``. UsageError, DataError: targets or plans that are not for them."""
    if not len(wanted):
        return []
    thing = f"labels {', '.join(wanted)}"
    labels = [task for task in tasks if task.kind.name in LABELS and not task.task_column]
    if sum(task.kind.width for task in labels) < 2:
        kinds = ", ".join(f"{one.name} ({one.kind.name})" for one in tasks[:8])
        raise UsageError(thing, f"is asked for where the targets are {kinds}",
                         "label methods are for a column of label sets, or two yes-or-no columns of a wide table",
                         "Leave it out, or name such targets.")
    _check_whole(thing, labels, np.hstack([Y[:, slices(tasks)[task.name]] for task in labels]))
    found = [candidate for name in wanted for word, base in _bases_of(name, bases).items()
             for candidate in [*_separate(name, word, base, tasks, seed),
                               *_together(name, word, base, tasks, plans, mixed, seed)]]
    if not found:
        raise UsageError(thing, "finds no group of labels in this plan",
                         "a group must hold labels alone, and two of them",
                         "Take --plan auto (plan='auto'), or leave it out.")
    return found


def _check_whole(thing: str, labels: Sequence[Task], Y: Float[Array, "N L"]) -> None:
    seen = ~np.isnan(Y)
    some, whole = seen.any(axis=1).sum(), seen.all(axis=1).sum()
    if whole < FEWEST_WHOLE * some:
        worst = [task.name for task in labels for _ in range(task.kind.width)][int(seen.sum(axis=0).argmin())]
        raise DataError(thing, f"learns from rows with all labels, and {whole} of {some} have them (most often "
                        f"{worst!r} is missing)", f"{FEWEST_WHOLE:.0%} of the rows must have all",
                        "Leave out the targets with many empty cells; or leave the methods out, for all other "
                        "candidates take gaps.")


def _bases_of(name: str, bases: Mapping[str, Estimator]) -> Mapping[str, Estimator]:
    """What a method is built on, by the word for it; where it needs nothing, other tasks learn by the first base."""
    if needs_base(name):
        return bases
    word, base = next(iter(bases.items()))
    return {"" if method_class(name).label_by_label else word: base}


def _separate(name: str, word: str, base: Estimator, tasks: Sequence[Task], seed: int) -> list[Candidate]:
    title, plan = f"{f'{name} {word}'.strip()}, separate", Plan.separate([task.name for task in tasks])
    if method_class(name).label_by_label:
        return [Candidate(title, plan, (LabelMethod(tasks, base, method=name, seed=seed),))]
    if not any(task.kind.name == "multilabel" for task in tasks):
        return []
    return [Candidate(title, plan, tuple(_learner([task], name, base, seed) for task in tasks))]


def _together(name: str, word: str, base: Estimator, tasks: Sequence[Task], plans: Mapping[str, Plan], mixed: bool,
              seed: int) -> list[Candidate]:
    by_name, found = {task.name: task for task in tasks}, []
    if method_class(name).label_by_label or len(tasks) < 2:
        return []
    for title, plan in plans.items():
        if title == "together" and mixed:
            labels = [task.name for task in tasks if task.kind.name in LABELS]
            plan = Plan.of([labels, *([name] for name in by_name if name not in labels)])
        groups = [[by_name[one] for one in group.learns] for group in plan.groups]
        pure = all(len(group) == 1 or all(task.kind.name in LABELS for task in group) for group in groups)
        if pure and title != "grouped" and not plan.is_separate:
            found.append(Candidate(f"{name} {word}, {title}", plan,
                                   tuple(_learner(group, name, base, seed) for group in groups)))
    return found


def _learner(tasks: Sequence[Task], name: str, base: Estimator, seed: int) -> Estimator:
    if sum(task.kind.width for task in tasks if task.kind.name in LABELS) > 1:
        return LabelMethod(list(tasks), base, method=name, seed=seed)
    return clone(base).set_params(tasks=list(tasks))
