"""The methods that labels.py compares: what others offer, and the room ``solve/labels``, over the same base models.

Anchors learn the labels that change in training, since most of them refuse the others; those get 0 or 1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier

from sharewise.solve import labels

TREES = {"few": 300, "many": 100}  # labels: up to 60, above


class Bases(NamedTuple):
    """The base models, alike for everyone."""

    trees: int
    words: bool

    def forest(self) -> Any:
        """A random forest."""
        return RandomForestClassifier(self.trees, n_jobs=1, random_state=0)

    def extra(self) -> Any:
        """Extra trees."""
        return ExtraTreesClassifier(self.trees, n_jobs=1, random_state=0)

    def line(self) -> Any:
        """Logistic regression: weaker penalty where features are words."""
        return LogisticRegression(C=3.0 if self.words else 0.3, solver="liblinear", max_iter=300)

    def line_of_many(self) -> Any:
        """Logistic regression of many classes."""
        return LogisticRegression(C=10.0 if self.words else 0.3, max_iter=300)

    def boosted(self) -> Any:
        """LightGBM, its defaults."""
        from lightgbm import LGBMClassifier

        return LGBMClassifier(n_estimators=100, n_jobs=1, verbose=-1, random_state=0)

    def xgboost(self, **more: Any) -> Any:
        """XGBoost, its defaults but for the learning rate."""
        from xgboost import XGBClassifier

        return XGBClassifier(n_estimators=100, learning_rate=0.1, tree_method="hist", n_jobs=1, random_state=0, **more)

    def perceptron(self) -> Any:
        """One hidden layer, shared by all labels."""
        return MLPClassifier((256,), alpha=1e-2, max_iter=40, random_state=0)


def anchors(base: Bases) -> dict[str, Callable[[], Any]]:
    """What people use otherwise, by name; each gives probabilities as a list, a table or sparse."""
    from sklearn.multioutput import ClassifierChain, MultiOutputClassifier

    def chain() -> Any:
        return ClassifierChain(base.line(), order="random", random_state=0)

    found: dict[str, Callable[[], Any]] = {
        "sklearn forest": base.forest,
        "sklearn MLP": base.perceptron,
        "sklearn MultiOutput LR": lambda: MultiOutputClassifier(base.line()),
        "sklearn ClassifierChain LR": chain,
        "LightGBM a label": lambda: MultiOutputClassifier(base.boosted()),
        "XGBoost a label": lambda: MultiOutputClassifier(base.xgboost()),
        "XGBoost joint": lambda: base.xgboost(multi_strategy="multi_output_tree")}
    try:
        from skmultilearn import adapt, ensemble, problem_transform
    except ImportError:
        return found
    dense = [False, True]
    return found | {
        "skml MLkNN": lambda: adapt.MLkNN(k=10),
        "skml BRkNN-a": lambda: adapt.BRkNNaClassifier(k=10),
        "skml LP forest": lambda: problem_transform.LabelPowerset(base.forest(), dense),
        "skml LP LR": lambda: problem_transform.LabelPowerset(base.line_of_many(), dense),
        "skml RAkELd LR": lambda: ensemble.RakelD(base.line_of_many(), 3, dense)}


def ours(base: Bases) -> dict[str, Callable[[], Any]]:
    """Methods of the room, by name."""
    vote = VotingClassifier([("forest", base.forest()), ("extra", base.extra()), ("line", base.line_of_many())],
                            voting="soft")
    return {
        "BR LR": lambda: labels.BinaryRelevance(base.line()),
        "BR LightGBM": lambda: labels.BinaryRelevance(base.boosted()),
        "BR XGBoost": lambda: labels.BinaryRelevance(base.xgboost()),
        "chain XGBoost": lambda: labels.ClassifierChain(base.xgboost(), order="random"),
        "joint forest": lambda: labels.JointClassifier(base.forest()),
        "joint extra trees": lambda: labels.JointClassifier(base.extra()),
        "joint MLP": lambda: labels.JointClassifier(base.perceptron()),
        "LP forest": lambda: labels.LabelPowerset(base.forest()),
        "LP LR": lambda: labels.LabelPowerset(base.line_of_many()),
        "LP vote": lambda: labels.LabelPowerset(vote),
        "chain LR": lambda: labels.ClassifierChain(base.line(), order="random"),
        "chains LR": lambda: labels.ChainEnsemble(base.line()),
        "BayesianChain LR": lambda: labels.BayesianChain(base.line()),
        "PCC LR": lambda: labels.ProbabilisticChain(base.line(), order="random", paths=16),
        "PCC LightGBM": lambda: labels.ProbabilisticChain(base.boosted(), order="random", paths=16),
        "PrunedSets LR": lambda: labels.PrunedSets(base.line_of_many()),
        "RAkELd LR": lambda: labels.RAkELd(base.line_of_many()),
        "RAkELo LR": lambda: labels.RAkELo(base.line_of_many()),
        "CalibratedRanking LR": lambda: labels.CalibratedRanking(base.line()),
        "HOMER LR": lambda: labels.HOMER(labels.BinaryRelevance(base.line())),
        "CPLST": labels.CPLST,
        "MLkNN": labels.MLkNN,
        "BRkNN-a": lambda: labels.BRkNN(extension="a"),
        "IBLR": labels.IBLRML}


MIXED = ("joint forest", "joint extra trees", "BR LightGBM", "BR LR", "joint MLP", "LP forest")  # of MixedEnsemble
DENSE = ("IBLR",)


def table_of(answer: Any) -> np.ndarray:
    """Probabilities of anchors as one table [N, L]."""
    if isinstance(answer, list):
        return np.stack([np.asarray(part)[:, -1] for part in answer], axis=1)
    return np.asarray(answer.toarray() if hasattr(answer, "toarray") else answer, dtype=np.float64)
