"""Do cheap affinities know who helps whom? ``python benchmarks/relations.py [--sets a,b] [--seeds 10] [--fresh 4]``"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
from itertools import combinations
from pathlib import Path

import numpy as np

from relation_affinities import find_all
from relation_report import report
from relation_runs import SETS, load, random_groups, train

RESULTS = Path(__file__).parent / "results"
CELLS = RESULTS / "relations"


def run_cell(name: str, seed: int) -> dict:
    """Losses of the tasks alone, of all pairs and of random groups, and the seconds that each took."""
    cell = load(name, seed)
    tasks = cell.Y.shape[1]
    pairs = np.zeros((tasks * (tasks - 1) // 2, tasks), dtype=bool)
    for at, (i, j) in enumerate(combinations(range(tasks), 2)):
        pairs[at, [i, j]] = True
    made = {"alone": np.eye(tasks, dtype=bool), "pairs": pairs, "groups": random_groups(tasks, seed)}
    found: dict = {"set": name, "seed": seed, "tasks": tasks}
    for what, groups in made.items():
        start = time.perf_counter()
        validation, test = train(cell, groups, seed)
        found[what] = {"groups": [np.flatnonzero(row).tolist() for row in groups],
                       "validation": _kept(validation, groups), "test": _kept(test, groups),
                       "seconds": round(time.perf_counter() - start, 2)}
    return found


def _kept(losses: np.ndarray, groups: np.ndarray) -> list[list[float]]:
    return [[round(float(loss), 5) for loss in row[own]] for row, own in zip(losses, groups, strict=True)]


def matrices(name: str, seed: int) -> dict[str, np.ndarray]:
    """Affinities of a cell [A, T, T] with their names and seconds; rows and trivial loss of each task. Kept beside the
    cell, in a file that is not committed."""
    place = path(name, seed).with_suffix(".npz")
    if not place.exists():
        cell = load(name, seed)
        found, seconds = find_all(cell, seed)
        Y = cell.targets(0)
        share = np.clip(np.nanmean(Y, axis=0), 1e-6, 1 - 1e-6)
        entropy = -share * np.log(share) - (1 - share) * np.log(1 - share)
        np.savez_compressed(place, names=list(found), matrices=np.stack(list(found.values())).astype(np.float32),
                            seconds=list(seconds.values()), rows=(~np.isnan(Y)).sum(axis=0),
                            trivial=np.where(cell.binary, entropy, np.nanvar(Y, axis=0)))
    return dict(np.load(place))


def path(name: str, seed: int) -> Path:
    """The file of a cell."""
    return CELLS / f"{name.replace(' ', '_')}_{seed}.json"


def main() -> None:
    """Train what is missing, find the affinities, report."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--sets", default=",".join(SETS))
    ask.add_argument("--seeds", type=int, default=10)
    ask.add_argument("--fresh", type=int, default=0, help="further seeds, to judge what was set on the others")
    options = ask.parse_args()
    CELLS.mkdir(parents=True, exist_ok=True)
    wanted = [(name, seed) for seed in range(options.seeds + options.fresh)
              for name in options.sets.split(",")]
    for name, seed in wanted:
        start = time.perf_counter()
        if not path(name, seed).exists():
            path(name, seed).write_text(json.dumps(run_cell(name, seed)))
        matrices(name, seed)
        print(f"{name}, seed {seed}: {time.perf_counter() - start:.0f} s", flush=True)
    cells, fresh = ({name: [(json.loads(path(name, seed).read_text()), matrices(name, seed)) for seed in seeds]
                     for name in options.sets.split(",")} for seeds in
                    (range(options.seeds), range(options.seeds, options.seeds + options.fresh)))
    text = report(cells, fresh)
    (RESULTS / "relations.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
