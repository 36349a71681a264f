"""Out-of-fold losses on targets of pure noise, against the trivial predictor: python benchmarks/noise.py [--repeats 5]

A choice of rounds, moments or strengths that the judged rows had a say in shows here as a loss below the trivial one.
"""

from __future__ import annotations

import argparse
import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from sharewise.base.estimator import Estimator, fit_scales
from sharewise.plan.candidate import Candidate
from sharewise.plan.crossfit import cross_fit
from sharewise.plan.plan import Plan
from sharewise.solve.linear import Linear, MeanRegularized, Trivial
from sharewise.solve.trees import BoostedTrees, ExtraTrees, JointBoostedTrees
from sharewise.task import Binary, Regression, Task

ROWS, FEATURES, TASKS, FOLDS = 200, 20, 20, 5


def estimators(tasks: list[Task]) -> dict[str, Estimator]:
    """What chooses anything on held-out rows, and two that do not."""
    from sharewise.train import Network

    return {"trivial": Trivial(tasks), "extra trees": ExtraTrees(tasks, trees=100, leaf_rows=3),
            "linear": Linear(tasks), "mean-regularised linear": MeanRegularized(tasks),
            "boosted trees, light": BoostedTrees(tasks),
            "boosted trees, strong": BoostedTrees(tasks, regularisation="strong", learning_rate=0.12),
            "joint boosted trees": JointBoostedTrees(tasks),
            "network, light, separate": Network(tasks, sharing="separate", weight_decay=0.1),
            "network, light, together": Network(tasks, weight_decay=0.1),
            "network, strong, together": Network(tasks, weight_decay=2.0)}


def losses(seed: int) -> dict[str, float]:
    """Mean relative loss of each estimator on one draw: half of the targets numbers, half yes or no."""
    rng = np.random.default_rng(seed)
    tasks = [Task(f"t{at}", Binary() if at % 2 else Regression()) for at in range(TASKS)]
    X, Y = rng.normal(size=(ROWS, FEATURES)).astype(np.float32), rng.normal(size=(ROWS, TASKS))
    Y[:, 1::2] = Y[:, 1::2] > 0.3
    folds, scales = rng.permutation(ROWS) % FOLDS, fit_scales(tasks, Y)
    found = {}
    for name, estimator in estimators(tasks).items():
        plan = Plan.together([task.name for task in tasks])
        means = cross_fit(Candidate(name, plan, (estimator,)), tasks, X, Y, folds).means
        found[name] = float(np.mean([task.kind.row_loss(means[task.name], Y[:, [at]]).mean() / scales[task.name].unit
                                     for at, task in enumerate(tasks)]))
    return found


def main() -> None:
    """Print one line an estimator: the mean over the draws of its loss less the trivial predictor's, and its error."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--repeats", type=int, default=5)
    options = ask.parse_args()
    torch.set_num_threads(1)
    draws = [losses(seed) for seed in range(options.repeats)]
    for name in draws[0]:
        gaps = np.array([draw[name] - draw["trivial"] for draw in draws])
        print(f"{name:26} {gaps.mean():+.4f} +- {gaps.std(ddof=1) / np.sqrt(len(gaps)):.4f}")


if __name__ == "__main__":
    main()
