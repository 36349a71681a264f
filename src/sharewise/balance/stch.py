"""STCH: smooth Tchebycheff scalarization."""

from __future__ import annotations

from collections.abc import Sequence

from ..base import UsageError
from ..base.checks import at_least_one, no_duplicates, within
from .balancer import Balancer
from .observed import observed_softmax
from .signal import Signal
from .update import Update, Weights


class STCH(Balancer):
    """A smooth form of the largest loss: minimises mu log sum_t exp(p_t (L_t - z_t) / mu).

    The weight of task t is p_t softmax(p (L - z) / mu)_t. Small mu: only the task that is furthest from its ideal
    value z_t counts; large mu: all tasks alike, by their preferences p_t. Since losses are compared with each other,
    they must be on one scale: ``LogLoss(STCH(tasks))``, with the logarithms of the losses after some epochs as
    ``ideal``, is what the authors' program minimises (times T).

    Lin, Zhang, Yang, Liu, Wang, Zhang 2024, Smooth Tchebycheff scalarization for multi-objective optimization; its
    definition of the smooth scalarization. Departure: preferences need not sum to 1.

    ``tasks``: their names; ``mu`` above 0, in the unit of the losses; ``ideal``: z_t in the order of the tasks (default
    0); ``preferences``: p_t above 0 (default 1). UsageError where their numbers are not that of the tasks.

    >>> import torch
    >>> from sharewise import balance
    >>> signal = balance.Signal({"a": torch.tensor(2.0), "b": torch.tensor(1.0)}, [])
    >>> balance.STCH(["a", "b"]).update(signal).values
    tensor([0.7311, 0.2689])
    """

    def __init__(self, tasks: Sequence[str], mu: float = 1.0, ideal: Sequence[float] | None = None,
                 preferences: Sequence[float] | None = None) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        within("mu", mu, 1e-9)
        for thing, numbers in (("ideal", ideal), ("preferences", preferences)):
            if numbers is not None and len(numbers) != len(tasks):
                raise UsageError(thing, f"has {len(numbers)} numbers", f"there are {len(tasks)} tasks",
                                 "Give one number a task.")
        for value in ideal or ():
            within("an ideal value", value)
        for value in preferences or ():
            within("a preference", value, 1e-9)
        self.tasks, self.mu, self.ideal, self.preferences = tasks, mu, ideal, preferences

    def update(self, signal: Signal) -> Update:
        losses = signal.losses.double()
        ideal = losses.new_tensor([0.0] * len(self.tasks) if self.ideal is None else list(self.ideal))
        preferences = losses.new_tensor([1.0] * len(self.tasks) if self.preferences is None else list(self.preferences))
        shares = observed_softmax(preferences * (losses - ideal) / self.mu, signal.observed)
        return Weights((preferences * shares).to(signal.losses))
