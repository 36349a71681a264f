"""Planted truth: tables of which it is known whether learning together must help or must not.

    python benchmarks/planted.py [--seeds 20] [--budget 20s] [--only helps|refuses|rescale]

helps: task A has 20 rows and 50 features, the related task B 400 rows; A's error has to fall by a third against
learning alone. refuses: tasks with orthogonal coefficients; the choice has to be separate in 19 of 20 seeds.
rescale: one target in metres or in millimetres; no prediction of any task may change by more than 1e-3 relative.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

RESULTS = Path(__file__).parent / "results"


class Planted(NamedTuple):
    """Training rows, test rows (all targets there, without noise) and the names of the targets."""

    train: pd.DataFrame
    test: pd.DataFrame
    targets: list[str]


def related(seed: int, few: int = 20, many: int = 400, features: int = 50, apart: float = 0.2,
            noise: float = 0.3) -> Planted:
    """Task a in the first ``few`` rows, task b in the ``many`` others; their unit coefficients have cosine about
    1 / sqrt(1 + apart^2), and a's rows alone can't settle ``features`` > ``few`` of them."""
    chance = np.random.default_rng(seed)
    b = chance.standard_normal(features)
    b /= np.linalg.norm(b)
    other = chance.standard_normal(features)
    a = b + apart * (other - (other @ b) * b) / np.linalg.norm(other - (other @ b) * b)
    a /= np.linalg.norm(a)
    X = chance.standard_normal((few + many, features))
    Y = X @ np.stack([a, b], 1) + noise * chance.standard_normal((few + many, 2))
    Y[few:, 0], Y[:few, 1] = np.nan, np.nan
    X_test = chance.standard_normal((1000, features))
    return Planted(_table(X, Y, "ab"), _table(X_test, X_test @ np.stack([a, b], 1), "ab"), ["a", "b"])


def orthogonal(seed: int, tasks: int = 3, rows: int = 150, features: int = 15, noise: float = 0.5) -> Planted:
    """Tasks on the same rows with orthogonal coefficients and independent noise: nothing to share."""
    chance = np.random.default_rng(seed)
    weights = np.linalg.qr(chance.standard_normal((features, tasks)))[0]
    names = [chr(ord("a") + at) for at in range(tasks)]
    X, X_test = chance.standard_normal((rows, features)), chance.standard_normal((1000, features))
    Y = X @ weights + noise * chance.standard_normal((rows, tasks))
    return Planted(_table(X, Y, names), _table(X_test, X_test @ weights, names), names)


def lengths(seed: int, rows: int = 120, features: int = 6) -> Planted:
    """A length in metres, a second one and a yes-or-no that both hang on it."""
    chance = np.random.default_rng(seed)
    weights = chance.standard_normal((features, 2))
    X, X_test = chance.standard_normal((rows, features)), chance.standard_normal((200, features))
    def targets(inputs: np.ndarray) -> np.ndarray:
        metres = 2 + inputs @ weights + 0.3 * chance.standard_normal((len(inputs), 2))
        return np.column_stack([metres, metres[:, 0] > 2])
    return Planted(_table(X, targets(X), ("length", "width", "long")),
                   _table(X_test, targets(X_test), ("length", "width", "long")), ["length", "width", "long"])


def two_groups(seed: int, opposed: bool = True, tasks: int = 10, rows: int = 15, features: int = 20,
               noise: float = 0.5) -> Planted:
    """The long layout: a row belongs to one of ``tasks``, each with ``rows`` of its own. Unit coefficients of the even
    ones lie about w, those of the odd ones about -w (``opposed``) or about what is orthogonal to w."""
    chance = np.random.default_rng(seed)
    w, other = np.linalg.qr(chance.standard_normal((features, 2)))[0].T
    centres = np.where(np.arange(tasks)[:, None] % 2 == 0, w, -w if opposed else other)
    weights = centres + 0.2 * chance.standard_normal((tasks, features)) / np.sqrt(features)
    found = []
    for each, spread in ((rows, noise), (200, 0.0)):
        task = np.arange(tasks * each) % tasks
        X = chance.standard_normal((len(task), features))
        y = (X * weights[task]).sum(axis=1) + spread * chance.standard_normal(len(task))
        found.append(_table(X, y[:, None], ["y"]).assign(task=[f"t{at}" for at in task]))
    return Planted(*found, ["y"])


def _table(X: np.ndarray, Y: np.ndarray, names) -> pd.DataFrame:
    inputs = {f"x{at}": X[:, at] for at in range(X.shape[1])}
    return pd.DataFrame(inputs | {name: Y[:, at] for at, name in enumerate(names)})


def error(truth: pd.DataFrame, means: dict[str, np.ndarray], task: str) -> float:
    """Root mean squared error of one task."""
    return float(np.sqrt(np.mean((means[task][:, 0] - truth[task].to_numpy()) ** 2)))


def helps(seed: int, budget: str | None, **options) -> dict[str, float]:
    """A's test error alone and as chosen, and by how much it fell."""
    from sharewise.plan import Learner

    data = related(seed)
    learner = Learner(time_budget=budget, seed=seed, kinds={"a": "regression", "b": "regression"}, **options)
    learner.fit(data.train, targets=data.targets)
    alone, chosen = (error(data.test, learner.predict_means(data.test, which=which), "a")
                     for which in ("separate", "chosen"))
    only_a = Learner(time_budget=budget, seed=seed, kinds={"a": "regression"}, **options)
    only_a.fit(data.train[data.train["a"].notna()].drop(columns="b"), targets=["a"])
    single = error(data.test, only_a.predict_means(data.test), "a")
    alone = min(alone, single)  # the better of two ways to have learned it alone
    return {"alone": alone, "chosen": chosen, "fell": 1 - chosen / alone}


def refuses(seed: int, budget: str | None, **options) -> dict[str, object]:
    """Whether the plan that was chosen has every task alone, the tasks that it has not, and what that cost."""
    from sharewise.plan import Learner

    data = orthogonal(seed)
    learner = Learner(time_budget=budget, seed=seed, kinds=dict.fromkeys(data.targets, "regression"), **options)
    learner.fit(data.train, targets=data.targets)
    apart, chosen = (learner.predict_means(data.test, which=which) for which in ("separate", "chosen"))
    shared = sorted({name for group in learner.plan_.groups if len(group.learns) > 1 for name in group.serves})
    ratio = np.mean([error(data.test, chosen, t) / error(data.test, apart, t) for t in data.targets])
    return {"separate": not shared, "shared": shared, "error_ratio": float(ratio)}


def rescale(seed: int, budget: str | None, **options) -> dict[str, float]:
    """Largest relative change of any task's prediction when ``length`` is given in millimetres. The work must not
    depend on the clock: give a plan of fixed size (``budget=None``)."""
    from sharewise.plan import Learner

    data, found = lengths(seed), []
    for factor in (1.0, 1000.0):
        learner = Learner(time_budget=budget, seed=seed, kinds={"length": "regression", "width": "regression",
                                                                "long": "binary"}, **options)
        learner.fit(data.train.assign(length=data.train["length"] * factor), targets=data.targets)
        means = learner.predict_means(data.test)
        found.append({task: mean / (factor if task == "length" else 1.0) for task, mean in means.items()})
    return {task: float(np.max(np.abs(found[0][task] - found[1][task])) / np.max(np.abs(found[0][task])))
            for task in data.targets}


def main() -> None:
    """Run the checks and write results/planted.json and planted.md."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=20)
    ask.add_argument("--budget", default="20s")
    ask.add_argument("--only", choices=("helps", "refuses", "rescale"))
    options = ask.parse_args()
    budget = None if options.budget == "none" else options.budget
    place = RESULTS / "planted.json"
    state = json.loads(place.read_text()) if place.exists() else {}
    for name, run in {"helps": helps, "refuses": refuses, "rescale": rescale}.items():
        if options.only in (None, name):
            state[name] = []
            for seed in range(3 if name == "rescale" else options.seeds):
                started = time.perf_counter()
                state[name].append(run(seed, None if name == "rescale" else budget))
                print(f"{name}, seed {seed}: {state[name][-1]} in {time.perf_counter() - started:.1f} s", flush=True)
    RESULTS.mkdir(exist_ok=True)
    place.write_text(json.dumps(state, indent=1))
    text = summary(state)
    (RESULTS / "planted.md").write_text(text)
    print(text)


def summary(state: dict) -> str:
    """One line a check."""
    lines = ["# Planted truth", ""]
    if runs := state.get("helps"):
        fell = np.array([run["fell"] for run in runs])
        pooled = 1 - np.mean([run["chosen"] for run in runs]) / np.mean([run["alone"] for run in runs])
        lines.append(f"- helps: over {len(runs)} seeds A's RMSE falls by {100 * pooled:.1f} % against learning alone "
                     f"(a third or more in {(fell >= 1 / 3).sum()} seeds; least {100 * fell.min():.1f} %).")
    if runs := state.get("refuses"):
        ratio = np.mean([run["error_ratio"] for run in runs])
        lines.append(f"- refuses: all tasks stay separate in {sum(r['separate'] for r in runs)} of {len(runs)} seeds; "
                     f"error of the choice over that of separate {ratio:.4f}.")
    if runs := state.get("rescale"):
        lines.append(f"- rescale: metres to millimetres changes no prediction by more than "
                     f"{max(max(run.values()) for run in runs):.1e} relative, over {len(runs)} seeds.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
