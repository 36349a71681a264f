"""Ways of sharing against separate networks and hard sharing, on real sets: one cell for each set, way, size and seed.

    python benchmarks/sharing.py [--sets adult,tox21] [--architectures MMoE,PLE] [--sizes "equal parameters"]
                                 [--seeds 1,2,3] [--costs] [--report]

Every way gets the same number of trials over learning rate and weight decay at seed 0, chosen on validation rows; then
each seed trains with that setting, stops at its best moment on validation rows, and is judged on the test rows once.
Separate networks are chosen and stopped each for itself, all others as the one network that they are. What is in
results/sharing.json is not run anew unless its set has changed; ``--costs`` measures parameters, multiply-adds
and the time of a step anew for all that is kept, and trains nothing (with ``--architectures MMoE,PLE`` only what a
change of these moves); ``--report`` writes the tables and runs nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from functools import lru_cache
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
KEPT = RESULTS / "sharing.json"


def run(name: str, architecture: str, size: str, seeds: list[int], kept: dict) -> None:
    """Measure what is missing of a way of sharing on a set at a size, and keep it."""
    import sharing_networks as networks
    from sharing_sets import LOADERS, Trial
    from sharing_training import search, step_seconds, train
    from sharing_widths import SIZES, widths_of

    problem = LOADERS[name](0)
    kept.setdefault(name, {})
    if reason := problem.unfit.get(architecture):
        kept[name][f"{architecture}, {size}"] = {"recipe": problem.recipe(), "unfit": reason}
        keep(kept)
        return
    widths = widths_of(architecture, problem, size)
    if size != SIZES[0] and widths == tuple(kept[name].get(f"{architecture}, {SIZES[0]}", {}).get("widths", ())):
        return  # the very same network
    entry = kept[name].setdefault(f"{architecture}, {size}", {})
    if entry.get("recipe") != problem.recipe() or tuple(entry["widths"]) != widths:
        entry.clear()
        chosen, found = search(architecture, problem, widths)
        ours, theirs = step_seconds(architecture, problem, widths)
        entry.update({"recipe": problem.recipe(), "about": problem.about, "widths": widths,
                      **networks.cost(architecture, problem, widths), "step_seconds": ours,
                      "step_seconds_separate": theirs, "trials": found, "settings": chosen, "seeds": {},
                      "measures": {task: [target.measure, target.higher_is_better]
                                   for task, target in problem.targets.items()}})
        keep(kept)
    settings = {task: Trial(*setting) for task, setting in entry["settings"].items()}
    for seed in seeds:
        if str(seed) not in entry["seeds"]:
            started, problem = time.thread_time(), LOADERS[name](seed)
            done = train(architecture, problem, widths, settings, seed)
            scores = done.scores(problem, problem.test)
            entry["seeds"][str(seed)] = {"scores": scores, "validation_losses": done.losses,
                                         "cpu_seconds": time.thread_time() - started}
            keep(kept)
            shown = ", ".join(f"{score:.4f}" for score in scores.values())
            print(f"{name}, {architecture}, {size}, seed {seed}: {shown}", flush=True)


def count_anew(name: str, architecture: str, size: str, kept: dict) -> None:
    """Parameters, multiply-adds and the time of a step, of a cell that is kept."""
    from sharing_networks import cost
    from sharing_training import step_seconds

    entry = kept.get(name, {}).get(f"{architecture}, {size}", {})
    if entry.get("seeds"):
        problem, widths = loaded(name), tuple(entry["widths"])
        ours, theirs = step_seconds(architecture, problem, widths)
        entry.update({**cost(architecture, problem, widths), "step_seconds": ours, "step_seconds_separate": theirs})
        keep(kept)


@lru_cache(maxsize=1)
def loaded(name: str):
    """The set, read once for all of its cells."""
    from sharing_sets import LOADERS

    return LOADERS[name](0)


def keep(kept: dict) -> None:
    """Write all cells, whole or not at all."""
    half = KEPT.with_suffix(".half")
    half.write_text(json.dumps(_rounded(kept), indent=1))
    half.replace(KEPT)


def _rounded(state):
    if isinstance(state, dict):
        return {key: _rounded(value) for key, value in state.items()}
    if isinstance(state, (list, tuple)):
        return [_rounded(value) for value in state]
    return float(f"{state:.6g}") if isinstance(state, float) else state


def main() -> None:
    """Run what is missing, all ways of sharing of a set before the next set, then write the tables."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch

    import sharing_table
    from sharing_networks import BUILD, exported
    from sharing_sets import LOADERS
    from sharing_widths import SIZES

    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option, known in (("--sets", LOADERS), ("--architectures", BUILD), ("--sizes", SIZES)):
        ask.add_argument(option, default=",".join(known), help=f"some of {', '.join(known)}")
    ask.add_argument("--seeds", default="1,2,3")
    ask.add_argument("--costs", action="store_true", help="only measure costs anew, of what is kept")
    ask.add_argument("--report", action="store_true", help="only write the tables from what is kept")
    options = ask.parse_args()
    asked = {}
    for option, known in (("sets", LOADERS), ("architectures", BUILD), ("sizes", SIZES)):
        asked[option] = getattr(options, option).split(",")
        if unknown := [name for name in asked[option] if name not in known]:
            ask.error(f"--{option}: {unknown[0]!r} is not known; known are {', '.join(known)}")
    if lacking := exported() ^ {*BUILD}:
        ask.error(f"the library exports other ways than this script builds: {', '.join(sorted(lacking))}; "
                  "mend BUILD in sharing_networks.py")
    torch.set_num_threads(1)
    seeds = [int(seed) for seed in options.seeds.split(",")]
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    if not options.report:
        for name in asked["sets"]:
            for size in asked["sizes"]:
                for architecture in asked["architectures"]:
                    if options.costs:
                        count_anew(name, architecture, size, kept)
                    else:
                        run(name, architecture, size, seeds, kept)
    text = sharing_table.write(kept)
    (RESULTS / "sharing.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
