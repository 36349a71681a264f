"""Ridge and logistic regression for one task, strength by inner cross-validation."""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression, RidgeCV

from sharewise.task import Kind

from .encode import Dense
from .folds import folds

STRENGTHS = np.logspace(-3, 2, 6)  # C of the logistic regression


def linear(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, kind: Kind, seed: int) -> np.ndarray:
    """Ridge (leave-one-out strength) for numbers, logistic regression (strength by folds' log loss) for classes."""
    dense = Dense(X)
    X, X_test = dense(X).astype(np.float64), dense(X_test).astype(np.float64)
    if kind.name == "regression":
        return RidgeCV(alphas=np.logspace(-2, 5, 22)).fit(X, y).predict(X_test)[:, None]
    return _logistic(X, y, X_test, kind, seed)


def _logistic(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, kind: Kind, seed: int) -> np.ndarray:
    losses = np.zeros(len(STRENGTHS))
    for train, held in folds(y, kind, seed):
        if len(np.unique(y[train])) < 2:
            continue
        model = _model()
        for at, strength in enumerate(STRENGTHS):
            model.set_params(C=strength).fit(X[train], y[train])
            losses[at] += np.sum(kind.row_loss(_chance(model, X[held], kind), y[held][:, None]))
    return _chance(_model().set_params(C=STRENGTHS[int(losses.argmin())]).fit(X, y), X_test, kind)


def _model() -> LogisticRegression:
    return LogisticRegression(max_iter=300, tol=1e-3, warm_start=True)


def _chance(model: LogisticRegression, X: np.ndarray, kind: Kind) -> np.ndarray:
    chance = np.zeros((len(X), max(kind.outputs, 2)))
    chance[:, model.classes_.astype(int)] = model.predict_proba(X)
    return chance[:, [1]] if kind.name == "binary" else chance
