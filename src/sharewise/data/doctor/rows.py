"""What is wrong with the rows: copies on both sides of a split, classes that training never sees, few groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Float, Int

from ...task import Task, slices
from .explain import Levels
from .finding import Finding, listed

Array = np.ndarray
COPIES_SHARE = 0.01
FEW_GROUPS = 10


def row_findings(copies: Int[Array, "N"], telling: bool, test: Bool[Array, "N"] | None,
                 groups: Int[Array, "N"] | None) -> Iterator[Finding]:
    """Rows with equal features, across the test split, across groups, or at all; too few groups.

    ``copies`` [N] is equal for rows whose features are; ``telling``: equal features are no chance (``is_telling``).
    """
    same = np.bincount(copies)[copies] > 1
    if test is not None and test.any() and not test.all():
        yield from _copies(np.isin(copies[test], copies[~test]), telling, "the test rows",
                           "whose features stand in the training rows as well",
                           "Name the column of what the rows belong to with --group, so that copies stay together.")
    elif groups is None:
        yield from _copies(same, telling, "the table", "with the same features as another row",
                           "If these are one thing measured again, name its column with --group.")
    if groups is None:
        return
    pairs = np.unique(np.stack([copies, groups]), axis=1)[0]
    yield from _copies(np.bincount(pairs)[copies] > 1, telling, "the groups", "whose features stand in another group",
                       "See whether the group column names what belongs together.")
    number = len(np.unique(groups))
    if number < FEW_GROUPS:
        yield Finding("warning", "few-groups", "the groups", (),
                      f"are {number} only, so that what is said of new groups will be uncertain",
                      "Bring more groups, or name a finer group column.")


def _copies(which: Bool[Array, "n"], telling: bool, subject: str, where: str, remedy: str) -> Iterator[Finding]:
    number = int(which.sum())
    if number:
        chance = "" if telling else "; their few values can meet by chance"
        level = "warning" if telling and number > COPIES_SHARE * len(which) else "note"
        holds = "holds" if subject == "the table" else "hold"
        yield Finding(level, "duplicate-rows", subject, (),
                      f"{holds} {number:,} row{'s' if number > 1 else ''} ({which.mean():.1%}) {where}{chance}", remedy)


def is_telling(features: Sequence[Levels]) -> bool:
    """Whether two rows with equal features are no chance: of independent features with these values, a table of this
    size would hold fewer than one pair in a hundred such tables."""
    if not features:
        return False
    rows = len(features[0].code)
    meet = sum(np.log(np.square(np.bincount(feature.code) / rows).sum()) for feature in features)
    return bool(2 * np.log(max(rows, 1)) + meet < np.log(0.01))


def unseen_classes(Y: Float[Array, "N W"], tasks: Sequence[Task], test: Bool[Array, "N"]) -> Iterator[Finding]:
    """Classes that stand in test rows alone."""
    for task, part in zip(tasks, slices(tasks).values(), strict=True):
        if not task.kind.classes or task.kind.width > 1:
            continue
        here, there = (np.unique(Y[rows, part][~np.isnan(Y[rows, part])]).astype(int) for rows in (~test, test))
        unseen = [str(task.kind.classes[code]) for code in sorted({*there.tolist()} - {*here.tolist()})]
        if unseen and len(here):
            yield Finding("warning", "unseen-class", task.name, task.columns,
                          f"has {listed(unseen)} in the test rows alone: no model can have learned it",
                          "Split anew, or merge the class with another one.")
