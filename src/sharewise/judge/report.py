"""The report as values: what was tried, what was chosen, what it brought, and the evidence. Written as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from io import StringIO
from shutil import get_terminal_size
from typing import Any

from ..base import FolderError
from .companies import with_companies, without_companies
from .gain import Gain
from .reliability import Bin
from .written import plain, read_number

VERSION = 1


@dataclass(frozen=True)
class TaskResult:
    """One task: four predictors in its headline ``metric``, the gain of the chosen over the separate one, calibration.

    ``trivial`` knows no features, ``separate`` is the best learner of the task alone, ``together`` the best of all
    tasks at once (None where none ran), ``chosen`` is what serves. ``losses`` are their relative losses and
    ``metrics`` all their metrics, both by those four words. ``served_by`` says in words which families and groups
    serve; ``learned_with`` names the tasks that were learned along. ``ece_*`` and ``bins_*`` are of the chosen one
    before and after ``calibration`` (its method, or "none").
    """

    name: str
    kind: str
    metric: str
    greater_is_better: bool
    rows: int
    trivial: float | None
    separate: float | None
    together: float | None
    chosen: float | None
    gain: Gain
    verdict: str = "no difference"
    adjusted_p: float = float("nan")
    reason: str = ""
    served_by: str = ""
    learned_with: tuple[str, ...] = ()
    losses: dict[str, float | None] = field(default_factory=dict)
    metrics: dict[str, dict[str, float | None]] = field(default_factory=dict)
    calibration: str = "none"
    ece_before: float | None = None
    ece_after: float | None = None
    bins_before: tuple[Bin, ...] = ()
    bins_after: tuple[Bin, ...] = ()

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> TaskResult:
        """The result that ``Report.to_json`` wrote."""
        bins = {name: tuple(Bin(**one) for one in state[name]) for name in ("bins_before", "bins_after")}
        return cls(**{**state, **bins, "gain": Gain.from_json(state["gain"]),
                      "adjusted_p": read_number(state["adjusted_p"]), "learned_with": tuple(state["learned_with"])})


@dataclass(frozen=True)
class CandidateResult:
    """One candidate that ran: its family, its plan in words, whether it shares, what it cost and how well it did.

    ``losses`` are relative losses by task; ``weights`` its weight in the tasks that it serves (0 or absent: unused).
    ``parameters`` counts what it learned (0 where the family has no count).
    """

    name: str
    family: str
    plan: str
    shares: bool
    seconds: float
    parameters: int = 0
    losses: dict[str, float | None] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BalanceResult:
    """What a balancer did in the training of one shared network, the first of a candidate's.

    ``tasks``; ``steps`` [S]: their numbers; ``weights`` [S, T]; ``shares`` [S, T]: how much of the update each task
    supplied; ``conflicts`` [S]: share of the pairs of tasks whose gradients pulled against each other; None = not
    known. ``troubles`` are sentences on dominance and conflict; ``more`` says how many are left out.
    """

    candidate: str
    tasks: Sequence[str]
    steps: Sequence[float]
    weights: Sequence[Sequence[float | None]]
    shares: Sequence[Sequence[float | None]]
    conflicts: Sequence[float | None]
    troubles: Sequence[str] = ()
    more: int = 0


@dataclass(frozen=True)
class CostResult:
    """What the chosen model costs, beside separate models: seconds, milliseconds a row, parameters, bytes on disk.

    ``parameters`` are the numbers that were learned, over all models that serve (``Estimator.parameter_count``).
    None where a cost was not measured.
    """

    fit_seconds: float | None = None
    predict_ms: float | None = None
    predict_ms_separate: float | None = None
    parameters: int | None = None
    parameters_separate: int | None = None
    disk_bytes: int | None = None


@dataclass(frozen=True, repr=False)
class Report:
    """All that is known about a fit; printed as in the terminal. ``sharewise.judge`` renders it, as JSON and page too.

    ``findings`` are the data doctor's: dicts of level ("error", "warning", "note"), code, subject, message, remedy.
    ``evidence`` says which rows judged ("out-of-fold over 5 folds", "test part of 400 rows"), ``folds`` how many
    overlapping fits stand behind them (0: one test part), ``rows_also_chose`` whether the same rows chose the
    learners; ``split`` and ``budget`` are words, and so are ``decisions``: how labels are said where a rule was
    asked for.
    """

    title: str
    rows: int
    features: int
    tasks: tuple[TaskResult, ...]
    layout: str = "wide"
    split: str = ""
    evidence: str = ""
    folds: int = 0
    rows_also_chose: bool = False
    budget: str = ""
    created: str = ""
    candidates: tuple[CandidateResult, ...] = ()
    findings: tuple[dict[str, str], ...] = ()
    decisions: tuple[str, ...] = ()
    delta_m: Gain | None = None
    cost: CostResult = CostResult()
    balance: tuple[BalanceResult, ...] = ()
    alpha: float = 0.05

    def __repr__(self) -> str:
        from rich.console import Console

        from .terminal import render_terminal
        text = StringIO()
        Console(file=text, width=get_terminal_size((100, 24)).columns).print(render_terminal(self))
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines())

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict, with the version of its form."""
        return with_companies({"version": VERSION, **plain(asdict(self))})

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Report:
        """The report that ``to_json`` described. FolderError where it is of a newer version or not a report."""
        if state.get("version") != VERSION:
            raise FolderError("report", f"is of version {state.get('version')!r}", f"it must be of version {VERSION}",
                              "Read it with the sharewise that wrote it.")
        try:
            state = without_companies(state)
            return cls(**{
                **{name: value for name, value in state.items() if name != "version"},
                "tasks": tuple(TaskResult.from_json(one) for one in state["tasks"]),
                "candidates": tuple(CandidateResult(**one) for one in state["candidates"]),
                "findings": tuple(state["findings"]), "decisions": tuple(state.get("decisions", ())),
                "delta_m": None if state["delta_m"] is None else Gain.from_json(state["delta_m"]),
                "cost": CostResult(**state["cost"]),
                "balance": tuple(BalanceResult(**one) for one in state.get("balance", ()))})
        except (KeyError, TypeError, ValueError) as error:
            raise FolderError("report", f"can't be read ({error!r})", "it must be one that sharewise wrote",
                              "Write it again.") from error


def render_json(report: Report) -> str:
    """The report as JSON text, which ``Report.from_json(json.loads(text))`` reads.

    >>> text = render_json(Report("table.csv", rows=10, features=2, tasks=()))
    >>> Report.from_json(json.loads(text)).title
    'table.csv'
    """
    return json.dumps(report.to_json(), indent=1, ensure_ascii=False, allow_nan=False)
