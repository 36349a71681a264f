"""Columns of labels as targets: codes, probabilities, log loss. What binary, multiclass and ordinal share."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

from ..base import DataError, UsageError
from ..base.errors import shown
from .class_weights import fit_weights
from .kind import SMALLEST_PROBABILITY, Array
from .scale import Scale

FEW_CLASSES = 20  # so many comparisons of a column are faster than looking each number up


def check_classes(kind: str, classes: Sequence[Any], exactly: int | None = None) -> None:
    """UsageError unless there are at least two different classes (or ``exactly`` so many)."""
    right = len(classes) == exactly if exactly else len(classes) >= 2
    if not right or len(set(classes)) != len(classes):
        raise UsageError(f"the classes of a {kind} target", f"are {list(classes)!r}",
                         f"there must be {exactly or '2 or more'} different ones", "Name each class once.")


def encode_labels(values: pd.DataFrame, classes: Sequence[Any]) -> Float[Array, "N 1"]:
    """Labels of one column to class codes 0, 1, ... as float [N, 1]; missing to NaN; DataError on an unknown label."""
    column = values.columns[0]
    target = _codes_of(values[column], classes)
    wrong = np.flatnonzero(np.isnan(target) & values[column].notna().to_numpy())
    if len(wrong):
        raise DataError(f"target {column!r}", f"has {shown(values[column].iloc[wrong[0]])} in row {wrong[0]}",
                        f"its classes are {', '.join(map(repr, list(classes)[:8]))}",
                        "Empty the cell, or add the class where the kind is set.")
    return target[:, None]


def _codes_of(column: pd.Series, classes: Sequence[Any]) -> Float[Array, "N"]:
    """The place of each label among the classes, NaN where it has none; numbers are compared as such, which is faster
    than looking each of them up."""
    numbers = column.to_numpy()
    if numbers.dtype.kind in "biuf" and len(classes) <= FEW_CLASSES and all(isinstance(one, Number) for one in classes):
        target = np.full(len(numbers), np.nan)
        for code, label in enumerate(classes):
            target[numbers == label] = code
        return target
    codes = {label: float(code) for code, label in enumerate(classes)}
    return column.astype(object).map(codes).to_numpy(dtype=np.float64, na_value=np.nan)


def decode_labels(codes: Array, classes: Sequence[Any]) -> Array:
    """Class codes [N] to the labels themselves, in their own type where all labels have one."""
    same = len({type(label) for label in classes}) == 1 and not isinstance(classes[0], str)
    labels = np.array(classes) if same else np.array(classes, dtype=object)
    return labels[np.asarray(codes, dtype=int)]


def count_classes(target: Float[Array, "N 1"], size: int) -> Float[Array, "C"]:
    """How many rows each class has."""
    return np.bincount(target[~np.isnan(target)].astype(int), minlength=size).astype(float)


def fit_classes(target: Float[Array, "N 1"], size: int) -> tuple[Float[Array, "C"], float]:
    """Class frequencies [C] (each at least half a row) and their log loss on the same rows (1 where it would be 0)."""
    counts = count_classes(target, size)
    share = np.maximum(counts, 0.5) / np.maximum(counts, 0.5).sum()
    entropy = float(-(counts @ np.log(share)) / max(counts.sum(), 1))
    return share, entropy if entropy > 1e-12 else 1.0


def class_scale(target: Float[Array, "N 1"], size: int, beta: float = 0.0) -> Scale:
    """The Scale of a target of ``size`` classes: no units, the class frequencies, their entropy, and with a ``beta``
    the weights of the classes."""
    share, entropy = fit_classes(target, size)
    weights, first = fit_weights(count_classes(target, size), beta) if beta else ((), entropy)
    return Scale(0.0, 1.0, tuple(share.tolist()), entropy, first, weights)


def normalise(mean: Float[Array, "N C"]) -> Float[Array, "N C"]:
    """Class probabilities kept away from 0 and 1 and summing to 1 in every row."""
    safe = np.clip(mean, SMALLEST_PROBABILITY, None)
    return safe / safe.sum(axis=1, keepdims=True)


def log_loss(mean: Float[Array, "N C"], target: Float[Array, "N 1"]) -> Float[Array, "N"]:
    """Minus the log probability of the class that was observed; NaN where none was."""
    code = np.nan_to_num(target[:, 0]).astype(int)
    chosen = normalise(mean)[np.arange(len(code)), code]
    return np.where(np.isnan(target[:, 0]), np.nan, -np.log(chosen))
