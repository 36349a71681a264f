"""What groups that a fit finds by itself bring: the choice with them and without, out of the very same fitted models.

    python benchmarks/found_groups.py [--sets andro,emotions,parkinsons] [--seeds 0] [--budget 60s] [--again]

Every candidate of the portfolio is fitted, at the effort that the budget sets; ``planted`` is two groups of tasks whose
coefficients are opposed, ``separate groups`` two groups with nothing in common. Where halves of the rows agree on no
groups, the two portfolios are one and nothing is trained. One JSON for each set and seed, then a table.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from sharewise.base.estimator import fit_scales
from sharewise.plan import Learner
from sharewise.plan.duration import read_seconds
from sharewise.plan.groupings import groupings
from sharewise.plan.portfolio import portfolio
from sharewise.plan.prepare import Question, prepare
from sharewise.plan.run import RunFolder
from sharewise.plan.worker import fit_one

PLACE = Path(__file__).parent / "results" / "found_groups"
PLANTED = {"planted": True, "separate groups": False}


def both(train: pd.DataFrame, test: pd.DataFrame, targets: list[str], kinds: Mapping[str, Any],
         task_column: str | None = None, time_column: str | None = None, seed: int = 0,
         budget: str = "60s") -> dict[str, Any]:
    """Means of the test rows ``with`` and ``without`` found groups (absent where there are none to try), the rules with
    their agreement, and candidate -> [seconds of this process, weight in the choice]."""
    question = Question(targets, task_column=task_column, time=time_column)
    prepared = prepare(train, question, dict(kinds), [], False, None, seed)
    began = time.process_time()
    rules = groupings(prepared.tasks, prepared.X, prepared.Y, seed)
    state: dict[str, Any] = {"seconds_to_find": time.process_time() - began, "means": {}, "candidates": {},
                             "rules": {word: [repr(found.rule), found.agreement, [len(group.learns) for group in
                                              found.plan.groups]] for word, found in rules.items()}}
    if not rules:
        return state
    candidates = portfolio(prepared, "auto", None, seed, read_seconds(budget))
    learner = Learner(seed=seed)
    learner.tasks_, learner.scales_ = prepared.tasks, fit_scales(prepared.tasks, prepared.Y)
    with TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        run.start(prepared.X, prepared.Y, prepared.folds, prepared.tasks, candidates, {})
        for candidate in candidates:
            began = time.process_time()
            fit_one(run, candidate)
            state["candidates"][candidate.name] = [time.process_time() - began, 0.0]
        for side in ("without", "with"):
            kept = [one for one in candidates if side == "with" or not is_found(one.name)]
            learner._choose(prepared, run, kept)
            state["means"][side] = learner.predict_means(test)
        for at, one in enumerate(kept):
            weights = [choice.weights["chosen"][at] for choice in learner.choices_.values()]
            state["candidates"][one.name][1] = float(np.mean(weights))
        state["groups"] = [list(group.learns) for group in learner.plan_.groups]
    return state


def is_found(name: str) -> bool:
    """Whether a candidate of this name finds its groups itself."""
    return " groups" in name


def run(name: str, seed: int, budget: str) -> dict[str, Any]:
    """Relative losses on test rows, and the gain of each task by the groups that were found."""
    if name in PLANTED:
        import planted

        data = planted.two_groups(seed, opposed=PLANTED[name])
        state = both(data.train, data.test, ["y"], {"y": "regression"}, "task", seed=seed, budget=budget)
        truth = data.test["y"].to_numpy()
        loss = {side: np.array([np.mean((mean[rows := ~np.isnan(mean[:, 0]), 0] - truth[rows]) ** 2) / truth[rows].var()
                                for mean in means.values()]) for side, means in state["means"].items()}
    else:
        import measure
        import sets

        data = sets.load(name, seed)
        options = data.learner_options
        state = both(data.learner_table, data.test, list(data.targets), data.kinds, options["task_column"],
                     options["time"], seed, budget)
        loss = {side: np.nanmean(measure.relative_rows(data, means), axis=0) for side, means in state["means"].items()}
    state |= {"set": name, "seed": seed, "budget": budget,
              "loss": {side: float(np.mean(found)) for side, found in loss.items()}}
    if loss:
        state["worse"] = int((loss["with"] > 1.005 * loss["without"]).sum())
        state["tasks"] = len(loss["with"])
    del state["means"]
    return state


def table(states: list[dict[str, Any]]) -> str:
    """One line a set and seed."""
    lines = ["# Groups that a fit finds by itself", "",
             "`python benchmarks/found_groups.py`: relative test loss (1: trivial) of the choice with and without "
             "them, out of the same fitted models, at the effort of a budget; tasks whose loss is over 0.5 % higher; "
             "their weight in the choice; CPU seconds of the other candidates, and theirs; what a network of found "
             "groups takes, as a multiple of one of all tasks together.", "",
             "| set, seed, budget | groups found (agreement of halves) | without | with | gain | worse | weight | "
             "seconds | network |", "|---|---|--:|--:|--:|--:|--:|--:|--:|"]
    for state in states:
        rules = "; ".join(f"{'+'.join(map(str, sizes[:4]))} ({agreement:.2f})"
                          for _, agreement, sizes in state["rules"].values())
        cells = ["", "", "", "", "", f"{state['seconds_to_find']:.1f}", ""]
        if state["rules"]:
            without, with_them = state["loss"]["without"], state["loss"]["with"]
            sides = [[one for name, one in state["candidates"].items() if is_found(name) == side]
                     for side in (False, True)]
            seconds = [sum(one[0] for one in side) for side in sides]
            cells = [f"{without:.4f}", f"{with_them:.4f}", f"{1 - with_them / without:+.1%}",
                     f"{state['worse']} of {state['tasks']}", f"{sum(one[1] for one in sides[1]):.0%}",
                     f"{seconds[0]:.0f} + {seconds[1]:.0f}", f"{network_cost(state['candidates']):.1f}"]
        name = f"| {state['set']}, {state['seed']}, {state['budget']}"
        lines.append(" | ".join([name, rules or "none: nothing is tried", *cells]) + " |")
    return "\n".join(lines) + "\n"


def network_cost(candidates: dict[str, list[float]]) -> float:
    """Mean seconds of the networks of found groups over those of the networks of all tasks."""
    networks = {name: seconds for name, (seconds, _) in candidates.items() if name.startswith("network")}
    together = [seconds for name, seconds in networks.items() if name.count(",") == 2 and name.endswith("together")]
    return float(np.mean([seconds for name, seconds in networks.items() if is_found(name)]) / np.mean(together))


def main() -> None:
    """Run what is missing and write results/found_groups.md."""
    warnings.simplefilter("ignore")
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--sets", default="planted,separate groups,andro,emotions,parkinsons,wq,landmine,school")
    ask.add_argument("--seeds", default="0")
    ask.add_argument("--budget", default="60s")
    ask.add_argument("--again", action="store_true", help="also what is there already")
    options = ask.parse_args()
    PLACE.mkdir(parents=True, exist_ok=True)
    for name in options.sets.split(","):
        for seed in map(int, options.seeds.split(",")):
            place = PLACE / f"{name.replace(' ', '-')}-{seed}.json"
            if options.again or not place.exists():
                place.write_text(json.dumps(run(name, seed, options.budget), indent=1))
            print(table([json.loads(place.read_text())]).splitlines()[-1], flush=True)
    (PLACE.parent / "found_groups.md").write_text(table([json.loads(one.read_text())
                                                         for one in sorted(PLACE.glob("*.json"))]))


if __name__ == "__main__":
    main()
