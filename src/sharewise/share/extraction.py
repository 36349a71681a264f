"""One level of experts of the tasks' own beside shared ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from .features import Features
from .mixture import Gate, mix
from .per_task import PerTask
from .stacked import run_each
from .trunk import placed_like


class Extraction(nn.Module):
    """Each task's gate weighs its own experts and the shared ones; a shared gate, where there is one, weighs all.

    A gate reads what its experts read: the inputs, or what the level before handed to the task (or to the shared side).
    ``own``: the experts of each task; ``shared``: those of all; ``has_shared_gate``: whether another level follows that
    reads the shared side.
    """

    def __init__(self, shared: Sequence[nn.Module], own: Mapping[str, Sequence[nn.Module]], reads: Features,
                 has_shared_gate: bool) -> None:
        super().__init__()
        some = next(expert for experts in (shared, *own.values()) for expert in experts)
        self.shared = nn.ModuleList(shared)
        self.own = PerTask("own", {name: nn.ModuleList(experts) for name, experts in own.items()})
        self.gates = PerTask("gates", {name: placed_like(Gate(reads, len(experts) + len(shared)), some)
                                       for name, experts in own.items()})
        total = len(shared) + sum(map(len, own.values()))
        self.shared_gate = placed_like(Gate(reads, total), some) if has_shared_gate else None

    def forward(self, by_task: Mapping[str, Tensor], shared: Tensor,
                names: Sequence[str]) -> tuple[dict[str, Tensor], Tensor]:
        """What the level hands to each task of ``names``, and to the shared side (``shared`` itself without a gate)."""
        running = names if self.shared_gate is None else self.own.names
        common = run_each(tuple(self.shared), shared) if len(self.shared) else None
        own = {name: run_each(tuple(self.own.of(name)), by_task[name]) for name in running if len(self.own.of(name))}
        mixed = {name: _weighed([own.get(name), common], self.gates.of(name)(by_task[name])) for name in names}
        if self.shared_gate is None:
            return mixed, shared
        return mixed, _weighed([*(own.get(name) for name in self.own.names), common], self.shared_gate(shared))


def _weighed(outputs: Sequence[Tensor | None], weights: Tensor) -> Tensor:
    """The sum of all outputs, which come in several stacks, by the weights that the stacks share out among them."""
    there = [stack for stack in outputs if stack is not None]
    first, *others = [mix(stack, part) for stack, part in zip(
        there, weights.split([len(stack) for stack in there]), strict=True)]
    return sum(others, start=first)
