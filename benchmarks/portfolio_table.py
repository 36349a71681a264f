"""The page that benchmarks/portfolio.py prints: gains by set, with intervals over sets and seeds."""

from __future__ import annotations

import numpy as np

from portfolio_judge import PARTS, SERVED
from portfolio_losers import a_split, matrices, on_average, sure_losers, truly, who_loses
from portfolio_pairs import pairs
from portfolio_plans import COUNTS

Array = np.ndarray
NAMED = ("landmine", "school", "parkinsons", "emotions", "oes97", "wq")  # those of the reference figures
RULES = ("a member", "mean", "best", "shrunk", "voted", "greedy", "mixed", "mixed at 50%", "mixed at 80%",
         "mixed at 95%", "mixed by half", "mixed by chance", "mixed with caution", "promise", "stacked",
         "stacked promise", "split oracle", "oracle")
GUARDS = ("mixed", "mixed by chance", "mixed with caution", "mixed by half", "mixed at 50%", "mixed at 80%",
          "mixed at 95%", "promise")
ORACLE = "affinity, oracle"


def table(cells: list[dict]) -> str:
    """Strategies, then splits, then who loses, then pairs of strategies."""
    by_set = gathered(cells)
    sets = list(by_set)
    seeds = "; ".join(f"{name} {', '.join(str(cell['seed']) for cell in own)}" for name, own in by_set.items())
    singles = ["together", *(f"{how} {count}" for how in ("ridge", "outer", "cross", "even ridge",
                           "even outer", "even cross", "random") for count in COUNTS),
               "labels 3", "helped 1", "chance helped 1", "overlap 3", "chance overlap 3"]
    names = [*singles, *(f"{title}, {rule}" for title in PARTS for rule in RULES),
             "all partitions, best out of fold", "all partitions, best on test"]
    lines = ["# Which plan to train", "", "`python benchmarks/portfolio.py`: gains over separate networks on test rows "
             f"of {len(cells)} cells. Seeds: {seeds}.", "",
             "Mean: over the sets, with its standard error over them. Six: of " + ", ".join(NAMED) + ". Lose: share of "
             "tasks that do worse than separate on test rows, in *a split* (one seed), *on average* over the seeds, "
             "and *truly*, as estimated for endless seeds; *surely*: in a split, after Holm. Recovered: share of the "
             "way from together to the oracle of the affinity portfolio, of the means. The split oracle picks on half "
             "of the test rows and is judged on the other: an oracle without luck. A random k is the mean of three "
             "groupings.", "",
             "| strategy | mean | six | lose a split | on average | truly | surely | recovered | " + " | ".join(sets)
             + " |", "|---|--:|--:|--:|--:|--:|--:|--:|" + "--:|" * len(sets)]
    for name in names:
        found = means(by_set, name)
        if not found:
            continue
        there = np.array(list(found.values()))
        error = f" +- {there.std(ddof=1) / np.sqrt(len(there)):.1%}" if len(there) > 1 else ""
        six = f"{np.mean([found[one] for one in NAMED]):+.1%}" if set(NAMED) <= set(found) else ""
        share = f"{recovered(by_set, name):.0%}" if len(found) == len(sets) else ""
        lines.append(f"| {name} | {there.mean():+.1%}{error} | {six} | {lost(cells, name)} | {share} | "
                     + " | ".join(f"{found[one]:+.1%}" if one in found else "" for one in sets) + " |")
    served = f"{SERVED}, mixed"
    return "\n".join([*lines, "", *splits(cells, served), "", *who_loses(by_set, served), "",
                      *sure_losers(by_set, served), "", *pairs(by_set), ""])


def parts_of(cells: list[dict]) -> dict[str, str]:
    """What the docs show, by a word for each: pairs of strategies, and who loses."""
    by_set, served = gathered(cells), f"{SERVED}, mixed"
    parts = {"pairs": pairs(by_set), "splits": splits(cells, served), "guards": guards(by_set, cells),
             "losers": [*who_loses(by_set, served), "", *sure_losers(by_set, served)]}
    return {word: "\n".join([*lines, ""]) for word, lines in parts.items()}


def gathered(cells: list[dict]) -> dict[str, list[dict]]:
    """Set -> its cells, by seed."""
    sets = sorted({cell["set"] for cell in cells})
    return {name: sorted((cell for cell in cells if cell["set"] == name), key=lambda cell: cell["seed"])
            for name in sets}


def means(by_set: dict[str, list[dict]], name: str) -> dict[str, float]:
    """Set -> mean gain over its seeds and tasks."""
    found = {one: [np.nanmean(gains, axis=1).mean() for gains in matrices(cells, name)]
             for one, cells in by_set.items()}
    return {one: float(np.mean(gains)) for one, gains in found.items() if gains}


def recovered(by_set: dict[str, list[dict]], name: str) -> float:
    """Share of the way from together to the oracle, of the means over sets."""
    low, here, high = (np.mean(list(means(by_set, one).values())) for one in ("together", name, ORACLE))
    return float((here - low) / (high - low))


def losing(by_set: dict[str, list[dict]], name: str, how) -> float:
    """Share of tasks that lose, mean over sets."""
    shares = [[how(gains) for gains in matrices(cells, name)] for cells in by_set.values()]
    return float(np.mean([np.mean(one) for one in shares if one]))


def lost(cells: list[dict], name: str) -> str:
    """Four columns: the shares of tasks that lose in a split, on average and truly, and how many surely do."""
    shares = [f"{losing(gathered(cells), name, how):.0%}" for how in (a_split, on_average, truly)]
    return " | ".join([*shares, surely(cells, name)])


def guards(by_set: dict[str, list[dict]], cells: list[dict]) -> list[str]:
    """What it costs to leave fewer tasks worse off."""
    lines = [f"| rule of *{SERVED}* | mean gain | recovered | lose a split | on average | truly | surely |",
             "|---|--:|--:|--:|--:|--:|--:|"]
    for rule in GUARDS:
        name = f"{SERVED}, {rule}"
        gain = np.mean(list(means(by_set, name).values()))
        lines.append(f"| {rule} | {gain:+.1%} | {recovered(by_set, name):.0%} | {lost(cells, name)} |")
    return lines


def surely(cells: list[dict], name: str) -> str:
    """How many of how many tasks surely lose."""
    known = [cell for cell in cells if name in cell["surely_lost"]]
    count = sum(len(cell["surely_lost"][name]) for cell in known)
    return f"{count} of {sum(len(cell['judged']) for cell in known)}" if known else ""


def splits(cells: list[dict], name: str) -> list[str]:
    """A strategy seed by seed, where all sets have the seed."""
    sets = {cell["set"] for cell in cells}
    lines = [f"*{name}* by seed:", "", "| seed | mean gain | together | recovered | lose a split | surely |",
             "|--:|--:|--:|--:|--:|--:|"]
    for seed in sorted({cell["seed"] for cell in cells}):
        own = [cell for cell in cells if cell["seed"] == seed]
        if {cell["set"] for cell in own} == sets:
            at = gathered(own)
            gain, low = (np.mean(list(means(at, one).values())) for one in (name, "together"))
            lines.append(f"| {seed} | {gain:+.1%} | {low:+.1%} | {recovered(at, name):.0%} | "
                         f"{losing(at, name, a_split):.0%} | {surely(own, name)} |")
    return lines
