"""Metrics against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from sharewise.base import UnknownNameError
from sharewise.judge import headline, metrics, metrics_of
from sharewise.judge.ranking import area_under_precision, area_under_roc
from sharewise.task import Binary, Count, Kind, Multiclass, Multilabel, Ordinal, Regression, Task

KINDS = (Regression(), Count(), Binary(), Multiclass(("a", "b", "c")), Ordinal(("a", "b", "c")),
         Multilabel(("a", "b", "c")))


def planted(kind: Kind, rows: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """A mean prediction [N, C] that knows something, and a target [N, W]."""
    rng = np.random.default_rng(seed)
    signal = rng.normal(size=(rows, 1))
    if kind.name == "regression":
        return signal, signal + rng.normal(size=(rows, 1))
    if kind.name == "count":
        return np.exp(signal), rng.poisson(np.exp(signal)).astype(float)
    if kind.width == kind.outputs:
        chance = 1 / (1 + np.exp(-signal - rng.normal(size=(rows, kind.outputs))))
        return chance, (rng.random(chance.shape) < chance).astype(float)
    chance = rng.dirichlet(np.ones(kind.outputs), size=rows)
    return chance, np.array([[rng.choice(kind.outputs, p=p)] for p in chance], dtype=float)


def judged(kind: Kind, mean: np.ndarray, target: np.ndarray) -> dict[str, float | None]:
    return metrics(Task("it", kind), mean, target, kind.fit_scale(target))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_a_headline_and_its_metrics_are_finite(kind: Kind) -> None:
    found = judged(kind, *planted(kind))
    assert list(found)[:2] == ["relative", "loss"]
    assert headline(kind.name) in found
    assert set(found) == {"relative", "loss", *(metric.name for metric in metrics_of(kind.name))}
    assert all(value is not None and np.isfinite(value) for value in found.values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_unobserved_rows_change_nothing(kind: Kind) -> None:
    mean, target = planted(kind)
    gaps = np.vstack([target, np.full((5, kind.width), np.nan)])
    padded = metrics(Task("it", kind), np.vstack([mean, mean[:5]]), gaps, kind.fit_scale(target))
    assert padded == pytest.approx(judged(kind, mean, target))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_undefined_is_none_without_a_warning(kind: Kind) -> None:
    mean, target = planted(kind)
    scale = kind.fit_scale(target)
    one_row = metrics(Task("it", kind), mean[:1], target[:1], scale)
    assert one_row["relative"] is not None
    nothing = metrics(Task("it", kind), mean, np.full_like(target, np.nan), scale)
    assert set(nothing.values()) == {None}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_trivial_prediction_has_a_relative_loss_of_one(kind: Kind) -> None:
    _, target = planted(kind)
    trivial = np.tile(kind.fit_scale(target).trivial, (len(target), 1))
    assert judged(kind, trivial, target)["relative"] == pytest.approx(1.0)


def test_metrics_of_numbers_are_those_of_scikit_learn() -> None:
    mean, y = planted(Regression())
    found = judged(Regression(), mean, y)
    assert found["mse"] == pytest.approx(sk.mean_squared_error(y, mean))
    assert found["rmse"] == pytest.approx(sk.root_mean_squared_error(y, mean))
    assert found["mae"] == pytest.approx(sk.mean_absolute_error(y, mean))
    assert found["r2"] == pytest.approx(sk.r2_score(y, mean))
    assert found["rrmse"] == pytest.approx(np.sqrt(1 - sk.r2_score(y, mean)))  # the scale is of the same rows here
    mean, y = planted(Count())
    found = judged(Count(), mean, y)
    assert found["poisson_deviance"] == pytest.approx(sk.mean_poisson_deviance(y[:, 0], mean[:, 0]))
    assert found["d2"] == pytest.approx(sk.d2_tweedie_score(y[:, 0], mean[:, 0], power=1))


def test_metrics_of_a_binary_target_are_those_of_scikit_learn() -> None:
    mean, target = planted(Binary())
    found, y, p = judged(Binary(), mean, target), target[:, 0], mean[:, 0]
    assert found["auroc"] == pytest.approx(sk.roc_auc_score(y, p))
    assert found["average_precision"] == pytest.approx(sk.average_precision_score(y, p))
    assert found["accuracy"] == pytest.approx(sk.accuracy_score(y, p > 0.5))
    assert found["f1"] == pytest.approx(sk.f1_score(y, p > 0.5))
    assert found["brier"] == pytest.approx(sk.brier_score_loss(y, p))
    assert found["log_loss"] == pytest.approx(sk.log_loss(y, p))
    assert found["loss"] == pytest.approx(found["log_loss"])


def test_metrics_of_classes_are_those_of_scikit_learn() -> None:
    for kind in (Multiclass(("a", "b", "c")), Ordinal(("a", "b", "c"))):
        mean, target = planted(kind)
        found, y, best = judged(kind, mean, target), target[:, 0].astype(int), mean.argmax(axis=1)
        assert found["accuracy"] == pytest.approx(sk.accuracy_score(y, best))
        assert found["log_loss"] == pytest.approx(sk.log_loss(y, mean))
        if kind.name == "multiclass":
            assert found["macro_f1"] == pytest.approx(sk.f1_score(y, best, average="macro"))
            assert found["ovr_auroc"] == pytest.approx(sk.roc_auc_score(y, mean, multi_class="ovr"))
        else:
            assert found["mae_classes"] == pytest.approx(sk.mean_absolute_error(y, best))
            assert found["quadratic_kappa"] == pytest.approx(sk.cohen_kappa_score(y, best, weights="quadratic"))


def test_metrics_of_label_sets_are_those_of_scikit_learn() -> None:
    kind = Multilabel(("a", "b", "c"))
    mean, y = planted(kind)
    found = judged(kind, mean, y)
    assert found["macro_auroc"] == pytest.approx(sk.roc_auc_score(y, mean, average="macro"))
    assert found["micro_f1"] == pytest.approx(sk.f1_score(y, mean > 0.5, average="micro"))
    assert found["macro_f1"] == pytest.approx(sk.f1_score(y, mean > 0.5, average="macro"))
    assert found["hamming_loss"] == pytest.approx(sk.hamming_loss(y, mean > 0.5))
    assert found["subset_accuracy"] == pytest.approx(sk.accuracy_score(y, mean > 0.5))
    assert found["lrap"] == pytest.approx(sk.label_ranking_average_precision_score(y, mean))


def test_one_missing_label_costs_only_itself() -> None:
    kind = Multilabel(("a", "b"))
    target = np.array([[1.0, 0.0], [0.0, np.nan], [1.0, 1.0]])
    mean = np.array([[0.9, 0.6], [0.2, 0.9], [0.8, 0.7]])
    found = metrics(Task("it", kind), mean, target, kind.fit_scale(target))
    assert found["hamming_loss"] == pytest.approx(1 / 5)
    assert found["subset_accuracy"] == pytest.approx(1 / 2)
    assert found["macro_auroc"] == pytest.approx(1.0)


def test_one_class_in_the_test_part_leaves_auroc_open() -> None:
    target = np.ones((6, 1))
    found = judged(Binary(), np.linspace(0.1, 0.9, 6)[:, None], target)
    assert found["auroc"] is None
    assert found["accuracy"] == pytest.approx(0.5)


def test_an_unknown_kind_is_refused_with_a_near_name() -> None:
    with pytest.raises(UnknownNameError, match="'ordinal'"):
        headline("ordinals")


@pytest.mark.parametrize("digits", [0, 1, 6])
@pytest.mark.parametrize("rows", [2, 9, 500])
def test_ranking_with_ties_is_that_of_scikit_learn(rows: int, digits: int) -> None:
    rng = np.random.default_rng(rows)
    score = np.round(rng.random(rows), digits)
    on = np.append([True, False], rng.random(rows - 2) < score[2:])
    assert area_under_roc(score, on) == pytest.approx(sk.roc_auc_score(on, score), abs=1e-12)
    assert area_under_precision(score, on) == pytest.approx(sk.average_precision_score(on, score), abs=1e-12)
