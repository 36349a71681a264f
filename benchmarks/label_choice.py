"""Ours, chosen on training rows alone: for each measure the mean of the five methods that are best out of fold, or one.

Of thirty methods on a few hundred rows, the one that looks best owes part of its lead to chance; the mean of five owes
less. One method stands alone only where it is ahead of the mean by more than a standard error, out of fold (the rule of
one standard error: Breiman and others 1984, Classification and Regression Trees). For subset accuracy it is always one:
exact sets need labels together, and a mean of probabilities label by label forgets what a label powerset knew of that.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from label_errors import lead, shares_of_ranking, shares_of_sets
from label_rules import MADE_FOR, Answers, decided_unseen, judge
from label_values import LOWER, TITLES, Cell, best, rule, value

MEASURES = tuple(measure for measure in TITLES if measure != "subset_accuracy")


def best_five(cells: dict[str, Cell], mixed: Cell, answers: Callable[[str], Answers], Y: np.ndarray,
              true: np.ndarray) -> Cell:
    """Each measure of the mean that was chosen by it, from the ``cells`` of our methods and what these said on the rows
    with labels ``Y`` (training) and ``true`` (test). ``of`` has the names; ``lead`` by how many standard errors the one
    best method, or ``mixed``, is ahead out of fold; ``seconds`` is for all of them together."""
    measures: dict[tuple[str, ...], list[str]] = {}
    for measure in MEASURES:
        measures.setdefault(five(cells, measure), []).append(measure)
    sides: list[Any] = [{"rules": {}, "ranking": {}} for _ in range(2)]
    leads, rivals = {}, {**cells, "mixed": mixed}
    shares: dict[str, dict[str, np.ndarray]] = {}
    for names, here in measures.items():
        said = mean(map(answers, names))
        cell = judge(said, Y, true, dict.fromkeys(rule for measure in here for rule in MADE_FOR.get(measure, ())))
        for made, found in zip(sides, (cell, cell["folds"]), strict=True):
            made["ranking"] |= {measure: found["ranking"][measure] for measure in here if measure not in MADE_FOR}
            for measure in here:
                for one in set(MADE_FOR.get(measure, ())) & set(found["rules"]):
                    made["rules"].setdefault(one, {})[measure] = found["rules"][one][measure]
        for measure in here:
            rival = best(rivals, list(rivals), measure, out_of_fold=True)
            pair = [_shares(answers(rival), rivals[rival], measure, Y, shares.setdefault(rival, {})),
                    _shares(said, cell, measure, Y, shares.setdefault(" ".join(names), {}))]
            leads[measure] = lead(*pair) * (-1 if measure in LOWER else 1)
    parts = {name for names in measures for name in names}
    return {"seconds": sum(cells[name]["seconds"] for name in parts), **sides[0], "folds": sides[1], "lead": leads,
            "of": {measure: list(names) for names, here in measures.items() for measure in here}}


def _shares(said: Answers, cell: Cell, measure: str, Y: np.ndarray, known: dict[str, np.ndarray]) -> np.ndarray:
    if measure not in MADE_FOR:
        if measure not in known:
            known |= shares_of_ranking(Y, said.unseen)
        return known[measure]
    by = rule(cell, measure)
    return shares_of_sets(Y, decided_unseen(said, Y, [by])[by])[measure]


def five(cells: dict[str, Cell], measure: str) -> tuple[str, ...]:
    """Names of the five that are best out of fold, the first of equals, in the order of ``cells``."""
    values = {name: value(cell, measure, out_of_fold=True) for name, cell in cells.items()}
    there = [name for name in cells if not np.isnan(values[name])]
    first = sorted(there, key=lambda name: values[name] * (1 if measure in LOWER else -1))[:5]
    return tuple(name for name in there if name in first)


def mean(parts: Any) -> Answers:
    """``MixedEnsemble`` of methods from what each said by itself: the same numbers."""
    parts = list(parts)
    chances, unseen = (np.mean([part[at] for part in parts], axis=0) for at in (1, 3))
    return Answers(chances > 0.5, chances, unseen > 0.5, unseen, float(sum(part.seconds for part in parts)))
