"""What is known of the gains of a group before it is trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped
from scipy.special import ndtri
from scipy.stats import rankdata

from ..base import DataError

Array = np.ndarray


class GainWeights(NamedTuple):
    """What a standard deviation more of each thing that is known adds to a gain, in the unit of the gains.

    The values are those that fit the pair gains of eleven real sets best in runs other than the one that was read
    (ridge regression, ``benchmarks/relations.py``, where each set is predicted by the weights of the ten others): a
    task with few rows and a hard one gain more; a helper with many rows, one that is itself hard, and one whom the
    affinities name, give more. They are small beside the unit, as most of one run's gains is noise.

    >>> GainWeights()._replace(difficulty=0.0, helper_difficulty=0.0)
    GainWeights(rows=-0.06, helper_rows=0.05, difficulty=0.0, helper_difficulty=0.0, affinity=0.03)
    """

    rows: float = -0.06
    helper_rows: float = 0.05
    difficulty: float = 0.03
    helper_difficulty: float = 0.03
    affinity: float = 0.03


@dataclass(frozen=True)
class Members:
    """M members of groups, each as a receiver: its helpers, and what is known of its gain beforehand: ``known`` in the
    order of ``GainWeights``, then the logarithm of the number of helpers; ``affinity`` of the helpers by each matrix.
    """

    helpers: Float[Array, "M T"]
    receiver: Int[Array, "M"]
    known: Float[Array, "M 6"]
    affinity: Float[Array, "M A"]


@dataclass(frozen=True)
class GainEvidence:
    """Standardised: by ranks, so that no outlier and no unit of an affinity rules.

    ``rows`` [T], ``difficulty`` [T]: normal scores over the tasks; ``affinities`` [A, T, T], row helps column: normal
    scores over the pairs; ``consensus`` [T, T]: of all affinities together, within each receiver.

    >>> evidence = GainEvidence.of([np.eye(3)], np.array([10, 20, 30]), np.ones(3))
    >>> [round(float(score), 2) for score in evidence.rows]
    [-1.22, 0.0, 1.22]
    """

    rows: Float[Array, "T"]
    difficulty: Float[Array, "T"]
    affinities: Float[Array, "A T T"]
    consensus: Float[Array, "T T"]

    @classmethod
    def of(cls, affinities: Sequence[Shaped[Array, "_ _"]], rows: Shaped[Array, "T"],
           difficulty: Shaped[Array, "_"]) -> GainEvidence:
        """Standardise what ``GainPredictor`` is given; DataError where a number is NaN or infinite, or where something
        is not of these tasks."""
        tasks = len(rows)
        for at, matrix in enumerate(affinities):
            _check(f"affinity {at}", matrix, (tasks, tasks))
        _check("rows", rows, (tasks,))
        _check("difficulty", difficulty, (tasks,))
        scores = np.array([_pair_scores(matrix) for matrix in affinities]).reshape(-1, tasks, tasks)
        within = [_pair_scores(_within(matrix)) for matrix in scores]
        consensus = _pair_scores(np.sum(within, axis=0)) if within else np.zeros((tasks, tasks))
        return cls(normal_scores(rows), normal_scores(difficulty), scores, consensus)

    def members(self, groups: Bool[Array, "G T"], wanted: Bool[Array, "G T"]) -> Members:
        """What is known of the wanted members of groups of two or more; the means of their helpers."""
        group, receiver = np.nonzero(wanted)
        helpers = groups[group].astype(float)
        helpers[np.arange(len(group)), receiver] = 0.0
        count = helpers.sum(axis=1)
        to_receiver = [np.einsum("mt,tm->m", helpers, matrix[:, receiver]) / count
                       for matrix in (self.consensus, *self.affinities)]
        known = [self.rows[receiver], helpers @ self.rows / count, self.difficulty[receiver],
                 helpers @ self.difficulty / count, to_receiver[0], np.log(count)]
        affinity = np.stack(to_receiver[1:], axis=1) if len(to_receiver) > 1 else np.zeros((len(group), 0))
        return Members(helpers, receiver, np.stack(known, axis=1), affinity)


def normal_scores(values: Shaped[Array, "n"]) -> Float[Array, "n"]:
    """Values of a standard normal distribution of the same ranks, with standard deviation 1; 0 where all are alike.

    >>> [round(float(score), 2) for score in normal_scores(np.array([5, 1000, 6]))]
    [-1.22, 1.22, 0.0]
    """
    if len(values) == 0 or np.ptp(values) == 0:
        return np.zeros(len(values))
    scores = ndtri((rankdata(values) - 0.5) / len(values))
    return scores / scores.std()


def _check(what: str, values: Array, shape: tuple[int, ...]) -> None:
    if np.shape(values) != shape:
        raise DataError(f"{what} of the predictor", f"has shape {np.shape(values)}", f"it must be {shape}, as rows has "
                        f"{shape[0]} tasks", "Hand over all of them for the same tasks.")
    wrong = np.argwhere(~np.isfinite(np.asarray(values, dtype=float)))
    if len(wrong):
        raise DataError(f"{what} of the predictor", f"is NaN or infinite in {len(wrong)} of {np.size(values)} places, "
                        f"the first at task {' and task '.join(map(str, wrong[0]))}", "it must be finite",
                        "Leave the task out, or give 0 for a pair of which nothing is known.")


def _off(matrix: Float[Array, "T T"]) -> Float[Array, "T T"]:
    return np.where(np.eye(len(matrix), dtype=bool), 0.0, matrix)


def _within(matrix: Float[Array, "T T"]) -> Float[Array, "T T"]:
    """Less the mean of each column, without the diagonal."""
    return _off(matrix - _off(matrix).sum(axis=0) / max(len(matrix) - 1, 1))


def _pair_scores(matrix: Float[Array, "T T"]) -> Float[Array, "T T"]:
    scores, off = np.zeros(np.shape(matrix)), ~np.eye(len(matrix), dtype=bool)
    scores[off] = normal_scores(np.asarray(matrix)[off])
    return scores
