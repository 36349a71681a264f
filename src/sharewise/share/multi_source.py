"""Tasks that have each their own rows, and where they need one, their own encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from ..base import UsageError
from ..base.checks import one_of
from .shared_model import SharedModel


def multi_source(model: SharedModel, encoders: Mapping[str, nn.Module] | None = None) -> SharedModel:
    """A model that is called with the inputs of each task by name, in the place of inputs that all tasks share.

    raw_t = model(encoder_t(inputs_t), tasks=[t]). A batch may hold some of the tasks: what only the others need does
    not run and gets no gradient, so that no optimizer moves it, momentum included. The given model is held, not copied.

    ``encoders``: a module for each task whose inputs are not what the model reads; it is the task's own, or shared by
    those under whose names it stands. UnknownNameError for one of no task of the model. The call: ``inputs`` by task;
    ``tasks``: those wanted (None: all that have inputs). UsageError for a task without inputs.

    >>> import torch
    >>> from sharewise.share import HardSharing
    >>> trunk = HardSharing(nn.Linear(4, 8), {"photo": nn.Linear(8, 1), "text": nn.Linear(8, 3)})
    >>> model = multi_source(trunk, {"text": nn.EmbeddingBag(100, 4)})
    >>> raws = model({"photo": torch.zeros(5, 4), "text": torch.zeros(2, 7, dtype=torch.long)})
    >>> {name: tuple(raw.shape) for name, raw in raws.items()}
    {'photo': (5, 1), 'text': (2, 3)}
    >>> list(model({"photo": torch.zeros(5, 4)}))
    ['photo']
    """
    return _MultiSource(model, encoders or {})


class _MultiSource(SharedModel):
    """The model, and an encoder for some of its tasks."""

    def __init__(self, model: SharedModel, encoders: Mapping[str, nn.Module]) -> None:
        super().__init__()
        for name in encoders:
            one_of("task", name, model.tasks)
        self.tasks, self.model = model.tasks, model
        different = list({id(encoder): encoder for encoder in encoders.values()}.values())
        self.encoders = nn.ModuleList(different)
        self.place = {name: next(at for at, one in enumerate(different) if one is encoder)
                      for name, encoder in encoders.items()}

    def forward(self, inputs: Any, tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        if not isinstance(inputs, Mapping):
            raise UsageError("inputs", f"are a {type(inputs).__name__}", "they must be a dict from tasks to inputs",
                             "Name the task of each.")
        names = self.wanted(list(inputs) if tasks is None else tasks)
        missing = [name for name in names if name not in inputs]
        if missing:
            raise UsageError(f"task {missing[0]!r}", "has no inputs in this batch",
                             "a task that is asked for needs some", "Ask for those that have inputs.")
        return {name: self.model(self._encoded(name, inputs[name]), [name])[name] for name in names}

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        mine = self.place.get(name)
        alone = mine is not None and list(self.place.values()).count(mine) == 1
        return (*([self.encoders[mine]] if alone and mine is not None else []), *self.model.own_modules(name))

    def penalty(self) -> Float[Tensor, ""]:
        return self.model.penalty()

    def advance(self, progress: float) -> None:
        self.model.advance(progress)

    def structure(self) -> str:
        return self.model.structure()

    def _encoded(self, name: str, inputs: Any) -> Any:
        return self.encoders[self.place[name]](inputs) if name in self.place else inputs
