"""How many rounds each fold boosts: found by models that never saw the fold.

A fold's rows judge its model, so they must have no say in its rounds. The curves of the other folds' models would give
them one, for those models learned from them: what the rows of one fold teach about another's is also what the other's
teach about its own, so that a choice by such curves looks better than it is. Hence models that leave out two
neighbouring folds: each is watched on both, and says on the one how many rounds suit the other. They cost less than
the folds' own fits again, where inner folds cost three times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import lightgbm
import numpy as np
from jaxtyping import Bool, Float

Array = np.ndarray
Curve = Float[Array, "_"]  # a loss before any round and after each
MOST_ROUNDS, PATIENCE = 500, 30
FEWEST_FOLDS = 4  # with fewer, two left out leave too little to learn from
FEW_ROWS = 2000  # up to so many, a fold has four neighbours, not two
Watch = Callable[[int, Bool[Array, "N"], tuple[Bool[Array, "N"], Bool[Array, "N"]]], Sequence[Curve | None]]


def rounds_by_neighbours(train: Bool[Array, "K N"], watch: Watch) -> list[int]:
    """Rounds of each of K folds. ``watch(fold, rows, held)`` learns from ``rows`` for ``fold``, and gives the curve on
    each of the two ``held`` parts, of the fold and of its neighbour; None where a part has nothing to say."""
    count = len(train)
    curves: list[list[Curve | None]] = [[] for _ in range(count)]
    for apart in (1, 2) if train.shape[1] <= FEW_ROWS else (1,):
        for fold in range(count if 2 * apart != count else apart):
            beside = (fold + apart) % count
            own, other = watch(fold, train[fold] & train[beside], (~train[fold], ~train[beside]))
            curves[fold].append(other)
            curves[beside].append(own)
    return [best_rounds(found) for found in curves]


def best_rounds(curves: Sequence[Curve | None]) -> int:
    """Where the mean of the curves is least; one that ended goes on at its last value. 0 where there is none."""
    known = [curve for curve in curves if curve is not None]
    if not known:
        return 0
    length = max(map(len, known))
    return int(np.mean([np.pad(curve, (0, length - len(curve)), mode="edge") for curve in known], axis=0).argmin())


def is_stale(curve: Sequence[float], patience: int = PATIENCE) -> bool:
    """Whether the last ``patience`` rounds have not brought the loss below its least."""
    return len(curve) - 1 - int(np.argmin(curve)) >= patience


def watched(train: lightgbm.Dataset, held: Sequence[lightgbm.Dataset | None], options: dict[str, Any], most: int,
            first: Sequence[float]) -> list[Curve | None]:
    """Boost until no held-out part has gained for PATIENCE rounds; the curve of each, which begins with ``first``."""
    known = {str(at): part for at, part in enumerate(held) if part is not None}
    if not known:
        return [None] * len(held)
    losses: dict[str, dict[str, list[float]]] = {}

    def stop(state: lightgbm.callback.CallbackEnv) -> None:
        if all(is_stale(next(iter(found.values()))) for found in losses.values()):
            raise lightgbm.callback.EarlyStopException(state.iteration, state.evaluation_result_list or [])
    stop.order = 30  # type: ignore[attr-defined]  # after the losses were written down
    lightgbm.train(options, train, min(MOST_ROUNDS, most), valid_sets=list(known.values()), valid_names=list(known),
                   callbacks=[lightgbm.record_evaluation(losses), stop])
    return [np.array([start, *next(iter(losses[str(at)].values()))]) if str(at) in known else None
            for at, start in enumerate(first)]
