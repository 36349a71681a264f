"""Trees for one task: LightGBM, random forest, extra trees, each with its size chosen on training rows."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

from sharewise.task import Kind

from .folds import folds

LEAVES = ((7, 5), (15, 10), (31, 20))  # (leaves, least rows in one), from careful to LightGBM's own default
SETTINGS = {"numbers": ((1, 1.0), (1, 0.33), (3, 1.0), (10, 0.33)),  # (least rows in a leaf, share of features)
            "classes": ((1, "sqrt"), (3, "sqrt"), (3, 0.33), (10, "sqrt"))}
TREES, TRIAL_TREES, MOST_FEATURES = 300, 100, 150  # more than 150 features a split cost much and bring little


def lightgbm(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, kind: Kind, seed: int) -> np.ndarray:
    """Tree size and rounds by early stopping in inner folds; then one fit of all rows."""
    import lightgbm as lgb

    goal = {"regression": {"objective": "regression"}, "binary": {"objective": "binary"},
            "multiclass": {"objective": "multiclass", "num_class": kind.outputs}}[kind.name]
    base = goal | {"learning_rate": 0.05, "verbosity": -1, "num_threads": 1, "seed": seed, "feature_fraction": 0.8,
                   "bagging_fraction": 0.8, "bagging_freq": 1, "deterministic": True, "force_col_wise": True}
    best: tuple[float, int, dict] | None = None
    for leaves, least in LEAVES:
        options = base | {"num_leaves": leaves, "min_data_in_leaf": least, "feature_pre_filter": False}
        trail = _trail(lgb, options, X, y, kind, seed)
        loss, rounds = float(trail.min()), int(trail.argmin()) + 1
        if best is None or loss < best[0]:
            best = loss, rounds, options
    model = lgb.train(best[2], lgb.Dataset(X, y), best[1])
    mean = model.predict(X_test)
    return mean if mean.ndim == 2 else mean[:, None]


def _trail(lgb, options: dict, X: np.ndarray, y: np.ndarray, kind: Kind, seed: int) -> np.ndarray:
    """Mean validation loss after each round, over the inner folds (the shortest fold's length)."""
    trails = []
    for train, held in folds(y, kind, seed):
        data = lgb.Dataset(X[train], y[train], free_raw_data=False)
        record: dict = {}
        lgb.train(options, data, 1000, valid_sets=[lgb.Dataset(X[held], y[held], reference=data)],
                  callbacks=[lgb.early_stopping(30, verbose=False), lgb.record_evaluation(record)])
        trails.append(next(iter(record["valid_0"].values())))
    length = min(map(len, trails))
    return np.mean([trail[:length] for trail in trails], axis=0)


def random_forest(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, kind: Kind, seed: int) -> np.ndarray:
    """300 trees; size of leaves and share of features by out-of-bag loss."""
    return _forest(RandomForestRegressor, RandomForestClassifier, X, y, X_test, kind, seed)


def extra_trees(X: np.ndarray, y: np.ndarray, X_test: np.ndarray, kind: Kind, seed: int) -> np.ndarray:
    """300 trees on all rows; leaves and share of features by the out-of-bag loss of bootstrapped trials."""
    return _forest(ExtraTreesRegressor, ExtraTreesClassifier, X, y, X_test, kind, seed)


def _forest(regressor, classifier, X, y, X_test, kind: Kind, seed: int) -> np.ndarray:
    maker = regressor if kind.name == "regression" else classifier
    most = min(1.0, MOST_FEATURES / X.shape[1])
    trials = [{"min_samples_leaf": least, "max_features": share if share == "sqrt" else min(share, most),
               "random_state": seed} for least, share in SETTINGS["numbers" if maker is regressor else "classes"]]
    losses = []
    for options in trials:
        trial = maker(TRIAL_TREES, bootstrap=True, oob_score=True, **options).fit(X, y)
        out = trial.oob_prediction_ if maker is regressor else trial.oob_decision_function_
        losses.append(np.nanmean(kind.row_loss(_mean(out, trial, y, kind, TRIAL_TREES / 3), y[:, None])))
    final = maker(TREES, **trials[int(np.argmin(losses))]).fit(X, y)
    out = final.predict(X_test) if maker is regressor else final.predict_proba(X_test)
    return _mean(out, final, y, kind, TREES)


def _mean(out: np.ndarray, model, y: np.ndarray, kind: Kind, trees: float) -> np.ndarray:
    """Forest output to the kind's mean. A vote of the class shares joins the trees, so that no chance is 0."""
    if kind.name == "regression":
        return out[:, None]
    size = max(kind.outputs, 2)
    chance = np.zeros((len(out), size))
    chance[:, model.classes_.astype(int)] = np.nan_to_num(out, nan=1.0 / out.shape[1])
    share = np.bincount(y.astype(int), minlength=size) / len(y)
    chance = (trees * chance + share) / (trees + 1)
    return chance[:, [1]] if kind.name == "binary" else chance
