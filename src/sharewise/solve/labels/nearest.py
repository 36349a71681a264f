"""The nearest rows by Euclidean distance in many features, dense or sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from .least import least, least_of_few, up_to

Array = np.ndarray
ENTRIES, FEWEST = 1 << 20, 64  # distances held at a time, and rows at least
FULL, DENSE_ENTRIES = 0.05, 1 << 25  # a sparse table with a larger share of values, and no more entries, is made dense
WHOLE, LARGE = 2.0**21, 1e30  # squared lengths up to which whole numbers are exact in single precision, or it overflows
FEW_PAIRS = 0.05  # of sparse rows: a larger share of distances is cheaper all together


class NearestRows:
    """The ``n_neighbors`` nearest of the rows of X [N, D], in any order; of rows at the same distance the first.

    From the inner products: half of |a - b|^2 is |a|^2 / 2 - a b + |b|^2 / 2. Single precision gives those of small
    whole numbers (words, counts) exactly. Others are taken in single precision first, where each is wrong by
    c (|a| |b| + |b|^2) at most, c = (m + 2) 2^-24 for sums of m terms; what is not certain within that is done in
    double precision. Sparse rows meet dense columns, for scikit-learn 1.9 makes hard work of sparse ones. It answers as
    scikit-learn's NearestNeighbors does.
    """

    def __init__(self, X: Any, n_neighbors: int) -> None:
        self.n_neighbors, self.sparse, self.centre = n_neighbors, _stays_sparse(X), 0.0
        self.whole = _are_whole(X)
        if not (sparse.issparse(X) or self.whole):
            self.centre = X.mean(axis=0, dtype=np.float64)  # less to cancel
        self.rows = self._moved(X)
        self.half_square: Float[Array, "N"] = _squares(self.rows) / 2
        self.columns = sparse.csr_array(self.rows.T) if self.sparse else self.rows.T
        self.single: Float[Array, "D N"] | None = None
        if not (self.sparse and X.shape[0] * X.shape[1] > DENSE_ENTRIES) and self.half_square.max() <= LARGE:
            columns = self.columns.astype(np.float32)
            self.single = columns.toarray() if self.sparse else columns

    def kneighbors(self, X: Any = None, return_distance: bool = False) -> Int[Array, "n K"]:
        """The numbers of the nearest rows, of the rows of X; of the rows themselves where X is None, each without
        itself."""
        exact = self.whole and self.single is not None and (X is None or _are_whole(X))
        search = self._exact if exact else self._double if self.single is None else self._checked
        found = np.empty(((self.rows if X is None else X).shape[0], self.n_neighbors), dtype=np.intp)
        step = max(FEWEST, ENTRIES // len(self.half_square))
        for low in range(0, len(found), step):
            part = slice(low, low + step)
            asked = self.rows[part] if X is None else self._moved(X[part])
            found[part] = search(asked, np.arange(len(found))[part] if X is None else None)
        return found

    def _exact(self, asked: Any, own: Int[Array, "n"] | None) -> Int[Array, "n K"]:
        return least(self._away(asked, self.single, self.half_square, own), self.n_neighbors)

    def _double(self, asked: Any, own: Int[Array, "n"] | None) -> Int[Array, "n K"]:
        return least(self._away(asked, self.columns, self.half_square, own), self.n_neighbors)

    def _checked(self, asked: Any, own: Int[Array, "n"] | None) -> Int[Array, "n K"]:
        """In single precision at the distances' lower bounds; what may be among the least, in double where it must."""
        squares = _squares(asked)
        if squares.max() > LARGE:
            return self._double(asked, own)
        terms = np.diff(asked.indptr).max() if self.sparse else asked.shape[1]
        bound = (terms + 2) * 2.0**-24  # |a| |b| + |b|^2 <= |a|^2 / 2 + 3 |b|^2 / 2
        away = self._away(asked, self.single, self.half_square * (1 - 3 * bound), own)
        near = least(away, self.n_neighbors)
        upper = (np.take_along_axis(away, near, axis=1) + 6 * bound * self.half_square[near]).max(axis=1)
        row, column = up_to(away, np.nextafter((upper + bound * squares).astype(np.float32), np.float32(np.inf)))
        values = away[row, column].astype(np.float64)
        unsure = np.bincount(row, minlength=len(away)) > self.n_neighbors
        pairs = np.flatnonzero(unsure[row])
        if self.sparse and len(pairs) <= FEW_PAIRS * away.size:
            products = asked[row[pairs]].multiply(self.rows[column[pairs]]).sum(axis=1)
            values[pairs] = self.half_square[column[pairs]] - np.asarray(products).ravel()
        elif len(pairs):
            whose = None if own is None else own[unsure]
            exact = self._away(asked[unsure], self.columns, self.half_square, whose)
            values[pairs] = exact[(np.cumsum(unsure) - 1)[row[pairs]], column[pairs]]
        return least_of_few(row, column, values, self.n_neighbors, len(away))

    def _away(self, asked: Any, columns: Any, half_square: Float[Array, "N"],
              own: Int[Array, "n"] | None) -> Float[Array, "n N"]:
        """Half of the squared distances, but for what is alike in a row, in the precision of the columns; infinite
        from a row to itself."""
        product = asked.astype(columns.dtype, copy=False) @ columns
        away = product.toarray() if sparse.issparse(product) else product
        np.subtract(half_square.astype(columns.dtype, copy=False), away, out=away)
        if own is not None:
            away[np.arange(len(own)), own] = np.inf
        return away

    def _moved(self, X: Any) -> Any:
        if self.sparse:
            return sparse.csr_array(X, dtype=np.float64)
        return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64) - self.centre


def _stays_sparse(X: Any) -> bool:
    return sparse.issparse(X) and (X.nnz <= FULL * X.shape[0] * X.shape[1] or X.shape[0] * X.shape[1] > DENSE_ENTRIES)


def _are_whole(X: Any) -> bool:
    """Whether inner products of these rows are exact in single precision."""
    first = X[:1]
    for values in (first.data, X.data) if sparse.issparse(X) else (first, X):  # mostly the first row tells
        if not (values == np.rint(values)).all():
            return False
    return bool(_squares(X).max() <= WHOLE)


def _squares(X: Any) -> Float[Array, "N"]:
    """The squared length of every row."""
    if sparse.issparse(X):
        return np.asarray(X.multiply(X).sum(axis=1), dtype=np.float64).ravel()
    return np.einsum("nd,nd->n", X, X, dtype=np.float64)
