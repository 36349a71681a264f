"""One LightGBM model for one piece: settings by size, the number of rounds, constant targets, saving."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import lightgbm
import numpy as np
from jaxtyping import Float

from ...base.checks import one_of, within
from ..pieces import Piece, inner_folds, inverse_link, is_constant, trivial
from ..stored import read_model, reading, write_model
from .counting import lightgbm_size
from .fold_rounds import Curve, watched

Array = np.ndarray
OBJECTIVES = {"squared": "regression", "poisson": "poisson", "logistic": "binary", "softmax": "multiclass"}
STRENGTHS = {"light": {"leaves": 31, "leaf_rows": 20, "lambda_l2": 0.1, "feature_fraction": 0.8},
             "strong": {"leaves": 8, "leaf_rows": 40, "lambda_l2": 5.0, "feature_fraction": 0.5}}
FEW_ROWS, MOST_ROUNDS, PATIENCE = 300, 1500, 30
FEATURES_A_TREE = 100  # beyond, they cost time and bring little
LEAST_SHARE = 0.1
FEW_BINS, FEW_ROWS_TO_BIN = 63, 2000  # histograms of more bins would cost more than the rows
ROWS_A_TREE = 20_000  # beyond, a tree draws a part, so that cost grows slower than rows
DEAREST = 1_500_000_000  # cells (rows times features) times rounds
ROW_WISE = 10_000  # rows from which on histograms by row are faster; on a small part of a table they break the heap
BINNING = {"verbosity": -1, "min_data_in_bin": 1, "feature_pre_filter": False,
           "is_enable_sparse": False}  # columns of sparse bins break it, once rows are taken out of a table


def check_options(regularisation: str, rounds: int | str, learning_rate: float) -> None:
    """UsageError where an option of a boosted estimator can't be used."""
    one_of("regularisation", regularisation, STRENGTHS)
    within("learning_rate", learning_rate, 1e-6, 1.0)
    if isinstance(rounds, str):
        one_of("rounds", rounds, ("auto",))
    else:
        within("rounds", rounds, 1)


class Settings(NamedTuple):
    """What BoostedTrees and PooledTrees hand down; see BoostedTrees."""

    regularisation: str
    rounds: int | str
    learning_rate: float
    threads: int
    seed: int


class Boosted(NamedTuple):
    """A fitted piece: the model (None where the targets were constant), what is said without features [C], and the
    weight at which that is mixed in."""

    model: lightgbm.Booster | None
    prior: Float[Array, "C"]
    mix: float

    def predict(self, X: Float[Array, "N D"], threads: int) -> Array:
        """The mean of the piece: [N], or [N, C] for softmax."""
        if self.model is None:
            return np.full(len(X), self.prior[0]) if len(self.prior) == 1 else np.tile(self.prior, (len(X), 1))
        mean = np.asarray(self.model.predict(X, num_threads=threads))
        prior = self.prior if len(self.prior) > 1 else self.prior[0]
        return (1 - self.mix) * mean + self.mix * prior if self.mix else mean

    @property
    def parameter_count(self) -> int:
        """The prior, and the splits and leaves of the model."""
        return self.prior.size + (lightgbm_size(self.model) if self.model else 0)

    def save(self, folder: Path, name: str) -> None:
        """Write NAME.json, and the model beside it in LightGBM's text format."""
        digest = self.model and write_model(folder / f"{name}.txt", self.model.model_to_string().encode())
        state = {"prior": self.prior.tolist(), "mix": self.mix, "model": digest}
        (folder / f"{name}.json").write_text(json.dumps(state), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, name: str) -> Boosted:
        """What ``save`` wrote."""
        with reading(folder):
            state = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
            text = read_model(folder / f"{name}.txt", state["model"]).decode() if state["model"] else None
            model = lightgbm.Booster(model_str=text) if text else None
            return cls(model, np.array(state["prior"]), state["mix"])


def bin_features(X: Float[Array, "N D"], threads: int, categorical: list[int] | None = None) -> lightgbm.Dataset:
    """The features binned once, for all pieces."""
    bins = {"max_bin": FEW_BINS} if len(X) <= FEW_ROWS_TO_BIN else {}
    data = lightgbm.Dataset(X, label=np.zeros(len(X)), params={**BINNING, **bins, "num_threads": threads},
                            categorical_feature=categorical or [])
    return data.construct()


def boost(data: lightgbm.Dataset, piece: Piece, settings: Settings) -> Boosted:
    """The model of one piece, learned from the rows in which it is observed."""
    prior = trivial(piece)
    if is_constant(piece):
        return Boosted(None, prior, 0.0)
    options = boosting_options(piece, settings, data.num_feature())
    rounds = settings.rounds if isinstance(settings.rounds, int) else choose_rounds(data, piece, options, settings.seed)
    if rounds == 0:
        return Boosted(None, prior, 0.0)
    trained = lightgbm.train(options, part_of(data, piece, piece.rows), num_boost_round=rounds)
    model = lightgbm.Booster(model_str=trained.model_to_string())  # as after loading; and lets go of the data
    return Boosted(model, prior, 1.0 / (len(piece.rows) + 1.0) if piece.loss in ("logistic", "softmax") else 0.0)


def boosting_options(piece: Piece, settings: Settings, features: int) -> dict[str, Any]:
    """LightGBM's parameters for a piece: fewer leaves and smaller ones where there are few rows, a smaller share of
    the features for a tree where they are many."""
    strength, rows = STRENGTHS[settings.regularisation], len(piece.rows)
    share = share_of_features(features, strength["feature_fraction"])
    options = {"objective": OBJECTIVES[piece.loss],
               "learning_rate": settings.learning_rate * (2.0 if rows < FEW_ROWS else 1.0),
               "num_leaves": int(np.clip(rows // 10, 4, strength["leaves"])),
               "min_data_in_leaf": int(np.clip(rows * strength["leaf_rows"] // 4000, 2, strength["leaf_rows"])),
               "lambda_l2": strength["lambda_l2"], "feature_fraction": share,
               "bagging_fraction": min(0.8, ROWS_A_TREE / rows), "bagging_freq": 1, "min_sum_hessian_in_leaf": 1e-2,
               "deterministic": True, "force_row_wise" if rows >= ROW_WISE else "force_col_wise": True,
               "seed": settings.seed, "num_threads": settings.threads, **BINNING}
    return {**options, "num_class": piece.classes} if piece.classes else options


def share_of_features(features: int, usual: float) -> float:
    """The share of the features that a tree may use: smaller where they are many."""
    return min(usual, max(FEATURES_A_TREE / features, LEAST_SHARE))


def most_rounds(rows: int, features: int) -> int:
    """The limit of rounds: fewer where rows are few, and where a round is dear."""
    limit = MOST_ROUNDS if rows >= FEW_ROWS // 2 else MOST_ROUNDS // 4
    return int(np.clip(DEAREST // (rows * features + 1), 100, limit))


def choose_rounds(data: lightgbm.Dataset, piece: Piece, options: dict[str, Any], seed: int,
                  offset: Array | None = None, folds: list[tuple[Array, Array]] | None = None) -> int:
    """The number of rounds with the least loss on rows held out from the piece's own training rows; 0 where no
    number beats the trivial prediction there."""
    if len(piece.rows) < 10:
        return 0
    small = len(piece.rows) <= 2000
    folds = folds or inner_folds(piece, 3 if small else 5, seed)[: 3 if small else 1]
    found = np.array([held_out_rounds(data, piece, options, *fold, offset) for fold in folds])
    return int(np.ceil(found[:, 0].mean())) if found[:, 1].sum() < 0 else 0


def held_out_rounds(data: lightgbm.Dataset, piece: Piece, options: dict[str, Any], train: Array, held: Array,
                    offset: Array | None) -> tuple[int, float]:
    """The round at which the loss on the held-out rows was least, and that loss less the one before any round."""
    losses: dict[str, dict[str, list[float]]] = {}
    watch: list[Any] = [lightgbm.early_stopping(PATIENCE, verbose=False), lightgbm.record_evaluation(losses)]
    rest, valid = part_of(data, piece, train, offset), part_of(data, piece, held, offset)
    if is_constant(Piece(0, piece.loss, piece.target[train], piece.classes)):
        return 0, 0.0
    most = most_rounds(len(train), data.num_feature())
    trained = lightgbm.train({**options, "first_metric_only": True}, rest, num_boost_round=most, valid_sets=[valid],
                             callbacks=watch)
    reached = min(next(iter(losses["valid_0"].values())))
    start = trivial(Piece(0, piece.loss, piece.target[train], piece.classes)) if offset is None else None
    return trained.best_iteration, (reached - trivial_loss(piece, held, start, offset)) * len(held)


def within_rows(piece: Piece, rows: Array) -> Piece:
    """The piece as if it were observed in those rows alone."""
    return piece._replace(target=np.where(rows, piece.target, np.nan))


def watch_piece(data: lightgbm.Dataset, piece: Piece, rows: Array, held: tuple[Array, Array],
                settings: Settings) -> list[Curve | None]:
    """The curves of one piece on two held-out parts, learned from ``rows``; None where nothing can be said."""
    own = within_rows(piece, rows)
    parts = [within_rows(piece, part).rows for part in held]
    if is_constant(own):
        return [None, None]
    features, start = data.num_feature(), trivial(own)
    valid = [part_of(data, piece, part) if len(part) else None for part in parts]
    return watched(part_of(data, piece, own.rows), valid, boosting_options(own, settings, features),
                   most_rounds(len(own.rows), features),
                   [trivial_loss(piece, part, start, None) if len(part) else 0.0 for part in parts])


def trivial_loss(piece: Piece, rows: Array, mean: Array | None, offset: Array | None) -> float:
    """LightGBM's metric of the piece for a mean [C], or for scores ``offset`` a row."""
    target = piece.target[rows]
    if mean is None:
        mean = inverse_link(piece.loss, offset[rows])  # type: ignore[index]
    if piece.loss == "squared":
        return float(np.square(target - mean).mean())
    if piece.loss == "poisson":
        return float((mean - target * np.log(mean)).mean())
    if piece.loss == "logistic":
        return -float(np.log(np.where(target > 0, mean, 1 - mean)).mean())
    chances = np.broadcast_to(mean, (len(rows), piece.classes))
    return -float(np.log(chances[np.arange(len(rows)), target.astype(int)]).mean())


def part_of(data: lightgbm.Dataset, piece: Piece, rows: Array, offset: Array | None = None) -> lightgbm.Dataset:
    """The binned rows with the piece's targets as labels, and ``offset`` [N] or [N, C] as where the scores start."""
    part = data.subset(rows.tolist()).construct().set_label(piece.target[rows])
    return part if offset is None else part.set_init_score(offset[rows])
