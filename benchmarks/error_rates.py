"""Do the verdicts of `judge.compare` hold what they promise? Measured on planted data with real overlapping fits.

    python benchmarks/error_rates.py [--repeats 300]

Ridge fits, K = 5 folds. In the null cases both learners have the same expected loss by construction, although their
single fits differ; in the others the true gain is known from fresh rows and fresh training sets. Printed for each
rule, over 10 tasks after Holm at 5 %: how often any task got a verdict (in the null cases the family-wise error), the
share of tasks that got one (else the power), how often any verdict had the wrong sign for the models that are really
there, and how often the 95 % interval covers the expected gain over all training sets, the gain that the K fitted
models really have, and that of the two models fitted again on all rows, which are those that would serve.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sharewise.judge import Gain, compare, holm
from sharewise.judge.resampling import t_interval

Array = np.ndarray
TASKS, FOLDS = 10, 5


@dataclass(frozen=True)
class Case:
    """A planted problem: rows, features a learner sees, noise, ridge strengths of both, and what sets them apart."""

    name: str
    rows: int
    size: int
    noise: float
    strengths: tuple[float, float]
    halves: bool  # the learners see exchangeable halves of the features (a null), else the same features
    balanced: bool = False  # too weak against too strong a ridge, of the same expected loss (a null)
    shared: float = 0.0  # > 0: the candidate is pulled to the pooled coefficients of tasks that differ by this much


def fit(X: Array, Y: Array, strength: Array | float, centre: Array | float = 0.0) -> Array:
    """Ridge coefficients [..., D, T], shrunk towards ``centre``."""
    gram = np.swapaxes(X, -1, -2) @ X + np.asarray(strength) * np.eye(X.shape[-1])
    return np.linalg.solve(gram, np.swapaxes(X, -1, -2) @ Y + np.asarray(strength) * centre)


def learn(case: Case, X: Array, Y: Array) -> tuple[Array, Array]:
    """Coefficients [D, T] of the reference and of the candidate, over all features."""
    half = case.size
    if case.halves:
        empty = np.zeros((half, Y.shape[1]))
        return (np.vstack([fit(X[:, :half], Y, case.strengths[0]), empty]),
                np.vstack([empty, fit(X[:, half:], Y, case.strengths[1])]))
    reference = fit(X, Y, case.strengths[0])
    if not case.shared:
        return reference, fit(X, Y, case.strengths[1])
    return reference, fit(X, Y, case.strengths[1], fit(X, Y.mean(axis=1, keepdims=True), case.strengths[0]))


def truth(case: Case, rng: np.random.Generator) -> Array:
    """Coefficients of the world [D, T]; in ``halves`` the second half is a shuffle of the first."""
    if case.halves:
        first = rng.normal(size=(case.size, TASKS)) / np.sqrt(case.size)
        return np.vstack([first, rng.permuted(first, axis=0)])
    common = rng.normal(size=(case.size, 1))
    if case.balanced:
        return np.repeat(common, TASKS, axis=1) / np.sqrt(case.size)
    return (common + case.shared * rng.normal(size=(case.size, TASKS))) / np.sqrt(case.size)


def draw(case: Case, world: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Fresh rows: X [N, D], Y [N, T]. Heavy tails in the noise, as real losses have."""
    X = rng.normal(size=(case.rows, len(world)))
    return X, X @ world + case.noise * rng.standard_t(5, size=(case.rows, world.shape[1]))


def risks(case: Case, world: Array, X: Array, Y: Array, floor: float) -> tuple[Array, Array]:
    """True expected squared error [T] of both learners when fitted on X, Y (features are standard normal)."""
    return tuple(((w - world) ** 2).sum(axis=0) + floor for w in learn(case, X, Y))  # type: ignore[return-value]


def balance(case: Case, world: Array, rng: np.random.Generator) -> Case:
    """The case with the second strength at which both expected losses are the same (by bisection, on fixed draws)."""
    sets = [draw(case, world, rng) for _ in range(60)]
    low, high = 2 * case.strengths[0] + 2.0, 1e5
    for _ in range(30):
        middle = float(np.sqrt(low * high))
        tried = Case(**{**vars(case), "strengths": (case.strengths[0], middle)})
        first, second = np.array([risks(tried, world, X, Y, 0.0) for X, Y in sets]).mean(axis=(0, 2))
        low, high = (middle, high) if second < first else (low, middle)
    return tried


def by_folds(reference: Array, candidate: Array, folds: Array) -> Gain:
    """Nadeau and Bengio from fold means: K - 1 degrees of freedom."""
    ratio = [np.log(candidate[folds == k].mean() / reference[folds == k].mean()) for k in range(FOLDS)]
    mean = float(np.log(candidate.mean() / reference.mean()))
    error = float(np.sqrt((1 / FOLDS + 1 / (FOLDS - 1)) * np.var(ratio, ddof=1)))
    low, high, p_value = t_interval(mean, error, FOLDS - 1, 0.95)
    return Gain(float(1 - np.exp(mean)), float(1 - np.exp(high)), float(1 - np.exp(low)), p_value, len(folds))


def by_folds_naive(reference: Array, candidate: Array, folds: Array) -> Gain:
    """The usual t-test over folds, as if they were independent."""
    ratio = [np.log(candidate[folds == k].mean() / reference[folds == k].mean()) for k in range(FOLDS)]
    mean = float(np.mean(ratio))
    low, high, p_value = t_interval(mean, float(np.std(ratio, ddof=1) / np.sqrt(FOLDS)), FOLDS - 1, 0.95)
    return Gain(float(1 - np.exp(mean)), float(1 - np.exp(high)), float(1 - np.exp(low)), p_value, len(folds))


RULES: dict[str, Callable[[Array, Array, Array], Gain]] = {
    "rows, no correction (Bayle)": lambda r, c, folds: compare(r, c),
    "folds, naive t": by_folds_naive,
    "folds, Nadeau-Bengio": by_folds,
    "rows, corrected (compare)": compare,
}


def run(case: Case, repeats: int, seed: int) -> dict[str, Array]:
    """Per rule the figures [6] that are printed."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[tuple[float, ...]]] = {name: [] for name in RULES}
    train_case = Case(**{**vars(case), "rows": case.rows - case.rows // FOLDS})
    folds = np.arange(case.rows) % FOLDS
    floor = case.noise**2 * 5 / 3
    if case.balanced:
        world = truth(case, rng)
        strengths = balance(train_case, world, rng).strengths
        case = Case(**{**vars(case), "strengths": strengths})
    for _ in range(repeats):
        if not case.balanced:
            world = truth(case, rng)
        if case.halves or case.balanced:
            expected = np.zeros(TASKS)
        else:
            fresh = np.array([risks(case, world, *draw(train_case, world, rng), floor) for _ in range(40)]).mean(axis=0)
            expected = 1 - fresh[1] / fresh[0]
        X, Y = draw(case, world, rng)
        losses, actual = np.empty((2, case.rows, TASKS)), np.zeros((2, TASKS))
        for k in range(FOLDS):
            for side, w in enumerate(learn(case, X[folds != k], Y[folds != k])):
                losses[side, folds == k] = (Y[folds == k] - X[folds == k] @ w) ** 2
                actual[side] += (((w - world) ** 2).sum(axis=0) + floor) / FOLDS
        served = risks(case, world, X, Y, floor)
        truths = (expected, 1 - actual[1] / actual[0], 1 - served[1] / served[0])
        for name, rule in RULES.items():
            gains = [rule(losses[0, :, t], losses[1, :, t], folds) for t in range(TASKS)]
            said = np.array(holm([gain.p_value for gain in gains])) <= 0.05
            wrong = said & (np.sign([gain.estimate for gain in gains]) != np.sign(truths[2]))
            covers = [[g.low <= t <= g.high for g, t in zip(gains, one, strict=True)] for one in truths]
            found[name].append((said.any(), said.mean(), wrong.any(), *np.mean(covers, axis=1)))
    return {name: np.array(values).mean(axis=0) for name, values in found.items()}


CASES = (
    Case("null: exchangeable halves, n 200", 200, 10, 1.0, (1.0, 1.0), halves=True),
    Case("null: halves, overfitted, n 100", 100, 40, 1.0, (0.3, 0.3), halves=True),
    Case("null: halves, little noise, n 60", 60, 10, 0.2, (1.0, 1.0), halves=True),
    Case("null: halves, n 1000", 1000, 20, 1.0, (1.0, 1.0), halves=True),
    Case("null: halves, n 25", 25, 4, 1.0, (1.0, 1.0), halves=True),
    Case("null: weak against strong ridge, n 200", 200, 30, 1.0, (1.0, 0.0), halves=False, balanced=True),
    Case("null: weak against strong, n 100", 100, 20, 1.0, (1.0, 0.0), halves=False, balanced=True),
    Case("null: weak against strong, n 40", 40, 10, 0.8, (1.0, 0.0), halves=False, balanced=True),
    Case("null: weak against strong, n 1000", 1000, 60, 2.0, (1.0, 0.0), halves=False, balanced=True),
    Case("gain: two strengths, n 200", 200, 60, 1.5, (3.0, 60.0), halves=False, shared=0.0),
    Case("gain: pooled against alone, n 100", 100, 40, 1.0, (10.0, 60.0), halves=False, shared=0.5),
    Case("gain: pooled, n 40", 40, 20, 1.0, (10.0, 30.0), halves=False, shared=0.5),
    Case("gain: pooled, unrelated, n 200", 200, 20, 1.0, (3.0, 30.0), halves=False, shared=3.0),
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for case in CASES:
        print(f"\n{case.name}")
        print(f"  {'rule':29s} {'any':>7s} {'share':>7s} {'wrong':>7s} | {'expected':>8s} {'folds':>7s} {'refit':>7s}")
        for name, values in run(case, options.repeats, options.seed).items():
            one, two, three, *rest = (f"{value:7.1%}" for value in values)
            print(f"  {name:29s} {one} {two} {three} | {rest[0]:>8s} {rest[1]} {rest[2]}")


if __name__ == "__main__":
    main()
