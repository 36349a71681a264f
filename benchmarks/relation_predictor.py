"""The calibrated predictor of ``relations.py``: what it expects of a set was learned on the other sets."""

from __future__ import annotations

import numpy as np

from relation_truth import as_matrix, gains, in_the_others, pair_matrix, spearman
from sharewise.relate import GainPredictor, GainWeights, predict_group_gains
from sharewise.relate.gain_evidence import GainEvidence
from sharewise.relate.gain_units import gain_unit, in_units

AFFINITIES = ("ridge transfer", "cross-prediction", "ridge cosine, absolute", "gradient outer product",
              "task covariance", "label correlation", "residual correlation", "linear CKA", "kernel distance")
SHARE = 0.10  # of the pairs, at most, that the predictor is fitted on
SHRINK = 0.3  # ridge on the weights; what is known has variance 1

Run = tuple[dict, dict]  # a cell, and its affinities


def evidence_of(run: Run) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Affinities, rows, difficulty: what ``GainPredictor`` is given."""
    cell, found = run
    named = dict(zip(found["names"].tolist(), found["matrices"].astype(float), strict=True))
    difficulty = np.array(cell["alone"]["validation"])[:, 0] / found["trivial"]
    return [named[name] for name in AFFINITIES], found["rows"], difficulty


def known_of_pairs(run: Run) -> np.ndarray:
    """What is known of each ordered pair before training [T (T - 1), W], in the order of ``GainWeights``."""
    groups = gains(run[0], "pairs", "test")[0]
    return GainEvidence.of(*evidence_of(run)).members(groups, groups).known[:, :len(GainWeights._fields)]


def pairs_in_units(cell: dict) -> tuple[np.ndarray, np.ndarray]:
    """Validation and test gains of all pairs [T, T], both in the unit of the validation gains, which the predictor has.
    """
    seen, truth = (pair_matrix(cell, side) for side in ("validation", "test"))
    unit = gain_unit(seen[~np.isnan(seen)])
    return in_units(seen, unit), in_units(truth, unit)


def moments(runs: list[Run]) -> tuple[np.ndarray, np.ndarray]:
    """Of a set: the second moments [W, W] of what is known, and with the test gains in the other seeds [W]."""
    squares, products = [], []
    groups = gains(runs[0][0], "pairs", "test")[0]
    _, receiver = np.nonzero(groups)
    helper = np.array([np.flatnonzero(pair) for pair in groups])[:, ::-1].ravel()
    for run, truth in zip(runs, in_the_others([pairs_in_units(cell)[1] for cell, _ in runs]), strict=True):
        known = known_of_pairs(run)
        squares.append(known.T @ known / len(known))
        products.append(known.T @ truth[helper, receiver] / len(known))
    return np.mean(squares, axis=0), np.mean(products, axis=0)


def learn_weights(sets: list[tuple[np.ndarray, np.ndarray]]) -> GainWeights:
    """Ridge regression over sets, each of the same weight."""
    squares, products = np.mean([one[0] for one in sets], axis=0), np.mean([one[1] for one in sets], axis=0)
    return GainWeights(*map(float, np.linalg.solve(squares + SHRINK * np.eye(len(squares)), products)))


def untrained_pairs(run: Run, weights: GainWeights) -> np.ndarray:
    """What the weights alone say of the pairs [T, T], nothing trained together."""
    groups = gains(run[0], "pairs", "test")[0]
    said = np.full(groups.shape, np.nan)
    said[groups] = known_of_pairs(run) @ np.array(weights)
    return as_matrix(run[0], said)


def predicted_pairs(run: Run, weights: GainWeights) -> np.ndarray:
    """Pair gains [T, T] by a predictor that saw the validation gains of a tenth of the pairs."""
    cell, _ = run
    groups, seen = gains(cell, "pairs", "validation")
    chosen = np.random.default_rng(cell["seed"]).permutation(len(groups))[:max(int(SHARE * len(groups)), 1)]
    fitted = GainPredictor(*evidence_of(run), weights).fit(groups[chosen], seen[chosen])
    return as_matrix(cell, fitted.predict(groups).mean)


def held_out_groups(run: Run, weights: GainWeights) -> tuple[float, float, float]:
    """Rank correlation with the test gains of T groups: of the predictor fitted on the validation gains of the other T
    groups, of the same without affinities, of the means of all trained pairs."""
    cell, _ = run
    groups, seen = gains(cell, "groups", "validation")
    truth, tasks = gains(cell, "groups", "test")[1][cell["tasks"]:], cell["tasks"]
    affinities, rows, difficulty = evidence_of(run)
    both = (GainPredictor(affinities, rows, difficulty, weights), GainPredictor([], rows, difficulty, weights))
    fitted = [one.fit(groups[:tasks], seen[:tasks]).predict(groups[tasks:]).mean for one in both]
    pairs = predict_group_gains(np.nan_to_num(pair_matrix(cell, "validation")), groups[tasks:])
    return spearman(fitted[0], truth), spearman(fitted[1], truth), spearman(pairs, truth)
