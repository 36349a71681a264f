"""Calibration: probabilities that come true as often as they say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float

from ..base import UsageError
from ..task.kind import SMALLEST_PROBABILITY

if TYPE_CHECKING:
    from ..task import Task

Array = np.ndarray
SMALLEST_TEMPERATURE, LARGEST_TEMPERATURE = 0.05, 20.0
FOLDS, FEWEST_ROWS, FEWEST_ROWS_ISOTONIC = 5, 30, 1000  # FEWEST_ROWS: outside the commonest class


@dataclass(frozen=True)
class Calibration:
    """A fitted correction of a task's mean prediction.

    ``method``: "none"; "temperature" (log odds or log probabilities divided by ``temperature``: above 1 makes a
    model less sure; Guo et al. 2017, On calibration of modern neural networks, section 4.2); or "isotonic" (a rising
    line through ``knots`` and ``values``; Zadrozny and Elkan 2002, Transforming classifier scores into accurate
    probability estimates). ``exclusive``: the columns are classes that exclude one another and sum to 1; otherwise
    each is a probability of its own (binary, multilabel). ``rows`` stood behind the fit.

    >>> import numpy as np
    >>> Calibration("temperature", temperature=2.0, rows=100).apply(np.array([[0.9]])).round(2).tolist()
    [[0.75]]
    """

    method: str = "none"
    temperature: float = 1.0
    exclusive: bool = False
    knots: tuple[float, ...] = ()
    values: tuple[float, ...] = ()
    rows: int = 0

    def __post_init__(self) -> None:
        from ..base.checks import one_of

        one_of("calibration method", self.method, ("none", "temperature", "isotonic"))
        if not self.temperature > 0 or len(self.knots) != len(self.values):
            raise UsageError("calibration", f"has temperature {self.temperature!r} and {len(self.knots)} knots",
                             "the temperature must be above 0 and each knot must have a value", "Fit it again.")

    def apply(self, mean: Float[Array, "N C"]) -> Float[Array, "N C"]:
        """The corrected mean prediction; rows that are NaN stay NaN."""
        if self.method == "temperature":
            return soften(mean, self.temperature, self.exclusive)
        if self.method == "isotonic":
            return np.where(np.isnan(mean), np.nan, np.interp(mean, self.knots, self.values))
        return mean

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return {**asdict(self), "knots": list(self.knots), "values": list(self.values)}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Calibration:
        """The calibration that ``to_json`` described."""
        return cls(**{**state, "knots": tuple(state["knots"]), "values": tuple(state["values"])})


def soften(mean: Float[Array, "N C"], temperature: float, exclusive: bool = False) -> Float[Array, "N C"]:
    """Probabilities at another temperature: of classes that exclude one another, or each of its own.

    >>> soften(np.array([[0.8, 0.2]]), 0.5, exclusive=True).round(3).tolist()
    [[0.941, 0.059]]
    """
    return at_temperature(levels(mean, exclusive), temperature, exclusive)


def levels(mean: Float[Array, "N C"], exclusive: bool) -> Float[Array, "N C"]:
    """What a temperature divides: log probabilities of classes that exclude one another, else log odds."""
    from scipy.special import logit

    if exclusive:
        return np.log(np.maximum(mean, SMALLEST_PROBABILITY))
    return logit(np.clip(mean, SMALLEST_PROBABILITY, 1 - SMALLEST_PROBABILITY))


def at_temperature(levels: Float[Array, "N C"], temperature: float, exclusive: bool) -> Float[Array, "N C"]:
    """Probabilities from what ``levels`` gave."""
    from scipy.special import expit, softmax

    return softmax(levels / temperature, axis=1) if exclusive else expit(levels / temperature)


def fit_calibration(task: Task, mean: Float[Array, "N C"], target: Float[Array, "N W"], seed: int = 0) -> Calibration:
    """The correction that out-of-fold predictions ask for, or none where it does not pay.

    Candidates: a temperature for every kind with classes; isotonic regression as well for a binary task of at least
    1000 rows. Each is fitted on four fifths of the rows and judged on the rest, five times; the best one is kept if
    its log loss is lower than that of the untouched predictions (isotonic: than that of the temperature) by more
    than twice its standard error. Numbers are left as they are, and so are tasks with fewer than 30 observed rows
    outside their commonest class.

    ``mean`` and ``target`` must come from rows that the models had not seen in training.

    >>> from sharewise.task import Binary, Task
    >>> rng = np.random.default_rng(0)
    >>> chance = rng.random((2000, 1))
    >>> target = (rng.random((2000, 1)) < chance).astype(float)
    >>> fitted = fit_calibration(Task("sold", Binary()), soften(chance, 0.4), target)
    >>> fitted.method, round(fitted.temperature, 1)
    ('temperature', 2.4)
    """
    rows = np.flatnonzero(~np.isnan(target).all(axis=1) & ~np.isnan(mean).any(axis=1))
    if not task.kind.classes or _uncommon(target[rows]) < FEWEST_ROWS:
        return Calibration(rows=len(rows))
    mean, target = mean[rows], target[rows]
    best, lowest = _fit_nothing, task.kind.row_loss(mean, target)
    candidates = [_fit_temperature]
    if target.shape[1] == mean.shape[1] == 1 and len(rows) >= FEWEST_ROWS_ISOTONIC:
        candidates.append(_fit_isotonic)
    for fit in candidates:
        saved = lowest - task.kind.row_loss(_held_out(fit, task, mean, target, seed), target)
        if saved.mean() > 2 * saved.std(ddof=1) / np.sqrt(len(saved)):
            best, lowest = fit, lowest - saved
    return best(task, mean, target)


def calibrate_held_out(
    task: Task, mean: Float[Array, "N C"], target: Float[Array, "N W"], calibration: Calibration, seed: int = 0
) -> Float[Array, "N C"]:
    """``mean`` corrected by the same method, each fifth of the rows by a fit on the others: for an honest 'after'.

    Rows without a target, or of a calibration that does nothing, stay as they are.

    >>> from sharewise.task import Binary, Task
    >>> mean, target = np.array([[0.9], [0.8]]), np.array([[1.0], [0.0]])
    >>> calibrate_held_out(Task("sold", Binary()), mean, target, Calibration()).tolist()
    [[0.9], [0.8]]
    """
    fit = {"none": _fit_nothing, "temperature": _fit_temperature, "isotonic": _fit_isotonic}[calibration.method]
    rows = np.flatnonzero(~np.isnan(target).all(axis=1) & ~np.isnan(mean).any(axis=1))
    after = np.array(mean, dtype=np.float64)
    if calibration.method != "none":
        after[rows] = _held_out(fit, task, mean[rows], target[rows], seed)
    return after


Fit = Callable[["Task", Array, Array], Calibration]


def _uncommon(target: Float[Array, "N W"]) -> int:
    """Rows (of a multilabel: labels in rows) outside the commonest class; 0 without any row."""
    columns = [column[~np.isnan(column)].astype(int) for column in target.T]
    return sum(len(column) - int(np.bincount(column).max(initial=0)) for column in columns)


def _held_out(fit: Fit, task: Task, mean: Array, target: Array, seed: int) -> Array:
    fold = np.random.default_rng(seed).permutation(len(mean)) % FOLDS
    after = np.empty_like(mean)
    for k in range(FOLDS):
        after[fold == k] = fit(task, mean[fold != k], target[fold != k]).apply(mean[fold == k])
    return after


def _fit_nothing(task: Task, mean: Array, target: Array) -> Calibration:
    return Calibration(rows=len(mean))


def _fit_temperature(task: Task, mean: Array, target: Array) -> Calibration:
    from scipy.optimize import minimize_scalar

    exclusive = mean.shape[1] != target.shape[1]
    known = levels(mean, exclusive)

    def loss(log_temperature: float) -> float:
        softer = at_temperature(known, float(np.exp(log_temperature)), exclusive)
        return float(task.kind.row_loss(softer, target).mean())

    bounds = (np.log(SMALLEST_TEMPERATURE), np.log(LARGEST_TEMPERATURE))
    found = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-4})
    return Calibration("temperature", temperature=float(np.exp(found.x)), exclusive=exclusive, rows=len(mean))


def _fit_isotonic(task: Task, mean: Array, target: Array) -> Calibration:
    knots, values = rising_line(mean[:, 0], target[:, 0])
    edge = 1 / (len(mean) + 2)  # never surer than the rows allow (Laplace)
    return Calibration("isotonic", knots=tuple(knots.tolist()), values=tuple(np.clip(values, edge, 1 - edge).tolist()),
                       rows=len(mean))


def rising_line(x: Float[Array, "n"], y: Float[Array, "n"]) -> tuple[Float[Array, "k"], Float[Array, "k"]]:
    """Knots and values of the rising line nearest to the points; of the knots with one value the two ends.

    >>> [part.tolist() for part in rising_line(np.arange(5.0), np.array([0.0, 2.0, 1.0, 1.5, 3.0]))]
    [[0.0, 1.0, 3.0, 4.0], [0.0, 1.5, 1.5, 3.0]]
    """
    from scipy.optimize import isotonic_regression

    knots, at, count = np.unique(x, return_inverse=True, return_counts=True)
    values = isotonic_regression(np.bincount(at, weights=y) / count, weights=count).x
    kept = np.ones(len(knots), dtype=bool)
    kept[1:-1] = (values[1:-1] != values[:-2]) | (values[1:-1] != values[2:])
    return knots[kept], values[kept]
