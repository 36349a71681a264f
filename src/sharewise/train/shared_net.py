"""A trained network of any architecture as it is served."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from ..share import SharedModel
from .recipe import Tree

Make = Callable[[tuple[int, ...], int, int, Tree], SharedModel]  # tasks by place, widths -> one without weights


@dataclass(frozen=True)
class SharedNet:
    """One network at one moment: ``group`` are its tasks by place, ``answers`` those that it answers for at this
    moment, ``inputs`` and ``hidden`` its widths, ``tree`` who shares which stage where it branches."""

    model: SharedModel
    group: tuple[int, ...]
    answers: tuple[int, ...]
    inputs: int
    hidden: int
    tree: Tree = ()

    def answer(self, inputs: Float[Tensor, "N I"],
               wanted: Bool[Tensor, "N T"]) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Task by place, rows in which it is wanted, raw output there: tasks that are wanted in the same rows run
        together, the others in their own rows alone."""
        alike: dict[bytes, list[int]] = {}
        for at in self.answers:
            alike.setdefault(wanted[:, at].numpy().tobytes(), []).append(at)
        for places in alike.values():
            rows = torch.nonzero(wanted[:, places[0]])[:, 0]
            if len(rows):
                names = [self._name(at) for at in places]
                raws = self.model(inputs[rows], names)
                yield from ((at, rows, raws[name]) for at, name in zip(places, names, strict=True))

    def tensors(self) -> dict[str, Tensor]:
        """All tensors under the names that ``from_tensors`` reads: not those of tasks that it does not answer for."""
        state = {name: parameter.detach().contiguous() for name, parameter in self.model.named_parameters()
                 if name not in self._unused()}
        facts: dict[str, Sequence] = {"group": self.group, "answers": self.answers,
                                      "widths": (self.inputs, self.hidden)}
        facts |= {"tree": self.tree} if self.tree else {}
        return {f"state.{name}": tensor for name, tensor in state.items()} | {
            f"shared.{name}": torch.tensor(numbers) for name, numbers in facts.items()}

    @property
    def size(self) -> int:
        """How many numbers it learned."""
        unused = self._unused()
        return sum(parameter.numel() for name, parameter in self.model.named_parameters() if name not in unused)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], make: Make) -> SharedNet:
        """The net that ``tensors`` described. KeyError where one is missing."""
        group, answers, widths = (tuple(tensors[f"shared.{name}"].tolist()) for name in ("group", "answers", "widths"))
        tree = tuple(map(tuple, tensors["shared.tree"].tolist())) if "shared.tree" in tensors else ()
        inputs, hidden = widths
        net = cls(make(group, inputs, hidden, tree), group, answers, inputs, hidden, tree)
        net.load({name.removeprefix("state."): tensor for name, tensor in tensors.items() if name.startswith("state.")})
        return net

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take these weights. KeyError where one is missing that an answer needs."""
        missing, strange = self.model.load_state_dict(dict(state), strict=False)
        learned = dict(self.model.named_parameters())  # what else a model holds serves its training
        wrong = [*strange, *(set(missing) & set(learned) - self._unused())]
        if wrong:
            raise KeyError(wrong[0])
        self.model.eval().requires_grad_(False)

    def _unused(self) -> set[str]:
        silent: Sequence[str] = [self._name(at) for at in self.group if at not in self.answers]
        own = {id(parameter) for name in silent for parameter in self.model.task_parameters(name)}
        return {name for name, parameter in self.model.named_parameters() if id(parameter) in own}

    def _name(self, at: int) -> str:
        return self.model.tasks[self.group.index(at)]
