"""Task-conditioned normalisation: one network whose normalisation layers are each task's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _NormBase

from ..base import UsageError
from .heads import heads_over
from .hollow import make_hollow, sharing_copy
from .per_task import PerTask
from .shared_model import SharedModel
from .trunk import Trunk, check_trunk

LAYERS = (_NormBase, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm)  # _NormBase: batch and instance normalisation


class TaskNormalization(SharedModel):
    """One trunk for all tasks, in which each task has its own scale and shift in every normalisation layer.

    Where a layer keeps running statistics (batch normalisation), these too are each task's own: they move with the
    batches in which the task is asked for, and in evaluation the task is normalised by them. All start as the trunk's,
    so that training starts from hard sharing to the bit.

    Bilen, Vedaldi 2017, Universal representations: The missing link between faces, text, planktons, and cat breeds
    (own scales, shifts and statistics beside shared filters); Dumoulin, Shlens, Kudlur 2017, A learned representation
    for artistic style (scales and shifts alone, in instance normalisation). For any normalisation of PyTorch.

    ``trunk``: its normalisation layers are copied, all its other parameters are held; ``heads``: a module a task.
    UsageError where there is no head, or no normalisation layer that has something to own. The trunk runs once for each
    task from the first stage on that has such a layer.

    >>> import torch
    >>> from sharewise.share import ResNet
    >>> model = TaskNormalization(ResNet(3, [8]), {name: nn.Conv2d(8, 1, 1) for name in ("a", "b")})
    >>> model(torch.zeros(2, 3, 6, 6))["a"].shape
    torch.Size([2, 1, 6, 6])
    """

    def __init__(self, trunk: Trunk, heads: Mapping[str, nn.Module]) -> None:
        super().__init__()
        check_trunk("trunk", trunk)
        self.tasks = tuple(heads)
        self.trunk = sharing_copy(trunk)
        self.layers = [[path for path, layer in stage.named_modules() if isinstance(layer, LAYERS) and _owned(layer)]
                       for stage in self.trunk.stages]
        if not any(self.layers):
            raise UsageError("the trunk", "has no normalisation layer with parameters or statistics",
                             "tasks differ in these alone", "Give it some, or take FiLM, which needs none.")
        found = [stage.get_submodule(path) for stage, paths in zip(self.trunk.stages, self.layers, strict=True)
                 for path in paths]
        self.norms = PerTask("norms", {name: nn.ModuleList(deepcopy(layer) for layer in found) for name in heads})
        for layer in found:
            make_hollow(layer)
        self.heads = heads_over(trunk, heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        alike = next(place for place, paths in enumerate(self.layers) if paths)
        for stage in self.trunk.stages[:alike]:
            inputs = stage(inputs)
        return {name: self.heads.of(name)(self._normalized(inputs, name, alike)) for name in names}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.norms.of(name), self.heads.of(name))

    def _normalized(self, features: Any, name: str, start: int) -> Tensor:
        norms = iter(self.norms.of(name))
        for stage, paths in zip(self.trunk.stages[start:], self.layers[start:], strict=True):
            own = {f"{path}.{key}".lstrip("."): tensor for path in paths for key, tensor in _owned(next(norms)).items()}
            features = functional_call(stage, own, (features,))
        return features


def _owned(layer: nn.Module) -> dict[str, Tensor]:
    return dict(chain(layer.named_parameters(), layer.named_buffers()))
