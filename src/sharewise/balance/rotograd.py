"""RotoGrad: gradients of one length, and features that every task turns its own way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..base import UsageError
from ..base.checks import at_least_one, no_duplicates, one_of, whole
from .balancer import Balancer
from .engine import Engine, JointEngine
from .engine.rotated import mark
from .graph import add_gradient
from .signal import Signal
from .update import Update, Weights


class RotoGrad(Balancer):
    """All tasks pull equally hard at the shared features, and learn to look at them so that they pull one way.

    Between the shared part and its head each task has a rotation R_t of the features, the identity at first: build the
    losses with ``head(balancer.rotate(task, features))``, on the features of the whole batch, in every forward pass,
    those of prediction included. With G_t [N, D] the gradient of loss t in the features, task t has the weight
    C / ||G_t||, where C = sum_t a_t ||G_t|| and a_t is the share of ||G_t|| / ||G_t at first||: the less a task has
    converged, the more its length counts. Rotations learn to maximise the cosines sum_t <G_t / ||G_t||, V> with
    V = mean_t G_t / ||G_t|| held constant: hand the parameters ``turns`` [T, D, D] to the optimizer, with a lower
    learning rate than the network's; ``update`` fills their ``.grad``, 0 for a task not observed. R_t is the matrix
    exponential of the skew-symmetric matrix whose upper triangle is that of turns[t].

    Javaloy, Valera 2022, RotoGrad: gradient homogenization in multitask learning, algorithm 1, equations 5 to 8.
    Departures: the objective of R_t is divided by ||G_t||, so that rotations learn at one pace whatever the scale of a
    loss; lengths at first are those of the step in which a task is first observed with a gradient.

    ``tasks``: their names; ``features``: D, the size of the last dimension of the features. With
    ``turns.requires_grad_(False)`` lengths alone are balanced. It costs a backward pass through each task's own part,
    and T x D x D numbers. What a task reads of the shared part past its rotation is not seen in its length. UsageError
    where a loss does not read features rotated for its task, where tasks rotate different tensors, on several
    processes, and in PerLayer.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.ones(1, 2, requires_grad=True)
    >>> balancer = balance.RotoGrad(["a", "b"], features=2)
    >>> own = {task: balancer.rotate(task, shared) for task in ("a", "b")}
    >>> balance.backward({"a": 3 * own["a"][0, 0], "b": own["b"][0, 1]}, [shared], balancer)
    >>> shared.grad  # both have the mean length, 2
    tensor([[2., 2.]])
    """

    needs: ClassVar[str] = "estimate"
    own_loop: ClassVar[str] = "a call of rotate in every forward pass"
    first: Tensor

    def __init__(self, tasks: Sequence[str], features: int) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        whole("features", features, 1, 10**5)
        self.tasks, self.features = tasks, features
        self.turns = nn.Parameter(torch.zeros(len(tasks), features, features))
        self.register_buffer("first", torch.zeros(len(tasks), dtype=torch.float64))  # 0 = not known yet

    @property
    def rotations(self) -> Float[Tensor, "T D D"]:
        """R_t of each task, differentiable in ``turns``."""
        upper = self.turns.triu(1)
        return torch.matrix_exp(upper - upper.mT)

    def rotate(self, task: str, features: Float[Tensor, "*N D"]) -> Float[Tensor, "*N D"]:
        """The features as the head of ``task`` is to read them, R_t z for each of them; rotations get no gradient here.

        UnknownNameError for another task; UsageError where the last dimension is not D.
        """
        at = list(self.tasks).index(one_of("task", task, self.tasks))
        if features.ndim < 2 or features.shape[-1] != self.features:
            raise UsageError(f"the features for task {task!r}", f"have shape {tuple(features.shape)}",
                             f"they must have two dimensions or more, the last of size {self.features}",
                             "Give what the shared part puts out, or another features=.")
        with torch.no_grad():
            upper = self.turns[at].triu(1)
            rotation = torch.matrix_exp(upper - upper.mT).to(features)
        rotated = features @ rotation.mT
        mark(rotated, self, task, features)
        return rotated

    def update(self, signal: Signal) -> Update:
        names = [signal.tasks[at] for at in signal.moving]
        seen: list[Float[Tensor, "S N D"]] = []

        def look(engine: Engine | JointEngine) -> Float[Tensor, "S S"]:
            seen.extend(part.to(signal.losses) for part in engine.at_rotations(names, self))
            return _lengths(seen).square().diag()

        norms = signal.estimate(look).diagonal().clamp_min(0).sqrt().to(self.first)
        if seen and self.turns.requires_grad:
            self._turn(seen, [list(self.tasks).index(name) for name in names])
        self.first.copy_(torch.where(self.first > 0, self.first, norms))
        progress = torch.where(norms > 0, norms / self.first, 0.0)
        common = (progress / progress.sum().clamp_min(torch.finfo(progress.dtype).tiny)) @ norms
        return Weights(torch.where(norms > 0, common / norms, 0.0).to(signal.losses))

    def _turn(self, seen: list[Float[Tensor, "S N D"]], at: list[int]) -> None:
        """Add the slopes of -sum_t <G_t, V> / ||G_t|| in ``turns`` of the tasks ``at``; G_t is what R_t turns back."""
        seen = [part.to(self.turns) for part in seen]
        lengths = _lengths(seen)
        scale = torch.where(lengths > 0, 1 / lengths, 0.0)[:, None, None]
        with torch.enable_grad():
            rotations = self.rotations[at]
            total = rotations.new_zeros(())
            for part in seen:
                units = scale * part
                mean = (units @ rotations.detach()).mean(0)
                total = total - (rotations * (units.mT @ mean)).sum()
            add_gradient([self.turns], torch.autograd.grad(total, self.turns)[0].flatten())


def _lengths(parts: list[Float[Tensor, "S N D"]]) -> Float[Tensor, "S"]:
    """||G_t|| over all the features; a rotation does not change it."""
    return torch.stack([part.flatten(1).norm(dim=1) for part in parts]).norm(dim=0)
