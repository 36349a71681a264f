"""The report: JSON there and back, a terminal of any width, a page that needs nothing else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest
from rich.console import Console

from sharewise.base import FolderError
from sharewise.judge import (
    CandidateResult,
    CostResult,
    Gain,
    Report,
    at_odds,
    compare,
    delta_m,
    judge_task,
    render_html,
    render_json,
    render_terminal,
    settle,
)
from sharewise.judge.pictures import forest
from sharewise.task import Binary, Count, Multiclass, Multilabel, Ordinal, Regression, Task

KINDS = (Regression(), Binary(), Multiclass(("a", "b", "c")), Ordinal(("a", "b", "c")), Count(),
         Multilabel(("a", "b")))


@cache
def report_of(size: int, rows: int = 60, prefix: str = "task") -> Report:
    """A report of ``size`` tasks of all kinds, judged on planted predictions."""
    rng = np.random.default_rng(0)
    results = []
    for at in range(size):
        kind = KINDS[at % len(KINDS)]
        task = Task(f"{prefix} {at}", kind, reason="because it has <few> values")
        if kind.name in ("regression", "count"):
            target = rng.poisson(5.0, size=(rows, 1)).astype(float)
            means = {which: target * (1 - share) + 5 * share for which, share in
                     (("separate", 0.9), ("together", 0.7), ("chosen", 0.5 if at % 2 else 0.9))}
        else:
            codes = 2 if kind.width == kind.outputs else kind.outputs
            target = rng.integers(0, codes, size=(rows, kind.width)).astype(float)
            flags = target if kind.width == kind.outputs else (target == np.arange(kind.outputs)).astype(float)
            means = {which: (flags + noise) / (1 + noise * (2 if kind.width == kind.outputs else kind.outputs))
                     for which, noise in (("separate", 2.0), ("chosen", 1.0))}
        target[: at % 3] = np.nan
        results.append(judge_task(task, kind.fit_scale(target), target, means, folds=np.arange(rows) % 5,
                                  served_by="its own trees", learned_with=[f"{prefix} {at ^ 1}"] if at % 2 else []))
    settled = settle(results)
    candidates = tuple(CandidateResult(f"network {name}", "network", name, name != "separate", 1.5, 1000,
                                       {one.name: one.losses["separate"] for one in settled},
                                       {settled[0].name: 1.0} if settled else {}) for name in ("separate", "together"))
    return Report("<i>table</i>.csv", rows, 4, settled, evidence="out-of-fold over 5 folds", folds=5,
                  candidates=candidates, delta_m=delta_m([one.gain for one in settled]),
                  findings=({"level": "warning", "code": "leak", "subject": "feature '<b>x</b>'",
                             "message": "gives 'y' away.", "remedy": "Drop it & go on."},),
                  cost=CostResult(12.5, 0.4, 2.0, 4000, 32000, 120_000))


def text_of(report: Report, width: int = 160) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w", encoding="utf-8"))  # noqa: SIM115
    with console.file:
        console.print(render_terminal(report))
        return console.export_text()


class Page(HTMLParser):
    """What a page is made of: its tags, the attributes that could reach out, and whether every tag is closed."""

    EMPTY = frozenset({"meta", "line", "circle", "path", "rect", "polyline", "br"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "srcset", "xlink:href", "data")]
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.EMPTY:
            assert self.open.pop() == tag


@pytest.mark.parametrize("size", [0, 1, 2, 12, 60])
def test_a_report_is_the_same_after_json(size: int) -> None:
    report = report_of(size)
    text = render_json(report)
    assert render_json(Report.from_json(json.loads(text))) == text
    assert repr(Report.from_json(json.loads(text))) == repr(report)


def test_tasks_that_all_learned_together_are_named_once_and_come_back_whole() -> None:
    report = report_of(60)
    names = [task.name for task in report.tasks]
    together = replace(report, tasks=tuple(
        replace(task, learned_with=tuple(name for name in names if name != task.name)) for task in report.tasks))
    text = render_json(together)
    assert len(text) < 1.05 * len(render_json(report)) + 40 * 60
    assert Report.from_json(json.loads(text)) == Report.from_json(json.loads(render_json(together)))
    assert [task.learned_with for task in Report.from_json(json.loads(text)).tasks] == [
        task.learned_with for task in together.tasks]


def test_a_gain_without_numbers_survives_json() -> None:
    for gain in (compare(np.ones(1), np.ones(1)), Gain(-np.inf, -np.inf, 0.5, 0.01, 5)):
        state = json.loads(json.dumps(gain.to_json(), allow_nan=False))
        assert repr(Gain.from_json(state)) == repr(gain)


def test_a_newer_or_broken_report_is_refused() -> None:
    state = report_of(2).to_json()
    with pytest.raises(FolderError, match="version 2"):
        Report.from_json({**state, "version": 2})
    with pytest.raises(FolderError, match="can't be read"):
        Report.from_json({**state, "tasks": [{}]})


@pytest.mark.parametrize("size", [0, 1, 2, 12, 60])
def test_the_page_stands_alone_and_is_well_formed(size: int) -> None:
    text = render_html(report_of(size))
    page = Page(text)
    assert not page.open
    assert not page.links
    assert not re.search(r"https?://|//cdn|url\(|@import|javascript:|\son\w+=", text)
    assert not {"script", "link", "img", "iframe", "object", "embed"} & set(page.tags)
    assert page.tags.count("title") >= 1
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower()


def test_names_can_not_break_out_of_the_page() -> None:
    evil = "</title><script>alert('x')</script>\"><b>$x^2$ {{ 7 * 7 }}"
    report = report_of(12, prefix=evil)
    text = render_html(report)
    assert "<script" not in text
    assert "<b>$x" not in text
    assert "<i>table" not in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
    assert "{{ 7 * 7 }}" in text
    assert not Page(text).open


def test_the_picture_of_many_tasks_fits_a_screen_and_the_page_stays_light() -> None:
    report = report_of(60)
    many = replace(report, tasks=tuple(replace(report.tasks[at % 60], name=f"t{at}") for at in range(700)))
    picture = forest(many)
    assert picture["height"] < 1000 and len(picture["rows"]) == 700
    assert len({row["y"] for row in picture["rows"]}) == 700
    assert len(render_html(many)) < 1_000_000
    assert forest(report)["height"] == pytest.approx(60 * 5.0 + 12 + 32 + 34)


def test_the_page_is_light_for_a_dozen_tasks() -> None:
    assert len(render_html(report_of(12)).encode()) < 150_000


@pytest.mark.parametrize("width", [70, 100, 160])
@pytest.mark.parametrize("size", [0, 2, 12, 60])
def test_the_terminal_shows_the_sentence_and_fits_any_width(size: int, width: int) -> None:
    text = text_of(report_of(size), width)
    assert max(map(len, text.splitlines())) <= width
    assert "Learning together" in text
    assert "<b>x</b>" in text


def test_many_tasks_are_summed_up() -> None:
    text = text_of(report_of(60))
    assert "The 20 of 60 tasks that moved most" in text
    assert "All 60 tasks" in render_html(report_of(60))


def test_verdicts_are_settled_over_all_tasks() -> None:
    report = report_of(6)
    helped = [task for task in report.tasks if task.verdict == "helped"]
    assert helped
    assert all(task.adjusted_p >= task.gain.p_value for task in report.tasks)
    assert all(task.gain.estimate > 0 for task in helped)


def test_rendering_twice_gives_the_same_text() -> None:
    assert render_html(report_of(12)) == render_html(report_of(12))


def test_a_report_prints_itself_as_in_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    report = report_of(2)
    monkeypatch.setenv("COLUMNS", "90")
    assert repr(report).split() == text_of(report, 90).split()
    assert max(map(len, repr(report).splitlines())) <= 90


def test_where_nothing_was_learned_together_the_sentence_says_so() -> None:
    report = report_of(2)
    alone = tuple(replace(one, shares=False) for one in report.candidates)
    assert "not known whether" in text_of(replace(report, candidates=alone))
    assert "not known whether" not in text_of(report)


@pytest.mark.parametrize(("verdict", "separate", "chosen", "said"), [
    ("helped", 0.96, 0.91, True), ("helped", 0.91, 0.96, False), ("hurt", 0.91, 0.96, True),
    ("hurt", 0.96, 0.91, False), ("helped", 0.96, 0.95, False), ("no difference", 0.96, 0.91, False)])
def test_a_loss_and_a_metric_at_odds_are_pointed_out(verdict: str, separate: float, chosen: float, said: bool) -> None:
    task = replace(report_of(1).tasks[0], verdict=verdict, separate=separate, chosen=chosen, greater_is_better=True)
    assert bool(at_odds([task])) == said
    upside_down = replace(task, separate=chosen, chosen=separate, greater_is_better=False)
    assert bool(at_odds([upside_down])) == said


def test_the_sentence_doubts_a_gain_whose_method_did_not_learn_apart() -> None:
    report = report_of(2)
    helped = replace(report, tasks=tuple(replace(task, verdict="helped") for task in report.tasks))
    finding = {"level": "warning", "code": "no-counterpart", "subject": "a", "message": "is", "remedy": "Wait."}
    assert "may be the method's" in text_of(replace(helped, findings=(finding,)))
    assert "may be the method's" not in text_of(helped)
