"""Boosted trees whose every tree serves all tasks (XGBoost with vector leaves)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import xgboost
from jaxtyping import Bool, Float

from ...base.estimator import Estimator, Means
from ...task import Task
from ..pieces import inverse_link, put_together, take_apart
from ..stored import read_model, reading, write_model
from .boosting import check_options, share_of_features
from .counting import xgboost_size
from .fold_rounds import FEWEST_FOLDS, Curve, best_rounds, is_stale, rounds_by_neighbours
from .joint_loss import JointLoss

Array = np.ndarray
MOST_ROUNDS = 500
DEAREST = 2_000_000_000  # cells (rows times features) times columns of targets times rounds
MOST_CELLS = 40_000  # of one node's histogram: bins times features times columns of targets
STRENGTHS = {"light": {"max_depth": 6, "min_child_weight": 2.0, "lambda": 1.0, "colsample_bynode": 0.8},
             "strong": {"max_depth": 3, "min_child_weight": 5.0, "lambda": 5.0, "colsample_bynode": 0.5}}


class JointBoostedTrees(Estimator):
    """XGBoost with multi-output trees: a split serves all tasks, a leaf holds a step for each (Chen and Guestrin 2016,
    XGBoost: a scalable tree boosting system).

    Mixed kinds learn together: every task brings the gradient and curvature of its own loss (squared, logistic,
    Poisson, softmax; an ordinal task as C - 1 questions 'above class j?'), divided by its number of columns; a target
    that is not observed brings 0 of both. ``regularisation`` is "light" (depth 6) or "strong" (depth 3, more
    shrinkage); ``rounds`` a number or "auto": found on inner held-out rows (2 folds up to 2000 rows, one held-out fifth
    above), then all rows are used.

    >>> import numpy as np
    >>> from sharewise.task import Binary, Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> Y = np.hstack([X[:, :1] > 0, X[:, :1] > 0]) * 1.0
    >>> model = JointBoostedTrees([Task("a", Regression()), Task("b", Binary())]).fit(X, Y)
    >>> model.predict(np.array([[-1.0, 0.0], [1.0, 0.0]]))["b"].tolist()
    [0, 1]
    """

    family: ClassVar[str] = "trees"
    layouts: ClassVar[tuple[str, ...]] = ("wide",)

    def __init__(self, tasks: Sequence[Task], regularisation: str = "light", rounds: int | str = "auto",
                 learning_rate: float = 0.1, threads: int = 1, seed: int = 0) -> None:
        check_options(regularisation, rounds, learning_rate)
        self.tasks, self.regularisation, self.rounds = tasks, regularisation, rounds
        self.learning_rate, self.threads, self.seed = learning_rate, threads, seed

    @property
    def shares(self) -> bool:
        return True

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        loss = JointLoss.of(take_apart(self.tasks, Z))
        self._learn(X, loss, self.rounds if isinstance(self.rounds, int) else self._choose_rounds(X, loss))

    def _fit_folds(self, X: Float[Array, "N D"], Y: Float[Array, "N W"],
                   train: Bool[Array, "K N"]) -> list[JointBoostedTrees]:
        if self.rounds != "auto" or len(train) < FEWEST_FOLDS:
            return super()._fit_folds(X, Y, train)
        copies, targets = zip(*self._copies(X, Y, train), strict=True)

        def watch(fold: int, rows: Array, held: tuple[Array, Array]) -> Sequence[Array | None]:
            own, *parts = (JointLoss.of(take_apart(self.tasks, targets[fold][part])) for part in (rows, *held))
            watched = [(X[at], part._replace(start=own.start)) for at, part in zip(held, parts, strict=True)]
            _, curves = self._train(X[rows], own, most_rounds(X[rows], own), watched)
            return [curve if part.seen.any() else None for curve, part in zip(curves, parts, strict=True)]
        rounds = rounds_by_neighbours(train, watch)
        for rows, copy, Z, count in zip(train, copies, targets, rounds, strict=True):
            copy._learn(X[rows], JointLoss.of(take_apart(self.tasks, Z[rows])), max(count, 1))
        return list(copies)

    def _learn(self, X: Float[Array, "N D"], loss: JointLoss, rounds: int) -> None:
        self._start = loss.start
        trained, _ = self._train(X, loss, rounds)
        self._model = booster_from(bytes(trained.save_raw("ubj")), self.threads)

    def _train(self, X: Array, loss: JointLoss, rounds: int,
               held: Sequence[tuple[Array, JointLoss]] = ()) -> tuple[Any, list[Curve]]:
        """The model, and its loss on held-out parts before any round and after each, until none has gained for long."""
        options = {**STRENGTHS[self.regularisation], "multi_strategy": "multi_output_tree", "tree_method": "hist",
                   "eta": self.learning_rate, "colsample_bytree": share_of_features(X.shape[1], 1.0),
                   "subsample": 0.8, "seed": self.seed, "nthread": self.threads,
                   "num_target": len(loss.start), "max_bin": bins_of(X, len(loss.start)),
                   "base_score": 0.0, "disable_default_eval_metric": 1, "verbosity": 0}
        data = xgboost.DMatrix(X, label=np.zeros((len(X), len(loss.start))), nthread=self.threads)
        stop = Watcher(held, self.threads)
        model = xgboost.train(options, data, num_boost_round=rounds, obj=lambda margin, _: loss.slopes(margin),
                              callbacks=[stop] if held else [])
        return model, [np.array(curve) for curve in stop.curves]

    def _choose_rounds(self, X: Array, loss: JointLoss) -> int:
        folds = 2 if len(X) <= 2000 else 5
        if len(X) < 10:
            return 20
        place = np.random.default_rng(self.seed).permutation(len(X)) % folds
        best = []
        for k in range(folds if folds == 2 else 1):
            held = X[place == k], loss.part(place == k)
            _, curves = self._train(X[place != k], loss.part(place != k), most_rounds(X, loss), [held])
            best.append(max(best_rounds(curves), 1))
        return int(np.mean(best))

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        rows = np.flatnonzero(wanted.any(axis=1))
        scores = np.zeros((len(X), len(self._start)))
        if len(rows):
            scores[rows] = self._model.inplace_predict(X[rows]).reshape(len(rows), -1) + self._start
        empty = take_apart(self.tasks, np.empty((0, sum(task.kind.width for task in self.tasks))))
        ends = np.cumsum([0, *(max(piece.classes, 1) for piece in empty)])

        def answer(at: int, rows: Array) -> Array:
            part = scores[rows, ends[at]:ends[at + 1]]
            return inverse_link(empty[at].loss, part if empty[at].classes else part[:, 0])
        return put_together(self.tasks, wanted, answer)

    def _count_parameters(self) -> int:
        return self._start.size + xgboost_size(self._model, self._start.size)

    def _save(self, folder: Path) -> None:
        digest = write_model(folder / "joint.ubj", bytes(self._model.save_raw("ubj")))
        state = {"start": self._start.tolist(), "model": digest}
        (folder / "joint.json").write_text(json.dumps(state), encoding="utf-8")

    def _load(self, folder: Path) -> None:
        with reading(folder):
            state = json.loads((folder / "joint.json").read_text(encoding="utf-8"))
            self._start = np.array(state["start"])
            self._model = booster_from(read_model(folder / "joint.ubj", state["model"]), self.threads)


class Watcher(xgboost.callback.TrainingCallback):
    """The loss on each held-out part before any round and after each; ends the training once none has gained for
    long. New trees alone are asked, on top of the scores so far."""

    def __init__(self, held: Sequence[tuple[Array, JointLoss]], threads: int) -> None:
        super().__init__()
        self.parts = [(xgboost.DMatrix(X, nthread=threads), loss) for X, loss in held]
        self.scores = [np.zeros(loss.target.shape) for _, loss in self.parts]
        self.curves = [[loss.value(scores)] for scores, (_, loss) in zip(self.scores, self.parts, strict=True)]

    def after_iteration(self, model: xgboost.Booster, epoch: int, evals_log: dict) -> bool:
        for curve, scores, (data, loss) in zip(self.curves, self.scores, self.parts, strict=True):
            scores += model.predict(data, iteration_range=(epoch, epoch + 1), output_margin=True).reshape(scores.shape)
            curve.append(loss.value(scores))
        return all(map(is_stale, self.curves))


def bins_of(X: Float[Array, "N D"], columns: int) -> int:
    """Bins of a feature: fewer where many features and targets would make every node's histogram large."""
    return int(np.clip(MOST_CELLS // (X.shape[1] * columns), 16, 64 if len(X) <= 5000 else 128))


def most_rounds(X: Float[Array, "N D"], loss: JointLoss) -> int:
    """The limit of rounds: fewer where a round is dear."""
    return int(np.clip(DEAREST // (X.size * len(loss.start) + 1), 50, MOST_ROUNDS))


def booster_from(content: bytes, threads: int) -> xgboost.Booster:
    """A booster from its saved form."""
    model = xgboost.Booster()
    model.load_model(bytearray(content))
    model.set_param({"nthread": threads})
    return model
