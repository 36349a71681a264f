"""Whether whole numbers are grades or the codes of classes: what the features see."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Sequence, Set
from dataclasses import replace
from itertools import permutations

import numpy as np
from jaxtyping import Float, Int

from ..task import Kind, Multiclass, Task, slices
from .doctor import Finding
from .infer_numbers import MOST_LEVELS, ROWS_A_LEVEL
from .long import names_of

Array = np.ndarray
MOST_ROWS, FEWEST_ROWS = 2000, 100
NEIGHBOURS = 10
IN_FULL = 6  # up to so many classes all orders are compared, beyond some that are drawn
DRAWN = 500
BY_CHANCE = 0.1  # an order that more than this share of all orders match is none
CLEARLY = 3.0  # standard errors by which another order must fit better


def without_false_order(tasks: Sequence[Task], X: Float[Array, "N D"], Y: Float[Array, "N W"],
                        train: Int[Array, "n"], given: Set[str] = frozenset(),
                        seed: int = 0) -> tuple[list[Task], list[Finding]]:
    """The tasks, with whole numbers of few values that were taken for grades or counts as classes where the features
    clearly see no order in them, in the ``train`` rows, and a note on each of these. ``given`` are columns whose kind
    was asked for.

    >>> from sharewise.task import Ordinal
    >>> rng = np.random.default_rng(0)
    >>> codes = rng.integers(0, 5, size=400)
    >>> X = np.array([0.0, 4.0, 1.0, 3.0, 2.0])[codes, None] + rng.normal(size=(400, 1))
    >>> task = Task("y", Ordinal((0, 1, 2, 3, 4)))
    >>> tasks, notes = without_false_order([task], X, codes[:, None] * 1.0, np.arange(400))
    >>> tasks[0].kind.name
    'multiclass'
    """
    found, parts = list(tasks), slices(tasks)
    open_ones: dict[tuple[tuple[str, ...], Kind], list[int]] = {}
    for at, task in enumerate(tasks):
        if given.isdisjoint(names_of(task)) and task.kind.name in ("ordinal", "count"):
            open_ones.setdefault((task.columns, task.kind), []).append(at)
    if not open_ones or len(train) < FEWEST_ROWS:
        return found, []
    rows, near = _some_rows(X, train, seed)
    notes = []
    for (columns, kind), ats in open_ones.items():  # in the long layout the parts of one column and kind
        whole = Y[:, [parts[tasks[at].name].start for at in ats]]
        values = np.where(np.isnan(whole).all(axis=1), np.nan, np.nansum(whole, axis=1))
        levels = _levels(tasks[ats[0]], values[:, None])
        if len(levels) < 3:
            continue
        alone = all(task.kind == kind for task in tasks if task.columns == columns)
        drawn, beside = (rows, near) if alone else _some_rows(X, train[~np.isnan(values[train])], seed)
        if _sees_order(beside, np.searchsorted(levels, values[drawn]), np.isnan(values[drawn]), len(levels), seed):
            continue
        classes = getattr(tasks[ats[0]].kind, "classes", ()) or tuple(int(level) for level in levels)
        words = f"{len(classes)} whole numbers in which the features see no order: classes"
        for at in ats:
            found[at] = replace(tasks[at], kind=Multiclass(classes), reason=words)
        names = [columns[0]] if alone else [str(tasks[at].task_value) for at in ats]
        options = " ".join(f"--kind {shlex.quote(f'{name}=ordinal')}" for name in names)
        notes.append(Finding("note", "no-order", columns[0] if alone else tasks[ats[0]].name, columns,
                             f"holds {len(classes)} whole numbers in which the features see no order, and is read as "
                             "classes", f"If they are grades, say so: {options}."))
    return found, notes


def _some_rows(X: Float[Array, "N D"], allowed: Int[Array, "n"], seed: int) -> tuple[Array, Array]:
    """Some of the allowed rows, and which of them are the neighbours of each."""
    rows = np.random.default_rng(seed).permutation(allowed)[:MOST_ROWS]
    return rows, _neighbours(X[rows]) if len(rows) >= FEWEST_ROWS else np.zeros((len(rows), 1), dtype=int)


def _levels(task: Task, values: Float[Array, "N W"]) -> Float[Array, "C"]:
    """The values that a task of grades or of a short count has; none of another task."""
    if task.kind.name == "ordinal":
        numbers = all(isinstance(one, int | float) for one in task.kind.classes)  # type: ignore[attr-defined]
        return np.arange(len(task.kind.classes)) * 1.0 if numbers else np.empty(0)  # type: ignore[attr-defined]
    if task.kind.name != "count":
        return np.empty(0)
    levels, sizes = np.unique(values[~np.isnan(values)], return_counts=True)
    return levels if len(levels) <= MOST_LEVELS and sizes.min() >= ROWS_A_LEVEL else np.empty(0)


def _neighbours(X: Float[Array, "n D"]) -> Array:
    """Numbers [n, k] of the nearest other rows, features standardised, gaps at the mean."""
    from sklearn.neighbors import NearestNeighbors

    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # columns that are empty
        A = (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
    A = np.clip(np.nan_to_num(A, posinf=0.0, neginf=0.0), -5, 5)
    count = min(NEIGHBOURS, len(A) - 1)
    return NearestNeighbors(n_neighbors=count, algorithm="brute").fit(A).kneighbors(return_distance=False)


def _sees_order(near: Array, codes: Array, missing: Array, classes: int, seed: int) -> bool:
    """Whether neighbours predict the classes, numbered in their order, about as well as numbered in any other.

    With Y [n, C] the classes as indicators and F the mean over neighbours, classes numbered as p are predicted by F p,
    and their correlation with Y p needs only the C x C covariances, for all orders at once. True also where nothing can
    be said: few rows, or no order that fits clearly better."""
    Y = np.where(missing[:, None], np.nan, np.eye(classes)[np.where(missing, 0, codes)])
    seen = ~missing & ~missing[near].all(axis=1)
    if seen.sum() < FEWEST_ROWS:
        return True
    F = np.nanmean(Y[near][seen], axis=1)
    own = Y[seen]
    own, F = own - own.mean(axis=0), F - F.mean(axis=0)
    orders = _orders(classes, seed)
    fits = [np.einsum("pc,cd,pd->p", orders, one.T @ two, orders) for one, two in ((own, F), (own, own), (F, F))]
    near_one = 1 - 1e-6
    score = np.arctanh(np.clip(fits[0] / np.sqrt(np.maximum(fits[1] * fits[2], 1e-30)), -near_one, near_one))
    better = (score[1:].max() - score[0]) * np.sqrt(seen.sum()) > CLEARLY
    by_chance = np.mean(score[1:] >= score[0]) > BY_CHANCE
    return not (better and by_chance)


def _orders(classes: int, seed: int) -> Float[Array, "P C"]:
    """Numberings of classes, the given one first; one that is reversed is the same."""
    if classes <= IN_FULL:
        return np.array([one for one in permutations(range(classes)) if one[0] < one[-1]], dtype=float)
    rng = np.random.default_rng(seed)
    return np.array([np.arange(classes), *(rng.permutation(classes) for _ in range(DRAWN))], dtype=float)
