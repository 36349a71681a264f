"""FORUM: weights for which what is good on validation rows is what training leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..base.checks import at_least_one, no_duplicates, whole, within
from .balancer import Balancer
from .graph import add_gradient
from .last_step import observed_losses
from .look_ahead import slope_of_gap
from .observed import observed_softmax
from .shared_size import same_size
from .signal import Signal
from .solvers import min_norm_constrained
from .update import Direction, Update, Weights


class FORUM(Balancer):
    """The shared parameters x lower all validation losses V_t at once, as far as training with weights w agrees.

    Wanted is an x that is Pareto optimal on validation rows among those that minimise the training loss
    f = sum_t w_t L_t for some weights w = softmax(s). The constraint is q = f(x) - f(x') <= 0, where x' comes from x by
    ``steps`` steps of gradient descent on f. With G the gradient of q in s and x (in s: of
    sum_t w_t (L_t(x) - L_t(x')); in x: of f alone) and pi_t = rho - <G, grad V_t> / |G|^2, the gradient of a step in s
    and x is sum_t a_t grad V_t + v G, v = max(sum_t a_t pi_t, 0): it lowers q by rho |G|^2 at least. The a >= 0 with
    sum 1 minimise |sum_t a_t grad V_t + v G|^2 - v rho |G|^2; used is a mean of them over the steps, which takes in
    those of step k = 1, 2, ... with the share k^(-3/4).

    In each step, before ``backward``, give ``observe`` the losses of a validation batch and a function that computes
    the training losses. Without, the step is sum_t w_t grad L_t and nothing is learned. ``logits`` [T], s, start at 0:
    hand them to an optimizer (the authors: Adam, learning rate 1e-3). Where a task is not observed the others share
    its part.

    Ye, Lin, Cao, Zhang, Tsang 2024, A first-order multi-gradient algorithm for multi-objective bi-level optimization,
    algorithm 1, equations 4, 5, 8, 9, 11. Departures: x are the shared parameters, heads stand still in the steps to x'
    and get the plain gradient of their own training loss, as everywhere here; the problem in a is solved exactly. The
    authors' program divides each grad V_t by its length as well, and counts k in epochs.

    ``tasks``: their names; ``size``: how many numbers the shared parameters have, P; ``rho`` above 0: how fast q is to
    fall; ``rate`` above 0: that of gradient descent to x', of the order of the training's own; ``steps``: 1 or more.
    Costs ``steps`` passes forward and back, and one forward, besides the gradients of all losses. Keeps T x P numbers.
    UsageError where ``size`` is not that of the parameters, and for ``heads="weighted"`` in a step with ``observe``.

    >>> import torch
    >>> from sharewise import balance
    >>> shared = torch.zeros(1, requires_grad=True)
    >>> train = lambda: {"a": (shared - 1).square().sum(), "b": (shared + 1).square().sum()}
    >>> balancer = balance.FORUM(["a", "b"], size=1)
    >>> balancer.observe({"a": (shared - 0.5).square().sum()}, [shared], train)
    >>> balance.backward(train(), [shared], balancer)
    >>> shared.grad  # q is at its minimum, so that there is nothing but the gradient on validation rows
    tensor([-1.])
    """

    needs: ClassVar[str] = "jacobian"
    own_loop: ClassVar[str] = "losses on validation rows in every step"
    rows: Tensor
    seen: Tensor
    slope: Tensor
    shares: Tensor
    count: Tensor

    def __init__(self, tasks: Sequence[str], size: int, rho: float = 0.1, rate: float = 0.1, steps: int = 5) -> None:
        super().__init__()
        no_duplicates("tasks", at_least_one("tasks", tasks))
        whole("size", size, 1, 10**12)
        within("rho", rho, 1e-12)
        within("rate", rate, 1e-12)
        whole("steps", steps, 1, 10**6)
        self.tasks, self.size, self.rho, self.rate, self.steps = tasks, size, rho, rate, steps
        self.logits = nn.Parameter(torch.zeros(len(tasks)))
        self.register_buffer("rows", torch.zeros(len(tasks), size))  # these three: what the next step is to know
        self.register_buffer("seen", torch.zeros(len(tasks), dtype=torch.bool))
        self.register_buffer("slope", torch.zeros(len(tasks), dtype=torch.float64))
        self.register_buffer("shares", torch.full((len(tasks),), 1 / len(tasks), dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))

    def observe(self, losses: Mapping[str, Tensor], shared: Iterable[Tensor],
                train: Callable[[], Mapping[str, Tensor]]) -> None:
        """Take in a validation batch before a step; ``losses`` of any of the tasks, NaN: not observed.

        ``shared``: the parameters that ``backward`` is given; ``train``: computes the training losses of the batch of
        the coming step, anew at each call, ``steps`` + 1 times: dropout draws each time and batch statistics move. They
        are the losses that ``update`` sees: inside LogLoss their logarithms. On several processes both are of the same
        rows on all. It leaves all gradients and parameters alone. UnknownNameError for the loss of something that is no
        task; JobError where gradient descent at this rate leads to losses that are no numbers.
        """
        if observed_losses(losses, self.tasks):
            shared = list(shared)
            signal = Signal(losses, shared, self.tasks, self.needs)
            same_size(signal, self.size)
            self.rows.copy_(signal.jacobian)
            self.slope.copy_(slope_of_gap(train, shared, self.logits.detach().double(), self.tasks, self.rate,
                                          self.steps))
            self.seen.copy_(signal.observed)

    def update(self, signal: Signal) -> Update:
        observed = signal.observed.to(self.logits.device)
        weights = observed_softmax(self.logits.detach(), observed).to(signal.losses)
        if not (self.seen.any() and observed.any()):
            return Weights(weights)
        same_size(signal, self.size)
        rows = torch.cat([self.rows[self.seen], (weights @ signal.jacobian).to(self.rows)[None]])
        gramian = (rows @ rows.mT).double()
        gramian[-1, -1] += self.slope @ self.slope
        parts = self._mean_of(gramian)
        square = gramian[-1, -1]
        back = (self.rho - parts @ gramian[:-1, -1] / square).clamp_min(0) if square > 0 else square
        add_gradient([self.logits], back * self.slope)
        self.seen.zero_()
        return Direction((torch.cat([parts, back[None]]).to(rows) @ rows).to(signal.losses))

    def _mean_of(self, gramian: Float[Tensor, "S S"]) -> Float[Tensor, "R"]:
        """The parts of the observed validation losses: the mean over the steps, this one included; NaN as ``gramian``.

        Those of the other tasks stay as they are, and so does the sum of all, 1.
        """
        if not gramian.isfinite().all():
            return gramian.new_full((len(gramian) - 1,), torch.nan)
        noise = len(gramian) * torch.finfo(self.rows.dtype).eps
        best = gramian.new_tensor(min_norm_constrained(gramian.cpu().numpy(), self.rho, noise))
        self.count += 1
        before = self.shares[self.seen]
        start = before / before.sum() if before.any() else best
        mean = start + self.count ** -0.75 * (best - start)
        self.shares[self.seen] = before.sum() * mean
        return mean
