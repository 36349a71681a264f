"""What was learned, put into a report: on out-of-fold rows, or on rows that no training saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, Int

from ..data.doctor.finding import listed
from ..judge import (
    BalanceResult,
    CandidateResult,
    CostResult,
    Report,
    at_odds,
    calibrate_held_out,
    judge_task,
    mean_gain,
    settle,
)
from ..task import Task, observed_rows, slices
from .candidate import Candidate
from .choice import TaskChoice
from .plan import Plan
from .pool import Outcome
from .prepare import Prepared
from .run import RunFolder
from .served import Served

Array = np.ndarray
TIMED_ROWS, TIMES, LONG_SECONDS = 64, 3, 0.3
MUCH = 0.2  # weight in an ensemble from which on candidates carry a task


@dataclass(frozen=True)
class Evidence:
    """Predictions for judged rows: for every task the rows, their targets, and the means by side.

    ``folds`` [N] where the means are out-of-fold, else None; ``groups`` [N] where rows are not independent.
    """

    words: str
    count: int
    rows: dict[str, Int[Array, "n"]]
    targets: dict[str, Float[Array, "n W"]]
    means: dict[str, dict[str, Float[Array, "n C"]]]
    calibrated: dict[str, Float[Array, "n C"]]
    folds: Int[Array, "N"] | None = None
    groups: Int[Array, "N"] | None = None

    def own(self, values: Int[Array, "N"] | None, task: str) -> Int[Array, "n"] | None:
        """The folds or groups of a task's rows."""
        return None if values is None else values[self.rows[task]]


def evidence_of_choice(tasks: Sequence[Task], Y: Float[Array, "N W"], folds: Int[Array, "N"],
                       groups: Int[Array, "N"] | None, choices: dict[str, TaskChoice], served: Served) -> Evidence:
    """The honest out-of-fold means of a choice."""
    parts = slices(tasks)
    targets = {task.name: Y[choices[task.name].rows, parts[task.name]] for task in tasks}
    calibrated = {task.name: calibrate_held_out(task, choices[task.name].means["chosen"], targets[task.name],
                                                served.calibrations[task.name]) for task in tasks}
    return Evidence(f"out-of-fold over {folds.max() + 1} folds", len(Y),
                    {name: choice.rows for name, choice in choices.items()}, targets,
                    {name: choice.means for name, choice in choices.items()}, calibrated, folds, groups)


def evidence_of_table(tasks: Sequence[Task], Y: Float[Array, "N W"], served: Served, table: pd.DataFrame,
                      groups: Int[Array, "N"] | None, words: str) -> Evidence:
    """The predictions of a fitted model for rows with known targets."""
    seen, parts = observed_rows(Y, tasks), slices(tasks)
    rows = {task.name: np.flatnonzero(seen[:, at]) for at, task in enumerate(tasks)}
    sides = served.predict_sides(table, list(served.weights))
    calibrated = served.calibrate(sides["chosen"])
    return Evidence(words, len(table), rows, {name: Y[own, parts[name]] for name, own in rows.items()},
                    {name: {side: means[name][own] for side, means in sides.items()} for name, own in rows.items()},
                    {name: calibrated[name][own] for name, own in rows.items()}, None, groups)


@dataclass(frozen=True)
class RunFacts:
    """What a fit worked on and what it cost, kept with the model so that later reports can say it again."""

    rows: int
    features: int
    layout: str
    split: str
    budget: str
    seconds: float
    predict_ms: float
    predict_ms_separate: float
    parameters: int
    parameters_separate: int
    findings: tuple[dict[str, Any], ...]
    candidates: tuple[dict[str, Any], ...]
    balance: tuple[dict[str, Any], ...] = ()

    @classmethod
    def of(cls, prepared: Prepared, run: RunFolder, candidates: Sequence[Candidate], outcome: Outcome,
           served: Served, choices: dict[str, TaskChoice], budget: float | None, seconds: float,
           table: pd.DataFrame) -> RunFacts:
        """The facts of a finished fit; a candidate that failed becomes a finding. ``table`` is predicted for timing."""
        findings = [finding.to_json() for finding in prepared.findings]
        findings += [{"level": "warning", "code": "candidate-failed", "subject": candidates[number].name,
                      "message": f"failed: {' '.join(reason.split()).rstrip('. ')}",
                      "remedy": "It takes no part in the choice."} for number, reason in outcome.failed.items()]
        findings += without_counterpart(candidates, outcome, choices)
        done = [candidates[number] for number in outcome.done]
        board = tuple(_board_line(at, candidate, run, prepared, served, choices) for at, candidate in enumerate(done))
        words = f"{budget:g} s" if budget else "none"
        if len(outcome.done) + len(outcome.failed) < len(candidates):
            words += f"; {len(done)} of {len(candidates)} candidates fitted into it"
        return cls(len(prepared.X), len(prepared.features), "long" if prepared.tasks[0].task_column else "wide",
                   prepared.words, words, seconds, *time_predictions(served, table), served.parameters(),
                   served.parameters("separate"), tuple(findings), board, _watched(done, board, run))

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return asdict(self)

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> RunFacts:
        """The facts that ``to_json`` described."""
        lists = ("findings", "candidates", "balance")
        return cls(**{**state, **{name: tuple(state.get(name, ())) for name in lists}})


def without_counterpart(candidates: Sequence[Candidate], outcome: Outcome,
                         choices: dict[str, TaskChoice]) -> list[dict[str, Any]]:
    """A finding where shared candidates carry tasks though nothing of their like has learned these apart."""
    done = [candidates[number] for number in outcome.done]
    lone = np.array([one.shares and set(outcome.done).isdisjoint(one.apart(candidates)) for one in done])
    served = [name for name, choice in choices.items() if choice.weights["chosen"][lone].sum() >= MUCH]
    names = [one.name for at, one in enumerate(done)
             if lone[at] and any(choices[name].weights["chosen"][at] > 0 for name in served)]
    others = f" (so {'is' if len(served) == 2 else 'are'} {listed(served[1:])})" if len(served) > 1 else ""
    return [{"level": "warning", "code": "no-counterpart", "subject": served[0], "columns": [],
             "message": f"is served by candidates that learn together, whose like did not learn apart within the "
                        f"time{others}: {listed(names)}. The gain may come from the method and not from sharing",
             "remedy": "Give more time."}] if served else []


def _board_line(at: int, candidate: Candidate, run: RunFolder, prepared: Prepared, served: Served,
                choices: dict[str, TaskChoice]) -> dict[str, Any]:
    """A candidate's line in the report: its cost, and its relative loss and weight for every task."""
    means, parts, result = run.means(candidate), slices(prepared.tasks), run.result(candidate)
    losses = {task.name: task.kind.score(means[task.name][choices[task.name].rows],
                                         prepared.Y[choices[task.name].rows, parts[task.name]],
                                         served.scales[task.name]) for task in prepared.tasks}
    weights = {name: float(choice.weights["chosen"][at]) for name, choice in choices.items()}
    return {"name": candidate.name, "family": candidate.family, "plan": describe_plan(candidate.plan),
            "shares": candidate.shares, "seconds": result["seconds"], "parameters": sum(result["parameters"]),
            "losses": losses, "weights": weights}


def _watched(done: Sequence[Candidate], board: Sequence[dict[str, Any]], run: RunFolder) -> tuple[dict[str, Any], ...]:
    """What was watched in the best candidate of each sort, by the mean of its losses."""
    found: dict[str, list[dict[str, Any]]] = {}
    for at in sorted(range(len(done)), key=lambda at: float(np.mean(list(board[at]["losses"].values())))):
        seen = run.result(done[at]).get("watched", ())
        if seen:
            found.setdefault(done[at].sort, [{"candidate": done[at].name, **one} for one in seen])
    return tuple(one for seen in found.values() for one in seen)


def build_report(tasks: Sequence[Task], served: Served, plan: Plan, facts: RunFacts, evidence: Evidence,
                 decisions: Sequence[str] = ()) -> Report:
    """The report of a model on the evidence; ``decisions`` say how labels are decided, and what it brings."""
    judged = [task for task in tasks if len(evidence.rows[task.name])]
    results = settle([_judge_one(task, served, plan, facts, evidence) for task in judged])
    disk = sum(file.stat().st_size for member in served.members for file in member.folder.rglob("*") if file.is_file())
    return Report(
        title="Who learned with whom, and what it brought", rows=facts.rows, features=facts.features, tasks=results,
        layout=facts.layout, split=facts.split, evidence=evidence.words,
        folds=0 if evidence.folds is None else int(evidence.folds.max()) + 1, budget=facts.budget,
        created=datetime.now().isoformat(timespec="seconds"),
        candidates=tuple(CandidateResult(**line) for line in facts.candidates),
        findings=(*facts.findings, *at_odds(results)),
        balance=tuple(BalanceResult(**one) for one in facts.balance), decisions=tuple(decisions),
        delta_m=_delta_m(tasks, evidence),
        cost=CostResult(fit_seconds=facts.seconds, predict_ms=facts.predict_ms,
                        predict_ms_separate=facts.predict_ms_separate, parameters=facts.parameters,
                        parameters_separate=facts.parameters_separate, disk_bytes=disk))


def _judge_one(task: Task, served: Served, plan: Plan, facts: RunFacts, evidence: Evidence) -> Any:
    name = task.name
    group = next(group for group in plan.groups if name in group.serves)
    parts = sorted(((line["weights"].get(name, 0.0), line["name"]) for line in facts.candidates), reverse=True)
    words = ", ".join(f"{member} {weight:.0%}" for weight, member in parts if weight > 0)
    return judge_task(task, served.scales[name], evidence.targets[name], evidence.means[name],
                      evidence.own(evidence.folds, name), evidence.own(evidence.groups, name),
                      served.calibrations[name], evidence.calibrated[name], words,
                      [other for other in group.learns if other != name])


def _delta_m(tasks: Sequence[Task], evidence: Evidence) -> Any:
    """The mean gain over tasks, from row losses of separate and chosen in rows that all tasks share."""
    losses: dict[str, dict[str, Array]] = {"separate": {}, "chosen": {}}
    for task in tasks:
        for side, found in losses.items():
            found[task.name] = np.full(evidence.count, np.nan)
            own = evidence.rows[task.name]
            found[task.name][own] = task.kind.row_loss(evidence.means[task.name][side], evidence.targets[task.name])
    return mean_gain(losses["separate"], losses["chosen"], evidence.folds, evidence.groups)


def time_predictions(served: Served, table: pd.DataFrame) -> tuple[float, float]:
    """Milliseconds a row of the chosen model and of separate ones, over a few rows, once both are loaded: the least of
    TIMES, or of fewer where they take long."""
    few = table.head(TIMED_ROWS)
    found = []
    for side in ("chosen", "separate"):
        served.predict_means(few, side)
        seconds: list[float] = []
        while len(seconds) < TIMES and sum(seconds) < LONG_SECONDS:
            began = perf_counter()
            served.predict_means(few, side)
            seconds.append(perf_counter() - began)
        found.append(min(seconds) * 1000 / len(few))
    return found[0], found[1]


def describe_plan(plan: Plan) -> str:
    """A plan in a few words.

    >>> describe_plan(Plan.of([["a", "b"], ["c"]]))
    'a + b | c'
    """
    if plan.is_separate:
        return "separate"
    if len(plan.groups) == 1:
        return "together"
    rest = {group: f" + {len(group.learns) - 6} more" if len(group.learns) > 6 else "" for group in plan.groups}
    return " | ".join(" + ".join(group.learns[:6]) + rest[group] for group in plan.groups)


