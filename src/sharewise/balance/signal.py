"""What is known of one step: the losses, and the gradients for whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from math import isfinite, isnan

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..base import JobError, UnknownNameError, UsageError
from .engine import Engine, JointEngine


class Signal:
    """The losses of one step by task, and, computed when first asked for, their gradients in the shared parameters.

    ``losses`` [T] are the values (NaN where not observed), ``observed`` [T] says which tasks have one,
    ``jacobian`` [T, P] has the gradient of each task in its row (0 where not observed), ``gramian`` [T, T] their inner
    products. ``roots`` are the loss tensors themselves, of the observed tasks alone, with their graph.

    Parameters: ``losses``: a scalar tensor a task, NaN or left out = not observed; ``shared``: the P shared parameters;
    ``tasks``: all names in the wanted order (default: as they stand in ``losses``); ``needs``: what will be asked for
    first and most, as balancers declare it: with "jacobian" the Gramian is taken from the Jacobian; ``keeps_graph``:
    whether the losses can be differentiated again. ``engine`` computes the gradients, ``engine.explain()`` says how.

    >>> shared = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> signal = Signal({"a": shared.sum(), "b": shared[0] * 3}, [shared])
    >>> signal.gramian.tolist()
    [[2.0, 3.0], [3.0, 9.0]]
    """

    def __init__(self, losses: Mapping[str, Tensor], shared: Sequence[Tensor], tasks: Sequence[str] = (),
                 needs: str = "gramian", keeps_graph: bool = True) -> None:
        self.tasks = tuple(tasks) or tuple(losses)
        self.shared = [parameter for parameter in dict.fromkeys(shared) if parameter.requires_grad]
        self.needs, self.keeps_graph = needs, keeps_graph
        if not losses:
            raise UsageError("losses", "are empty", "there must be at least one", "Leave the step out.")
        known = set(self.tasks)
        numbers = {}
        for name, loss in losses.items():
            if name not in known:
                raise UnknownNameError.near("task", name, self.tasks)
            if loss.ndim and loss.numel() != 1:
                raise UsageError(f"the loss of task {name!r}", f"has shape {tuple(loss.shape)}",
                                 "it must be one number", "Take its mean over the rows.")
            numbers[name] = loss.reshape(()) if loss.ndim else loss
        if len(numbers) < len(known):
            gap = torch.full((), torch.nan, dtype=loss.dtype, device=loss.device)
            numbers = dict.fromkeys(self.tasks, gap) | numbers
        with torch.no_grad():
            self.losses: Float[Tensor, "T"] = torch.stack([numbers[name] for name in self.tasks])
        self.given = [name in losses for name in self.tasks]
        self.where = [at for at, loss in enumerate(self.losses.tolist()) if not isnan(loss)]
        self.roots = [numbers[self.tasks[at]] for at in self.where]

    @cached_property
    def observed(self) -> Bool[Tensor, "T"]:
        """Whether each task has a loss in this step."""
        return self.losses == self.losses  # NaN alone differs from itself

    def stop_if_broken(self) -> None:
        """JobError for the first of the given losses that is NaN or infinite."""
        self._stop_at(self.losses)

    def _stop_at(self, losses: Float[Tensor, "T"]) -> None:
        for name, loss, is_given in zip(self.tasks, losses.tolist(), self.given, strict=True):
            if is_given and not isfinite(loss):
                raise JobError(f"the loss of task {name!r}", f"is {loss}", "nan='stop' asks for finite ones",
                               "Lower the learning rate, look at its rows, or leave out a task without rows.")

    @cached_property
    def engine(self) -> Engine | JointEngine:
        """What computes the gradients of the observed losses that have any."""
        return Engine([root for root in self.roots if root.requires_grad], self.shared, self.keeps_graph)

    @cached_property
    def moving(self) -> list[int]:
        """The places of the losses that the engine knows."""
        return [at for at, root in zip(self.where, self.roots, strict=True) if root.requires_grad]

    @cached_property
    def jacobian(self) -> Float[Tensor, "T P"]:
        """Gradient of each task's loss in the shared parameters, one backward pass a task."""
        if len(self.moving) == len(self.tasks):
            return self.engine.jacobian.to(self.losses.dtype)
        rows = self.losses.new_zeros(len(self.tasks), sum(parameter.numel() for parameter in self.shared))
        if self.moving:
            rows[self.moving] = self.engine.jacobian.to(rows.dtype)
        return rows

    @cached_property
    def gramian(self) -> Float[Tensor, "T T"]:
        """Inner products of the tasks' gradients."""
        if self.needs == "jacobian" and self.moving:
            _ = self.engine.jacobian  # from which the engine then takes the products
        return self.estimate(lambda engine: engine.gramian)

    def estimate(self, by: Callable[[Engine | JointEngine], Float[Tensor, "S S"]]) -> Float[Tensor, "T T"]:
        """Inner products that ``by`` takes from the engine of the S losses with a gradient; 0 for all other tasks."""
        places = self.losses.new_zeros(len(self.tasks), len(self.tasks))
        if self.moving:
            at = torch.tensor(self.moving, device=places.device)
            places[at[:, None], at] = by(self.engine).to(places.dtype)
        return places

    @property
    def has_jacobian(self) -> bool:
        """Whether somebody has already paid for the gradients of the single tasks."""
        return "jacobian" in self.__dict__ or ("engine" in self.__dict__ and self.engine.has_jacobian)
