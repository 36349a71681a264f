"""What a Recorder has kept, and what it says of the tasks, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True)
class Record:
    """The last S steps of T tasks, oldest first; NaN where a task was not observed or nothing was computed.

    ``steps`` [S]: their numbers, from 0; ``weights`` [S, T]; ``norms`` [S, T]: lengths of the tasks' gradients in the
    shared parameters; ``cosines`` [S, T, T] between these gradients, NaN on the diagonal.
    """

    tasks: tuple[str, ...]
    steps: Int[np.ndarray, "S"]
    weights: Float[np.ndarray, "S T"]
    norms: Float[np.ndarray, "S T"]
    cosines: Float[np.ndarray, "S T T"]

    @property
    def conflict_rate(self) -> Float[np.ndarray, "S"]:
        """Share of the pairs of tasks whose gradients have a negative cosine; NaN in a step without any pair."""
        known = ~np.isnan(self.cosines)
        return _ratio((self.cosines < 0).sum((1, 2)), known.sum((1, 2)))

    @property
    def shares(self) -> Float[np.ndarray, "T"]:
        """How much each task supplied: sum over the steps of |w_t| ||g_t||, over all tasks' sum; NaN if unknown."""
        supplied = np.nansum(np.abs(self.weights) * self.norms, axis=0)
        return _ratio(supplied, np.full(len(supplied), supplied.sum()))


def find_troubles(record: Record, most: float = 0.5, least: float = 0.05) -> list[str]:
    """One sentence for each task that dominates and for each pair in conflict; empty if there is none to see.

    A task dominates if its share of the update (``Record.shares``) lies more than ``most`` of the way from the even
    share 1 / T to 1: by default above 75 % of two tasks, 67 % of three, 51 % of forty. Two tasks are in conflict if
    the mean cosine of their gradients lies below -``least``, and below 0 by more than two standard errors, taking
    steps as independent; the worst pair comes first. A cosine of -0.05 takes 3 % off the length of the sum of two
    gradients of one length. Without gradients, as under balancers that read losses alone, the list is empty.

    >>> cosines = np.full((4, 2, 2), np.nan)
    >>> cosines[:, 0, 1] = cosines[:, 1, 0] = [-0.5, -0.4, -0.5, -0.6]
    >>> record = Record(("price", "sold"), np.arange(4), np.ones((4, 2)), np.tile([9.0, 1.0], (4, 1)), cosines)
    >>> for sentence in find_troubles(record):
    ...     print(sentence)
    Task 'price' dominates: it supplies 90 % of the update.
    Tasks 'price' and 'sold' are in conflict: mean cosine -0.50, negative in 100 % of 4 steps.
    """
    found = []
    for name, share in zip(record.tasks, record.shares, strict=True):
        if share > most + (1 - most) / len(record.tasks):
            found.append(f"Task {name!r} dominates: it supplies {100 * share:.0f} % of the update.")
    return found + [sentence for _, sentence in sorted(_conflicts(record, least))]


def _conflicts(record: Record, least: float) -> list[tuple[float, str]]:
    found = []
    for at, first in enumerate(record.tasks):
        for other in range(at + 1, len(record.tasks)):
            values = record.cosines[:, at, other]
            values = values[~np.isnan(values)].astype(float)
            if len(values) > 1 and values.mean() < -max(least, 2 * values.std(ddof=1) / len(values) ** 0.5):
                found.append((values.mean(), f"Tasks {first!r} and {record.tasks[other]!r} are in conflict: mean "
                              f"cosine {values.mean():.2f}, negative in {100 * (values < 0).mean():.0f} % of "
                              f"{len(values)} steps."))
    return found


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), np.nan)
