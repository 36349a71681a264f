"""How wide the stages of a way of sharing are, at two sizes.

``equal parameters``: the widths are searched so that the architecture has as many parameters in all as the separate
networks together, to 5 %, in even numbers: one width for all stages or two that follow each other; only where these
miss it, widths further apart, as near to each other as can be; and only where these do, odd ones too.
``equal width``: every trunk, expert and basis is as wide as a separate network. Tables of embedded ids are counted in
neither: of them a row is used by few inputs, and all but the separate networks share one.
"""

from __future__ import annotations

from itertools import product

from sharing_networks import build, count, whole
from sharing_sets import Problem

SIZES = ("equal parameters", "equal width")
NEAR = 0.05
ONE_SHAPE = ("Sluice",)  # its heads mix the stages, so that all must be equally wide


def widths_of(name: str, problem: Problem, size: str) -> tuple[int, ...]:
    """The widths of the stages at a size. ValueError where no widths come within 5 % of the budget."""
    equal = (problem.width,) * problem.stages
    if size == "equal width" or name == "Separate":
        return equal
    budget = count(build("Separate", problem, equal))
    def off(widths: tuple[int, ...]) -> float:
        return abs(count(whole(name, problem, widths)) / budget - 1)
    low = _widest(name, problem, budget)
    best = min(_steps(low, problem.stages, name in ONE_SHAPE), key=off)
    for apart in (2, 1):
        if off(best) > NEAR and name not in ONE_SHAPE:
            around = [widths for widths in product(range(max(low - 4, 2), low + 8, apart), repeat=problem.stages)
                      if off(widths) <= NEAR]
            best = min(around, key=lambda widths: (max(widths) - min(widths), off(widths)), default=best)
    if off(best) > NEAR:
        raise ValueError(f"{name} on {problem.name} has {off(best):.1%} too many or too few parameters at best")
    return best


def _widest(name: str, problem: Problem, budget: int) -> int:
    """The widest even width under the budget."""
    low, high = 2, 4
    while count(whole(name, problem, (high,) * problem.stages)) <= budget:
        low, high = high, 2 * high
    while high - low > 2:
        middle = (low + high) // 4 * 2
        fits = count(whole(name, problem, (middle,) * problem.stages)) <= budget
        low, high = (middle, high) if fits else (low, middle)
    return low


def _steps(low: int, stages: int, one_shape: bool) -> list[tuple[int, ...]]:
    """From this even width to the next one, stage by stage or, where all must be alike, at once."""
    return [(low,) * (stages - wider) + (low + 2,) * wider for wider in ((0, stages) if one_shape else
                                                                         range(stages + 1))]
