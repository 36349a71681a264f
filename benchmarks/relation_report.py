"""How well each affinity and the calibrated predictor knew the true gains, beside what any single run could know."""

from __future__ import annotations

import numpy as np

from relation_fresh import fresh_table
from relation_parts import effects, parts_table
from relation_predictor import SHARE, Run, held_out_groups, learn_weights, moments, predicted_pairs, untrained_pairs
from relation_truth import (
    hit_rate,
    in_the_others,
    jackknife_error,
    mean_score,
    pair_matrix,
    reliability,
    without_one_seed,
)
from sharewise.relate import GainWeights

CEILING, PREDICTOR = "one run's own test gains (ceiling)", "**calibrated predictor**"
UNTRAINED = "the same, no pair trained"


def report(cells: dict[str, list[Run]], fresh: dict[str, list[Run]]) -> str:
    """The tables, as Markdown; ``fresh``: further seeds, on which the predictor is judged alone (a table if any)."""
    knowledge = {name: moments(runs) for name, runs in cells.items()}
    weights = {name: learn_weights([knowledge[other] for other in cells if other != name]) for name in cells}
    truths = {name: [pair_matrix(cell, "test") for cell, _ in runs] for name, runs in cells.items()}
    known = {name: _known(runs, truths[name], weights[name]) for name, runs in cells.items()}
    page = ["# Relations: what affinities know of true gains", "",
            f"{_seeds(cells)} seeds of each set; made by `python benchmarks/relations.py --seeds {_seeds(cells)} "
            f"--fresh {_seeds(fresh)}`; "
            "protocol in `benchmarks/relation_runs.py`.", ""]
    page += [*_truth_table(cells, truths), *parts_table(cells), *_pair_table(cells, truths, known),
             *_ceiling_table(truths, known), *(fresh_table(cells, fresh, weights) if _seeds(fresh) else []),
             *_weight_table(weights, learn_weights(list(knowledge.values()))), *_group_table(cells, weights)]
    return "\n".join(page) + "\n"


def _seeds(cells: dict[str, list[Run]]) -> int:
    return len(next(iter(cells.values())))


def _known(runs: list[Run], truths: list[np.ndarray], weights: GainWeights) -> dict[str, list[np.ndarray]]:
    """Of each thing that may know the gains, its matrix at each seed."""
    known = {CEILING: truths, "of these only the mean of each receiver": [_means(truth, 0) for truth in truths],
             "of these only the mean of each helper": [_means(truth, 1) for truth in truths],
             "of these only the effects of both": [np.add(*effects(truth)[:2]) for truth in truths],
             "all pairs, validation": [pair_matrix(cell, "validation") for cell, _ in runs],
             PREDICTOR: [predicted_pairs(run, weights) for run in runs],
             UNTRAINED: [untrained_pairs(run, weights) for run in runs]}
    for at, affinity in enumerate(runs[0][1]["names"].tolist()):
        known[affinity] = [found["matrices"][at].astype(float) for _, found in runs]
    return known


def _means(truth: np.ndarray, axis: int) -> np.ndarray:
    return np.broadcast_to(np.nanmean(truth, axis=axis, keepdims=True), truth.shape)


def _truth_table(cells: dict[str, list[Run]], truths: dict[str, list[np.ndarray]]) -> list[str]:
    page = ["## The true gains of pairs", "",
            "| set | tasks | mean gain | negative | reliability of the mean over seeds | chance of a hit |",
            "|---|--:|--:|--:|--:|--:|"]
    for name, runs in cells.items():
        pooled, tasks = np.concatenate([t[~np.isnan(t)] for t in truths[name]]), runs[0][0]["tasks"]
        page.append(f"| {name} | {tasks} | {100 * pooled.mean():+.1f} % | {(pooled < 0).mean():.0%} | "
                    f"{reliability(truths[name]):.2f} | {1 / (tasks - 1):.2f} |")
    return [*page, ""]


def _costs(cells: dict[str, list[Run]]) -> dict[str, str]:
    spent = {PREDICTOR: f"{SHARE:.2f} + affinities", UNTRAINED: "affinities"}
    for at, affinity in enumerate(next(iter(cells.values()))[0][1]["names"].tolist()):
        share = [np.mean([found["seconds"][at] / cell["pairs"]["seconds"] for cell, found in runs])
                 for runs in cells.values()]
        spent[affinity] = f"{np.mean(share):.4f}"
    return spent


def _pair_table(cells: dict[str, list[Run]], truths: dict[str, list[np.ndarray]], known: dict[str, dict]) -> list[str]:
    page = ["## Rank correlation with the mean test gain in the other seeds", "",
            "Mean over seeds of Spearman's correlation over all ordered pairs; hit: share of tasks whose best partner "
            "is named; cost: seconds over those of training all pairs, mean over sets. Affinities from a joint run or "
            "from the tasks alone count that run's seconds: networks of a few tasks are cheap here, as hundreds train "
            "in one go, and a run of one network with its gradients is not. The predictor reads of all these only what "
            "the features, the labels and the tasks alone give; every gain needs the tasks alone anyway.", "",
            f"| affinity | mean | worst | hit | cost | {' | '.join(cells)} |",
            "|---|--:|--:|--:|--:|" + "--:|" * len(cells)]
    costs = _costs(cells)
    for what in next(iter(known.values())):
        scores = [mean_score(known[name][what], truths[name]) for name in cells]
        hits = [np.mean([hit_rate(*pair) for pair in zip(known[name][what], in_the_others(truths[name]), strict=True)])
                for name in cells]
        page.append(f"| {what} | {np.mean(scores):.2f} | {min(scores):.2f} | {np.mean(hits):.2f} | "
                    f"{costs.get(what, '1')} | {' | '.join(f'{score:.2f}' for score in scores)} |")
    return [*page, ""]


def _ceiling_table(truths: dict[str, list[np.ndarray]], known: dict[str, dict]) -> list[str]:
    page = ["## The predictor beside the ceiling", "",
            "With standard errors over seeds (jackknife, as seeds share the truth). Where the ceiling is 0 within two "
            "of them, another run of the same set would rank the pairs otherwise, and there is nothing to predict.", "",
            "| set | ceiling | predictor | no pair trained | predictor - 0.6 ceiling |", "|---|--:|--:|--:|--:|"]
    scores, errors = [], []
    for name, runs in truths.items():
        left_out = [without_one_seed(known[name][what], runs) for what in (CEILING, PREDICTOR, UNTRAINED)]
        full = [mean_score(known[name][what], runs) for what in (CEILING, PREDICTOR, UNTRAINED)]
        scores.append([*full, full[1] - 0.6 * full[0]])
        errors.append([jackknife_error(one) for one in (*left_out, left_out[1] - 0.6 * left_out[0])])
        page.append(_with_errors(name, scores[-1], errors[-1]))
    return [*page, _with_errors("mean", *_over_sets(scores, errors)), ""]


def _over_sets(scores: list, errors: list) -> tuple[np.ndarray, np.ndarray]:
    return np.mean(scores, axis=0), np.sqrt(np.square(errors).sum(axis=0)) / len(errors)


def _with_errors(name: str, scores: list[float], errors: list[float]) -> str:
    return f"| {name} | " + " | ".join(f"{s:+.2f} ± {e:.2f}" for s, e in zip(scores, errors, strict=True)) + " |"


def _weight_table(weights: dict[str, GainWeights], over_all: GainWeights) -> list[str]:
    low, high = np.min(list(weights.values()), axis=0), np.max(list(weights.values()), axis=0)
    page = ["## What sets taught", "",
            "Weights of the expected gain before anything is trained together (`GainWeights`), in the unit of the gains"
            ": fitted on all sets, and the range when each set is left out, as above and below.", "",
            "| | weight | least | most |", "|---|--:|--:|--:|"]
    page += [f"| {field.replace('_', ' ')} | {all_sets:+.2f} | {least:+.2f} | {most:+.2f} |" for
             field, all_sets, least, most in zip(GainWeights._fields, over_all, low, high, strict=True)]
    return [*page, ""]


def _group_table(cells: dict[str, list[Run]], weights: dict[str, GainWeights]) -> list[str]:
    page = ["## Gains of held-out groups", "",
            "Rank correlation with the test gains of T groups of 3 to 5 tasks in the same run; the predictor is fitted"
            " on validation gains of T other groups. Standard errors over seeds.", "",
            "| set | calibrated predictor | without affinities | all pairs trained | predictor - all pairs |",
            "|---|--:|--:|--:|--:|"]
    scores, errors = [], []
    for name, runs in cells.items():
        found = np.array([held_out_groups(run, weights[name]) for run in runs])
        found = np.column_stack([found, found[:, 0] - found[:, 2]])
        scores.append(found.mean(axis=0))
        errors.append(found.std(axis=0, ddof=1) / np.sqrt(len(found)))
        page.append(_with_errors(name, scores[-1], errors[-1]))
    return [*page, _with_errors("mean", *_over_sets(scores, errors))]
