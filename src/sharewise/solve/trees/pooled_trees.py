"""One boosted model for all tasks of a kind: every (row, task) pair is a row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import lightgbm
import numpy as np
from jaxtyping import Bool, Float, Int
from sklearn.base import clone

from ...base.estimator import Estimator, Means
from ...task import Task
from ..pieces import Piece, inverse_link, link, put_together, take_apart, trivial
from ..stored import read_model, reading, write_model
from .boosting import (
    Settings,
    bin_features,
    boosting_options,
    check_options,
    choose_rounds,
    most_rounds,
    part_of,
    trivial_loss,
)
from .counting import lightgbm_size
from .fold_rounds import FEWEST_FOLDS, Curve, rounds_by_neighbours, watched

Array = np.ndarray
MOST_PAIRS = 60_000


class Pairs(NamedTuple):
    """Stacked (row, task) pairs of the pieces of one pool: the features with the piece's number as the last one, the
    targets as one piece, the score [n] or [n, C] at which each pair starts, and the row each came from."""

    X: Float[Array, "n D1"]
    piece: Piece
    offset: Array
    row: Int[Array, "n"]


class PooledTrees(Estimator):
    """LightGBM over the stacked (row, task) pairs of all tasks of one kind and number of outputs (Ke and others 2017,
    LightGBM: a highly efficient gradient boosting decision tree). The task is a categorical feature, and every pair
    starts from its task's own trivial prediction, drawn to that of all.

    Natural in the long layout, where a row is one pair. In a wide table every row stands once a task; at most 60,000
    pairs are used, drawn by chance. ``regularisation``, ``rounds`` and ``learning_rate`` are those of BoostedTrees; the
    number of rounds is found on inner rows that are held out with all their tasks.

    >>> import numpy as np
    >>> from sharewise.task import Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> Y = np.where(X[:, :1] > 0, 2.0, 1.0) * np.ones((1, 2))
    >>> Y[::2, 0] = np.nan
    >>> Y[1::2, 1] = np.nan
    >>> model = PooledTrees([Task("a", Regression()), Task("b", Regression())]).fit(X, Y)
    >>> model.predict(np.array([[-1.0, 0.0], [1.0, 0.0]]))["b"].round(1).tolist()
    [1.0, 2.0]
    """

    family: ClassVar[str] = "trees"
    layouts: ClassVar[tuple[str, ...]] = ("wide", "long")

    def __init__(self, tasks: Sequence[Task], regularisation: str = "light", rounds: int | str = "auto",
                 learning_rate: float = 0.06, threads: int = 1, seed: int = 0) -> None:
        check_options(regularisation, rounds, learning_rate)
        self.tasks, self.regularisation, self.rounds = tasks, regularisation, rounds
        self.learning_rate, self.threads, self.seed = learning_rate, threads, seed

    @property
    def shares(self) -> bool:
        return True

    def _fit(self, X: Float[Array, "N D"], Z: Float[Array, "N W"]) -> None:
        pieces = take_apart(self.tasks, Z)
        self._begin(pieces)
        self._models = [self._boost(stack(X, pool, pieces, self._starts, self.seed), self.rounds)
                        for pool in self._pools]

    def _fit_folds(self, X: Float[Array, "N D"], Y: Float[Array, "N W"],
                   train: Bool[Array, "K N"]) -> list[PooledTrees]:
        if self.rounds != "auto" or len(train) < FEWEST_FOLDS:
            return super()._fit_folds(X, Y, train)
        copies, targets = zip(*self._copies(X, Y, train), strict=True)
        for rows, copy, Z in zip(train, copies, targets, strict=True):
            copy._begin(take_apart(self.tasks, Z[rows]))
        rounds = [rounds_by_neighbours(train, partial(self._watch, number, X, targets))
                  for number in range(len(copies[0]._pools))]
        for rows, copy, Z, own in zip(train, copies, targets, zip(*rounds, strict=True), strict=True):
            pieces = take_apart(self.tasks, Z[rows])
            copy._models = [copy._boost(stack(X[rows], pool, pieces, copy._starts, self.seed), count)
                            for pool, count in zip(copy._pools, own, strict=True)]
        return list(copies)

    def _watch(self, number: int, X: Array, targets: Sequence[Array], fold: int, rows: Array,
               held: tuple[Array, Array]) -> list[Curve | None]:
        """The curves of a pool on two held-out parts, learned from ``rows``."""
        probe, Z = clone(self), targets[fold]
        inside = take_apart(self.tasks, Z[rows])
        probe._begin(inside)
        pool = probe._pools[number]
        own = stack(X[rows], pool, inside, probe._starts, self.seed)
        if len(np.unique(own.piece.target)) < 2:
            return [None, None]
        parts = [stack(X[part], pool, take_apart(self.tasks, Z[part]), probe._starts, self.seed) for part in held]
        data = self._bin(own)
        train, *valid = (lightgbm.Dataset(one.X, one.piece.target, init_score=one.offset, reference=data,
                                          params=data.params) for one in (own, *parts))
        first = [trivial_loss(one.piece, np.arange(len(one.X)), None, one.offset) if len(one.X) else 0.0
                 for one in parts]
        known = [part if len(one.X) else None for one, part in zip(parts, valid, strict=True)]
        return watched(train, known, self._options(own), most_rounds(len(own.X), own.X.shape[1]), first)

    def _begin(self, pieces: list[Piece]) -> None:
        """Pools of pieces, and the score at which each piece starts."""
        self._pools = pools(self.tasks, pieces)
        self._starts = [np.empty(0)] * len(pieces)
        for pool in self._pools:
            for at, start in zip(pool, starts([pieces[at] for at in pool]), strict=True):
                self._starts[at] = start

    def _boost(self, pairs: Pairs, rounds: int | str) -> lightgbm.Booster | None:
        if len(np.unique(pairs.piece.target)) < 2:
            return None
        data, options = self._bin(pairs), self._options(pairs)
        if isinstance(rounds, str):
            rounds = choose_rounds(data, pairs.piece, options, self.seed, pairs.offset, row_folds(pairs.row, self.seed))
        if rounds == 0:
            return None
        everything = part_of(data, pairs.piece, np.arange(len(pairs.X)), pairs.offset)
        trained = lightgbm.train(options, everything, num_boost_round=rounds)
        return lightgbm.Booster(model_str=trained.model_to_string())

    def _bin(self, pairs: Pairs) -> lightgbm.Dataset:
        return bin_features(pairs.X, self.threads, categorical=[pairs.X.shape[1] - 1])

    def _options(self, pairs: Pairs) -> dict[str, Any]:
        settings = Settings(self.regularisation, self.rounds, self.learning_rate, self.threads, self.seed)
        return {**boosting_options(pairs.piece, settings, pairs.X.shape[1]), "min_data_per_group": 10,
                "cat_smooth": 20.0, "boost_from_average": False}

    def _predict_mean(self, X: Float[Array, "N D"], wanted: Bool[Array, "N T"]) -> Means:
        pool_of = {at: number for number, pool in enumerate(self._pools) for at in pool}
        losses = [piece.loss for piece in take_apart(self.tasks, np.empty((0, sum(t.kind.width for t in self.tasks))))]

        def answer(at: int, rows: Array) -> Array:
            model = self._models[pool_of[at]]
            scores = np.tile(self._starts[at], (len(rows), 1)) if len(self._starts[at]) > 1 else np.full(
                len(rows), self._starts[at][0])
            if model is not None:
                number = self._pools[pool_of[at]].index(at)
                pairs = np.hstack([X[rows], np.full((len(rows), 1), number, dtype=X.dtype)])
                scores = scores + model.predict(pairs, raw_score=True, num_threads=self.threads)
            return inverse_link(losses[at], scores)
        return put_together(self.tasks, wanted, answer)

    def _count_parameters(self) -> int:
        return sum(start.size for start in self._starts) + sum(lightgbm_size(model) for model in self._models if model)

    def _save(self, folder: Path) -> None:
        digests = [model and write_model(folder / f"pool_{number}.txt", model.model_to_string().encode())
                   for number, model in enumerate(self._models)]
        state = {"starts": [start.tolist() for start in self._starts], "pools": self._pools, "models": digests}
        (folder / "pools.json").write_text(json.dumps(state), encoding="utf-8")

    def _load(self, folder: Path) -> None:
        with reading(folder):
            state = json.loads((folder / "pools.json").read_text(encoding="utf-8"))
            self._starts, self._pools = [np.array(start) for start in state["starts"]], state["pools"]
            texts = [digest and read_model(folder / f"pool_{number}.txt", digest).decode()
                     for number, digest in enumerate(state["models"])]
            self._models = [lightgbm.Booster(model_str=text) if text else None for text in texts]


def pools(tasks: Sequence[Task], pieces: Sequence[Piece]) -> list[list[int]]:
    """The numbers of the pieces that share a model: those of tasks of one kind and number of outputs."""
    found: dict[tuple[str, int], list[int]] = {}
    for at, piece in enumerate(pieces):
        kind = tasks[piece.at].kind
        found.setdefault((kind.name, kind.outputs), []).append(at)
    return list(found.values())


def starts(pieces: Sequence[Piece], rows: float = 10.0) -> list[Float[Array, "C"]]:
    """The score at which each piece starts: its trivial mean, drawn to the mean of all with the weight of ``rows``."""
    counts = np.array([len(piece.rows) for piece in pieces], dtype=float)
    means = np.stack([trivial(piece) for piece in pieces])
    together = (counts + 1e-9) @ means / (counts.sum() + 1e-9 * len(counts))
    drawn = (counts[:, None] * means + rows * together) / (counts[:, None] + rows)
    return [link(pieces[0].loss, mean) for mean in drawn]


def stack(X: Float[Array, "N D"], pool: list[int], pieces: list[Piece], starts: list[Array], seed: int) -> Pairs:
    """The observed pairs of a pool, at most MOST_PAIRS of them."""
    row = np.concatenate([pieces[at].rows for at in pool])
    number = np.repeat(np.arange(len(pool)), [len(pieces[at].rows) for at in pool])
    target = np.concatenate([pieces[at].target[pieces[at].rows] for at in pool])
    if len(row) > MOST_PAIRS:
        kept = np.sort(np.random.default_rng(seed).permutation(len(row))[:MOST_PAIRS])
        row, number, target = row[kept], number[kept], target[kept]
    offset = np.stack([starts[at] for at in pool])[number]
    first = pieces[pool[0]]
    return Pairs(np.hstack([X[row], number[:, None].astype(X.dtype)]), Piece(0, first.loss, target, first.classes),
                 offset if first.classes else offset[:, 0], row)


def row_folds(row: Int[Array, "n"], seed: int) -> list[tuple[Array, Array]]:
    """Inner splits of pairs that keep a row's pairs together: 3 folds up to 2000 pairs, one held-out fifth above."""
    count = 3 if len(row) <= 2000 else 5
    fold = (np.random.default_rng(seed).permutation(row.max() + 1) % count)[row]
    splits = [(np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in range(count)]
    return [split for split in splits if len(split[0]) and len(split[1])][: 3 if count == 3 else 1]
