"""One level of experts of the tasks' own beside shared ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from .features import Features
from .mixture import Gate
from .per_task import PerTask
from .stacked import run_each
from .task_side import Side, pass_on, read_experts, weigh
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
        common = run_each(tuple(self.shared), shared) if len(self.shared) else None
        weights = None if self.shared_gate is None else self.shared_gate(shared)
        if weights is not None and len(names) == len(self.own.names):
            sides = self._sides(by_task, dict.fromkeys(self.own.names, nn.Identity()))
            found = pass_on(sides, common, weights)
            if found is not None:
                return dict(zip(self.own.names, found[0], strict=True)), found[1]
        running = names if weights is None else self.own.names
        apart = {name: run_each(tuple(self.own.of(name)), by_task[name]) for name in running if len(self.own.of(name))}
        handed = {name: weigh([apart.get(name), common], self.gates.of(name)(by_task[name])) for name in names}
        if weights is None:
            return handed, shared
        return handed, weigh([*(apart.get(name) for name in self.own.names), common], weights)

    def read(self, by_task: Mapping[str, Tensor], shared: Tensor, heads: Mapping[str, nn.Module]) -> dict[str, Tensor]:
        """What the heads make of what the level hands to their tasks."""
        common = run_each(tuple(self.shared), shared) if len(self.shared) else None
        return dict(zip(heads, read_experts(self._sides(by_task, heads), common), strict=True))

    def _sides(self, by_task: Mapping[str, Tensor], heads: Mapping[str, nn.Module]) -> list[Side]:
        gate, own = self.gates.of, self.own.of
        return [Side(by_task[name], gate(name), head, tuple(own(name))) for name, head in heads.items()]
