"""The role Estimator: learns a group of tasks from arrays. Networks, trees, linear models and chains all fill it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np
from jaxtyping import Bool, Float
from sklearn.base import BaseEstimator, clone

from .calls import from_call, to_call
from .errors import DataError, FolderError, NotFittedError

if TYPE_CHECKING:
    from ..task import Scale, Task

Array = np.ndarray
Means = dict[str, Float[Array, "N C"]]
E = TypeVar("E", bound="Estimator")


class Estimator(BaseEstimator, ABC):
    """Learns the tasks that its constructor names; scikit-learn's contract, with Y [N, W] and NaN = not observed.

    X is float [N, D], NaN where a feature is missing. Each task owns its ``kind.width`` columns of Y, in the order of
    ``tasks``. A row counts for the tasks that are observed in it; no row is dropped for the others.
    A prediction is the *mean* [N, C] of each task: expected value, or class probabilities.

    Subclasses write ``_fit``, ``_predict_mean``, ``_save``, ``_load`` in standardised targets and never see units
    or scales. The constructor's first parameter is ``tasks``; every parameter is stored unchanged.

    Declared on the class: ``family``, the word for its sort of model. ``shares`` says whether a task's prediction may
    depend on the targets of the others. ``watched_``: what was seen in the training that a report tells, JSON-ready;
    it is not saved.
    """

    family: ClassVar[str]
    tasks: Sequence[Task]
    watched_: Sequence[dict[str, Any]] = ()

    @property
    @abstractmethod
    def shares(self) -> bool:
        """Whether a task's prediction may depend on the targets of other tasks."""

    @abstractmethod
    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        """Learn from checked X and standardised targets Z; ``self.scales_`` is known."""

    @abstractmethod
    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        """Standardised means by task; what stands where ``wanted`` is False does not matter."""

    @abstractmethod
    def _save(self, folder: Path) -> None:
        """Write what was learned into an existing empty folder, as safetensors, JSON or a library's own format."""

    @abstractmethod
    def _load(self, folder: Path) -> None:
        """Read what ``_save`` wrote; ``tasks`` and ``scales_`` are known."""

    @abstractmethod
    def _count_parameters(self) -> int:
        """How many numbers were learned, the scales not counted."""

    @property
    def parameter_count(self) -> int:
        """How many numbers were learned: weights and biases; in trees a threshold a split and the values of the leaves.
        NotFittedError before ``fit``."""
        if not hasattr(self, "scales_"):
            raise NotFittedError.of(self)
        return self._count_parameters()

    def fit(self: E, X: Float[Array, "N D"], Y: Float[Array, "N W"]) -> E:
        """Learn all tasks; one without any observed target predicts the kind's default. DataError if shapes do not fit,
        or a value is infinite."""
        X, Y = self._check(X, Y)
        self.scales_: dict[str, Scale] = fit_scales(self.tasks, Y)
        self.features_ = X.shape[1]
        self._fit(X, standardise(self.tasks, Y, self.scales_))
        return self

    def fit_folds(self: E, X: Float[Array, "N D"], Y: Float[Array, "N W"], train: Bool[Array, "K N"]) -> list[E]:
        """K fitted copies, the k-th learned from the rows ``train[k]``; the other rows of a fold may say, for the
        *other* folds alone, when to stop or how strongly to penalise."""
        X, Y = self._check(X, Y)
        return self._fit_folds(X, Y, train)

    def _fit_folds(self: E, X: Float[Array, "N D"], Y: Float[Array, "N W"], train: Bool[Array, "K N"]) -> list[E]:
        """One fold after the other; for those to override who gain from all folds in one go, each copy with its own
        ``scales_`` and ``features_``. Y is in its own units."""
        return [clone(self).fit(X[rows], Y[rows]) for rows in train]

    def _copies(self: E, X: Float[Array, "N D"], Y: Float[Array, "N W"],
                train: Bool[Array, "K N"]) -> Iterator[tuple[E, Float[Array, "N W"]]]:
        """For each fold an unfitted copy that knows its scales, and all targets standardised by them."""
        for rows in train:
            copy = clone(self)
            copy.scales_, copy.features_ = fit_scales(self.tasks, Y[rows]), X.shape[1]
            yield copy, standardise(self.tasks, Y, copy.scales_)

    def predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"] | None = None) -> Means:
        """Mean of each task in its own units, by name: [N, C]. NaN where ``wanted`` is given and False."""
        if not hasattr(self, "scales_"):
            raise NotFittedError.of(self)
        X = np.ascontiguousarray(X, dtype=np.float32)
        if X.ndim != 2 or X.shape[1] != self.features_:
            raise DataError("X", f"has shape {X.shape}", f"it must have {self.features_} columns", "Encode it alike.")
        rows = np.ones((len(X), len(self.tasks)), dtype=bool) if wanted is None else wanted
        means = self._predict_mean(X, rows)
        done = {task.name: task.kind.restore(np.asarray(means[task.name], dtype=np.float64), self.scales_[task.name])
                for task in self.tasks}
        if wanted is not None:
            for at, task in enumerate(self.tasks):
                done[task.name][~wanted[:, at]] = np.nan
        return done

    def predict(self, X: Float[Array, "N D"]) -> dict[str, Array]:
        """The best single value of each task, by name, in its own labels or units."""
        means = self.predict_mean(X)
        return {task.name: task.kind.decode(means[task.name]) for task in self.tasks}

    def predict_proba(self, X: Float[Array, "N D"]) -> Means:
        """Class probabilities [N, C] by name, for the tasks that have classes (both columns for a binary one)."""
        means = self.predict_mean(X)
        return {task.name: np.hstack([1 - means[task.name], means[task.name]]) if task.kind.name == "binary"
                else means[task.name] for task in self.tasks if task.kind.classes}

    def save(self, folder: str | Path) -> None:
        """Write the fitted estimator into ``folder`` (made if missing). No pickle."""
        if not hasattr(self, "scales_"):
            raise NotFittedError.of(self)
        path = Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        state = {"estimator": to_call(self), "features": self.features_,
                 "scales": {name: scale.to_json() for name, scale in self.scales_.items()}}
        (path / "estimator.json").write_text(json.dumps(state), encoding="utf-8")
        self._save(path)

    @staticmethod
    def load(folder: str | Path) -> Estimator:
        """The estimator that ``save`` wrote. FolderError where the folder holds none."""
        path = Path(folder)
        try:
            state = json.loads((path / "estimator.json").read_text(encoding="utf-8"))
            estimator = from_call(state["estimator"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise FolderError(f"folder {path}", f"holds no readable estimator ({error})",
                              "it must be one that save wrote", "Fit and save again.") from error
        from ..task import Scale

        estimator.scales_ = {name: Scale.from_json(scale) for name, scale in state["scales"].items()}
        estimator.features_ = state["features"]
        estimator._load(path)
        return estimator

    def _check(self, X: Array, Y: Array) -> tuple[Array, Array]:
        X = np.ascontiguousarray(X, dtype=np.float32)
        Y = np.asarray(Y, dtype=np.float64)
        width = sum(task.kind.width for task in self.tasks)
        if X.ndim != 2 or Y.ndim != 2 or len(X) != len(Y) or Y.shape[1] != width or not len(X):
            raise DataError("X and Y", f"have shapes {X.shape} and {Y.shape}",
                            f"they must be [N, D] and [N, {width}] with N from 1 up", "Check the arrays.")
        if np.isinf(X).any() or np.isinf(Y).any():
            raise DataError("X or Y", "holds an infinite value", "every value must be finite or NaN", "Mend the data.")
        return X, Y


def fit_scales(tasks: Sequence[Task], Y: Float[Array, "N W"]) -> dict[str, Scale]:
    """The Scale of each task, by name, from the entries of Y that are observed."""
    return {task.name: task.kind.fit_scale(part) for task, part in _parts(tasks, Y)}


def standardise(tasks: Sequence[Task], Y: Float[Array, "N W"], scales: dict[str, Scale]) -> Float[Array, "N W"]:
    """Y with every task's columns standardised."""
    return np.hstack([task.kind.standardise(part, scales[task.name]) for task, part in _parts(tasks, Y)])


def _parts(tasks: Sequence[Task], Y: Float[Array, "N W"]) -> list[tuple[Any, Float[Array, "N w"]]]:
    ends = np.cumsum([0, *(task.kind.width for task in tasks)])
    return [(task, Y[:, low:high]) for task, low, high in zip(tasks, ends[:-1], ends[1:], strict=True)]
