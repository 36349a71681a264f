"""What to fit next, decided on numbers alone: no clock, no process."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

MIGHT = 4.0  # a candidate that is guessed at so many times the time that is left may still make it
TRUST = 3.0  # seconds of finished work from which on the correction counts more than the first guess
HEAD_START = 0.3  # separate candidates go before shared ones of more than this share of their cost
FIRST_START = 0.2  # and the first of each family before those of more than this
LATE_START = 3.0  # found groups go after the two ends, apart and together, of less than so many times their cost
FINISH_SHARE, MOST_FINISH = 0.12, 0.5  # of the budget is kept for choosing, judging and saving; where asked, more


@dataclass(frozen=True)
class Schedule:
    """Which candidates wait, cheap before dear and separate ones with a head start.

    Of each: a first guess of its ``seconds``; its family, ``kin``; its ``sort`` of estimator; whether it ``shares``;
    whether it is ``late``, in groups that are still to be found. Guesses are corrected by what finished ones of the
    same sort ``took``, as (sort, guessed, taken). A shared candidate waits until a separate one of its family has been
    taken, and one of those that do the same ``apart``, if there is time for both: or else what the method brings would
    pass for what sharing brings. Where there is none, as with hundreds of tasks, it goes, and the report says so.
    """

    seconds: tuple[float, ...]
    kin: tuple[str, ...]
    sort: tuple[str, ...]
    shares: tuple[bool, ...]
    apart: tuple[tuple[int, ...], ...]
    late: tuple[bool, ...]
    budget: float | None
    waiting: tuple[int, ...]
    finish: float = 0.0
    took: tuple[tuple[str, float, float], ...] = ()

    @classmethod
    def of(cls, seconds: Sequence[float], budget: float | None, done: Sequence[int] = (),
           kin: Sequence[str] = (), sort: Sequence[str] = (), shares: Sequence[bool] = (),
           apart: Sequence[tuple[int, ...]] = (), late: Sequence[bool] = (), finish: float = 0.0) -> Schedule:
        """The schedule at the start, or after some are ``done``; what is not given is alike for all. ``finish``: the
        seconds that choosing and judging should take."""
        waiting = tuple(number for number in range(len(seconds)) if number not in set(done))
        alike = ("",) * len(seconds)
        never = (False,) * len(seconds)
        return cls(tuple(seconds), tuple(kin) or alike, tuple(sort) or alike, tuple(shares) or never,
                   tuple(apart) or ((),) * len(seconds), tuple(late) or never, budget, waiting, finish)

    @property
    def deadline(self) -> float:
        """Seconds after which nothing more is fitted."""
        if self.budget is None:
            return float("inf")
        return self.budget - max(FINISH_SHARE * self.budget, min(self.finish, MOST_FINISH * self.budget))

    def expected(self, number: int) -> float:
        """Seconds that a candidate should take, as things stand."""
        alike = [one for one in self.took if one[0] == self.sort[number]]
        guessed, taken = sum(one[1] for one in alike), sum(one[2] for one in alike)
        return self.seconds[number] * (taken + TRUST) / (guessed + TRUST)

    def may_start(self, number: int, left: float = float("inf")) -> bool:
        """Whether no separate candidate has to go first: one of its family, and one of those that do the same apart,
        where so many seconds are enough for both."""
        family = [other for other, kin in enumerate(self.kin) if kin == self.kin[number] and not self.shares[other]]
        return not self.shares[number] or not any(
            others and not self._has_begun(others)
            and min(self.expected(other) for other in others) + self.expected(number) <= left
            for others in (family, self.apart[number]))

    def _has_begun(self, numbers: Sequence[int]) -> bool:
        return any(other not in self.waiting for other in numbers)

    def is_new(self, number: int) -> bool:
        """Whether it learns tasks apart, and nothing of its family has been taken yet."""
        alike = [other for other, kin in enumerate(self.kin) if kin == self.kin[number]]
        return not self.shares[number] and all(other in self.waiting for other in alike)

    def start_share(self, number: int) -> float:
        """What its cost is multiplied by in the order of candidates."""
        if self.shares[number]:
            return LATE_START if self.late[number] else 1.0
        return FIRST_START if self.is_new(number) else HEAD_START

    def next(self, elapsed: float, nothing_yet: bool, busy: Collection[int] = ()) -> int | None:
        """The next candidate of those that should fit into the time that is left; else the cheapest one if it might:
        guesses are rough, and a worker without work gains nothing. While the first of a sort is ``busy``, others of its
        sort wait if something else can start: one guess that is far too low must not take all workers."""
        left = self.deadline - elapsed
        open_ones = [number for number in self.waiting if self.may_start(number, left)]
        unproven = {self.sort[number] for number in busy} - {one[0] for one in self.took}
        if self.budget is not None:
            open_ones = [number for number in open_ones if self.sort[number] not in unproven] or open_ones
        fitting = [number for number in open_ones if self.expected(number) <= left]
        if fitting and left > 0:
            return min(fitting, key=lambda one: self.expected(one) * self.start_share(one))
        cheapest = min(open_ones, key=self.expected, default=None)
        if cheapest is None or left <= 0 or (self.expected(cheapest) > MIGHT * left and not nothing_yet):
            return None
        return cheapest

    def taken(self, number: int) -> Schedule:
        """The schedule once a candidate is being fitted."""
        return replace(self, waiting=tuple(other for other in self.waiting if other != number))

    def finished(self, number: int, seconds: float) -> Schedule:
        """The schedule once a candidate has taken so long."""
        return replace(self, took=(*self.took, (self.sort[number], self.seconds[number], seconds)))
