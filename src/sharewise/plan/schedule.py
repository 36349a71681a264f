"""What to fit next, decided on numbers alone: no clock, no process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

MIGHT = 4.0  # a candidate that is guessed at so many times the time that is left may still make it
TRUST = 3.0  # seconds of finished work from which on the correction counts more than the first guess
FINISH_SHARE = 0.12  # of the budget is kept for choosing, judging and saving


@dataclass(frozen=True)
class Schedule:
    """Candidates in the order in which they are wanted, by first guesses of their ``seconds``.

    The guesses are corrected by what the finished ones took, against what was guessed for these.
    """

    seconds: tuple[float, ...]
    budget: float | None
    waiting: tuple[int, ...]
    taken_so_far: float = 0.0
    guessed_so_far: float = 0.0

    @classmethod
    def of(cls, seconds: Sequence[float], budget: float | None, done: Sequence[int] = ()) -> Schedule:
        """The schedule at the start, or after some are ``done``."""
        waiting = tuple(number for number in range(len(seconds)) if number not in set(done))
        return cls(tuple(seconds), budget, waiting)

    @property
    def deadline(self) -> float:
        """Seconds after which nothing more is fitted."""
        return float("inf") if self.budget is None else self.budget * (1 - FINISH_SHARE)

    def expected(self, number: int) -> float:
        """Seconds that a candidate should take, as things stand."""
        return self.seconds[number] * (self.taken_so_far + TRUST) / (self.guessed_so_far + TRUST)

    def next(self, elapsed: float, nothing_yet: bool) -> int | None:
        """The first waiting candidate that should fit into the time that is left; else the cheapest one if it might:
        guesses are rough, and a worker without work gains nothing."""
        left = self.deadline - elapsed
        fitting = [number for number in self.waiting if self.expected(number) <= left]
        if fitting:
            return fitting[0]
        cheapest = min(self.waiting, key=self.expected, default=None)
        if cheapest is None or left <= 0 or (self.expected(cheapest) > MIGHT * left and not nothing_yet):
            return None
        return cheapest

    def taken(self, number: int) -> Schedule:
        """The schedule once a candidate is being fitted."""
        return replace(self, waiting=tuple(other for other in self.waiting if other != number))

    def finished(self, number: int, seconds: float) -> Schedule:
        """The schedule once a candidate has taken so long."""
        return replace(self, taken_so_far=self.taken_so_far + seconds,
                       guessed_so_far=self.guessed_so_far + self.seconds[number])
