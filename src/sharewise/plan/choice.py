"""The choice per task, and what it is worth: everything is decided without the rows that it is judged on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from ..task import Task, observed_rows, slices
from .ensemble import Bench, select, thin
from .evidence import Estimate, worth_sharing

Array = np.ndarray
SIDES = ("separate", "together", "all")


@dataclass(frozen=True)
class TaskChoice:
    """What was chosen for one task, and its honest out-of-fold predictions.

    ``rows`` [n]: the rows in which the task is observed. ``weights``: side -> weight of each candidate [M], for the
    sides "separate" (no shared learner), "together" (only shared ones; absent where there are none) and "chosen".
    ``means``: side -> prediction [n, C] of every row by a choice that never saw the row's fold. ``shared``: whether
    shared learners serve.
    """

    rows: Int[Array, "n"]
    weights: dict[str, Float[Array, "M"]]
    means: dict[str, Float[Array, "n C"]]
    shared: bool


def choose(tasks: Sequence[Task], Y: Float[Array, "N W"], folds: Int[Array, "N"],
           predictions: Sequence[dict[str, Float[Array, "N C"]]], shares: Sequence[bool], units: dict[str, float],
           groups: Int[Array, "N"] | None = None, seed: int = 0, forced: bool = False,
           alone: Collection[str] = ()) -> dict[str, TaskChoice]:
    """For every task: the ensemble that serves it, out of the candidates' out-of-fold ``predictions``.

    ``shares[m]`` says whether candidate m learned tasks together. The ensemble without shared learners is the default;
    the one out of all candidates takes its place where the evidence says that it is better (``worth_sharing``); with
    ``forced``, the one out of shared candidates always does. Tasks that learn ``alone`` in every candidate keep the
    default: what other weights bring them is no gain of sharing. The honest means of a row come from ensembles and
    decisions made on the other folds.
    """
    seen = observed_rows(Y, tasks)
    parts = slices(tasks)
    rows = {task.name: np.flatnonzero(seen[:, at]) for at, task in enumerate(tasks)}
    benches = {task.name: Bench(task.kind, np.stack([means[task.name][rows[task.name]] for means in predictions]),
                                Y[rows[task.name], parts[task.name]], units[task.name],
                                None if groups is None else groups[rows[task.name]]) for task in tasks}
    own_folds = {name: folds[at] for name, at in rows.items()}
    sides = _sides(np.asarray(shares, dtype=bool))
    full = _weights(benches, own_folds, sides, None, seed)
    honest = _honest(benches, own_folds, sides, seed)
    winners = {fold: names.difference(alone) for fold, names in _winners(benches, honest, own_folds).items()}
    if forced and "together" in full:
        return {task.name: _forced(rows[task.name], full, honest[task.name], task.name) for task in tasks}
    return {task.name: _chosen(task.name, rows[task.name], full, honest[task.name], winners, own_folds[task.name])
            for task in tasks}


def _sides(shares: Bool[Array, "M"]) -> dict[str, Bool[Array, "M"]]:
    """Which candidates each side may choose from; without separate ones the default is all there is."""
    everything = np.ones_like(shares)
    sides = {"separate": ~shares if (~shares).any() else everything, "all": everything}
    if shares.any():
        sides["together"] = shares
    return sides


def _weights(benches: dict[str, Bench], own_folds: dict[str, Array], sides: dict[str, Array], left_out: int | None,
             seed: int) -> dict[str, dict[str, Float[Array, "M"]]]:
    """Side -> task -> weights [M], selected on the rows outside of fold ``left_out``."""
    thinned = []
    for name, bench in benches.items():
        kept = np.flatnonzero(own_folds[name] != left_out) if left_out is not None else np.arange(len(bench.target))
        thinned.append(bench.rows(kept[thin(len(kept), seed)]))
    found = {}
    for side, member in sides.items():
        chosen = [one.of(member) for one in thinned] if not member.all() else thinned
        whole = np.zeros((len(benches), len(member)))
        whole[:, member] = select(chosen, seed)
        found[side] = dict(zip(benches, whole, strict=True))
    return found


def _honest(benches: dict[str, Bench], own_folds: dict[str, Array], sides: dict[str, Array],
            seed: int) -> dict[str, dict[str, Array]]:
    """Task -> side -> means [n, C], each row's by weights that were selected without its fold."""
    honest = {name: {side: np.empty(bench.means.shape[1:]) for side in sides} for name, bench in benches.items()}
    for fold in np.unique(np.concatenate(list(own_folds.values()))):
        weights = _weights(benches, own_folds, sides, int(fold), seed)
        for name, bench in benches.items():
            inside = own_folds[name] == fold
            means = bench.means[:, inside]
            for side, found in weights.items():
                honest[name][side][inside] = np.tensordot(found[name], means, axes=1)
    return honest


def _winners(benches: dict[str, Bench], honest: dict[str, dict[str, Array]],
             own_folds: dict[str, Array]) -> dict[int | None, set[str]]:
    """Fold left out (None: nothing) -> the tasks for which the ensemble of all candidates is worth it."""
    losses = {name: {side: bench.kind.row_loss(honest[name][side], bench.target) / bench.unit
                     for side in ("separate", "all")} for name, bench in benches.items()}
    found: dict[int | None, set[str]] = {}
    for left_out in (None, *np.unique(np.concatenate(list(own_folds.values()))).tolist()):
        estimates = {}
        for name, loss in losses.items():
            kept = own_folds[name] != left_out if left_out is not None else np.ones(len(own_folds[name]), dtype=bool)
            cluster = benches[name].groups
            if kept.sum() >= 2:
                estimates[name] = Estimate.of(loss["separate"][kept], loss["all"][kept],
                                              None if cluster is None else cluster[kept])
        shared = worth_sharing(list(estimates.values()))
        found[left_out] = {name for name, wins in zip(estimates, shared, strict=True) if wins}
    return found


def _chosen(name: str, rows: Array, full: dict[str, dict[str, Array]], honest: dict[str, Array],
            winners: dict[int | None, set[str]], folds: Array) -> TaskChoice:
    """Put the decision on top: over all rows for serving, without each fold for its honest means."""
    shared = name in winners[None]
    weights = {side: full[side][name] for side in full if side != "all"}
    weights["chosen"] = full["all" if shared else "separate"][name]
    means = {side: mean for side, mean in honest.items() if side != "all"}
    means["chosen"] = honest["separate"].copy()
    for fold in np.unique(folds):
        if name in winners[int(fold)]:
            means["chosen"][folds == fold] = honest["all"][folds == fold]
    return TaskChoice(rows, weights, means, shared)


def _forced(rows: Array, full: dict[str, dict[str, Array]], honest: dict[str, Array], name: str) -> TaskChoice:
    """The shared candidates serve, because the user said so."""
    weights = {"separate": full["separate"][name], "together": full["together"][name],
               "chosen": full["together"][name]}
    means = {"separate": honest["separate"], "together": honest["together"], "chosen": honest["together"]}
    return TaskChoice(rows, weights, means, True)
