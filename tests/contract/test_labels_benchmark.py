"""benchmarks/labels.py: the mean of the best five is right by hand, the choice looks at no test row, and the page says
what its cells say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.datasets import make_multilabel_classification
from sklearn.linear_model import LogisticRegression

from sharewise.solve import labels

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
ROWS, LABELS = 60, 4


@pytest.fixture(scope="module")
def bench() -> Iterator[SimpleNamespace]:
    """The modules of the benchmark."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        names = ("choice", "errors", "rules", "table", "values", "verdict")
        yield SimpleNamespace(**{name: import_module(f"label_{name}") for name in names})


def cell_of(loss: float, test: float = 0.5) -> dict:
    """A cell with one figure for all measures, out of fold and on test rows."""
    side = {"rules": {"predict": {"hamming_loss": loss, "subset_accuracy": 1 - loss}},
            "ranking": {"coverage": loss, "macro_auroc": 1 - loss}}
    there = {"rules": {"predict": {"hamming_loss": test, "subset_accuracy": test}}, "ranking": {"coverage": test}}
    return {**there, "folds": side, "seconds": 1.0}


@pytest.fixture(scope="module")
def said(bench):
    """Six methods' answers and cells, from better to worse chances; labels of training and test rows."""
    chance = np.random.default_rng(0)
    Y, true = (chance.random((ROWS, LABELS)) < 0.4 for _ in range(2))
    answers, cells = {}, {}
    for at in range(6):
        unseen, chances = (np.clip(one + chance.normal(0, 0.3 + 0.2 * at, Y.shape), -1, 2) / 3 + 1 / 3
                           for one in (Y, true))
        answers[f"method {at}"] = bench.rules.Answers(chances > 0.5, chances, unseen > 0.5, unseen, 1.0)
        cells[f"method {at}"] = bench.rules.judge(answers[f"method {at}"], Y.astype(int), true.astype(int))
    Y, true = Y.astype(int), true.astype(int)
    answers["mixed"] = bench.choice.mean(answers[f"method {at}"] for at in (2, 5))
    mixed = bench.rules.judge(answers["mixed"], Y, true)
    return SimpleNamespace(Y=Y, true=true, answers=answers, cells=cells, mixed=mixed)


@pytest.fixture(scope="module")
def five(bench, said):
    """The cell of the best five."""
    return bench.choice.best_five(said.cells, said.mixed, said.answers.__getitem__, said.Y, said.true)


def test_the_five_are_those_that_are_best_out_of_fold_and_what_failed_is_none_of_them(bench):
    cells = {name: cell_of(loss) for name, loss in zip("abcdefg", (0.7, 0.1, 0.2, 0.3, 0.4, 0.3, 0.8), strict=True)}
    cells["h"] = {"failed": "MemoryError"}
    assert bench.choice.five(cells, "hamming_loss") == tuple("bcdef")
    assert bench.choice.five(cells, "coverage") == tuple("bcdef")
    assert bench.choice.five(cells, "macro_auroc") == tuple("bcdef")
    assert bench.choice.five({name: cells[name] for name in "agh"}, "coverage") == tuple("ag")


def test_the_mean_is_the_mixed_ensemble_of_the_same_methods(bench):
    X, Y = make_multilabel_classification(80, 6, n_classes=3, random_state=0)
    methods = [labels.BinaryRelevance(LogisticRegression(C=C)) for C in (0.01, 1.0, 100.0)]
    parts = [bench.rules.Answers(model.predict(X), model.predict_proba(X), Y > 0, Y.astype(float), 2.0)
             for model in (method.fit(X, Y) for method in methods)]
    made = bench.choice.mean(parts)
    mixed = labels.MixedEnsemble(methods).fit(X, Y)
    np.testing.assert_allclose(made.chances, mixed.predict_proba(X), rtol=1e-12)
    assert (made.said == mixed.predict(X)).all() and made.seconds == 6.0


def test_each_figure_is_that_of_the_five_that_its_own_measure_chose(bench, said, five):
    for measure in bench.choice.MEASURES:
        names = bench.choice.five(said.cells, measure)
        assert five["of"][measure] == list(names) and len(names) == 5
        alone = bench.rules.judge(bench.choice.mean(said.answers[name] for name in names), said.Y, said.true)
        for out_of_fold in (False, True):
            assert bench.values.value(five, measure, out_of_fold) == bench.values.value(alone, measure, out_of_fold)
    assert np.isnan(bench.values.value(five, "subset_accuracy")), "a mean of probabilities knows no sets"
    assert five["seconds"] == len({name for names in five["of"].values() for name in names})


def test_labels_of_test_rows_choose_nothing(bench, said, five):
    """Labels turned round on the test rows change the figures there, and no choice."""
    turned = bench.choice.best_five(said.cells, said.mixed, said.answers.__getitem__, said.Y, 1 - said.true)
    assert all(five[key] == turned[key] for key in ("of", "folds", "lead")) and five["ranking"] != turned["ranking"]
    measures = ("hamming_loss", "micro_f1", "macro_f1", "example_f1")
    assert all(bench.values.rule(five, measure) == bench.values.rule(turned, measure) for measure in measures)


def test_one_method_stands_where_it_is_ahead_by_a_standard_error_and_for_exact_sets(bench, said, five):
    ours = [*said.cells, "best five"]
    for lead, measure in ((0.9, "hamming_loss"), (1.1, "hamming_loss"), (0.0, "subset_accuracy")):
        cells = {**said.cells, "best five": {**five, "lead": {"hamming_loss": lead}}}
        one = bench.values.best(said.cells, list(said.cells), measure, out_of_fold=True)
        assert bench.values.chosen(cells, ours, measure) == ("best five" if lead == 0.9 else one)
    assert bench.values.chosen({"a": cell_of(0.3, 0.1), "b": cell_of(0.2, 0.9)}, ["a", "b"], "hamming_loss") == "b"


def test_rows_shares_have_the_measure_as_their_mean_and_its_standard_error_as_their_spread(bench, said):
    """Against the library's measures, and against 100 tables drawn anew from the rows."""
    Y, answers = said.Y, said.answers["method 2"]

    def measures(rows):
        return {**labels.measure_label_sets(Y[rows], answers.said_unseen[rows]),
                **labels.measure_label_ranking(Y[rows], answers.unseen[rows])}
    found = {**bench.errors.shares_of_sets(Y, answers.said_unseen), **bench.errors.shares_of_ranking(Y, answers.unseen)}
    whole, chance = measures(np.arange(len(Y))), np.random.default_rng(0)
    drawn = [measures(chance.integers(0, len(Y), len(Y))) for _ in range(100)]
    assert set(found) == set(bench.choice.MEASURES)
    for measure, shares in found.items():
        assert shares.mean() == pytest.approx(whole[measure], rel=1e-9), measure
        error = np.std([one[measure] for one in drawn])
        assert shares.std() / np.sqrt(len(Y)) == pytest.approx(error, rel=0.3), measure


def test_the_lead_is_the_mean_gap_in_standard_errors(bench):
    assert bench.errors.lead(np.array([1.0, 2.0, 3.0, 6.0]), np.array([0.0, 1.0, 0.0, 1.0])) == pytest.approx(
        2.5 / (np.sqrt(11 / 4) / 2))  # gaps 1, 1, 3, 5
    assert bench.errors.lead(np.ones(3), np.ones(3)) == 0.0


def test_the_verdict_counts_what_is_better_even_and_behind(bench):
    ours, anchor = cell_of(0.1, 0.300), cell_of(0.1, 0.304)  # a hundred times as much for coverage: even as well
    made = bench.verdict.verdict({"emotions": {"mine": ours, "theirs": anchor}}, ["theirs"], ["mine"], "# So",
                                 bench.values.chosen)
    assert "Better 0, even 3, behind 0: nowhere." in made
    anchor = cell_of(0.1, 0.5)
    made = bench.verdict.verdict({"emotions": {"mine": ours, "theirs": anchor}}, ["theirs"], ["mine"], "# So",
                                 bench.values.chosen)
    assert ("Better 2, even 0, behind 1: emotions, Subset accuracy: mine 0.300 against theirs 0.500." in made)


def test_the_page_is_what_the_cells_say(bench, tmp_path):
    """Cells and page are kept together: who changes one makes the other by ``benchmarks/labels.py --page``."""
    shutil.copytree(BENCHMARKS / "results" / "labels", tmp_path / "labels")
    assert bench.table.write(tmp_path / "labels") == (BENCHMARKS / "results" / "labels.md").read_text(encoding="utf-8")
