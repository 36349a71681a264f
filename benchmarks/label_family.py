"""What label methods add to an ensemble of the others: python benchmarks/label_family.py [--sets emotions,scene]

The Learner's own greedy ensembles (plan/ensemble.py), without its clock: linear models and extra trees alone, joint
extra trees and a joint random forest (100 trees a fold), and the regression on neighbours; then each method of
``--methods`` beside these, over lines or over a forest of 100 trees. Fitted on five stratified folds of the training
rows, chosen out of fold, judged on the set's own test rows by relative log loss (1 is the predictor without features).
Networks, boosting and chains are left out, for their time; a method that takes more than ``--limit`` CPU seconds for
its folds is cut. Writes results/label_family.md: what each adds, and subset accuracy of the ensemble (neighbours among
them) above one half, above one threshold, and as ``decide="subset_accuracy"`` has it.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from time import process_time
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import sets
from baselines.encode import encode
from sharewise.base.estimator import Estimator
from sharewise.plan.deciding import Decision
from sharewise.plan.ensemble import Bench, select
from sharewise.solve.labels import (
    IterativeStratification,
    LabelMethod,
    NeighbourRegression,
    best_threshold,
    measure_label_sets,
)
from sharewise.solve.linear import Linear, MeanRegularized
from sharewise.solve.trees import ExtraTrees, JointExtraTrees, JointRandomForest, RandomForest

RESULT = Path(__file__).parent / "results" / "label_family.md"
SIZE = {"trees": 100, "leaf_rows": 2, "features": 0.3}
METHODS = "MLkNN linear,PrunedSets linear,RAkELd linear,LabelPowerset forest"
HEAD = """# What label methods add to an ensemble

`python benchmarks/label_family.py`: linear models and forests, alone and joint, then one more. Relative log loss on
test rows, mean over labels; seconds of CPU for all folds (cut: above {limit:g}); the weight is the mean over labels.

| set | added | CPU s | alone | without | with | gain | gain out of fold | weight |
|---|---|--:|--:|--:|--:|--:|--:|--:|
"""
RULES = """
Subset accuracy of the ensemble with neighbours, on test rows:

| set | above one half | above one threshold | decide="subset_accuracy" |
|---|--:|--:|--:|
"""


class Problem(NamedTuple):
    """A set: features and labels of training and test rows, train masks of the folds, tasks."""

    X: np.ndarray
    Y: np.ndarray
    new: np.ndarray
    true: np.ndarray
    folds: np.ndarray
    tasks: list


class Answers(NamedTuple):
    """Probabilities out of fold and for the test rows, and CPU seconds of all folds."""

    inside: np.ndarray
    outside: np.ndarray
    seconds: float


def load(name: str) -> Problem:
    """The set, its features as numbers, and five stratified folds."""
    data = sets.load(name, 0)
    X, new = encode(data.train[data.features], data.test[data.features])
    Y, true = data.encode(data.train), data.encode(data.test)
    folds = np.stack([np.isin(np.arange(len(Y)), rows) for rows, _ in IterativeStratification(5).split(X, Y)])
    return Problem(X, Y, new, true, folds, data.tasks)


def answer(estimator: Estimator, problem: Problem, limit: float = np.inf) -> Answers | None:
    """What an estimator says; None where it took more than the limit."""
    X, Y, new, true, folds, tasks = problem
    started, held, unseen = process_time(), np.empty(Y.shape), np.zeros(true.shape)
    fits: Iterator[Estimator] = iter(estimator.fit_folds(X, Y, folds)) if limit == np.inf else (
        estimator.fit_folds(X, Y, fold[None])[0] for fold in folds)
    for model, train in zip(fits, folds, strict=True):
        means = [model.predict_mean(rows) for rows in (X[~train], new)]
        held[~train], seen = (np.column_stack([found[task.name][:, 0] for task in tasks]) for found in means)
        unseen += seen / len(folds)
        if process_time() - started > limit:
            return None
    return Answers(held, unseen, process_time() - started)


def bench(problem: Problem, at: int, means: list[np.ndarray], target: np.ndarray) -> Bench:
    """One label's candidates."""
    task, one = problem.tasks[at], np.stack([mean[:, [at]] for mean in means])
    prior = np.full((len(target), 1), problem.Y[:, at].mean())
    return Bench(task.kind, one, target[:, [at]], task.kind.row_loss(prior, target[:, [at]]).mean())


def mix(problem: Problem, found: list[Answers]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights [T, M] chosen out of fold, and what they make of the probabilities, out of fold and in test rows."""
    labels = range(len(problem.tasks))
    benches = [bench(problem, at, [one.inside for one in found], problem.Y) for at in labels]
    weights = np.stack(select(benches))
    return (weights, *(np.einsum("tm,mnt->nt", weights, np.stack(side)) for side in (
        [one.inside for one in found], [one.outside for one in found])))


def loss(problem: Problem, means: np.ndarray, target: np.ndarray) -> float:
    """Relative log loss, mean over labels."""
    return float(np.mean([one.relative_loss(one.means)[0] for one in (
        bench(problem, at, [means], target) for at in range(len(problem.tasks)))]))


def measure(name: str, methods: list[str], limit: float) -> tuple[list[str], str]:
    """The rows of both tables."""
    problem = load(name)
    tasks = problem.tasks
    found = [answer(one, problem) for one in (Linear(tasks), MeanRegularized(tasks), ExtraTrees(tasks, **SIZE),
                                              JointExtraTrees(tasks, **SIZE), JointRandomForest(tasks, **SIZE))]
    bases: dict[str, Estimator] = {"linear": Linear(tasks), "forest": RandomForest(tasks, **SIZE)}
    makers: dict[str, Estimator] = {"neighbour regression": NeighbourRegression(tasks)}
    makers |= {word: LabelMethod(tasks, bases[word.split()[1]], method=word.split()[0]) for word in methods}
    rows = []
    for word, maker in makers.items():
        own = answer(maker, problem, limit)
        if own is None:
            rows.append(f"| {name} | {word} | cut | | | | | | |")
        else:
            (_, inside, before), (weights, more, after) = mix(problem, found), mix(problem, [*found, own])
            losses = [loss(problem, one, problem.true) for one in (own.outside, before, after)]
            folds = 1 - loss(problem, more, problem.Y) / loss(problem, inside, problem.Y)
            figures = " | ".join(f"{one:.4f}" for one in losses)
            rows.append(f"| {name} | {word} | {own.seconds:.1f} | {figures} | {1 - losses[2] / losses[1]:+.1%} | "
                        f"{folds:+.1%} | {weights[:, -1].mean():.2f} |")
        print(rows[-1], flush=True)
        if word == "neighbour regression":  # it competes in every fit of labels
            found.append(own)
    _, inside, outside = mix(problem, found)
    threshold = best_threshold(inside, problem.Y, "subset_accuracy")
    decision = Decision.fit("subset_accuracy", tasks, inside, problem.Y)
    right = [measure_label_sets(problem.true, said)["subset_accuracy"] for said in (
        outside > 0.5, outside > threshold, decision.say(outside))]
    print(name, *right, flush=True)
    return rows, f"| {name} | {right[0]:.3f} | {right[1]:.3f} | {right[2]:.3f} |"


def main() -> None:
    """Both tables."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sets", default="emotions,birds,scene,medical,yeast")
    ask.add_argument("--methods", default=METHODS)
    ask.add_argument("--limit", type=float, default=40.0)
    options = ask.parse_args()
    added: list[str] = []
    rules: list[str] = []
    for name in options.sets.split(","):
        rows, rule = measure(name, options.methods.split(","), options.limit)
        added, rules = [*added, *rows], [*rules, rule]
        head = HEAD.format(limit=options.limit)
        RESULT.write_text(head + "\n".join(added) + "\n" + RULES + "\n".join(rules) + "\n")


if __name__ == "__main__":
    main()
