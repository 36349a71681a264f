"""What the label family adds to an ensemble of the others: python benchmarks/label_family.py [--sets emotions,scene]

The Learner's own greedy ensembles (plan/ensemble.py), without its clock: linear models and extra trees alone, joint
extra trees and a joint random forest (100 trees a fold), with and without the regression on neighbours. Fitted on five
stratified folds of the training rows, chosen out of fold, judged on the set's own test rows by relative log loss (1 is
the predictor without features). Networks, boosting and chains are left out, for their time. Writes
results/label_family.md.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from time import process_time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

import sets
from baselines.encode import encode
from sharewise.plan.ensemble import Bench, select
from sharewise.solve.labels import IterativeStratification, NeighbourRegression
from sharewise.solve.linear import Linear, MeanRegularized
from sharewise.solve.trees import ExtraTrees, JointExtraTrees, JointRandomForest

RESULT = Path(__file__).parent / "results" / "label_family.md"
SIZE = {"trees": 100, "leaf_rows": 2, "features": 0.3}


def measure(name: str) -> str:
    """A row of the table."""
    data = sets.load(name, 0)
    X, new = encode(data.train[data.features], data.test[data.features])
    Y, true, tasks = data.encode(data.train), data.encode(data.test), data.tasks
    folds = np.stack([np.isin(np.arange(len(Y)), rows) for rows, _ in IterativeStratification(5).split(X, Y)])
    makers = {"linear": Linear(tasks), "mean-regularised": MeanRegularized(tasks), "extra trees": ExtraTrees(
        tasks, **SIZE), "joint extra trees": JointExtraTrees(tasks, **SIZE),
        "joint forest": JointRandomForest(tasks, **SIZE), "neighbours": NeighbourRegression(tasks)}
    inside, outside, seconds = [], [], {}
    for title, estimator in makers.items():
        started = process_time()
        held, unseen = np.empty(Y.shape), np.zeros(true.shape)
        for model, train in zip(estimator.fit_folds(X, Y, folds), folds, strict=True):
            means = [model.predict_mean(rows) for rows in (X[~train], new)]
            held[~train], seen = (np.column_stack([found[task.name][:, 0] for task in tasks]) for found in means)
            unseen += seen
        inside.append(held)
        outside.append(unseen / len(folds))
        seconds[title] = process_time() - started

    def bench(at: int, means: list[np.ndarray], target: np.ndarray) -> Bench:
        one = np.stack([mean[:, [at]] for mean in means])
        prior = np.full((len(target), 1), Y[:, at].mean())
        return Bench(tasks[at].kind, one, target[:, [at]], tasks[at].kind.row_loss(prior, target[:, [at]]).mean())
    losses = {}
    for title, count in (("without", len(makers) - 1), ("with", len(makers))):
        benches = [bench(at, inside[:count], Y) for at in range(len(tasks))]
        weights = select(benches)
        tests = [bench(at, outside[:count], true) for at in range(len(tasks))]
        losses[title] = np.mean([one.relative_loss(np.tensordot(weight, one.means, axes=1))
                                 for one, weight in zip(tests, weights, strict=True)])
        share = np.mean([weight[-1] for weight in weights])
    alone = np.mean([one.relative_loss(one.means) for one in tests], axis=0)
    row = (f"| {name} | {min(alone[:-1]):.4f} | {alone[-1]:.4f} | {losses['without']:.4f} | {losses['with']:.4f} | "
           f"{100 * (1 - losses['with'] / losses['without']):+.1f} % | {share:.2f} | {seconds['neighbours']:.1f} | "
           f"{seconds['joint forest']:.1f} |")
    print(row, flush=True)
    return row


def main() -> None:
    """The table."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sets", default="emotions,scene,birds,medical,yeast")
    names = ask.parse_args().sets.split(",")
    head = ("# What the regression on neighbours adds to an ensemble\n\n`python benchmarks/label_family.py`: relative "
            "log loss on test rows, mean over labels.\n\n| set | best of the others alone | neighbours alone | "
            "ensemble without | with | gain | its mean weight | its CPU s | joint forest's CPU s |\n"
            "|---|--:|--:|--:|--:|--:|--:|--:|--:|\n")
    RESULT.write_text(head + "\n".join(measure(name) for name in names) + "\n")


if __name__ == "__main__":
    main()
