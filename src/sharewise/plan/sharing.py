"""Ways of sharing a network that compete, by name."""

from __future__ import annotations

from collections.abc import Sequence

from ..base import UsageError
from ..base.checks import at_least_one, no_duplicates
from ..task import Task
from ..train import Architecture
from ..train.own_rows import rows_are_own
from .candidate import Candidate
from .effort import Size

HARD = "HardSharing"  # batched by hand, several times as fast as the others
BY_DEFAULT, WHERE_ROWS_ARE_OWN = (HARD,), (HARD, "FiLM")  # what paid: benchmarks/architectures.py
MOST_PARAMETERS = 100e6  # some 20 bytes each while they are trained
FEWEST_OF_A_TREE = 3  # tasks: of two none is nearer than the other
FACTORS = (0.1, 1.0, 10.0)  # of the default strength of a way that has one: each is tuned for itself


def check_share(wanted: Sequence[str] | None, families: Sequence[str] | None = None, plan: object = "auto",
                balance: Sequence[object] = ()) -> Sequence[str] | None:
    """``wanted``, the names of ways of sharing; None: a few. UsageError for others, where no shared network is to
    compete, and where the balancers to be tried would find no hard sharing."""
    if wanted is None:
        return None
    if isinstance(wanted, str):
        raise UsageError("share", "is no list", "it must be a list of names", "Put it in brackets.")
    at_least_one("share", wanted)
    if plan == "separate" or "network" not in (families or ("network",)):
        raise UsageError("share", "is given where no shared network competes", "it names their ways of sharing",
                         "Leave it out, or let families and plan have shared networks.")
    for name in no_duplicates("share", wanted):
        Architecture(name)
    if len(balance) and HARD not in wanted:
        raise UsageError("share", f"leaves out {HARD!r}", "balancers are tried with that way of sharing",
                         f"Add {HARD}, or leave balance out.")
    return wanted


def ways(wanted: Sequence[str] | None, tasks: Sequence[Task]) -> dict[str, Architecture | None]:
    """What a candidate's name says -> the architecture, with each strength to be tried; hard sharing stands first, as
    "" -> None. UsageError for one that must find a tree of too few tasks."""
    by_default = WHERE_ROWS_ARE_OWN if rows_are_own(tasks) else BY_DEFAULT
    names = by_default if wanted is None else wanted
    found: dict[str, Architecture | None] = {"": None} if HARD in names else {}
    for name in names:
        if name == HARD:
            continue
        if Architecture(name).finds_tree and len(tasks) < FEWEST_OF_A_TREE:
            raise UsageError(f"way of sharing {name!r}", f"would find a tree of {len(tasks)} tasks",
                             f"of {FEWEST_OF_A_TREE} or more some can be nearer than others",
                             f"Leave it out, or give share.{name} a tree in a network of your own.")
        strength = Architecture(name).strength
        if strength is None:
            found[f", {name}"] = Architecture(name)
            continue
        for factor in FACTORS:
            found[f", {name} {strength * factor:g}"] = Architecture(name, {"strength": strength * factor})
    return found


def check_sizes(candidates: Sequence[Candidate], size: Size, folds: int) -> None:
    """UsageError for a way of sharing whose networks of all folds would not fit into memory."""
    for one in candidates:
        if one.architecture is not None:
            parameters = one.parts[0].most_parameters(size.rows, size.features)  # type: ignore[attr-defined]
            if parameters * folds > MOST_PARAMETERS:
                raise UsageError(f"way of sharing {one.architecture!r}",
                                 f"would have {parameters / 1e6:.0f} million parameters in each of {folds} folds",
                                 f"{MOST_PARAMETERS / 1e6:.0f} million in all is the limit",
                                 "Name another, or fewer targets.")
