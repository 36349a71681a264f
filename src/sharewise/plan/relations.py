"""The value Relations: who helps whom, the groups that follow, and how sure that is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..base import FolderError
from ..relate import branches
from .plan import Plan

MOST_SHOWN = 8


@dataclass(frozen=True)
class Relations:
    """What ``find_relations`` found.

    ``affinity``: a frame, how much learning the task of the row helps the task of the column, by the affinity
    ``method``; ``uncertainty``: its standard errors, None where it has none. ``plan``: who learns with whom;
    ``chosen``: where that came from. ``chance``: that tasks gain more than 1 % on the whole by it. ``gains``: a row a
    task, the linear probe's out-of-fold ``gain`` over learning apart once all tasks have been seen, the ``error`` of
    what its own rows say, and the ``chance`` that it gains more than 1 %.
    """

    affinity: pd.DataFrame
    uncertainty: pd.DataFrame | None
    method: str
    plan: Plan
    chosen: str
    chance: float
    gains: pd.DataFrame

    @property
    def groups(self) -> list[list[str]]:
        """The names that each group serves."""
        return [list(group.serves) for group in self.plan.groups]

    @property
    def verdict(self) -> str:
        """In one sentence: whether there is anything to learn together."""
        names = list(self.affinity)
        if len(names) < 2:
            return f"There is one task, {names[0]!r}: nothing to relate."
        if self.plan.is_separate:
            return (f"Nothing to learn together: no grouping of the {len(names)} tasks lowers a linear model's "
                    f"out-of-fold error with enough certainty (chance of a gain on the whole {self.chance:.0%}). "
                    "Trees and networks may share what it can't: a fit tries them.")
        served = [name for group in self.plan.groups if len(group.learns) > 1 for name in group.serves]
        return (f"{len(served)} of {len(names)} tasks learn with others ({self.chosen}): a linear model's out-of-fold "
                f"error falls by {self.gains.loc[served, 'gain'].mean():.1%} in their mean (chance of a gain on the "
                f"whole {self.chance:.0%}).")

    def strongest(self, helps: bool = True) -> list[str]:
        """The pairs with the largest affinity (or, of those who hurt, the smallest), a line each."""
        matrix = self.affinity.to_numpy(copy=True)
        np.fill_diagonal(matrix, 0.0)
        matrix = matrix if helps else -matrix
        order = np.argsort(-matrix, axis=None, kind="stable")[:MOST_SHOWN]
        pairs = [divmod(place, len(matrix)) for place in order.tolist()]
        pairs = [pair for pair in pairs if matrix[pair] > 0]
        return [f"{self.affinity.index[giver]} -> {self.affinity.columns[taker]}: "
                f"{self.affinity.iat[giver, taker]:+.2f}{self._error(giver, taker)}" for giver, taker in pairs]

    def _error(self, giver: int, taker: int) -> str:
        return "" if self.uncertainty is None else f" (error {self.uncertainty.iat[giver, taker]:.2f})"

    def tree(self, stages: int, budget: float | None = None) -> list[list[list[str]]]:
        """For a network that branches, the groups of tasks that share each stage, nested, by the affinity: the
        ``groups`` of ``share.Branching``. ``budget``: as many stages in all as so many networks have (None: 1.5).
        Nothing has checked it as the plan was checked. Errors: see ``relate.branches``."""
        return branches(self.affinity.to_numpy(), list(self.affinity), stages, budget)

    def write_plan(self, path: str | Path) -> None:
        """The plan as the JSON file that ``Learner(plan=...)`` and ``sharewise fit --plan`` read. FolderError where it
        can't be written."""
        try:
            Path(path).write_text(json.dumps(self.plan.to_json(), indent=1), encoding="utf-8")
        except OSError as error:
            raise FolderError(f"plan {str(path)!r}", f"can't be written ({error.strerror})",
                              "it must be a file in a folder that can be written to", "Name another.") from error

    def __repr__(self) -> str:
        lines = [self.verdict]
        for words, helps in (("helps", True), ("hurts", False)):
            pairs = self.strongest(helps)[:3]
            lines += [f"most that {words} ({self.method}): {'; '.join(pairs)}"] if pairs else []
        shared = [group for group in self.plan.groups if len(group.learns) > 1]
        for group in shared[:MOST_SHOWN]:
            more = [name for name in group.learns if name not in group.serves]
            lines.append(f"together: {_some(group.serves)}" + (f" (with the help of {_some(more)})" if more else ""))
        if len(shared) > MOST_SHOWN:
            lines.append(f"... and {len(shared) - MOST_SHOWN} more groups")
        alone = [group.serves[0] for group in self.plan.groups if len(group.learns) == 1]
        return "\n".join([*lines, f"alone: {_some(alone)}"] if alone else lines)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_SHOWN]) + (f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else "")
