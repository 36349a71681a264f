"""The role Grouping: from an affinity matrix to who learns with whom."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from jaxtyping import Bool, Float, Int

from ..base import UsageError
from ..base.checks import no_duplicates

Array = np.ndarray


@dataclass(frozen=True)
class Team:
    """One network: the tasks that it ``learns``, and those among them that it ``serves``."""

    learns: list[str]
    serves: list[str]


class Grouping(ABC):
    """Finds teams of tasks in an affinity [T, T], whose entry (i, j) says how much learning task i helps task j.

    The diagonal does not matter. Every task is served by one team; where teams overlap, a task is also learned where it
    is not served, for the help that it gives. Subclasses write ``_find`` and get a checked affinity of two or more
    tasks with a diagonal of 0.
    """

    @abstractmethod
    def _find(self, affinity: Float[Array, "T T"], names: Sequence[str]) -> list[Team]:
        """The teams, in any order."""

    def find(self, affinity: Float[Array, "T T"], names: Sequence[str]) -> list[Team]:
        """The teams, ordered by the first task that each serves. UsageError where the affinity is not square, does not
        fit the names or holds a value that is not finite (the two tasks are named), or where a name stands twice."""
        affinity, names = check_affinity(affinity, names), list(names)
        if len(names) <= 1:
            return [Team(names, names)] if names else []
        place = {name: at for at, name in enumerate(names)}
        teams = [Team(sorted(team.learns, key=place.__getitem__), sorted(team.serves, key=place.__getitem__))
                 for team in self._find(affinity, names)]
        return sorted(teams, key=lambda team: place[team.serves[0]])

    def __repr__(self) -> str:
        options = [f"{name}={getattr(self, name)!r}" for name in inspect.signature(type(self)).parameters]
        return f"{type(self).__name__}({', '.join(options)})"


def check_affinity(affinity: Float[Array, "T T"], names: Sequence[str]) -> Float[Array, "T T"]:
    """A copy with a diagonal of 0; UsageError where it can't be one of these tasks."""
    affinity = np.array(affinity, dtype=np.float64)
    if affinity.shape != (len(names), len(names)):
        raise UsageError("the affinity", f"has shape {affinity.shape}", f"it must be square for {len(names)} tasks",
                         "Give one row and one column a task.")
    no_duplicates("the names of tasks", list(names))
    np.fill_diagonal(affinity, 0.0)
    if not np.isfinite(affinity).all():
        giver, taker = np.argwhere(~np.isfinite(affinity))[0]
        raise UsageError(f"the affinity of task {names[giver]!r} for {names[taker]!r}",
                         f"is {affinity[giver, taker]}", "it must be a finite number",
                         "Put 0 where nothing is known.")
    return affinity


def team_at(learns: Bool[Array, "T"], serves: Bool[Array, "T"], names: Sequence[str]) -> Team:
    """The team of these places."""
    return Team(list(compress(names, learns)), list(compress(names, serves)))


def teams_of(labels: Int[Array, "T"], names: Sequence[str]) -> list[Team]:
    """Teams that serve all that they learn, one for each value of ``labels``."""
    order = np.argsort(labels, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(labels[order])) + 1)
    return [Team(members, members) for part in parts if (members := [names[at] for at in part])]


def is_one_group(affinity: Float[Array, "T T"]) -> bool:
    """Whether tasks without groups among them are all related: the mean affinity is above twice the spread over pairs,
    so that hardly a pair is without relation."""
    off = affinity[~np.eye(len(affinity), dtype=bool)]
    return bool(off.mean() > 2 * off.std() + 1e-12)
