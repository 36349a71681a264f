"""Label methods beside scikit-multilearn's: python benchmarks/labels_peers.py [--sets a,b] [--rounds 5] [--only speed]

First the agreement on fixed seeds and base models, and where it is not whole, why. Then CPU seconds, side by side in
one process and one thread, in turns, medians of the rounds, and of the rounds' ratios the quartiles too; beside
scikit-multilearn's, then beside plain loops of the base model. At last an ensemble of chains in two jobs beside one:
seconds on the clock, which two free cores are needed for.
Needs scikit-multilearn-ng; without it says so and ends. Writes results/labels_peers.md, with
``--only`` that part of it.
"""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

import label_agreement
import label_loops
import label_sets
from label_loops import FOREST
from label_times import Pair, Times, times
from sharewise.solve import labels

RESULT = Path(__file__).parent / "results" / "labels_peers.md"
LINE = LogisticRegression(solver="liblinear")


def lazy(data: label_sets.LabelSet) -> Pair:
    """MLkNN: learn from the training rows, answer for the test rows."""
    from skmultilearn.adapt import MLkNN

    X, Y, new = data.X[data.train], data.Y[data.train], data.X[~data.train]
    A, B = (sparse.csr_matrix(X), sparse.csr_matrix(new)) if sparse.issparse(X) else (X, new)
    return lambda: labels.MLkNN(10).fit(X, Y).predict(new), lambda: MLkNN(10).fit(A, Y).predict(B)


def powerset(data: label_sets.LabelSet) -> Iterator[tuple[str, Pair]]:
    """Label powerset's probabilities for the test rows, without and with those of the base model."""
    from skmultilearn.problem_transform import LabelPowerset

    X, Y, new = (sparse.csr_matrix(one) for one in (data.X[data.train], data.Y[data.train], data.X[~data.train]))
    ours, theirs = labels.LabelPowerset(FOREST).fit(X, Y), LabelPowerset(FOREST).fit(X, Y)
    chances = ours.model_.estimator.predict_proba(new)
    base = Known(chances)
    fast, slow = clone(ours).fit(X, Y), LabelPowerset(FOREST).fit(X, Y)
    fast.model_, slow.classifier = fast.model_._replace(estimator=base), base
    yield "LP probabilities from those of the sets", (lambda: fast.predict_proba(new), lambda: slow.predict_proba(new))
    yield "LP predict_proba, forest of 20", (lambda: ours.predict_proba(new), lambda: theirs.predict_proba(new))


class Known:
    """A base model that gives what it was given."""

    def __init__(self, chances: np.ndarray) -> None:
        self.chances = chances

    def predict_proba(self, X: Any) -> np.ndarray:
        """The same for whatever rows."""
        return self.chances


def chain(data: label_sets.LabelSet, rows: int, rounds: int) -> tuple[Times, float]:
    """Seconds a row, and the share of labels that are alike."""
    from skmultilearn.problem_transform import ProbabilisticClassifierChain

    X, Y, new = data.X[data.train], data.Y[data.train][:, :6], data.X[~data.train]
    ours = labels.ProbabilisticChain(LINE).fit(X, Y)
    theirs = ProbabilisticClassifierChain(LINE, [False, True]).fit(X, Y)
    said, other = ours.predict(new), label_agreement.as_table(theirs.predict(new[:rows]))
    found = times((lambda: ours.predict(new), lambda: theirs.predict(new[:rows])), rounds)
    scale = len(new) / rows
    a_row = Times(found.ours / len(new), found.theirs / rows, tuple(one * scale for one in found.ratio))
    return a_row, float((said[:rows] == other).mean())


def unevenness(Y: np.ndarray, folds: list[np.ndarray]) -> float:
    """Mean over labels and folds of |rows of the label in the fold over a fifth of all - 1|."""
    counts = np.array([Y[test].sum(axis=0) for test in folds])
    fair = Y.sum(axis=0) / len(folds)
    return float(np.abs(counts[:, fair > 0] / fair[fair > 0] - 1).mean())


def split(Y: np.ndarray, rounds: int) -> tuple[Times, float, float]:
    """First-order stratification into five folds: seconds, and how uneven ours and theirs are."""
    from skmultilearn.model_selection import IterativeStratification

    folds: dict[str, list[np.ndarray]] = {}

    def ours() -> None:
        folds["ours"] = [test for _, test in labels.IterativeStratification(5).split(Y, Y)]

    def theirs() -> None:
        made = IterativeStratification(5, order=1, random_state=0)
        folds["theirs"] = [np.array(test) for _, test in made.split(Y, Y)]

    found = times((ours, theirs), rounds)
    return found, unevenness(Y, folds["ours"]), unevenness(Y, folds["theirs"])


def speed(names: list[str], more: list[str], rounds: int, sizes: list[int]) -> Iterator[str]:
    """Rows of the table of seconds; of the sets ``more`` for MLkNN and stratification alone."""
    yield "| work | set | ours s | theirs s | ratio (quartiles) | sought |\n|---|---|--:|--:|--:|--:|"

    def row(work: str, name: str, found: Times, least: str = "") -> str:
        return f"| {work} | {name} | {found.ours:.4f} | {found.theirs:.4f} | {found} | {least} |"

    def folds(name: str, Y: np.ndarray, least: str = "") -> str:
        found, ours, theirs = split(Y, rounds)
        return row("stratification into 5", f"{name} (unevenness {ours:.4f}, theirs {theirs:.4f})", found, least)

    for name in [*names, *more]:
        data = label_sets.load(name)
        least = "20" if name in ("emotions", "yeast") else "12"
        yield row("MLkNN, fit and predict", f"{name}, {data.size}", times(lazy(data), rounds), least)
        yield folds(name, data.Y)
    for name in names:
        data = label_sets.load(name)
        for work, pair in powerset(data):
            yield row(work, name, times(pair, rounds), "50" if "from" in work else "")
        found, alike = chain(data, 12, rounds)
        yield (f"| probabilistic chain, 6 labels, a row ({100 * alike:.0f} % alike) | {name} | {found.ours:.6f} | "
               f"{found.theirs:.4f} | {found} | 250 |")
    for rows in sizes:
        chance = np.random.default_rng(0)
        Y = (chance.normal(size=(rows, 3)) @ chance.normal(size=(3, 20)) + chance.normal(size=(rows, 20)) > 2.5)
        yield folds(f"{rows:,} rows, 20 labels", Y.astype(int), "12")


def agreement(names: list[str]) -> Iterator[str]:
    """The table of agreement, and that of defects."""
    yield "| set | method | labels alike | micro-F1, ours | theirs | why not all |\n|---|---|--:|--:|--:|---|"
    for name in names:
        data = label_sets.load(name)
        X = data.X.toarray().astype(float) if sparse.issparse(data.X) else data.X
        changes = np.ptp(data.Y[data.train], axis=0) > 0
        Y = data.Y[:, changes]
        for one in label_agreement.agreements(X[data.train], Y[data.train], X[~data.train], Y[~data.train]):
            yield (f"| {name} | {one.method} | {100 * one.alike:.3f} % | {one.ours:.3f} | {one.theirs:.3f} | "
                   f"{one.why} |")
    yield "\n### What scikit-multilearn-ng does on yeast\n\n| done | came of it |\n|---|---|"
    data = label_sets.load("yeast")
    for done, found in label_agreement.defects(data.X[data.train], data.Y[data.train]):
        yield f"| {done} | {found.replace(chr(10), ' ')} |"


def main() -> None:
    """All tables, or one line."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sets", default="emotions,scene,yeast", help="of the speed")
    ask.add_argument("--more", default="birds,medical,enron,goemotions,bibtex,corel5k",
                     help="of the speed of MLkNN and stratification")
    ask.add_argument("--agree", default="emotions,scene,yeast", help="sets of the agreement")
    ask.add_argument("--loops", default="emotions,scene,yeast", help="sets beside plain loops")
    ask.add_argument("--rows", default="20000,50000", help="sizes of the tables that are split")
    ask.add_argument("--rounds", type=int, default=5)
    ask.add_argument("--only", choices=("agreement", "speed", "loops", "jobs"))
    options = ask.parse_args()
    warnings.simplefilter("ignore")
    try:
        from importlib.metadata import version

        head = f"scikit-multilearn-ng {version('scikit-multilearn-ng')}"
    except ImportError:
        print("scikit-multilearn-ng is not installed: pip install scikit-multilearn-ng, then again.")
        return
    parts = {"agreement": lambda: agreement(options.agree.split(",")),
             "speed": lambda: speed(options.sets.split(","), options.more.split(",") if options.more else [],
                                    options.rounds, [*map(int, options.rows.split(","))]),
             "loops": lambda: label_loops.beside_loops(options.loops.split(","), options.rounds),
             "jobs": lambda: label_loops.two_jobs(options.rounds)}
    titles = {"agreement": "Agreement", "speed": "Speed, one thread, medians in turns, CPU seconds",
              "loops": "Beside plain loops, one thread, medians in turns, CPU seconds",
              "jobs": "Two jobs of one thread each beside one, medians in turns, seconds on the clock"}
    told = " ".join(["python", "benchmarks/labels_peers.py", *sys.argv[1:]])
    for name, part in parts.items():
        if options.only in (None, name):
            load, rows = os.getloadavg()[0], []
            for row in part():
                rows.append(row)
                print(row, flush=True)
                loads = f"load of the machine {load:.1f} before, {os.getloadavg()[0]:.1f} after"
                kept = _sections()  # read now: another run may have written its part
                kept[titles[name]] = f"{head}: `{told}`, {loads}\n\n" + "\n".join(rows)
                # after each row, so that a run that is stopped has told what it found
                text = "\n\n".join(f"## {title}\n\n{kept[title]}" for title in titles.values() if title in kept)
                RESULT.write_text(f"# Label methods beside scikit-multilearn\n\n{text}\n")


def _sections() -> dict[str, str]:
    """The parts that stand already, by their titles."""
    if not RESULT.exists():
        return {}
    parts = [part.partition("\n\n") for part in RESULT.read_text().split("\n\n## ")[1:]]
    return {title: text.strip() for title, _, text in parts}


if __name__ == "__main__":
    main()
