"""Extremely randomised trees a task (Geurts, Ernst and Wehenkel 2006), over scikit-learn's trees."""

from __future__ import annotations

from typing import Any, ClassVar

from sklearn.ensemble import ExtraTreesRegressor

from .forests import Forests


class ExtraTrees(Forests):
    """Extremely randomised trees a task (Geurts, Ernst, Wehenkel 2006, Extremely randomized trees).

    It is the forest of ``scikit-learn`` on the task's observed rows: squared error, which for classes is Gini.

    ``trees`` many; ``features`` is the share of features tried at a split (None: 0.7); ``leaf_rows`` the least rows a
    leaf; ``shrink`` the weight, in rows, by which a node's probabilities are drawn to its parent's; above 20,000 rows a
    tree sees 20,000 of them.

    >>> import numpy as np
    >>> from sharewise.task import Binary, Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> Y = np.hstack([X[:, :1], X[:, 1:] > 0])
    >>> model = ExtraTrees([Task("a", Regression()), Task("b", Binary())], trees=20).fit(X, Y)
    >>> model.predict(np.array([[-1.0, 1.0], [1.0, -1.0]]))["b"].tolist()
    [1, 0]
    """

    maker: ClassVar[Any] = ExtraTreesRegressor
    bootstrap: ClassVar[bool] = False
    usual_features: ClassVar[float] = 0.7
    layouts: ClassVar[tuple[str, ...]] = ("wide", "long")

    @property
    def shares(self) -> bool:
        return False
