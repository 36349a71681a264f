"""Cost against size: wall seconds and peak memory of a fit, from 1,000 rows and 2 targets up.

    python benchmarks/scaling.py [--budget none|120s] [--families linear,trees,network] [--largest 100000]
                                 [--again]

Each point is fitted in a fresh process. Memory is the proportional set size (PSS) of the process and all that it
started, read every 50 ms; the sum of their resident sizes (which counts shared pages once for each process) stands
beside it. Three lines from one base point: rows, targets and columns vary alone, and the largest of all at once. A
budget cuts the list of candidates, so that growth is read off those that ran at every point of a line.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd

RESULTS = Path(__file__).parent / "results"
BASE = {"rows": 10_000, "targets": 5, "columns": 20}
LINES = {"rows": (1_000, 3_000, 10_000, 30_000, 100_000), "targets": (2, 5, 10, 20), "columns": (10, 20, 50, 100)}
LARGEST = {"rows": 100_000, "targets": 20, "columns": 100}
LIMIT_BYTES = 4e9


def table(rows: int, targets: int, columns: int, seed: int = 0) -> tuple[pd.DataFrame, list[str], dict[str, str]]:
    """Numbers and a few categories as features; half the targets numbers, half yes or no; a tenth of labels missing."""
    chance = np.random.default_rng(seed)
    X = chance.standard_normal((rows, columns)).astype(np.float32)
    weights = chance.standard_normal((min(columns, 10), targets))
    Y = np.tanh(X[:, :10]) @ weights + chance.standard_normal((rows, targets))
    frame = pd.DataFrame(X, columns=[f"x{at}" for at in range(columns)])
    for at in range(0, columns, 10):
        frame[f"x{at}"] = pd.Categorical.from_codes(np.clip(X[:, at] * 2 + 4, 0, 7).astype(int), list("abcdefgh"))
    names = [f"y{at}" for at in range(targets)]
    for at, name in enumerate(names):
        column = Y[:, at] if at % 2 == 0 else (Y[:, at] > 0).astype(float)
        frame[name] = np.where(chance.random(rows) < 0.1, np.nan, column)
    return frame, names, {name: ("regression", "binary")[at % 2] for at, name in enumerate(names)}


def fit(size: dict[str, int], budget: str, families: str) -> None:
    """What a fresh process does: fit, and print the seconds it took as JSON."""
    from sharewise.plan import Learner

    frame, names, kinds = table(**size)
    started = time.perf_counter()
    learner = Learner(time_budget=None if budget == "none" else budget, kinds=kinds, seed=0,
                      families=families.split(",") if families else None)
    learner.fit(frame, targets=names)
    seconds = time.perf_counter() - started
    ran = {one.name: one.seconds for one in learner.report_.candidates}
    print(json.dumps({"seconds": seconds, "candidates": len(ran), "by_candidate": ran}))


def measure(size: dict[str, int], budget: str, families: str) -> dict:
    """Seconds of one fit in a fresh process, and the peak memory of the processes that it was."""
    command = [sys.executable, __file__, "--fit", json.dumps(size), "--budget", budget, "--families", families]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    peaks = {"pss": 0, "rss": 0}
    done = threading.Event()
    watch = threading.Thread(target=_watch, args=(process.pid, peaks, done))
    watch.start()
    printed = process.communicate()[0]
    done.set()
    watch.join()
    if process.returncode:
        raise RuntimeError(f"the fit of {size} ended with code {process.returncode}")
    return {**size, **json.loads(printed.strip().splitlines()[-1]), **peaks}


def _watch(root: int, peaks: dict[str, int], done: threading.Event) -> None:
    while not done.wait(0.05):
        sizes = [_sizes(pid) for pid in _family(root)]
        for at, name in enumerate(("pss", "rss")):
            peaks[name] = max(peaks[name], sum(size[at] for size in sizes))


def _family(root: int) -> list[int]:
    """The process and all that it started, directly or not."""
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                todo += map(int, children.read_text().split())
            except OSError:
                continue
    return found


def _sizes(pid: int) -> tuple[int, int]:
    """(PSS, RSS) in bytes; 0 where the process has just ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0, 0
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
    return 1024 * kilobytes["Pss"], 1024 * kilobytes["Rss"]


def plot(points: list[dict], place: Path) -> None:
    """Seconds of the candidates that ran at every point of a line, and memory, against rows, targets and columns."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(2, 3, figsize=(11, 6), squeeze=False)
    for column, (name, values) in enumerate(LINES.items()):
        line = [p for p in points if all(p[k] == v for k, v in BASE.items() if k != name) and p[name] in values]
        line.sort(key=lambda p: p[name])
        common = set.intersection(*(set(p["by_candidate"]) for p in line)) if line else set()
        seconds = [sum(p["by_candidate"][c] for c in common) for p in line]
        for row, (values_shown, label) in enumerate(((seconds, "seconds of the same candidates"),
                                                     ([p["pss"] / 1e9 for p in line], "peak memory, GB"))):
            axis = axes[row, column]
            axis.plot([p[name] for p in line], values_shown, "o-")
            axis.set(xlabel=name, ylabel="" if column else label)
            axis.set_ylim(bottom=0)
            axis.grid(alpha=0.3)
    figure.suptitle("Cost of a fit; what does not vary: " + ", ".join(f"{v:,} {k}" for k, v in BASE.items()))
    figure.tight_layout()
    figure.savefig(place)
    plt.close(figure)


def summary(points: list[dict], budget: str, families: str) -> str:
    """The table, how cost grows along each line, and whether the largest table stays under the limit."""
    lines = ["# Cost of a fit", "", f"Budget {budget}, families {families or 'all'}; each point in a fresh process.",
             "",
             "| rows | targets | columns | candidates | seconds | peak PSS, GB | peak RSS summed, GB |",
             "| --: | --: | --: | --: | --: | --: | --: |"]
    lines += [f"| {p['rows']:,} | {p['targets']} | {p['columns']} | {p['candidates']} | {p['seconds']:.1f} | "
              f"{p['pss'] / 1e9:.2f} | {p['rss'] / 1e9:.2f} |" for p in points]
    lines.append("")
    for name in LINES:
        line = [p for p in points if all(p[k] == v for k, v in BASE.items() if k != name)]
        line.sort(key=lambda p: p[name])
        common = set.intersection(*(set(p["by_candidate"]) for p in line)) if len(line) > 1 else set()
        if common:
            cost = [sum(p["by_candidate"][c] for c in common) for p in line]
            power = np.polyfit(np.log([p[name] for p in line]), np.log(cost), 1)[0]
            last = np.log(cost[-1] / cost[-2]) / np.log(line[-1][name] / line[-2][name])
            lines.append(f"- {name}: the {len(common)} candidates that ran at every point cost {cost[0]:.1f} to "
                         f"{cost[-1]:.1f} s in all, as {name} to the power {power:.2f} (last two points {last:.2f})")
    largest = [p for p in points if all(p[k] == v for k, v in LARGEST.items())]
    for p in largest:
        word = "under" if p["pss"] < LIMIT_BYTES else "NOT under"
        lines.append(f"- {p['rows']:,} rows x {p['columns']} columns x {p['targets']} targets: "
                     f"{p['pss'] / 1e9:.2f} GB, {word} 4 GB")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure every point (those that results/scaling.json has are kept), then write the table and the plot."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--budget", default="none", help="time budget of a fit; with none the cost is what the work takes")
    ask.add_argument("--families", default="", help="which families compete (all)")
    ask.add_argument("--largest", type=int, default=LARGEST["rows"], help="leave out points of more rows")
    ask.add_argument("--again", action="store_true")
    ask.add_argument("--fit", help=argparse.SUPPRESS)
    options = ask.parse_args()
    if options.fit:
        fit(json.loads(options.fit), options.budget, options.families)
        return
    place = RESULTS / "scaling.json"
    RESULTS.mkdir(exist_ok=True)
    state = json.loads(place.read_text()) if place.exists() and not options.again else {}
    points = state.get("points", []) if [state.get(k) for k in ("budget", "families")] == [options.budget,
                                                                                          options.families] else []
    sizes = [BASE | {name: value} for name, values in LINES.items() for value in values] + [LARGEST]
    for size in sizes:
        known = any(all(p[k] == v for k, v in size.items()) for p in points)
        if known or size["rows"] > options.largest:
            continue
        points.append(measure(size, options.budget, options.families))
        print(points[-1], flush=True)
        state = {"budget": options.budget, "families": options.families, "points": points}
        place.write_text(json.dumps(state, indent=1))
    text = summary(points, options.budget, options.families)
    (RESULTS / "scaling.md").write_text(text)
    plot(points, RESULTS / "scaling.svg")
    print(text)


if __name__ == "__main__":
    main()
