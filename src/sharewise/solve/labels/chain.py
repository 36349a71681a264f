"""One chain of labels: each learned from the features and the labels before it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from ...base import UsageError
from .column import Column, fit_column
from .label_trees import label_tree

Array = np.ndarray


class Chain(NamedTuple):
    """``order`` [L] are the numbers of the labels, ``columns`` what was learned for each, in that order."""

    order: Int[Array, "L"]
    columns: list[Column]

    def follow(self, X: Any, with_probabilities: bool) -> tuple[Bool[Array, "N L"], Float[Array, "N L"] | None]:
        """The labels, each told the labels said before it; on the way also their probabilities, where wanted."""
        labels = np.zeros((X.shape[0], len(self.order)), dtype=bool)
        probabilities = np.empty(labels.shape) if with_probabilities else None
        seen = rows_of(X, len(self.order))
        for label, column in zip(self.order, self.columns, strict=True):
            rows = seen.table()
            labels[:, label] = column.labels(rows)
            if probabilities is not None:
                probabilities[:, label] = column.probability(rows)
            seen.add(labels[:, label])
        return labels, probabilities


def fit_chain(estimator: Any, X: Any, Y: Bool[Array, "N L"], order: Int[Array, "L"]) -> Chain:
    """A chain in that order; in training, the labels handed on are the true ones."""
    seen, columns = rows_of(X, len(order)), []
    for label in order:
        columns.append(fit_column(estimator, seen.table(), Y[:, label]))
        seen.add(Y[:, label])
    return Chain(order, columns)


def rows_of(X: Any, labels: int) -> DenseRows | SparseRows:
    """Features to which ``labels`` labels will be added, one by one."""
    return SparseRows(X) if sparse.issparse(X) else DenseRows(X, labels)


class DenseRows:
    """Features [N, D], and room behind them for labels that come one by one."""

    def __init__(self, X: Any, labels: int) -> None:
        self.whole, self.width = np.empty((X.shape[0], X.shape[1] + labels), dtype=X.dtype), X.shape[1]
        self.whole[:, :self.width] = X

    def table(self) -> Any:
        """Features and the labels so far."""
        return self.whole[:, :self.width]

    def add(self, on: Bool[Array, "N"]) -> None:
        """One more label."""
        self.whole[:, self.width] = on
        self.width += 1


class SparseRows:
    """Sparse features, and behind them labels that come one by one, each as the numbers of its rows alone."""

    def __init__(self, X: Any) -> None:
        self.X = sparse.csr_array(X)
        self.on: list[Int[Array, "n"]] = []

    def table(self) -> Any:
        """Features and the labels so far, by row."""
        if not self.on:
            return self.X
        ends = np.cumsum([0, *map(len, self.on)], dtype=self.X.indptr.dtype)  # trees of scikit-learn want them short
        rows = np.concatenate(self.on)
        labels = sparse.csc_array((np.ones(len(rows), dtype=self.X.dtype), rows, ends),
                                  shape=(self.X.shape[0], len(self.on)))
        return sparse.hstack([self.X, labels.tocsr()], format="csr")

    def add(self, on: Bool[Array, "N"]) -> None:
        """One more label."""
        self.on.append(np.flatnonzero(on).astype(self.X.indices.dtype))


def beside(X: Any, labels: Bool[Array, "N K"]) -> Any:
    """Features with labels as further columns of 0 and 1."""
    if sparse.issparse(X):
        at = np.flatnonzero(labels)  # in one dimension, where that is several times as fast as in two
        ends = np.concatenate([[0], np.cumsum(np.count_nonzero(labels, axis=1))])
        ones = np.ones(len(at), dtype=X.dtype)
        return sparse.hstack([X, sparse.csr_array((ones, at % max(1, labels.shape[1]), ends), shape=labels.shape)],
                             format="csr")
    return np.hstack([X, labels.astype(X.dtype)])


def chain_order(order: Any, Y: Bool[Array, "N L"], seed: int) -> Int[Array, "L"]:
    """The order as label numbers: "columns" as they stand in Y, "random", learned as a "tree", or given as a list."""
    labels = Y.shape[1]
    if isinstance(order, str) and order == "columns":
        return np.arange(labels)
    if isinstance(order, str) and order == "random":
        return np.random.default_rng(seed).permutation(labels)
    if isinstance(order, str) and order == "tree":
        return label_tree(Y).order
    numbers = np.asarray(order)
    if numbers.ndim != 1 or sorted(numbers.tolist(), key=str) != sorted(range(labels), key=str):
        raise UsageError("order", f"is {order!r}",
                         f"it must be 'columns', 'random', 'tree', or hold each number from 0 to {labels - 1} once",
                         "Mend it.")
    return numbers.astype(np.int64)
