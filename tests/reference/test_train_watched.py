"""What a balancer did in a training: kept without changing it, saved with the run, and told by the report."""

from __future__ import annotations

import base64
import json
from io import StringIO
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import sharewise as sw
from sharewise import balance
from sharewise.judge import BalanceResult, Report, render_html, render_json, render_terminal
from sharewise.judge.words import balance_lines
from sharewise.task import Regression, Task
from sharewise.train import Network
from sharewise.train import network as network_file
from sharewise.train.watched import summarise

TASKS = [Task(name, Regression()) for name in ("loud", "quiet")]
STEPS = 30


def table() -> tuple[np.ndarray, np.ndarray]:
    chance = np.random.default_rng(0)
    X = chance.normal(size=(60, 3))
    return X, X[:, :2] + 0.1 * chance.normal(size=(60, 2))


def fit(balancer: balance.Balancer | None, **options) -> list[Network]:
    X, Y = table()
    train = np.arange(60) % 2 != np.arange(2)[:, None]
    return Network(TASKS, balancer=balancer, steps=STEPS, hidden=8, **options).fit_folds(X, Y, train)


def test_the_first_network_of_a_group_is_watched_where_its_weights_are_learned():
    first, second = fit(balance.Preference({"loud": 50.0, "quiet": 1.0}, balance.MGDA()), members=2)
    (seen,) = first.watched_
    assert second.watched_ == () and json.loads(json.dumps(seen)) == seen
    assert seen["tasks"] == ["loud", "quiet"] and seen["steps"] == list(range(STEPS))
    assert np.shape(seen["weights"]) == np.shape(seen["shares"]) == (STEPS, 2) and len(seen["conflicts"]) == STEPS
    assert any(sentence.startswith("Task 'loud' dominates") for sentence in seen["troubles"])
    assert fit(None)[0].watched_ == fit(balance.Fixed({"loud": 2.0, "quiet": 1.0}))[0].watched_ == ()


def test_to_watch_changes_nothing(monkeypatch):
    X, _ = table()
    watched = fit(balance.UPGrad())[0].predict_mean(X)
    monkeypatch.setattr(network_file, "Recorder", lambda balancer, tasks, size: Silent(balancer))
    plain = fit(balance.UPGrad())[0].predict_mean(X)
    for name, mean in watched.items():
        np.testing.assert_array_equal(mean, plain[name])


class Silent(balance.UPGrad):
    """A balancer without a recorder around it, where one is asked for a record."""

    def __init__(self, balancer: balance.Balancer) -> None:
        super().__init__()

    def record(self) -> balance.Record:
        return balance.Record(("loud", "quiet"), np.arange(0), *(np.zeros((0, 2)),) * 2, np.zeros((0, 2, 2)))


def test_a_long_record_becomes_means_over_runs_of_steps():
    weights = np.tile([1.0, 3.0], (240, 1))
    weights[1::2] = [3.0, np.nan]
    cosines = np.full((240, 2, 2), np.nan)
    cosines[:, 0, 1] = cosines[:, 1, 0] = np.where(np.arange(240) % 4 == 0, -0.5, 0.5)
    seen = summarise(balance.Record(("a", "b"), np.arange(240), weights, np.ones((240, 2)), cosines))
    assert seen["steps"][:2] == [0.5, 2.5] and len(seen["steps"]) == 120
    assert seen["weights"][0] == [2.0, 3.0]
    assert seen["shares"][0] == [0.625, 0.75]  # of 1 / 4 and all; of 3 / 4 alone
    assert seen["conflicts"][:2] == [0.5, 0.0]


def test_of_many_troubles_the_rest_is_counted():
    count = 9
    cosines = np.tile(np.where(np.eye(count), np.nan, -0.5), (4, 1, 1))
    cosines[::2] *= 1.1
    ones = np.ones((4, count))
    seen = summarise(balance.Record(tuple("abcdefghi"), np.arange(4), ones, ones, cosines))
    assert len(seen["troubles"]) == 20 and seen["more"] == 36 - 20
    said = balance_lines(BalanceResult("network", **seen), 3)
    assert len(said) == 4 and said[-1] == "And 33 more of that sort."


def result(**changes) -> BalanceResult:
    seen = {"candidate": "network <1>", "tasks": ["a", "b"], "steps": [0.0, 1.0], "weights": [[1.0, 1.0], [2.0, None]],
            "shares": [[0.5, 0.5], [1.0, None]], "conflicts": [0.0, None], "troubles": ["Task 'a' dominates: it ..."]}
    return BalanceResult(**{**seen, **changes})


@pytest.mark.parametrize(("changes", "says"), [
    ({}, "Task 'a' dominates"), ({"troubles": []}, "No task dominates"),
    ({"troubles": [], "shares": [[None, None]] * 2, "conflicts": [None, None]}, "computes no gradients"),
    ({"troubles": [], "shares": [[None, None]] * 2}, "it has no weights")])
def test_the_report_tells_it_in_all_its_forms(changes, says):
    report = Report("table.csv", rows=10, features=2, tasks=(), balance=(result(**changes),))
    assert Report.from_json(json.loads(render_json(report))) == report
    page, out = render_html(report), StringIO()
    Console(file=out, width=100).print(render_terminal(report))
    assert says.replace("'", "&#39;") in page and says in " ".join(out.getvalue().split())
    picture = page.split("base64,")[1].split('"')[0]
    drawn = ElementTree.fromstring(base64.b64decode(picture))
    assert {"a", "b", "Weights"} <= {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert "network &lt;1&gt;" in page


def test_a_report_of_before_has_no_balancers():
    state = Report("table.csv", rows=10, features=2, tasks=()).to_json()
    del state["balance"]
    assert Report.from_json(state).balance == ()
    assert "What the balancers did" not in render_html(Report.from_json(state))


@pytest.mark.slow
def test_a_fit_with_balancers_reports_the_best_network_of_each(tmp_path):
    X, Y = table()
    frame = pd.DataFrame(X, columns=["x", "y", "z"]).assign(loud=Y[:, 0], quiet=Y[:, 1])
    learner = sw.Learner(balance=["UPGrad", "UncertaintyWeighting"], families=["network"], share=["HardSharing"],
                         folds=2, workers=0)
    learner.fit(frame, targets=["loud", "quiet"])
    names = [one.candidate for one in learner.report_.balance]
    assert sorted(name.split(", ")[2] for name in names) == ["UPGrad", "UncertaintyWeighting"]
    losses = {one.name: np.mean(list(one.losses.values())) for one in learner.report_.candidates}
    for name in names:
        alike = [other for other in losses if name.split(", ")[2] in other]
        assert len(alike) > 1 and losses[name] == min(losses[other] for other in alike)
    learner.save(tmp_path / "model")
    assert sw.Learner.load(tmp_path / "model").facts_.balance == learner.facts_.balance
