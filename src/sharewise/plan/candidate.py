"""A candidate: a family, a plan and a strength of regularisation, ready to be fitted on folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..base.calls import from_call, to_call
from ..base.estimator import Estimator
from ..relate import FoundGroups
from .plan import Plan


@dataclass(frozen=True)
class Candidate:
    """One way to learn all tasks.

    ``parts`` are unfitted estimators which together serve every task: one a group of the plan, or fewer where an
    estimator takes several groups at once. ``seconds`` is a first guess of the time for all folds on one core.
    """

    name: str
    plan: Plan
    parts: tuple[Estimator, ...]
    seconds: float = 1.0

    @property
    def shares(self) -> bool:
        """Whether any of its tasks may learn from another."""
        return any(part.shares for part in self.parts)

    @property
    def family(self) -> str:
        """The word for its sort of model."""
        return self.parts[0].family

    @property
    def sort(self) -> str:
        """The word for its sort of estimator (or label method) and, of a chain, for its base's, of a network, for its
        balancer's or its way of sharing."""
        if self.architecture is not None:
            return f"{type(self.parts[0]).__name__} of {self.architecture}"
        base = getattr(self.parts[0], "base", None) or getattr(self.parts[0], "balancer", None)
        name = getattr(self.parts[0], "method", type(self.parts[0]).__name__)
        return name + (f" of {type(base).__name__}" if base is not None else "")

    @property
    def architecture(self) -> str | None:
        """The name of a network's way of sharing; None for hard sharing and for what is no network."""
        architecture = getattr(self.parts[0], "architecture", None)
        return None if architecture is None else architecture.name

    @property
    def kin(self) -> str:
        """The family of what it is built of: a chain's is that of its base."""
        return str(getattr(self.parts[0], "base", self.parts[0]).family)  # type: ignore[union-attr]

    @property
    def finds_groups(self) -> bool:
        """Whether every fold finds the groups by itself."""
        return any(isinstance(getattr(part, "rule", None) or getattr(part, "sharing", None), FoundGroups)
                   for part in self.parts)

    def apart(self, candidates: Sequence[Candidate]) -> tuple[int, ...]:
        """The numbers of those candidates that do the same with each task alone: "extra trees, light, separate" for
        "joint extra trees, light, together", both strengths of boosting for "joint boosted trees, together"."""
        own = self.name.rsplit(", ", 1)[0]
        recipes = {at: one.name.rsplit(", ", 1)[0] for at, one in enumerate(candidates) if not one.shares}
        return (tuple(at for at, recipe in recipes.items() if recipe in own)
                or tuple(at for at, recipe in recipes.items() if recipe.split(", ")[0] in own))

    @property
    def slug(self) -> str:
        """The name as a folder name."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.name)

    def serves(self, part: int) -> tuple[str, ...]:
        """The tasks that a part serves: those it knows and that no group leaves to another."""
        learns = {task.name for task in self.parts[part].tasks}
        return tuple(name for group in self.plan.groups if set(group.learns) <= learns for name in group.serves)

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict."""
        return {"name": self.name, "plan": self.plan.to_json(), "parts": [to_call(part) for part in self.parts],
                "seconds": self.seconds}

    @classmethod
    def from_json(cls, state: dict[str, Any]) -> Candidate:
        """The candidate that ``to_json`` described."""
        parts = tuple(from_call(part) for part in state["parts"])
        return cls(state["name"], Plan.from_json(state["plan"]), parts, state["seconds"])
