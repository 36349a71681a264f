"""The predictor on further seeds, of which none taught it its weights."""

from __future__ import annotations

import numpy as np

from relation_predictor import Run, held_out_groups, predicted_pairs, untrained_pairs
from relation_truth import pair_matrix, spearman
from sharewise.relate import GainWeights


def fresh_scores(runs: list[Run], fresh: list[Run], weights: GainWeights) -> np.ndarray:
    """Of each fresh seed, but those in which a task has too few rows to be learned [S, 6]: rank correlation with the
    mean test gains of pairs in all other seeds, of its own test gains (the ceiling), its validation gains, the
    predictor and the weights alone; then of groups with the test gains of the run: the predictor, all pairs."""
    truths = [pair_matrix(cell, "test") for cell, _ in (*runs, *fresh)]
    alike = [len(truth) == len(truths[0]) for truth in truths]
    scores = []
    for at, run in enumerate(fresh, start=len(runs)):
        if not alike[at]:
            continue
        others = np.mean([truth for seed, truth in enumerate(truths) if alike[seed] and seed != at], axis=0)
        known = (truths[at], pair_matrix(run[0], "validation"), predicted_pairs(run, weights),
                 untrained_pairs(run, weights))
        groups, _, pairs = held_out_groups(run, weights)
        scores.append([*(spearman(one, others) for one in known), groups, pairs])
    return np.array(scores)


def fresh_table(cells: dict[str, list[Run]], fresh: dict[str, list[Run]], weights: dict[str, GainWeights]) -> list[str]:
    """A line a set, and the mean with its standard error over seeds."""
    seeds = len(next(iter(fresh.values())))
    page = ["## Further seeds", "",
            f"{seeds} more seeds of each set, predicted with the weights that the other sets taught in the seeds above "
            "and with variances measured there. Pairs: rank correlation with the mean test gain in all other seeds; "
            "groups: with the test gains of the same run. Standard errors over seeds.",
            "",
            "| set | ceiling | all pairs, validation | predictor | no pair trained | groups: predictor | groups: all "
            "pairs |", "|---|--:|--:|--:|--:|--:|--:|"]
    scores = [fresh_scores(cells[name], fresh[name], weights[name]) for name in cells]
    means = np.array([one.mean(axis=0) for one in scores])
    page += [f"| {name} | {' | '.join(f'{value:+.2f}' for value in row)} |"
             for name, row in zip(cells, means, strict=True)]
    error = np.sqrt(np.sum([one.var(axis=0, ddof=1) / len(one) for one in scores], axis=0)) / len(scores)
    over_sets = [f"{m:+.2f} ± {e:.2f}" for m, e in zip(means.mean(axis=0), error, strict=True)]
    page.append(f"| mean | {' | '.join(over_sets)} |")
    return [*page, ""]
