"""DMTRL: the weights of all tasks' trunks, as one tensor, are a product of small factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..base.checks import one_of, within
from .alike_parameters import check_no_buffers, check_parameters_alike, side_by_side
from .heads import heads_over
from .hollow import make_hollow, sharing_copy
from .per_task import PerTask, ordered_as
from .shared_model import SharedModel
from .tensor_factors import tensor_train, tucker
from .trunk import Trunk, check_alike, placed_like

FACTORIZATIONS = {"tucker": tucker, "tensor_train": tensor_train}


class DMTRL(SharedModel):
    """Deep multi-task representation learning: every weight of the trunk is shared in part, as its factors find out.

    All tasks' weights of one parameter, side by side, are a tensor W [..., T], which is learned in factors: ``tucker``
    W = S x_1 U_1 x_2 ... x_T U_T, or ``tensor_train`` W = G_1 G_2 ... G_T. The last factor has a row a task, which is
    its own; all others are shared. They start as the best ones for the trunks given, whose weights may be trained or
    fresh. At rank 1 all of W is kept, and training starts at separate networks.

    Yang, Hospedales 2017, Deep multi-task representation learning: A tensor factorisation approach (``LowRank``
    is its third way, which flattens all axes but the tasks'). Departures: ranks are a share of the full ones, where the
    paper takes what truncation of single-task weights may lose; factors are scaled so that no parameter loses in norm,
    as fresh weights, of which truncation loses much, need their scale; biases are factorised too.

    ``trunks``: a Trunk a task, of one architecture without buffers; only their weights are read; ``heads``: a module
    a task; ``rank``: share of the full rank of every axis, above 0 up to 1; ``factorization``: tucker or tensor_train.
    UsageError where the names differ, trunks differ, or one has buffers. A trunk of its own weights runs for each task.

    >>> from sharewise.share import MLP
    >>> names = ("a", "b", "c")
    >>> model = DMTRL({name: MLP(3, [8]) for name in names}, {name: nn.Linear(8, 1) for name in names})
    >>> model(torch.zeros(5, 3))["c"].shape
    torch.Size([5, 1])
    """

    def __init__(self, trunks: Mapping[str, Trunk], heads: Mapping[str, nn.Module], rank: float = 0.5,
                 factorization: str = "tucker") -> None:
        super().__init__()
        within("rank", rank, 1e-6, 1.0)
        factorize = FACTORIZATIONS[one_of("factorization", factorization, FACTORIZATIONS)]
        self.tasks, self.rank, self.factorization = tuple(heads), rank, factorization
        trunks = ordered_as(heads, "trunks", trunks)
        PerTask("trunks", trunks)  # refuses one trunk under two names
        check_alike("trunks", trunks)
        check_parameters_alike("trunks", trunks)
        check_no_buffers("trunks", trunks)
        some = trunks[self.tasks[0]]
        parts = [_Part(name, alike, factorize, rank) for name, alike in side_by_side(trunks.values())]
        self.coefficients = PerTask("coefficients", {
            name: placed_like(nn.ParameterList(part.starts[place] for part in parts), some)
            for place, name in enumerate(self.tasks)})
        self.factors = placed_like(nn.ModuleList(part.factors for part in parts), some)
        self.names, self.shapes = [part.name for part in parts], [part.shape for part in parts]
        self.trunk = sharing_copy(some)
        for layer in self.trunk.modules():
            make_hollow(layer)
        self.heads = heads_over(some, heads)

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names = self.wanted(tasks)
        bases = [cast(Any, factors)() for factors in self.factors]
        return {name: self.heads.of(name)(functional_call(self.trunk, self._weights(bases, name), (inputs,)))
                for name in names}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.coefficients.of(name), self.heads.of(name))

    def _weights(self, bases: Sequence[Tensor], task: str) -> dict[str, Tensor]:
        return {name: (basis @ own).view(shape) for name, shape, basis, own in zip(
            self.names, self.shapes, bases, self.coefficients.of(task), strict=True)}


class _Part:
    """One parameter of all trunks: its shared factors, and where each task's own row starts."""

    def __init__(self, name: str, alike: Sequence[Tensor], factorize: Any, rank: float) -> None:
        self.name, self.shape = name, alike[0].shape
        stacked = torch.stack([parameter.detach().double() for parameter in alike], dim=-1)
        self.factors, rows = factorize(stacked.unsqueeze(0) if stacked.ndim == 1 else stacked, rank)
        lost = stacked.norm() / (self.factors() @ rows.mT).norm() if stacked.any() else 1.0
        self.starts = list(rows * lost)
