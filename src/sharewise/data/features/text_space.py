"""Texts as points: TF-IDF of words or character n-grams, reduced by a singular value decomposition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Self

import numpy as np
from jaxtyping import Float

Array = np.ndarray
MOST_TERMS = {"char_wb": 2_000, "word": 10_000}
MOST_FITTED = 4_000  # texts; more teach no more, and cost
SPAN = {"char_wb": (2, 4), "word": (1, 1)}


class TextSpace:
    """Latent semantic analysis (Deerwester et al. 1990, Indexing by latent semantic analysis): term weights
    (1 + log count) * idf, each text of length 1, projected on the first singular vectors. Terms that were not seen in
    fit count for nothing. Cutting into terms and the decomposition are scikit-learn's."""

    def __init__(self, analyzer: str, terms: list[str], idf: Float[Array, "V"], axes: Float[Array, "V d"]) -> None:
        self.analyzer, self.terms, self.idf, self.axes = analyzer, terms, idf, axes
        self._place = {term: at for at, term in enumerate(terms)}

    @classmethod
    def fit(cls, texts: Sequence[str], analyzer: str, size: int, seed: int) -> Self | None:
        """The space of distinct texts; None where they hold too little to span one."""
        from sklearn.utils.extmath import randomized_svd

        step = max(1, len(texts) // MOST_FITTED)
        texts = texts[::step]
        cut = cls(analyzer, [], np.empty(0), np.empty((0, size)))._cut
        held = Counter(term for text in texts for term in set(cut(text)))
        often = [(term, count) for term, count in held.items() if count > 1]
        often = sorted(often, key=lambda pair: (-pair[1], pair[0]))[:MOST_TERMS[analyzer]]
        size = min(size, len(often) - 1, len(texts) - 1)
        if size < 1:
            return None
        idf = np.log((1 + len(texts)) / (1 + np.array([count for _, count in often]))) + 1
        space = cls(analyzer, [term for term, _ in often], idf, np.empty((len(often), 0)))
        _, _, axes = randomized_svd(space._weights(texts), size, n_iter=4, random_state=seed)
        return cls(analyzer, space.terms, idf, np.ascontiguousarray(axes.T))

    @property
    def size(self) -> int:
        """How many numbers a text becomes."""
        return self.axes.shape[1]

    def transform(self, texts: Sequence[str]) -> Float[Array, "U d"]:
        """The points of texts."""
        return np.asarray(self._weights(texts) @ self.axes)

    @cached_property
    def _cut(self) -> Any:
        from sklearn.feature_extraction.text import CountVectorizer

        return CountVectorizer(analyzer=self.analyzer, ngram_range=SPAN[self.analyzer]).build_analyzer()

    def _weights(self, texts: Sequence[str]) -> Any:
        from scipy.sparse import csr_matrix

        places: list[int] = []
        ends = [0]
        for text in texts:
            places += [self._place[term] for term in self._cut(text) if term in self._place]
            ends.append(len(places))
        counts = csr_matrix((np.ones(len(places)), places, ends), shape=(len(texts), len(self.terms)))
        counts.sum_duplicates()
        weights = (1 + np.log(counts.data)) * self.idf[counts.indices]
        rows = np.repeat(np.arange(len(texts)), np.diff(counts.indptr))
        lengths = np.sqrt(np.bincount(rows, weights * weights, len(texts)))
        counts.data = weights / lengths[rows]
        return counts

    def to_state(self) -> tuple[dict[str, Any], dict[str, Array]]:
        """A JSON-ready dict and arrays."""
        return {"analyzer": self.analyzer, "terms": self.terms}, {"idf": self.idf, "axes": self.axes}

    @classmethod
    def from_state(cls, state: dict[str, Any], arrays: dict[str, Array]) -> Self:
        """The space that ``to_state`` described."""
        return cls(state["analyzer"], state["terms"], arrays["idf"], arrays["axes"])
