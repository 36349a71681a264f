"""Label methods beside plain loops of their base model, and two jobs beside one, for labels_peers.py."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from time import perf_counter, process_time
from typing import Any
from unittest import mock

import numpy as np
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

import label_sets
from label_times import Pair, times
from sharewise.solve import labels

FOREST = RandomForestClassifier(20, random_state=0, n_jobs=1)
BASES = {"logistic regression": LogisticRegression(max_iter=200), "forest of 20": FOREST}


def loops(data: label_sets.LabelSet, base: Any) -> Iterator[tuple[str, Pair]]:
    """RAkELo and label powerset, and a plain loop of the base model alone over the same classes."""
    X, Y, new = data.X[data.train], data.Y[data.train], data.X[~data.train]
    subsets = labels.RAkELo(base)
    drawn = labels.rakel_o.overlapping(Y.shape[1], subsets.size, 2 * Y.shape[1], np.random.default_rng(subsets.seed))
    for name, model, parts in (("label powerset", labels.LabelPowerset(base), [np.arange(Y.shape[1])]),
                               ("RAkELo", subsets, drawn)):
        codes = [np.unique(Y[:, part], axis=0, return_inverse=True)[1].ravel() for part in parts]
        yield name, (lambda model=model: clone(model).fit(X, Y).predict(new),
                     lambda codes=codes: [clone(base).fit(X, code).predict(new) for code in codes])


def beside_loops(names: list[str], rounds: int) -> Iterator[str]:
    """Rows of the table beside plain loops."""
    yield ("| method | base model | set | ours s | plain loop s | more (quartiles) | outside of the base model |\n"
           "|---|---|---|--:|--:|--:|--:|")
    for name in names:
        data = label_sets.load(name)
        for kind, base in BASES.items():
            for method, pair in loops(data, base):
                for work in pair if method == "label powerset" else ():
                    work()  # what is done once in a process
                found = times(pair, rounds)
                low, middle, high = (f"{100 * (1 / ratio - 1):+.1f}" for ratio in found.ratio[::-1])
                yield (f"| {method} | {kind} | {name} | {found.ours:.3f} | {found.theirs:.3f} | "
                       f"{middle} % ({low} to {high}) | {100 * outside(pair[0], type(base)):+.1f} % |")


def outside(work: Callable[[], Any], base: type) -> float:
    """CPU seconds of a work that are spent outside of the base model, as a share of those inside: of one run, which no
    other program disturbs more in one part than in the other."""
    inside = [0.0]

    def timed(method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            started = process_time()
            answer = method(*given)
            inside[0] += process_time() - started
            return answer
        return call

    with mock.patch.object(base, "fit", timed(base.fit)), mock.patch.object(base, "predict", timed(base.predict)):
        started = process_time()
        work()
        return (process_time() - started) / inside[0] - 1


def two_jobs(rounds: int) -> Iterator[str]:
    """Rows of the table of ensembles of chains in two jobs of one thread each, beside one job."""
    yield ("| work on yeast | two jobs s | one job s | of the time (quartiles) | load before, after |\n"
           "|---|--:|--:|--:|--:|")
    data = label_sets.load("yeast")
    X, Y, new = data.X[data.train], data.Y[data.train], data.X[~data.train]
    for kind, base, chains in (("forests of 20", FOREST, 4), ("logistic regression", BASES["logistic regression"], 20)):
        both = [labels.ChainEnsemble(base, chains=chains, n_jobs=jobs) for jobs in (2, 1)]
        first, second = (model.fit(X, Y).predict_proba(new) for model in both)  # the first starts the processes
        assert np.array_equal(first, second)
        before = os.getloadavg()[0]
        works = tuple(lambda model=model: clone(model).fit(X, Y) for model in both)
        found = times(works, rounds, perf_counter, long=np.inf)
        low, middle, high = sorted(1 / ratio for ratio in found.ratio)
        yield (f"| fit {chains} chains over {kind} | {found.ours:.2f} | {found.theirs:.2f} | x {middle:.2f} "
               f"({low:.2f} to {high:.2f}) | {before:.1f}, {os.getloadavg()[0]:.1f} |")
