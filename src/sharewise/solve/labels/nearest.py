"""The nearest rows by Euclidean distance in many features, dense or sparse."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float, Int, Shaped
from scipy import sparse

from .least import endless, least, least_of_few, up_to
from .row_products import DenseProducts, MixedProducts, SparseProducts

Array = np.ndarray
Products = DenseProducts | SparseProducts | MixedProducts
ENTRIES, FEWEST = 1 << 20, 64  # distances held at a time, and rows at least
OWN_ENTRIES = 1 << 21  # of the rows among each other, which are cheaper all at once
FULL, DENSE_ENTRIES = 0.05, 1 << 25  # a sparse table with a larger share of values, and no more entries, is made dense
SHORT = 10_922  # squared lengths up to which 3 |a| |b| of whole numbers is below 2^15
WHOLE, LARGE = 2.0**21, 1e30  # squared lengths up to which whole numbers are exact in single precision, or it overflows
FEW_PAIRS = 0.05  # of sparse rows: a larger share of distances is cheaper all together


class NearestRows:
    """The ``n_neighbors`` nearest of the rows of X [N, D], in any order; of rows at the same distance the first.

    From the inner products: half of |a - b|^2 is |a|^2 / 2 - a b + |b|^2 / 2. Sparse rows of small whole numbers
    (words, counts) are multiplied as integers of two bytes; single precision gives those of larger ones exactly. Others
    are taken in single precision first, where each is wrong by c (|a| |b| + |b|^2) at most, c = (m + 2) 2^-24 for sums
    of m terms in any order; what is not certain within that is done in double precision. It answers as scikit-learn's
    NearestNeighbors does.
    """

    def __init__(self, X: Any, n_neighbors: int) -> None:
        self.n_neighbors, self.sparse, self.centre = n_neighbors, _stays_sparse(X), 0.0
        self.largest = _largest_whole(X)
        self.whole = self.largest <= WHOLE
        if not (sparse.issparse(X) or self.whole):
            self.centre = X.mean(axis=0, dtype=np.float64)  # less to cancel
        self.rows = self._moved(X)
        self.half_square: Float[Array, "N"] = _squares(self.rows) / 2
        fits = not (self.sparse and X.shape[0] * X.shape[1] > DENSE_ENTRIES)
        self.has_single = bool(fits and self.half_square.max() <= LARGE)

    @cached_property
    def _short(self) -> MixedProducts:
        return MixedProducts(self.rows, np.int16, scale=2)  # twice, for half of a square is no whole number

    @cached_property
    def _single(self) -> MixedProducts | DenseProducts:
        return (MixedProducts if self.sparse else DenseProducts)(self.rows, np.float32)

    @cached_property
    def _twofold(self) -> SparseProducts | DenseProducts:
        return (SparseProducts if self.sparse else DenseProducts)(self.rows, np.float64)

    def kneighbors(self, X: Any = None, return_distance: bool = False) -> Int[Array, "n K"]:
        """The numbers of the nearest rows, of the rows of X; of the rows themselves where X is None, each without
        itself."""
        search = self._search(self.largest if X is None else max(self.largest, _largest_whole(X)))
        found = np.empty(((self.rows if X is None else X).shape[0], self.n_neighbors), dtype=np.intp)
        rows = len(self.half_square)
        step = rows if X is None and rows * rows <= OWN_ENTRIES else max(FEWEST, ENTRIES // rows)
        for low in range(0, len(found), step):
            part = slice(low, low + step)
            found[part] = search(part if X is None else self._moved(X[part]))
        return found

    def _search(self, largest: float) -> Callable[[Any], Int[Array, "n K"]]:
        """The way that is exact for whole numbers of that squared length, or for any where it is infinite."""
        if not self.has_single:
            return lambda asked: self._exact(asked, self._twofold, self.half_square)
        if self.sparse and largest <= SHORT:
            return lambda asked: self._exact(asked, self._short, 2 * self.half_square)
        if largest <= WHOLE:
            return lambda asked: self._exact(asked, self._single, self.half_square)
        return self._checked

    def _exact(self, asked: Any, products: Products, square: Float[Array, "N"]) -> Int[Array, "n K"]:
        return least(self._away(asked, products, square), self.n_neighbors)

    def _checked(self, asked: Any) -> Int[Array, "n K"]:
        """In single precision at the distances' lower bounds; what may be among the least, in double where it must."""
        rows = self.rows[asked] if isinstance(asked, slice) else asked
        squares = _squares(rows)
        if squares.max() > LARGE:
            return self._exact(asked, self._twofold, self.half_square)
        terms = np.diff(rows.indptr).max() if self.sparse else rows.shape[1]
        bound = (terms + 2) * 2.0**-24  # |a| |b| + |b|^2 <= |a|^2 / 2 + 3 |b|^2 / 2
        away = self._away(asked, self._single, self.half_square * (1 - 3 * bound))
        near = least(away, self.n_neighbors)
        upper = (np.take_along_axis(away, near, axis=1) + 6 * bound * self.half_square[near]).max(axis=1)
        row, column = up_to(away, np.nextafter((upper + bound * squares).astype(np.float32), np.float32(np.inf)))
        values = away[row, column].astype(np.float64)
        unsure = np.bincount(row, minlength=len(away)) > self.n_neighbors
        pairs = np.flatnonzero(unsure[row])
        if self.sparse and len(pairs) <= FEW_PAIRS * away.size:
            products = rows[row[pairs]].multiply(self.rows[column[pairs]]).sum(axis=1)
            values[pairs] = self.half_square[column[pairs]] - np.asarray(products).ravel()
        elif len(pairs):
            exact = self.half_square - self._twofold.times(rows[unsure])
            values[pairs] = exact[(np.cumsum(unsure) - 1)[row[pairs]], column[pairs]]
        return least_of_few(row, column, values, self.n_neighbors, len(away))

    def _away(self, asked: Any, products: Products, half_square: Float[Array, "N"]) -> Shaped[Array, "n N"]:
        """Half of the squared distances, but for what is alike in a row, in the precision of the products; endless from
        a row to itself."""
        own = isinstance(asked, slice)
        away = products.among(asked) if own else products.times(asked)
        np.subtract(half_square.astype(away.dtype, copy=False), away, out=away)
        if own:
            rows = np.arange(len(self.half_square))[asked]
            away[rows - rows[0], rows] = endless(away.dtype)
        return away

    def _moved(self, X: Any) -> Any:
        if self.sparse:
            return sparse.csr_array(X, dtype=np.float64)
        return np.asarray(X.toarray() if sparse.issparse(X) else X, dtype=np.float64) - self.centre


def _stays_sparse(X: Any) -> bool:
    return sparse.issparse(X) and (X.nnz <= FULL * X.shape[0] * X.shape[1] or X.shape[0] * X.shape[1] > DENSE_ENTRIES)


def _largest_whole(X: Any) -> float:
    """The largest squared length of these rows where all values are whole numbers; else it is infinite."""
    first = X[:1]
    for values in (first.data, X.data) if sparse.issparse(X) else (first, X):  # mostly the first row tells
        if not (values == np.rint(values)).all():
            return np.inf
    return float(_squares(X).max())


def _squares(X: Any) -> Float[Array, "N"]:
    """The squared length of every row."""
    if sparse.issparse(X):
        return np.asarray(X.multiply(X).sum(axis=1), dtype=np.float64).ravel()
    return np.einsum("nd,nd->n", X, X, dtype=np.float64)
