"""Gains of groups before they are trained: what other tables taught, corrected by the groups that were trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Shaped
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize

from ..base import DataError, NotFittedError
from .gain_evidence import GainEvidence, GainWeights, Members
from .gain_units import gain_unit, in_units

Array = np.ndarray
TYPICAL = {"level": 0.15, "helpers": 0.045, "receiver": 0.13, "pair": 0.08, "known": 0.003, "affinity": 0.003,
           "luck": 0.3, "noise": 0.6}  # variance of each part, in squares of the unit of the gains, about as measured
DOUBT = 1.0  # standard deviation of the logarithm of a variance about the typical one
FARTHEST = 8.0  # from the typical logarithm that a variance may go
TAUGHT = GainWeights()
SEEN_ONLY = 2  # parts at the end that no prediction holds: luck and noise


@dataclass(frozen=True)
class GainPrediction:
    """``mean`` [G, T] and standard error ``uncertainty`` [G, T] of the gain of each member of each group; NaN for
    tasks that are no members."""

    mean: Float[Array, "G T"]
    uncertainty: Float[Array, "G T"]


class GainPredictor:
    """Predicts the gain of every task in any group from cheap evidence and the groups that were trained so far.

    A Gaussian process. Its mean is what other tables taught (``weights``): few rows, helpers with many rows,
    affinities and so on make a gain more likely. Its covariance of two gains (group g, receiver j) and
    (h, k) is a sum of parts: a level; linear in all that is known, so that this table can differ from others; linear in
    the mean affinity of the helpers to the receiver, a part for each matrix; the overlap of the helpers,
    |g n h| / sqrt(|g| |h|) without the receiver (some help everybody); the same receiver; the same receiver times that
    overlap; and two that are seen and not predicted, in inverse proportion to the receiver's rows: the luck of the one
    run of the receiver alone, which is in all its gains, and noise. The variances have the greatest posterior density
    where the logarithm of each is normal about a typical value, as ``benchmarks/relations.py`` measures them
    (Rasmussen, Williams 2006, Gaussian processes for machine learning, equations 2.38 and 5.9). So with few trained
    groups it says what holds of most tables, and with many it learns which affinity knows something here and of each
    receiver whom it likes, as surrogate models do (Li, Nguyen, Zhang 2023, Identification of negative transfers in
    multitask learning using surrogate models). Gains are in units of their median size (``gain_unit``), and those
    beyond three units are taken as three: relative gains have heavy tails.

    ``affinities``: matrices [T, T], row helps column; ``rows`` [T]: observed rows of each task; ``difficulty`` [T]:
    loss of each task alone over that of the trivial predictor. A gain is 1 - loss in company / loss alone.

    >>> chance = np.random.default_rng(0)
    >>> truth = chance.normal(size=(6, 6))
    >>> groups = np.argsort(chance.random((30, 6)), axis=1) < 3
    >>> gains = np.where(groups, (groups @ truth - truth.diagonal()) / 2, np.nan)
    >>> predictor = GainPredictor([truth, chance.normal(size=(6, 6))], np.full(6, 50), np.ones(6))
    >>> found = predictor.fit(groups[:12], gains[:12]).predict(groups[12:])
    >>> bool(np.corrcoef(found.mean[groups[12:]], gains[12:][groups[12:]])[0, 1] > 0.9)
    True
    """

    def __init__(self, affinities: Sequence[Shaped[Array, "_ _"]], rows: Shaped[Array, "T"],
                 difficulty: Shaped[Array, "_"], weights: GainWeights = TAUGHT) -> None:
        self.affinities = affinities
        self.rows = rows
        self.difficulty = difficulty
        self.weights = weights

    def fit(self, groups: Bool[Array, "G T"], gains: Float[Array, "G T"]) -> GainPredictor:
        """Learn from groups that were trained; a NaN gain is left out. DataError where no gain is left, or where the
        evidence is not finite or of other tasks."""
        known = groups & ~np.isnan(gains) & (groups.sum(axis=1, keepdims=True) > 1)
        self.evidence_ = GainEvidence.of(self.affinities, self.rows, self.difficulty)
        self.members_ = self.evidence_.members(groups, known)
        values = gains[known]
        if not len(values):
            raise DataError("gains", "holds no gain of a member of a group of two or more", "it must hold one or more",
                            "Train a group.")
        self.unit_ = gain_unit(values)
        surprise = in_units(values, self.unit_) - self._expected(self.members_)
        few = np.mean(self.rows) / np.maximum(self.rows, 1)[self.members_.receiver]
        same = self.members_.receiver[:, None] == self.members_.receiver
        parts = np.concatenate([_covariances(self.members_, self.members_), [same * few, np.diag(few)]])
        typical = np.log(_typical(self.members_.affinity.shape[1]))
        found = minimize(_unlikely, typical, (parts, surprise, typical), jac=True, method="L-BFGS-B",
                         bounds=[(one - FARTHEST, one + FARTHEST) for one in typical])
        self.variances_ = np.exp(found.x)
        self.factor_ = cho_factor(np.tensordot(self.variances_, parts, 1))
        self.dual_ = cho_solve(self.factor_, surprise)
        return self

    def predict(self, groups: Bool[Array, "G T"]) -> GainPrediction:
        """Gains of the members of groups, trained or not; 0 for a task alone. NotFittedError before ``fit``."""
        if not hasattr(self, "dual_"):
            raise NotFittedError.of(self)
        wanted = groups & (groups.sum(axis=1, keepdims=True) > 1)
        members = self.evidence_.members(groups, wanted)
        across = np.tensordot(self.variances_[:-SEEN_ONLY], _covariances(members, self.members_), 1)
        mean, error = np.where(groups, 0.0, np.nan), np.where(groups, 0.0, np.nan)
        mean[wanted] = self.unit_ * (self._expected(members) + across @ self.dual_)
        known = np.einsum("mk,km->m", across, cho_solve(self.factor_, across.T))
        own = self.variances_[:-SEEN_ONLY] @ _variances(members)
        error[wanted] = self.unit_ * np.sqrt(np.maximum(own - known, 0.0))
        return GainPrediction(mean, error)

    def _expected(self, members: Members) -> Float[Array, "M"]:
        return members.known[:, :len(self.weights)] @ np.array(self.weights)


def _typical(affinities: int) -> Float[Array, "parts"]:
    return np.array([TYPICAL["level"], TYPICAL["helpers"], TYPICAL["receiver"], TYPICAL["pair"], TYPICAL["known"],
                     *[TYPICAL["affinity"]] * affinities, TYPICAL["luck"], TYPICAL["noise"]])


def _covariances(left: Members, right: Members) -> Float[Array, "parts L R"]:
    same = (left.receiver[:, None] == right.receiver).astype(float)
    size = np.sqrt(np.outer(left.helpers.sum(axis=1), right.helpers.sum(axis=1)))
    overlap = left.helpers @ right.helpers.T / size
    linear = [np.outer(a, b) for a, b in zip(left.affinity.T, right.affinity.T, strict=True)]
    return np.stack([np.ones_like(same), overlap, same, same * overlap, left.known @ right.known.T, *linear])


def _variances(members: Members) -> Float[Array, "parts M"]:
    """The diagonals of ``_covariances(members, members)``."""
    one = np.ones(len(members.receiver))
    return np.stack([one, one, one, one, (members.known**2).sum(axis=1), *(members.affinity**2).T])


def _unlikely(logs: Float[Array, "K"], parts: Float[Array, "K M M"], values: Float[Array, "M"],
              typical: Float[Array, "K"]) -> tuple[float, Float[Array, "K"]]:
    """Minus the log posterior density of the logarithms of the variances, and its slope in them."""
    variances, away = np.exp(logs), (logs - typical) / DOUBT
    factor = cho_factor(np.tensordot(variances, parts, 1), lower=True)
    dual, inverse = cho_solve(factor, values), cho_solve(factor, np.eye(len(values)))
    slope = variances * np.tensordot(parts, inverse - np.outer(dual, dual), 2) / 2 + away / DOUBT
    found = values @ dual / 2 + np.log(factor[0].diagonal()).sum() + away @ away / 2
    return float(found), slope
