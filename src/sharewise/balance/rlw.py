"""RLW: random loss weighting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ..base.checks import at_least_one, no_duplicates, whole
from .balancer import Balancer
from .observed import observed_softmax
from .signal import Signal
from .update import Update, Weights


class RLW(Balancer):
    """New random weights in every step: the softmax of T independent standard normal numbers; they sum to 1.

    Lin, Ye, Zhang, Tsang 2022, Reasonable effectiveness of random weighting: a litmus test for multi-task learning;
    loss weighting with the normal distribution. A baseline that every learned weighting should beat. Departure: the
    softmax is taken over the tasks that are observed in the step.

    The draw of a step depends on ``seed`` and the number of the step alone, so that a resumed run goes on the same.

    ``tasks``: their names; ``seed``: 0 or more.

    >>> import torch
    >>> from sharewise import balance
    >>> signal = balance.Signal({"a": torch.tensor(1.0), "b": torch.tensor(2.0)}, [])
    >>> balance.RLW(["a", "b"], seed=0).update(signal).values
    tensor([0.5641, 0.4359])
    """

    step: Tensor

    def __init__(self, tasks: Sequence[str], seed: int = 0) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        whole("seed", seed, 0, 2**63 - 1)
        self.tasks, self.seed = tasks, seed
        self.register_buffer("step", torch.zeros((), dtype=torch.int64))

    def update(self, signal: Signal) -> Update:
        chance = np.random.default_rng([self.seed, int(self.step)])
        draw = torch.from_numpy(chance.standard_normal(len(self.tasks))).to(signal.losses)
        self.step += bool(signal.where)
        return Weights(observed_softmax(draw, signal.observed))
