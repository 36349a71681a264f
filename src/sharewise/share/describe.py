"""What a way of sharing costs: parameters, multiply-adds and the memory of a step, for all tasks and for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from .evaluating import evaluating
from .shared_model import SharedModel


@dataclass(frozen=True)
class Description:
    """The cost of a shared model.

    ``shared_parameters``: used by several tasks; ``own_parameters``: of each task alone; ``multiply_adds``: of one
    forward pass for all tasks on the inputs given; ``task_multiply_adds``: of one for each task alone; ``step_bytes``:
    memory of one training step for all tasks, of parameters, their gradients, and what the forward pass keeps for the
    backward pass; ``task_step_bytes``: of one for each task alone. What an optimizer keeps comes on top.
    ``structure``: which tasks share which stages, where a tree was given (``Branching``) or learned
    (``LearningToBranch``); else empty.

    Whether one network for all pays is ``multiply_adds`` against the sum of ``task_multiply_adds``, and so on: a
    network a task has the shared parameters T times.
    """

    shared_parameters: int
    own_parameters: dict[str, int]
    multiply_adds: int
    task_multiply_adds: dict[str, int]
    step_bytes: int
    task_step_bytes: dict[str, int]
    structure: str = ""

    @property
    def parameters(self) -> int:
        """All parameters."""
        return self.shared_parameters + sum(self.own_parameters.values())

    @property
    def parameters_apart(self) -> int:
        """All parameters if each task had such a network to itself."""
        return len(self.own_parameters) * self.shared_parameters + sum(self.own_parameters.values())


def describe(model: SharedModel, inputs: Any) -> Description:
    """Parameters, multiply-adds of a forward pass on ``inputs``, and memory of a step: for all tasks, and for each.

    Counted are products of matrices, convolutions and attention, as they run (elementwise work is not); for frozen
    parameters as for others. Memory is measured: every tensor that autograd keeps counts once, the inputs among them
    where a layer needs them. Dropout, which is off meanwhile, would keep its masks. ``inputs``: as ``forward`` reads
    them. The model is as before afterwards.

    >>> from torch import nn
    >>> from sharewise.share import HardSharing
    >>> model = HardSharing(nn.Linear(10, 4), {"a": nn.Linear(4, 1), "b": nn.Linear(4, 2)})
    >>> cost = describe(model, torch.zeros(1, 10))
    >>> cost.shared_parameters, cost.own_parameters
    (44, {'a': 5, 'b': 10})
    >>> cost.multiply_adds, cost.task_multiply_adds
    (52, {'a': 44, 'b': 48})
    >>> cost.step_bytes, sum(cost.task_step_bytes.values())  # one network for both, against one for each
    (528, 936)
    """
    own = {name: _count(model.task_parameters(name)) for name in model.tasks}
    with evaluating(model):
        alone = {name: _multiply_adds(model, inputs, (name,)) for name in model.tasks}
        together = _multiply_adds(model, inputs, model.tasks)
        memory_alone = {name: _step_bytes(model, inputs, (name,)) for name in model.tasks}
        memory = _step_bytes(model, inputs, model.tasks)
    return Description(_count(model.shared_parameters()), own, together, alone, memory, memory_alone,
                       model.structure())


def _count(parameters: Any) -> int:
    return sum(parameter.numel() for parameter in parameters)


def _multiply_adds(model: SharedModel, inputs: Any, tasks: Sequence[str]) -> int:
    # with gradients and plain attention, as fused kernels are not counted
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH), torch.enable_grad():
        model(inputs, tasks)
    return counter.get_total_flops() // 2


def _step_bytes(model: SharedModel, inputs: Any, tasks: Sequence[str]) -> int:
    used = [*model.shared_parameters(), *(one for name in tasks for one in model.task_parameters(name))]
    kept: dict[int, torch.UntypedStorage] = {}  # held, so that no address is given out twice

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), torch.enable_grad():
        model(inputs, tasks)
    for parameter in model.parameters():
        kept.pop(parameter.untyped_storage().data_ptr(), None)
    weights = sum(one.numel() * one.element_size() * (2 if one.requires_grad else 1) for one in used)
    return weights + sum(storage.nbytes() for storage in kept.values())
