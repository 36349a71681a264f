"""Learning to branch: which tasks share which stages is learned along with the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ..base.checks import whole, within
from .branching import Branching
from .heads import heads_over
from .mixture import check_experts
from .per_task import PerTask
from .shared_model import SharedModel
from .stacked import run_beside, run_each
from .trunk import Trunk, placed_like


class LearningToBranch(SharedModel):
    """Several nodes at every stage; each node, and each task's head, learns which node before it is its parent.

    In training a child reads sum_k d_k y_k over the outputs y of its K possible parents, with
    d = softmax((a + Gumbel noise) / temperature): near a mean of all while the temperature is high, near one parent
    drawn with chance softmax(a) when it is low. In evaluation it reads the parent with the largest a, so that it is
    the tree that ``branching()`` gives. The nodes of the first stage read the inputs.

    Guo, Lee, Ulbricht 2020, Learning to branch for multi-task learning. The noise is drawn and the temperature falls
    when ``advance`` is called, once a step (the loop of ``train`` does it), and not inside the forward pass, which
    thus gives the same each time until then: before the first call there is no noise. Departure: the temperature
    falls geometrically between two ends.

    ``nodes``: K trunks, alike; stage s of the k-th is node k of stage s; ``heads``: a module a task; ``temperatures``
    above 0: at the start and at the end of the training; ``seed``: of the noise. UsageError where there is no node or
    head, nodes differ, or one stands twice. ``choices`` and ``head_choices`` hold the a; on planted trees it was found
    most surely where they learn several times faster than the weights.

    >>> from sharewise.share import MLP
    >>> heads = {name: nn.Linear(8, 1) for name in ("a", "b", "c")}
    >>> model = LearningToBranch([MLP(3, [8, 8]) for _ in range(2)], heads)
    >>> for step in range(10):
    ...     model.advance(step / 10)
    ...     outputs = model(torch.zeros(5, 3))  # then losses, backward, and the optimizer's step
    >>> model.branching().groups
    [[['a', 'b', 'c']], [['a', 'b', 'c']]]
    """

    temperature: Tensor
    draws: Tensor
    stage_noise: Tensor
    head_noise: Tensor

    def __init__(self, nodes: Sequence[Trunk], heads: Mapping[str, nn.Module],
                 temperatures: tuple[float, float] = (5.0, 0.5), seed: int = 0) -> None:
        super().__init__()
        check_experts("nodes", nodes)
        for temperature in temperatures:
            within("temperature", temperature, 1e-6)
        self.seed = whole("seed", seed, 0, 2**32)
        self.tasks, self.temperatures = tuple(heads), temperatures
        self.nodes = nn.ModuleList(nodes)
        size, stages = len(nodes), len(nodes[0].stages)
        self.choices = placed_like(nn.ParameterList(torch.zeros(size, size) for _ in range(stages - 1)), nodes[0])
        self.head_choices = PerTask("choices", {
            name: placed_like(nn.ParameterList([torch.zeros(size)]), nodes[0]) for name in heads})
        self.heads = heads_over(nodes[0], heads)
        like = next(self.head_choices.parameters()).detach()
        self.register_buffer("temperature", like.new_tensor(temperatures[0]))
        self.register_buffer("draws", torch.zeros((), dtype=torch.long))
        self.register_buffer("stage_noise", like.new_zeros(stages - 1, size, size))
        self.register_buffer("head_noise", like.new_zeros(len(heads), size))

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        names, nodes = self.wanted(tasks), cast(Sequence[Trunk], self.nodes)
        outputs = run_each([node.stages[0] for node in nodes], inputs)
        for place, (choice, noise) in enumerate(zip(self.choices, self.stage_noise, strict=True), 1):
            read = torch.tensordot(self._parents(choice, noise), outputs, dims=1)
            outputs = run_beside([node.stages[place] for node in nodes], read)
        return {name: self.heads.of(name)(torch.tensordot(self._head_parents(name), outputs, dims=1)) for name in names}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return (self.head_choices.of(name), self.heads.of(name))

    def advance(self, progress: float) -> None:
        """New noise, and the temperature for this share of the training, 0 to 1: to be called before every step."""
        within("progress", progress, 0.0, 1.0)
        start, end = self.temperatures
        self.temperature.fill_(start ** (1 - progress) * end**progress)
        self.draws += 1
        chance = np.random.default_rng((self.seed, int(self.draws)))
        for noise in (self.stage_noise, self.head_noise):
            noise.copy_(torch.from_numpy(chance.gumbel(size=tuple(noise.shape))))

    def branching(self) -> Branching:
        """The tree of the likeliest parents, with the very modules of this model; nodes that no task needs are left."""
        stages, nodes = len(self.choices) + 1, cast(Sequence[Trunk], self.nodes)
        paths = {}
        for name in self.tasks:
            path = [int(self.head_choices.of(name)[0].argmax())]
            for choice in reversed(self.choices):
                path.insert(0, int(choice[path[0]].argmax()))
            paths[name] = path
        groups = [[[name for name in self.tasks if paths[name][place] == node] for node in _in_order(place, paths)]
                  for place in range(stages)]
        trunks = {name: _Path([nodes[node].stages[place] for place, node in enumerate(path)], nodes[0])
                  for name, path in paths.items()}
        return Branching(trunks, {name: self.heads.of(name) for name in self.tasks}, groups)

    def structure(self) -> str:
        """The tree of the likeliest parents: that of ``branching()``."""
        return self.branching().structure()

    def _head_parents(self, name: str) -> Float[Tensor, "K"]:
        return self._parents(self.head_choices.of(name)[0], self.head_noise[self.tasks.index(name)])

    def _parents(self, choice: Float[Tensor, "... K"], noise: Float[Tensor, "... K"]) -> Float[Tensor, "... K"]:
        """How much of each parent a child reads."""
        if self.training:
            return ((choice + noise) / self.temperature).softmax(-1)
        return nn.functional.one_hot(choice.argmax(-1), choice.shape[-1]).to(choice.dtype)


class _Path(Trunk):
    """The nodes from the inputs up to one task's head."""

    def __init__(self, stages: Sequence[nn.Module], like: Trunk) -> None:
        super().__init__()
        self.stages, self._features = nn.ModuleList(stages), like.features

    @property
    def features(self) -> tuple[Any, ...]:
        return self._features


def _in_order(place: int, paths: Mapping[str, Sequence[int]]) -> list[int]:
    """The nodes of a stage that some task's path goes through, each once."""
    return list(dict.fromkeys(path[place] for path in paths.values()))
