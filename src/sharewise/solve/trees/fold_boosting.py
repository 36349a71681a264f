"""Boosting on K folds at once: each fold's number of rounds is the one that was best on the other folds' rows.

No row is spent on finding it, and the rows that stop a training never judge it. It costs one fit a fold, where an
inner cross-validation costs several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import lightgbm
import numpy as np
from jaxtyping import Bool, Float

from ..pieces import Piece, is_constant, trivial
from .boosting import Boosted, Settings, boosting_options, most_rounds, part_of, trivial_loss

Array = np.ndarray
MOST_ROUNDS, PATIENCE = 500, 30


class Grown(NamedTuple):
    """A fold's model after all its rounds, and its loss on the held-out rows before any round and after each."""

    model: lightgbm.Booster
    curve: Float[Array, "R"]


def boost_folds(data: lightgbm.Dataset, pieces: Sequence[Piece], train: Bool[Array, "K N"],
                settings: Settings) -> list[Boosted]:
    """A model a fold, for one piece given in each fold's own standardised target."""
    inside = [piece._replace(target=np.where(rows, piece.target, np.nan)) for piece, rows in
              zip(pieces, train, strict=True)]
    grown = [_grow(data, piece, own, settings) for piece, own in zip(pieces, inside, strict=True)]
    return [_cut(one, own, _rounds(grown, fold)) for fold, (one, own) in enumerate(zip(grown, inside, strict=True))]


def _grow(data: lightgbm.Dataset, piece: Piece, own: Piece, settings: Settings) -> Grown | None:
    """Boost on a fold's own rows until the held-out ones have not gained for PATIENCE rounds; None where there is
    nothing to learn or nothing held out."""
    held = np.setdiff1d(piece.rows, own.rows)
    if is_constant(own) or not len(held):
        return None
    losses: dict[str, dict[str, list[float]]] = {}
    watch: list[Any] = [lightgbm.early_stopping(PATIENCE, verbose=False), lightgbm.record_evaluation(losses)]
    model = lightgbm.train(boosting_options(own, settings), part_of(data, piece, own.rows),
                           min(MOST_ROUNDS, most_rounds(len(own.rows), data.num_feature())),
                           valid_sets=[part_of(data, piece, held)], callbacks=watch)
    after = next(iter(losses["valid_0"].values()))
    return Grown(model, np.array([trivial_loss(piece, held, trivial(own), None), *after]))


def _rounds(grown: Sequence[Grown | None], fold: int) -> int:
    """Where the mean loss of the other folds was least; a curve that ended goes on at its last value."""
    others = [one.curve for at, one in enumerate(grown) if one is not None and at != fold]
    if not others or grown[fold] is None:
        return 0
    length = max(len(curve) for curve in others)
    mean = np.mean([np.pad(curve, (0, length - len(curve)), mode="edge") for curve in others], axis=0)
    return min(int(mean.argmin()), len(grown[fold].curve) - 1)  # type: ignore[union-attr]


def _cut(grown: Grown | None, own: Piece, rounds: int) -> Boosted:
    if grown is None or rounds == 0:
        return Boosted(None, trivial(own), 0.0)
    model = lightgbm.Booster(model_str=grown.model.model_to_string(num_iteration=rounds))
    return Boosted(model, trivial(own), 1.0 / (len(own.rows) + 1.0) if own.loss in ("logistic", "softmax") else 0.0)
