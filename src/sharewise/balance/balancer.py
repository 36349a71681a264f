"""The role Balancer: how the losses of many tasks become one step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, cast

from jaxtyping import Float
from torch import Tensor, nn

from ..base import UsageError
from ..base.checks import one_of
from .signal import Signal
from .update import Update, Weights


class Balancer(nn.Module, ABC):
    """Turns what is known of a step (a Signal) into what is done with it (an Update).

    State is kept in buffers and parameters with their final shape, so that ``state_dict`` carries all of it; a
    parameter is learned: ``update`` adds to its ``.grad``, and the caller's optimizer moves it.

    Declared on the class: ``needs``, what ``update`` reads of the signal ("losses" costs no more than one backward
    pass; "estimate" what an estimate of the Gramian takes besides; "gramian" what the cheapest route of the engine
    takes; "jacobian" one pass a task, and T x P numbers);
    ``is_constant``, whether the weights are the same numbers in every step; ``is_by_coordinate``, whether what a shared
    parameter gets depends on the gradients in that coordinate alone; ``own_loop``, what the training loop has to give
    it besides ``backward``, in words, empty for most. A balancer with state for each task has a parameter ``tasks``,
    their names in its own order.
    """

    needs: ClassVar[str] = "losses"
    is_constant: ClassVar[bool] = False
    is_by_coordinate: ClassVar[bool] = False
    own_loop: ClassVar[str] = ""
    tasks: Sequence[str] = ()

    @abstractmethod
    def update(self, signal: Signal) -> Update:
        """What to do in this step. A task that is not observed gets weight 0 and moves no state."""

    def forward(self, losses: Mapping[str, Tensor], nan: str = "skip") -> Float[Tensor, ""]:
        """The weighted sum of the losses, for ``loss = balancer(losses); loss.backward()`` once a step.

        No list of parameters is needed, and scalers, accumulation and trainers that call ``backward`` themselves work
        as for any loss. Heads get gradients with the weights too, as with ``backward(..., heads="weighted")``.
        On several processes each has the weights of its own losses; ``backward`` has those of the joint ones.
        ``nan``: as of ``backward``. UsageError under balancers that need gradients.
        """
        if self.needs != "losses":
            raise UsageError(f"balancer {type(self).__name__}", f"needs the {self.needs}",
                             "a scalar can be had from losses alone", "Use balance.backward(losses, shared, balancer).")
        one_of("nan", nan, ("skip", "stop"))
        signal = Signal(losses, [], self.tasks)
        if nan == "stop":
            signal.stop_if_broken()
        learned = [(parameter, parameter.grad) for parameter in self.parameters()]
        self.zero_grad()
        weights = cast(Weights, self.update(signal)).values.detach()[signal.where]
        total = signal.losses.new_zeros(()).requires_grad_()
        for weight, root in zip(weights, signal.roots, strict=True):
            total = total + weight.to(root.dtype) * root
        for parameter, before in learned:
            if parameter.grad is not None:  # what ``update`` filled comes with ``backward``: a term 0 of that slope
                total = total + ((parameter - parameter.detach()) * parameter.grad).sum().to(total)
            parameter.grad = before
        return total
