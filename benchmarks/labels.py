"""Label methods side by side on nine sets: python benchmarks/labels.py [--sets a,b] [--methods "x;y"] [--again]

One cell for each set and method, results/labels/SET.METHOD.json; what is there, and was not cut under a lower limit, is
not run anew, so that a run that was stopped goes on. Then the table, results/labels.md. scikit-multilearn's methods run
where it is installed.

A cell is cut where one fit and prediction takes more than --limit CPU seconds, or more than 8 GiB; folds get as much
again each. Every method of ours decides by several rules (label_rules.py), and is judged on the test rows and
out of fold on the training rows; by the latter the rule of a method is chosen, and the method of a set. Anchors decide
by their own ``predict``; "sklearn forest, tuned" has the thresholds by scikit-learn's folds and a search on a grid of
99, one for all labels, for the same measures.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import warnings
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy import sparse
from sklearn.model_selection import KFold

import label_cells
import label_methods
import label_rules
import label_sets
import label_table
from label_rules import Answers
from label_sets import LabelSet
from sharewise.solve import labels

PLACE = Path(__file__).parent / "results" / "labels"
KEEP = Path(tempfile.gettempdir()) / "sharewise-labels"  # what methods said, for their mean and for new rules
LIMIT = 300.0


def run(data: LabelSet, method: str, limit: float) -> dict[str, Any]:
    """What one method achieves on one set."""
    base = label_methods.Bases(300 if data.Y.shape[1] <= 60 else 100, data.name in (*label_sets.WORDS, "goemotions"))
    ours = label_methods.ours(base)
    if method in ours or method == "mixed":
        answers = _mixed(data) if method == "mixed" else _ours(data, method, ours[method], limit)
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
    found = {}
    for measure in label_rules.MEASURES:
        grid = np.linspace(0.01, 0.99, 99)
        scores = [labels.measure_label_sets(Y, unseen > at)[measure] for at in grid]
        found[measure] = chances > grid[np.argmin(scores) if measure == "hamming_loss" else np.argmax(scores)]
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


def _parts(data: LabelSet) -> list[Path]:
    """What the methods in MIXED said, of those that ran."""
    return [place for place in (_keep(data, method) for method in label_methods.MIXED) if place.exists()]


def _mixed(data: LabelSet) -> Answers:
    """MixedEnsemble from what its methods said by themselves: the same numbers."""
    parts = [np.load(place) for place in _parts(data)]
    chances, unseen = (np.mean([part[which] for part in parts], axis=0) for which in ("chances", "unseen"))
    return Answers(chances > 0.5, chances, unseen > 0.5, unseen, float(sum(part["seconds"] for part in parts)))


def main() -> None:
    """Run what is missing, small sets first, then write the table."""
    base = label_methods.Bases(1, False)
    known = [*label_methods.anchors(base), "sklearn forest, tuned", *label_methods.ours(base), "mixed"]
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sets", default=",".join(label_sets.NAMES))
    ask.add_argument("--methods", default=";".join(known), help="names with ; between them")
    ask.add_argument("--limit", type=float, default=LIMIT, help="CPU seconds of one fit and prediction")
    ask.add_argument("--again", action="store_true", help="also what is there already")
    options = ask.parse_args()
    if not label_sets.DATA.is_dir():
        ask.error(f"the folder {label_sets.DATA} is absent; set SHAREWISE_DATA to the folder of the sets")
    for name, ones, all_of_them in (("--sets", options.sets.split(","), label_sets.NAMES),
                                    ("--methods", options.methods.split(";"), known)):
        if unknown := [one for one in ones if one not in all_of_them]:
            ask.error(f"{name} {unknown[0]!r} is unknown; known are {', '.join(all_of_them)}")
    warnings.simplefilter("ignore")  # of others: constant labels, names of features, iterations
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in options.sets.split(","):
        data = label_sets.load(name)
        for method in options.methods.split(";"):
            path = PLACE / f"{name}.{method.replace(' ', '-').replace(',', '')}.json"
            if path.exists() and not options.again and _as_cut(path) >= options.limit:
                continue
            if method == "mixed" and len(_parts(data)) < 2:
                continue
            started = perf_counter()
            cell = label_cells.in_limits(lambda: run(data, method, options.limit), options.limit)  # noqa: B023
            path.write_text(json.dumps({"set": name, "size": data.size, "method": method, **_rounded(cell)}) + "\n")
            state = cell.get("failed", "cut" if "cut" in cell else "")
            print(f"{name} {method}: {perf_counter() - started:.1f} s {state}", flush=True)
    print(label_table.write(PLACE))


def _as_cut(path: Path) -> float:
    """The limit under which a cell was cut; no limit where it was not."""
    return float(json.loads(path.read_text()).get("cut", np.inf))


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return float(f"{value:.6g}") if isinstance(value, float) else value


if __name__ == "__main__":
    main()
