"""Planted problems, one for each failure that balancers were made for, and what every method makes of them.

    python benchmarks/balance_failures.py [--seeds 5] [--steps 200] [--only scale|conflict|noise]

scale: two tasks alike, but one has its loss multiplied by 100. conflict: two tasks that nearly agree pull against a
third one. noise: the labels of one task are mostly noise. In all of them the trunk is too narrow for everybody, so that
somebody decides what it is used for. Each method trains the same linear network on the same batches with Adam, which
undoes the length of its steps, so that one learning rate, falling to 0, serves all; heads get the plain gradient of
their own task. Weights that are learned move at the same rate, which does not fall. A figure is the loss of a task on
test rows, over its loss when the same network learns it alone: mean over the seeds, with its standard error. ``Fixed,
tuned`` takes the weights from a grid with the lowest mean of these ratios on validation rows, ``Fixed, tuned for the
worst`` those with the lowest ratio of the worst task. Writes results/balance_failures.json and balance_failures.md.
Only methods that the former does not have yet are run; without it, or with another number of steps, all are.
"""

from __future__ import annotations

import argparse
import inspect
import itertools
import json
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from torch import Tensor, nn

from sharewise import balance
from sharewise.base import catalogue

RESULTS = Path(__file__).parent / "results"
FEATURES, BATCH, RATE = 10, 64, 0.03
ROWS = {"train": 200, "validation": 200, "test": 1000}
EPOCH = ROWS["train"] // BATCH
FROM_VALIDATION = ("AutoLambda", "FORUM", "MOML")  # they are shown losses of validation rows in every step
FIRST = ("Equal", "Fixed, tuned", "Fixed, tuned for the worst")
Make = Callable[[Sequence[str], int, int], balance.Balancer]  # of tasks, shared parameters, features


class Problem(NamedTuple):
    """``cosines`` [T, T] between the tasks' coefficients, of length ``signal``; the ``width`` of what is shared."""

    about: str
    tasks: tuple[str, ...]
    cosines: list[list[float]]
    signal: tuple[float, ...]
    noise: tuple[float, ...]
    factors: tuple[float, ...]
    width: int


PROBLEMS = {
    "scale": Problem(
        "Scale: the tasks are alike, but the loss of `loud` is multiplied by 100. The trunk has room for one of them.",
        ("loud", "quiet"), [[1.0, 0.3], [0.3, 1.0]], (1.0, 1.0), (0.5, 0.5), (100.0, 1.0), 1),
    "conflict": Problem(
        "Conflict: `pair 1` and `pair 2` want nearly the same of a trunk with room for one task, `odd` wants another.",
        ("odd", "pair 1", "pair 2"), [[1.0, 0.1, 0.1], [0.1, 1.0, 0.95], [0.1, 0.95, 1.0]], (1.0, 1.0, 1.0),
        (0.5, 0.5, 0.5), (1.0, 1.0, 1.0), 1),
    "noise": Problem(
        "Noise: 80 % of the variance of the labels of `noisy` is noise, for which its loss is the largest by far. The "
        "trunk has room for two tasks.",
        ("noisy", "clean 1", "clean 2"), np.eye(3).tolist(), (2.0, 1.0, 1.0), (4.0, 0.5, 0.5), (1.0, 1.0, 1.0), 2),
}


class Part(NamedTuple):
    """Inputs [N, D] and targets [N, T]."""

    X: Tensor
    Y: Tensor


def draw(problem: Problem, seed: int) -> dict[str, Part]:
    """Train, validation and test rows of linear tasks with normal noise."""
    chance = np.random.default_rng(seed)
    basis = np.linalg.qr(chance.standard_normal((FEATURES, len(problem.tasks))))[0]
    coefficients = basis @ np.linalg.cholesky(np.array(problem.cosines)).T * problem.signal
    parts = {}
    for name, rows in ROWS.items():
        X = chance.standard_normal((rows, FEATURES))
        Y = X @ coefficients + chance.standard_normal((rows, len(problem.tasks))) * problem.noise
        parts[name] = Part(torch.tensor(X, dtype=torch.float32), torch.tensor(Y, dtype=torch.float32))
    return parts


class Net(nn.Module):
    """A linear trunk of ``width`` outputs, and a line on these for each of the tasks ``at``."""

    def __init__(self, problem: Problem, at: Sequence[int]) -> None:
        super().__init__()
        self.trunk = nn.Linear(FEATURES, problem.width)
        self.heads = nn.ModuleList(nn.Linear(problem.width, 1) for _ in at)
        self.problem, self.at = problem, at

    def losses(self, part: Part, balancer: balance.Balancer) -> dict[str, Tensor]:
        """Mean squared error times the task's factor; heads read the features as the balancer turns them."""
        features = self.trunk(part.X)
        rotate = getattr(balancer, "rotate", lambda task, features: features)
        found = {}
        for at, head in zip(self.at, self.heads, strict=True):
            task, factor = self.problem.tasks[at], self.problem.factors[at]
            found[task] = factor * nn.functional.mse_loss(head(rotate(task, features))[:, 0], part.Y[:, at])
        return found


def train(problem: Problem, parts: dict[str, Part], at: Sequence[int], make: Make, seed: int, steps: int,
          is_shown_validation: bool = False) -> dict[str, dict[str, float]]:
    """Losses by part and task of the tasks ``at`` after ``steps`` steps with a balancer."""
    torch.manual_seed(seed)
    net = Net(problem, at)
    shared = list(net.trunk.parameters())
    balancer = make([problem.tasks[task] for task in at], sum(parameter.numel() for parameter in shared),
                    problem.width)
    groups = [{"params": list(module.parameters())} for module in (net, balancer)]
    optimizer = torch.optim.Adam(groups, lr=RATE, fused=True)
    for step, rows in enumerate(torch.randint(ROWS["train"], (steps, BATCH))):
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / steps)
        optimizer.zero_grad()
        batch = Part(*(values[rows] for values in parts["train"]))
        if is_shown_validation:
            again = {"train": lambda batch=batch: net.losses(batch, balancer)}  # for those that look ahead
            asked = again.keys() & inspect.signature(balancer.observe).parameters
            balancer.observe(net.losses(parts["validation"], balancer), shared, **{name: again[name] for name in asked})
        balance.backward(net.losses(batch, balancer), shared, balancer)
        optimizer.step()
    with torch.no_grad():
        return {name: {task: loss.item() for task, loss in net.losses(parts[name], balancer).items()}
                for name in ("validation", "test")}


def methods() -> dict[str, Make]:
    """Every balancer that is exported, but wrappers, of which there are three compositions."""
    found: dict[str, Make] = {}
    for name, kind in catalogue.classes("balance", balance.Balancer).items():
        required = [p for p, one in inspect.signature(kind).parameters.items() if one.default is one.empty]
        if not {"balancer", "weights"} & set(required):
            found[name] = _maker(kind, required)
    return found | {"LogLoss(Equal)": lambda tasks, size, width: balance.LogLoss(balance.Equal()),
                    "LogLoss(STCH)": lambda tasks, size, width: balance.LogLoss(balance.STCH(tasks)),
                    "Normalize(Equal)": lambda tasks, size, width: balance.Normalize(balance.Equal())}


def _maker(kind: type, required: Sequence[str]) -> Make:
    def make(tasks: Sequence[str], size: int, width: int) -> balance.Balancer:
        known = {"tasks": tasks, "size": size, "features": width, "steps": EPOCH, "share": 0.34, "faulty": 0}
        return kind(**{name: known[name] for name in required})
    return make


def grid(count: int) -> list[tuple[float, ...]]:
    """Weights of T tasks to choose from; that of the last one is 1, since Adam sees ratios alone."""
    powers = np.arange(-3, 1.5, 0.5) if count == 2 else (-1, -0.5, 0, 0.5, 1)
    return [(*(float(10.0 ** power) for power in chosen), 1.0)
            for chosen in itertools.product(powers, repeat=count - 1)]


def run(problem: Problem, seed: int, steps: int, known: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    """By method: the test loss of each task over that of learning it alone; of methods not ``known``, and these."""
    missing = [name for name in (*methods(), *FIRST) if name not in known]
    if not missing:
        return known
    parts, everyone = draw(problem, seed), range(len(problem.tasks))
    alone: dict[str, dict[str, float]] = {"validation": {}, "test": {}}
    for at in everyone:
        for name, losses in train(problem, parts, [at], lambda tasks, size, width: balance.Equal(), seed,
                                  steps).items():
            alone[name] |= losses

    def ratios(losses: dict[str, dict[str, float]], name: str) -> dict[str, float]:
        return {task: losses[name][task] / alone[name][task] for task in problem.tasks}

    found = dict(known)
    for name, make in methods().items():
        if name in missing:
            found[name] = ratios(train(problem, parts, everyone, make, seed, steps, name in FROM_VALIDATION), "test")
    if {*FIRST[1:]}.isdisjoint(missing):
        return found
    tried = [train(problem, parts, everyone, lambda tasks, size, width, weights=weights: balance.Fixed(weights), seed,
                   steps) for weights in grid(len(problem.tasks))]
    seen = np.array([list(ratios(losses, "validation").values()) for losses in tried])
    for name, measured in (("Fixed, tuned", seen.mean(axis=1)), ("Fixed, tuned for the worst", seen.max(axis=1))):
        found[name] = ratios(tried[measured.argmin()], "test")
    return found


def table(problem: Problem, runs: Sequence[dict[str, dict[str, float]]]) -> str:
    """The baselines, then all others, that with the lowest ratio of the worst task first."""
    def values(name: str) -> np.ndarray:
        rows = np.array([[one[name][task] for task in problem.tasks] for one in runs])
        return np.column_stack([rows, rows.max(axis=1)])

    rest = sorted((name for name in runs[0] if name not in FIRST), key=lambda name: values(name)[:, -1].mean())
    lines = [problem.about, "", f"| method | {' | '.join(f'`{task}`' for task in problem.tasks)} | worst |",
             "|---|" + "--:|" * (len(problem.tasks) + 1)]
    for name in (*FIRST, *rest):
        rows = values(name)
        cells = (f"{mean:.2f} ± {error:.2f}" for mean, error in zip(rows.mean(axis=0), _errors(rows), strict=True))
        lines.append(f"| {name} | {' | '.join(cells)} |")

    def ahead(of: str) -> list[str]:
        apart = {name: values(name)[:, -1:] - values(of)[:, -1:] for name in rest}
        return [name for name, rows in apart.items() if rows.mean() < -3 * _errors(rows)[0]]

    better = {of: ahead(of) for of in FIRST}
    lines += ["", "With a worst task that is better off, by more than three standard errors of the difference over the "
              f"seeds, than under `Equal`: {len(better[FIRST[0]])} of {len(rest)} methods; than under `{FIRST[1]}`: "
              f"{len(better[FIRST[1]])}; than under `{FIRST[2]}`: {', '.join(better[FIRST[2]]) or 'none'}."]
    return "\n".join(lines) + "\n"


def _errors(rows: np.ndarray) -> np.ndarray:
    """Standard errors of the means over the first axis; infinite where there is one row."""
    return rows.std(axis=0, ddof=1) / len(rows) ** 0.5 if len(rows) > 1 else np.full(rows.shape[1], np.inf)


def main() -> None:
    """Run the problems and write results/balance_failures.json and balance_failures.md."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--seeds", type=int, default=5)
    ask.add_argument("--steps", type=int, default=200)
    ask.add_argument("--only", choices=PROBLEMS)
    options = ask.parse_args()
    torch.set_num_threads(1)
    place = RESULTS / "balance_failures.json"
    state = json.loads(place.read_text()) if place.exists() else {}
    for name, problem in PROBLEMS.items():
        if options.only in (None, name):
            started = time.perf_counter()
            before = state.get(name, {})
            known = before["runs"] if before.get("steps") == options.steps else []
            runs = [run(problem, seed, options.steps, known[seed] if seed < len(known) else {})
                    for seed in range(options.seeds)]
            state[name] = {"steps": options.steps, "runs": runs}
            print(f"{name}: {time.perf_counter() - started:.0f} s\n\n{table(problem, runs)}", flush=True)
            place.write_text(json.dumps(state, indent=1))
    tables = [table(PROBLEMS[name], state[name]["runs"]) for name in PROBLEMS if name in state]
    (RESULTS / "balance_failures.md").write_text("\n".join(tables))


if __name__ == "__main__":
    main()
