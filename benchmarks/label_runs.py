"""What one method of labels.py achieves on one set, and what it said, which is kept for means of methods."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.model_selection import KFold

import label_cells
import label_choice
import label_methods
import label_rules
import label_sets
import label_values
from label_rules import Answers
from label_sets import LabelSet
from sharewise.solve import labels

PLACE = Path(__file__).parent / "results" / "labels"
KEEP = Path(tempfile.gettempdir()) / "sharewise-labels"
MEANS = ("mixed", label_values.FIVE)  # of what other methods said


def run(data: LabelSet, method: str, limit: float) -> dict[str, Any]:
    """What one method achieves on one set."""
    base = label_methods.Bases(300 if data.Y.shape[1] <= 60 else 100, data.name in (*label_sets.WORDS, "goemotions"))
    ours = label_methods.ours(base)
    if method in MEANS:
        label_cells.allow(label_rules.FOLDS * limit)
        there, (Y, true) = judged(data.name), (data.Y[data.train], data.Y[~data.train])
        if method == label_values.FIVE:
            mixed = label_values.read(PLACE)[data.name]["mixed"]
            return label_choice.best_five(there, mixed, lambda name: _said(data, name, there), Y, true)
        return label_rules.judge(_said(data, "mixed", there), Y, true)
    if method in ours:
        answers = _ours(data, method, ours[method], limit)
        np.savez_compressed(_keep(data, method), **answers._asdict())
        return label_rules.judge(answers, data.Y[data.train], data.Y[~data.train])
    tuned, started = method.endswith(", tuned"), process_time()
    make = label_methods.anchors(base)[method.removesuffix(", tuned")]
    said, chances = _anchor(data.X[data.train], data.Y[data.train], data.X[~data.train], make)
    label_cells.allow(label_rules.FOLDS * limit)
    outside = _grid(data, make, chances) if tuned else {}
    seconds, true = process_time() - started, data.Y[~data.train]
    return {"seconds": seconds, "rules": {
        rule: labels.measure_label_sets(true, one) for rule, one in {"predict": said, **outside}.items()},
        "ranking": labels.measure_label_ranking(true, chances)}


def _anchor(X: Any, Y: np.ndarray, new: Any, make: Any) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities of what is no method of ours."""
    changes = Y.any(axis=0) & ~Y.all(axis=0)
    X, new = (sparse.csr_matrix(part) if sparse.issparse(part) else part for part in (X, new))  # skml knows no others
    model = make()
    model.fit(X, Y[:, changes])
    said, chances = (np.repeat(Y[:1], new.shape[0], axis=0).astype(kind) for kind in (np.int64, np.float64))
    said[:, changes] = label_methods.table_of(model.predict(new))
    if type(model).__name__.startswith("BRkNN"):  # no predict_proba
        chances[:, changes] = np.asarray(model.confidences_)
    elif type(model).__name__ == "RakelD":  # predict_proba fails, or is in another order of the labels
        chances[:, changes] = said[:, changes]
    else:
        chances[:, changes] = label_methods.table_of(model.predict_proba(new))
    return said, np.clip(chances, 0.0, 1.0)


def _grid(data: LabelSet, make: Any, chances: np.ndarray) -> dict[str, np.ndarray]:
    """The label sets of the anchor by thresholds that are best out of fold, for each measure."""
    X, Y = data.X[data.train], data.Y[data.train]
    unseen = np.empty(Y.shape)
    for train, test in KFold(label_rules.FOLDS, shuffle=True, random_state=0).split(Y):
        unseen[test] = _anchor(X[train], Y[train], X[test], make)[1]
    grid, found = np.linspace(0.01, 0.99, 99), {}
    scores = [label_rules.chosen_by(Y, unseen > at) for at in grid]
    for measure in label_rules.MEASURES:
        best = np.argmin if measure == "hamming_loss" else np.argmax
        found[measure] = chances > grid[best([one[measure] for one in scores])]
    return found


def _ours(data: LabelSet, method: str, make: Any, limit: float) -> Answers:
    X = data.X.toarray() if method in label_methods.DENSE and hasattr(data.X, "toarray") else data.X
    started = process_time()
    model = make().fit(X[data.train], data.Y[data.train])
    said, chances = model.predict(X[~data.train]), model.predict_proba(X[~data.train])
    seconds = process_time() - started
    label_cells.allow(label_rules.FOLDS * limit)
    Xt, Y = X[data.train], data.Y[data.train]
    said_unseen, unseen = np.zeros(Y.shape, dtype=bool), np.empty(Y.shape)
    for train, test in label_rules.folds(Y):
        model = make().fit(Xt[train], Y[train])
        said_unseen[test], unseen[test] = model.predict(Xt[test]), model.predict_proba(Xt[test])
    return Answers(said.astype(bool), chances, said_unseen, unseen, seconds)


def _keep(data: LabelSet, method: str) -> Path:
    KEEP.mkdir(exist_ok=True)
    return KEEP / f"{data.name}.{method.replace(' ', '-')}.npz"


def _said(data: LabelSet, method: str, there: Any) -> Answers:
    if method == "mixed":
        return label_choice.mean(_kept(data, name) for name in label_methods.MIXED if name in there)
    return _kept(data, method)


def _kept(data: LabelSet, method: str) -> Answers:
    place = _keep(data, method)
    if not place.exists():
        raise FileNotFoundError(f"{place}, what {method} said, is gone; run it with --again")
    with np.load(place) as answers:
        return Answers(**answers)


def judged(name: str) -> dict[str, label_values.Cell]:
    """The cells of our methods on a set, but for means, that did not fail."""
    cells = label_values.read(PLACE).get(name, {})
    return {one: cells[one] for one in label_methods.ours(label_methods.Bases(1, False))
            if "folds" in cells.get(one, {})}
