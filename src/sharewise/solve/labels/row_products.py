"""Inner products with all rows of a table, by what the table is like: all of the time that a search takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Bool, Shaped
from scipy import sparse

Array = np.ndarray
OFTEN = 0.02  # a word in a larger share of the rows is multiplied as a dense column


class DenseProducts:
    """With dense rows [N, D], in the precision of ``dtype``."""

    def __init__(self, rows: Any, dtype: type[np.number]) -> None:
        self.rows = rows.astype(dtype, order="C", copy=False)

    def times(self, asked: Any) -> Shaped[Array, "n N"]:
        """Of the rows of a table like it."""
        return asked.astype(self.rows.dtype, copy=False) @ self.rows.T

    def among(self, part: slice) -> Shaped[Array, "n N"]:
        """Of some of its own rows. Of all, half of the work is saved: NumPy sees that the product is symmetric."""
        return self.rows[part] @ self.rows.T


class SparseProducts:
    """With rows [N, D] that are many and hold few values."""

    def __init__(self, rows: Any, dtype: type[np.number]) -> None:
        self.rows = rows.astype(dtype, copy=False)
        self.columns = sparse.csr_array(self.rows.T)

    def times(self, asked: Any) -> Shaped[Array, "n N"]:
        """Of the rows of a table like it."""
        return (asked.astype(self.rows.dtype, copy=False) @ self.columns).toarray()

    def among(self, part: slice) -> Shaped[Array, "n N"]:
        """Of some of its own rows."""
        return self.times(self.rows[part])


class MixedProducts:
    """With sparse rows [N, D] of which a few words stand in many: those meet dense columns, which stay in the
    processor's cache since they are few; the others meet sparse ones, which are nearly empty. All ``scale``-fold."""

    def __init__(self, rows: Any, dtype: type[np.number], scale: int = 1) -> None:
        rows = rows.astype(dtype, copy=False)
        self.is_often = np.bincount(rows.indices, minlength=rows.shape[1]) > OFTEN * rows.shape[0]
        self.often, self.seldom = _parted(rows, self.is_often)
        self.dense, self.sparse = scale * self.often.T.toarray(order="C"), scale * sparse.csr_array(self.seldom.T)

    def times(self, asked: Any) -> Shaped[Array, "n N"]:
        """Of the rows of a table like it."""
        return self._added(*_parted(asked.astype(self.dense.dtype, copy=False), self.is_often))

    def among(self, part: slice) -> Shaped[Array, "n N"]:
        """Of some of its own rows."""
        return self._added(self.often[part], self.seldom[part])

    def _added(self, often: Any, seldom: Any) -> Shaped[Array, "n N"]:
        product, few = often @ self.dense, seldom @ self.sparse
        first = np.arange(0, product.size, product.shape[1])
        product.reshape(-1)[np.repeat(first, np.diff(few.indptr)) + few.indices] += few.data  # each place once
        return product


def _parted(rows: Any, is_often: Bool[Array, "D"]) -> tuple[Any, Any]:
    """The columns that are often on, and the others."""
    number, parts = np.where(is_often, np.cumsum(is_often), np.cumsum(~is_often)) - 1, []
    for wanted in (True, False):
        kept = is_often[rows.indices] == wanted
        ends = np.concatenate([[0], np.cumsum(kept)])[rows.indptr]
        shape = (rows.shape[0], int(np.count_nonzero(is_often == wanted)))
        parts.append(sparse.csr_array((rows.data[kept], number[rows.indices[kept]], ends), shape=shape))
    return parts[0], parts[1]
