"""Affinities and groups against truth that is planted or worked by hand."""

import numpy as np
import pytest

from sharewise.relate import group, label_affinity
from sharewise.task import Binary, Multiclass, Multilabel, Regression, Task


def numbers(count):
    return [Task(f"t{at}", Regression()) for at in range(count)]


def test_label_affinity_is_the_absolute_pearson_correlation_over_shared_rows():
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(60, 2)) @ np.array([[1.0, 0.7], [0.0, 0.7]])
    Y[:20, 0] = np.nan
    Y[50:, 1] = np.nan
    expected = abs(np.corrcoef(Y[20:50].T)[0, 1])
    assert label_affinity(Y, numbers(2))[0, 1] == pytest.approx(expected)


def test_tasks_that_are_never_observed_together_have_no_label_affinity():
    Y = np.full((40, 2), np.nan)
    Y[:20, 0], Y[20:, 1] = np.arange(20), np.arange(20)
    np.testing.assert_array_equal(label_affinity(Y, numbers(2)), np.eye(2))


def test_kinds_can_be_mixed_and_a_constant_target_has_no_affinity():
    rng = np.random.default_rng(0)
    code = rng.integers(0, 3, 90).astype(float)
    Y = np.column_stack([code, code == 2, np.ones(90), code == 1, code == 2])
    tasks = [Task("a", Multiclass(("x", "y", "z"))), Task("b", Binary()), Task("c", Regression()),
             Task("d", Multilabel(("p", "q")))]
    affinity = label_affinity(Y, tasks)
    assert affinity[0, 1] == pytest.approx(1.0)
    assert affinity[0, 3] == pytest.approx(1.0)
    assert affinity[0, 2] == 0.0


def test_groups_are_those_that_were_planted():
    truth = np.repeat([0, 1, 2], 4)
    affinity = 0.1 + 0.8 * (truth[:, None] == truth)
    names = [f"t{at}" for at in range(12)]
    assert group(affinity, names, count=3) == [names[:4], names[4:8], names[8:]]


def test_one_task_is_one_group_and_none_is_none():
    assert group(np.ones((1, 1)), ["a"], count=3) == [["a"]]
    assert group(np.ones((0, 0)), [], count=3) == []
