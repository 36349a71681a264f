"""What a rule of decision brings on judged rows, in words for the report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from ..solve.labels import measure_label_sets
from ..task import Task
from .deciding import Decision
from .reporting import Evidence

Array = np.ndarray
MEASURES = {"hamming_loss": "Hamming loss", "subset_accuracy": "subset accuracy", "micro_f1": "micro F1",
            "macro_f1": "macro F1", "example_f1": "F1 of a row", "jaccard": "Jaccard index of a row",
            "cardinality": "labels said for each true one"}


def table_of(tasks: Sequence[Task], evidence: Evidence) -> tuple[Float[Array, "N L"], Float[Array, "N L"]]:
    """Calibrated probabilities and labels of the tasks side by side; NaN where a task was not observed."""
    tables: tuple[list[Array], list[Array]] = ([], [])
    for task in tasks:
        for found, values in zip(tables, (evidence.calibrated, evidence.targets), strict=True):
            full = np.full((evidence.count, task.kind.outputs), np.nan)
            full[evidence.rows[task.name]] = values[task.name]
            found.append(full)
    return np.hstack(tables[0]), np.hstack(tables[1])


def describe_decision(decision: Decision, tasks: Sequence[Task], evidence: Evidence) -> str:
    """What is said, how, and how good that is beside what is above one half. Where the rows are those that the rule was
    fitted on, those of every fold are said by a rule from the others."""
    own = [task for task in tasks if task.name in decision.tasks]
    P, Y = table_of(own, evidence)
    said = decision.say(P)
    if evidence.folds is not None and (decision.thresholds or decision.sets):
        for fold in np.unique(evidence.folds):
            inside = evidence.folds == fold
            said[inside] = Decision.fit(decision.rule, own, P[~inside], Y[~inside]).say(P[inside])
    name = MEASURES.get(decision.rule, "share of said labels that are true")
    found = [measure(decision.rule, one, P, Y) for one in (said, P > 0.5)]
    words = f"{', '.join(decision.tasks)}: decided for {decision.rule}, {_how(decision)}"
    if np.isnan(found).any():
        return f"{words}; these rows can't judge it."
    return f"{words}; {name} {found[0]:.3f}" + (
        "." if decision.rule == "hamming_loss" else f", above one half it is {found[1]:.3f}.")


def _how(decision: Decision) -> str:
    low, high = min(decision.thresholds, default=0.0), max(decision.thresholds, default=0.0)
    if decision.rule.startswith("top_"):
        return f"the {decision.rule.removeprefix('top_')} most probable labels"
    if decision.sets:
        return f"the likeliest of the {len(decision.sets)} sets that training rows carry"
    if not decision.thresholds:
        return "above one half" if decision.rule == "hamming_loss" else "row by row the set that is best to expect"
    return f"above one threshold a label, {low:.3f} to {high:.3f}" if high > low else f"above {low:.3f}"


def measure(rule: str, said: Bool[Array, "N L"], P: Float[Array, "N L"], Y: Float[Array, "N L"]) -> float:
    """The measure of a rule where labels were observed: by entry and by label in these, by row in rows that are whole.
    NaN where there are none."""
    seen = ~np.isnan(Y) & ~np.isnan(P)
    if not seen.any():
        return float("nan")
    if rule == "hamming_loss":
        return float(np.mean(said[seen] != (Y[seen] > 0.5)))
    if rule == "cardinality":
        return float(said[seen].sum() / max(Y[seen].sum(), 1.0))
    if rule.startswith("top_"):
        return float(Y[seen & said].mean()) if (seen & said).any() else float("nan")
    if rule == "micro_f1":
        return measure_label_sets(Y[seen][:, None], said[seen][:, None])[rule]
    if rule == "macro_f1":
        by_label = [measure("micro_f1", said[:, [at]], P[:, [at]], Y[:, [at]]) for at in range(Y.shape[1])]
        return float(np.nanmean(by_label)) if not np.isnan(by_label).all() else float("nan")
    full = seen.all(axis=1)
    return measure_label_sets(Y[full], said[full])[rule] if full.any() else float("nan")
