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
        names = ("choice", "rules", "table", "values", "verdict")
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
    return SimpleNamespace(Y=Y.astype(int), true=true.astype(int), answers=answers, cells=cells)


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


def test_each_figure_is_that_of_the_five_that_its_own_measure_chose(bench, said):
    cell = bench.choice.best_five(said.cells, said.answers.__getitem__, said.Y, said.true)
    for measure in bench.choice.MEASURES:
        names = bench.choice.five(said.cells, measure)
        assert cell["of"][measure] == list(names) and len(names) == 5
        alone = bench.rules.judge(bench.choice.mean(said.answers[name] for name in names), said.Y, said.true)
        for out_of_fold in (False, True):
            assert bench.values.value(cell, measure, out_of_fold) == bench.values.value(alone, measure, out_of_fold)
    assert np.isnan(bench.values.value(cell, "subset_accuracy")), "a mean of probabilities knows no sets"
    assert cell["seconds"] == len({name for names in cell["of"].values() for name in names})


def test_labels_of_test_rows_choose_nothing(bench, said):
    """Labels turned round on the test rows change the figures there, and no choice."""
    found = [bench.choice.best_five(said.cells, said.answers.__getitem__, said.Y, true)
             for true in (said.true, 1 - said.true)]
    assert found[0]["of"] == found[1]["of"] and found[0]["folds"] == found[1]["folds"]
    assert found[0]["ranking"] != found[1]["ranking"]
    measures = ("hamming_loss", "micro_f1", "macro_f1", "example_f1")
    assert all(bench.values.rule(found[0], measure) == bench.values.rule(found[1], measure) for measure in measures)


def test_exact_sets_are_left_to_the_one_method_that_is_best_out_of_fold(bench, said):
    five = bench.choice.best_five(said.cells, said.answers.__getitem__, said.Y, said.true)
    cells, ours = {**said.cells, "best five": five}, [*said.cells, "best five"]
    assert bench.values.chosen(cells, ours, "hamming_loss") == "best five"
    assert bench.values.chosen(cells, ours, "subset_accuracy") == bench.values.best(
        said.cells, list(said.cells), "subset_accuracy", out_of_fold=True)
    assert bench.values.chosen({"a": cell_of(0.3, 0.1), "b": cell_of(0.2, 0.9)}, ["a", "b"], "hamming_loss") == "b"


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
