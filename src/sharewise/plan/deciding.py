"""What is said of labels whose probabilities are known: the rule that is best for a measure, fitted out of fold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from ..base import DataError, UnknownNameError, UsageError
from ..solve.labels import best_example_f1, best_example_jaccard, best_seen_sets, best_threshold, top_labels
from ..solve.labels.likely_sets import SeenSets
from ..solve.labels.measures import measure_label_sets
from ..task import Task, slices

Array = np.ndarray
Means = Mapping[str, Float[Array, "N C"]]
BY_ROW = {"example_f1": best_example_f1, "jaccard": best_example_jaccard}
ENTRIES, SETS = ("micro_f1", "cardinality"), ("subset_accuracy",)  # one threshold from entries, or from whole rows
RULES = ("hamming_loss", "subset_accuracy", "micro_f1", "macro_f1", *BY_ROW, "cardinality", "top_1", "top_2")


def read_rule(name: Any) -> str:
    """The name of a rule as it stands in RULES (or top_K): "macro F1" is "macro_f1". UnknownNameError with all names.

    >>> read_rule("Macro F1"), read_rule("top 12")
    ('macro_f1', 'top_12')
    """
    rule = re.sub(r"[ -]+", "_", name.strip().lower()) if isinstance(name, str) else name
    if isinstance(rule, str) and (rule in RULES or re.fullmatch(r"top_[1-9]\d{0,5}", rule)):
        return rule
    raise UnknownNameError(f"decide {name!r}", "is not known", f"it must be one of {', '.join(RULES)}, and so on",
                           "Take one of these.")


@dataclass(frozen=True)
class Decision:
    """How the labels of ``tasks`` are said for the measure ``rule``: by the ``thresholds`` of each label, or as one of
    ``sets`` of label numbers, each with a ``bonus`` (none of them where the rule needs only the row's probabilities).

    One multilabel task is a table of labels, and so are all binary targets of a table together. hamming_loss says what
    is above one half; example_f1 and jaccard say the set of the highest expected value, row by row; top_K the K most
    probable labels; the others what is above a threshold, found on probabilities out of fold: one for all labels
    (micro_f1, cardinality), or one a label (macro_f1). subset_accuracy says the likeliest of the sets that training
    rows carry (``best_seen_sets``) where that says more rows right than one threshold for all labels.
    """

    rule: str
    tasks: tuple[str, ...]
    thresholds: tuple[float, ...] = ()
    sets: tuple[tuple[int, ...], ...] = ()
    bonus: tuple[float, ...] = ()

    @classmethod
    def fit(cls, rule: str, tasks: Sequence[Task], P: Float[Array, "N L"], Y: Float[Array, "N L"]) -> Decision:
        """The rule for probabilities that did not see the labels Y (NaN: not observed)."""
        names, seen, labels = tuple(task.name for task in tasks), ~np.isnan(Y) & ~np.isnan(P), P.shape[1]
        if rule in ENTRIES:
            thresholds = [best_threshold(P[seen][:, None], Y[seen][:, None], rule)] * labels
        elif rule in SETS:
            return _best_of_sets(rule, names, P[seen.all(axis=1)], Y[seen.all(axis=1)])
        elif rule == "macro_f1":
            thresholds = [best_threshold(p[own][:, None], y[own][:, None], "micro_f1")  # of one label the same
                          for p, y, own in zip(P.T, Y.T, seen.T, strict=True)]
        else:
            thresholds = []
        return cls(rule, names, tuple(thresholds))

    def say(self, P: Float[Array, "N L"]) -> Bool[Array, "N L"]:
        """Which labels are said; none in rows whose probabilities are not known."""
        known, said = ~np.isnan(P).any(axis=1), np.zeros(P.shape, dtype=bool)
        if self.thresholds:
            return np.array(self.thresholds) < P
        if self.sets:
            said[known] = self._seen_sets(P.shape[1]).say(P[known])
        elif self.rule in BY_ROW:
            said[known] = BY_ROW[self.rule](np.clip(P[known], 0.0, 1.0))
        elif self.rule.startswith("top_"):
            said[known] = top_labels(np.clip(P[known], 0.0, 1.0), int(self.rule.removeprefix("top_")))
        else:
            said = P > 0.5
        return said

    def _seen_sets(self, labels: int) -> SeenSets:
        sets = np.zeros((len(self.sets), labels), dtype=bool)
        for row, own in zip(sets, self.sets, strict=True):
            row[list(own)] = True
        return SeenSets(sets, np.array(self.bonus))

    def apply(self, means: Means) -> dict[str, Float[Array, "N C"]]:
        """The means with 1 for what is said and 0 for what is not, from which the kinds decode; NaN stays."""
        P = np.hstack([means[name] for name in self.tasks])
        said = np.where(np.isnan(P), np.nan, self.say(P))
        ends = np.cumsum([means[name].shape[1] for name in self.tasks])[:-1]
        return {**means, **dict(zip(self.tasks, np.split(said, ends, axis=1), strict=True))}

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return asdict(self)

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Decision:
        """The decision that ``to_json`` described."""
        return cls(state["rule"], tuple(state["tasks"]), tuple(state["thresholds"]),
                   tuple(map(tuple, state.get("sets", ()))), tuple(state.get("bonus", ())))  # models from before


def _best_of_sets(rule: str, tasks: tuple[str, ...], P: Float[Array, "N L"], Y: Float[Array, "N L"]) -> Decision:
    """One threshold for all labels, or the likeliest of the seen sets, by the rows that they say right."""
    threshold = best_threshold(P, Y, rule)
    seen, right = best_seen_sets(np.clip(P, 0.0, 1.0), Y)
    if right <= measure_label_sets(Y, threshold < P)[rule]:
        return Decision(rule, tasks, (threshold,) * P.shape[1])
    return Decision(rule, tasks, (), tuple(tuple(np.flatnonzero(one).tolist()) for one in seen.sets),
                    tuple(seen.bonus.tolist()))


def label_tables(rule: str | None, tasks: Sequence[Task], Y: Float[Array, "N W"],
                 folds: Int[Array, "N"]) -> list[list[Task]]:
    """The tasks that are decided together: each multilabel task alone, the binary targets of a wide table as one.
    UsageError: a rule where there are none, or more labels asked for than there are. DataError: a rule about whole sets
    where they were not observed in the rows of two folds."""
    if rule is None:
        return []
    several = [[task] for task in tasks if task.kind.name == "multilabel"]
    binary = [task for task in tasks if task.kind.name == "binary" and task.task_column is None]
    tables, parts = [*several, *([binary] if binary else [])], slices(tasks)
    if not tables:
        kinds = ", ".join(f"{task.name} ({task.kind.name})" for task in tasks[:8])
        raise UsageError("decide", f"is {rule!r}", f"a rule decides over labels, and the targets are {kinds}",
                         "Leave it out, or name a target of label sets or binary columns.")
    for table in tables:
        labels = sum(task.kind.outputs for task in table)
        thing, verb = (f"target {table[0].name!r}", "has") if len(table) == 1 else ("the binary targets", "have")
        if rule.startswith("top_") and int(rule.removeprefix("top_")) > labels:
            raise UsageError("decide", f"is {rule!r}", f"{thing} {verb} {labels} labels", "Ask for fewer.")
        full = ~np.isnan(np.hstack([Y[:, parts[task.name]] for task in table])).any(axis=1)
        if rule in SETS and len(np.unique(folds[full])) < 2:
            raise DataError(thing, f"{verb} all labels observed in {int(full.sum())} rows",
                            f"decide={rule!r} is about whole sets, in two folds at least",
                            "Take micro_f1 or macro_f1, which count label by label.")
    return tables
