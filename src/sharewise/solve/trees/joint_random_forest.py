"""One random forest for all tasks of mixed kinds, over scikit-learn's trees."""

from __future__ import annotations

from typing import Any, ClassVar

from sklearn.ensemble import RandomForestRegressor

from .forests import Forests


class JointRandomForest(Forests):
    """One random forest for all tasks of mixed kinds.

    Every split serves all tasks: it lessens the sum of their standardised variances (multi-objective trees, Kocev and
    others 2013, Tree ensembles for predicting structured outputs). Gaps in Y are filled for the choice of splits only;
    a leaf answers from observed targets, and from its parent where it has none.

    ``trees`` many; ``features`` is the share of features tried at a split (None: 0.5); ``leaf_rows`` the least rows a
    leaf; ``shrink`` the weight, in rows, by which a node's probabilities are drawn to its parent's; above 20,000 rows a
    tree sees 20,000 of them.

    >>> import numpy as np
    >>> from sharewise.task import Binary, Regression, Task
    >>> X = np.random.default_rng(0).normal(size=(80, 2))
    >>> Y = np.hstack([X[:, :1], X[:, 1:] > 0])
    >>> model = JointRandomForest([Task("a", Regression()), Task("b", Binary())], trees=20).fit(X, Y)
    >>> model.predict(np.array([[-1.0, 1.0], [1.0, -1.0]]))["b"].tolist()
    [1, 0]
    """

    maker: ClassVar[Any] = RandomForestRegressor
    bootstrap: ClassVar[bool] = True
    usual_features: ClassVar[float] = 0.5
    layouts: ClassVar[tuple[str, ...]] = ("wide",)

    @property
    def shares(self) -> bool:
        return True
