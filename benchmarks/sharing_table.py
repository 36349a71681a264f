"""The tables of sharing.py, from the cells that are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sharing_gains import EQUAL, WIDE, cells, gains, grid, shown, unfit, verdict
from sharing_sets import LOADERS
from sharing_summary import summary

INTRODUCTION = """\
The exported ways of sharing, separate networks and hard sharing among them, with equal search effort (the same two or
three trials over learning rate and weight decay, chosen on validation rows at seed 0), the same steps, and, at equal
parameters, as many parameters as the separate networks together (to 5 %; tables of embedded ids not counted). At equal
width every trunk, expert and basis is as wide as a separate network. All train on the sum of the log losses. Separate
networks are chosen and stopped each for itself, all others as one network. LearningToBranch counts all its nodes,
though the tree that it ends with may need fewer.

*Gain*: mean over tasks of the relative improvement of the measure, in percent, paired by seed; in brackets the 95 %
interval over seeds (t), bold where it leaves out 0. It speaks of training rows, initialisation and batches, not of the
test rows, and is not corrected for the number of comparisons. Multiply-adds are of all tasks for one row of a batch as
in training (weights that are put together for a whole batch count once). A step is CPU time on one thread; beside it
the ratio to a step of separate networks, taken in turns in one run (of adapters and LoRA: in the second half of their
training); the row of the separate networks shows how far such a ratio errs. Networks are small and trainings short, so
that everybody can run this: the figures compare ways of sharing, and are no records."""


def write(kept: dict) -> str:
    """The whole report."""
    sets = [name for name in LOADERS if cells(kept.get(name, {}), EQUAL)]
    return "\n\n".join(["# Ways of sharing", INTRODUCTION, *(summary(kept, sets) if sets else []),
                        *(part for name in sets for part in _set(name, kept[name]))]) + "\n"


def _set(name: str, entries: dict) -> list[str]:
    ways, wide = cells(entries, EQUAL), cells(entries, WIDE)
    tasks = [[way, *(f"{np.mean([one['scores'][task] for one in entry['seeds'].values()]):.4g}"
                     for task in entry["measures"])] for way, entry in ways.items()]
    heads = [f"{task}, {measure}" for task, (measure, _) in ways["Separate"]["measures"].items()]
    parts = [f"## {name}\n\n{_about(ways)}", *([_left_out(entries)] if unfit(entries) else []),
             _costs(ways, EQUAL), grid([f"at {EQUAL}", *heads], tasks)]
    if len(wide) > 1:
        parts.append(_costs(wide, WIDE))
    return [*parts, *([_published(ways)] if name == "kuairand" else [])]


def _about(ways: Mapping[str, dict]) -> str:
    apart, others = ways["Separate"], [entry for way, entry in ways.items() if way != "Separate"]
    seeds = sorted({len(entry["seeds"]) for entry in ways.values()})
    some = (f"{apart['about']}. {len(apart['trials'])} trials, {' to '.join(map(str, sorted({seeds[0], seeds[-1]})))} "
            "seeds.")
    if apart["table_parameters"]:
        some += (f" In tables of ids: {apart['table_parameters']:,} parameters of the separate networks, "
                 f"{others[0]['table_parameters'] if others else 0:,} of each other way.")
    return some[0].upper() + some[1:]


def _left_out(entries: dict) -> str:
    by_reason: dict[str, list[str]] = {}
    for way, reason in unfit(entries).items():
        by_reason.setdefault(reason, []).append(way)
    return "Does not apply: " + "; ".join(f"{', '.join(ways)} ({reason})" for reason, ways in by_reason.items()) + "."


def _costs(ways: Mapping[str, dict], size: str) -> str:
    body = [[way, "-".join(map(str, entry["widths"])), f"{entry['parameters']:,}", f"{entry['multiply_adds']:,}",
             f"{1e3 * entry['step_seconds']:.1f}", f"{entry['step_seconds'] / entry['step_seconds_separate']:.2f}",
             *("" if way == base else shown(gains(entry, ways[base])) if base in ways else "-"
               for base in ("Separate", "HardSharing"))] for way, entry in ways.items()]
    return grid([f"at {size}", "widths", "parameters", "multiply-adds", "step, ms", "x separate",
                 "gain over separate, %", "gain over hard sharing, %"], body)


def _published(ways: Mapping[str, dict]) -> str:
    """What stands of the orders that papers report."""
    experts = [("MMoE", "HardSharing"), ("PLE", "HardSharing"), ("PLE", "MMoE")]
    funnel = [("ESMM", "Separate"), ("AITM", "HardSharing"), ("AITM", "MMoE"), ("AITM", "ESMM")]
    return ("Published is PLE above MMoE above the shared bottom (Ma and others 2018; Tang and others 2020). Here: "
            f"{_orders(ways, experts)}. On click and long view alone, the frequent ones: "
            f"{_orders(ways, experts, ('click', 'long view'))}.\n\nOf funnels it is published that ESMM is above "
            "networks of the last event alone (Ma and others 2018), and AITM above ESMM, MMoE and the shared bottom "
            "(Xi and others 2021). Here, on the last event of click, then long view: "
            f"{_orders(ways, funnel, ('long view',))}.")


def _orders(ways: Mapping[str, dict], pairs: Sequence[tuple[str, str]], tasks: Sequence[str] = ()) -> str:
    said = {1: "as published", 0: "no difference beyond the seeds", -1: "against what was published"}
    found = [(better, worse, gains(ways[better], ways[worse], tasks)) for better, worse in pairs
             if better in ways and worse in ways]
    return "; ".join(f"{better} over {worse}: {shown(values)} % ({said[verdict(values)]})"
                     for better, worse, values in found) or "not run"
