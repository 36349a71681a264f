"""Any way of sharing for B members at once: their parameters stacked, one call for all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..share import SharedModel
from .architecture import Architecture
from .own_rows import OwnRows
from .recipe import Recipe
from .shared_net import SharedNet


class Stacked(SharedModel):
    """B networks of one architecture, [B, N, I] to [B, N, R] by title; one call runs through all of them.

    ``recipes``: one a member; ``blocks``: title -> names of the tasks whose raw outputs stand side by side under it.
    Titles are the tasks of this model. ``has_own_rows``: every row belongs to one task, and is asked for that alone.
    """

    def __init__(self, architecture: Architecture, recipes: Sequence[Recipe],
                 blocks: Mapping[str, Sequence[str]], has_own_rows: bool = False) -> None:
        super().__init__()
        self.architecture, self.recipes = architecture, tuple(recipes)
        self.blocks, self.tasks = {title: tuple(names) for title, names in blocks.items()}, tuple(blocks)
        models = [architecture.build(recipe) for recipe in recipes]
        self.called = _Called(models[0])
        self.own_rows = OwnRows(architecture, recipes[0], models[0]) if has_own_rows else None
        for name, stacked in stack_module_state(models)[0].items():  # type: ignore[arg-type]
            place, _, own = name.rpartition(".")
            setattr(models[0].get_submodule(place), own, nn.Parameter(stacked.detach(), stacked.requires_grad))

    @property
    def model(self) -> SharedModel:
        """The architecture, with parameters that hold all members."""
        return self.called.model

    def forward(self, inputs: Float[Tensor, "B N I"], tasks: Sequence[str] | None = None) -> dict[str, Tensor]:
        titles = self.wanted(tasks)
        names = [name for title in titles for name in self.blocks[title]]
        raws = self._call("forward", inputs, names)
        return {title: torch.cat([raws[name] for name in self.blocks[title]], dim=-1) for title in titles}

    def of_own_rows(self, inputs: Float[Tensor, "B N I"], task: Int[Tensor, "B N"]) -> Float[Tensor, "B N R"]:
        """Raw output of each row's own task, by its place among the tasks."""
        assert self.own_rows is not None
        return self.own_rows(dict(self.model.named_parameters()), inputs, task)

    def own_modules(self, name: str) -> Sequence[nn.Module]:
        return [module for task in self.blocks[name] for module in self.model.own_modules(task)]

    def penalty(self) -> Float[Tensor, ""]:
        if type(self.model).penalty is SharedModel.penalty:
            return super().penalty()
        return self._call("penalty").sum()

    def advance(self, progress: float) -> None:
        """What changes on the way is the same in all members, as it is no parameter."""
        for model in (self.model, *(self.own_rows.one if self.own_rows is not None else ())):
            model.advance(progress)

    def net(self, member: int, parameters: Mapping[str, Tensor], group: tuple[int, ...],
            answers: tuple[int, ...]) -> SharedNet:
        """One member by itself, with ``parameters`` of its own under the names that they have here."""
        recipe = self.recipes[member]
        net = SharedNet(self.architecture.build(recipe), group, answers, recipe.inputs, recipe.hidden, recipe.tree)
        net.load({name.removeprefix("called.model."): one for name, one in parameters.items()})
        return net

    def _call(self, method: str, inputs: Tensor | None = None, names: Sequence[str] = ()) -> Any:
        given = () if inputs is None else (inputs,)
        state = dict(self.called.named_parameters())
        if len(self.recipes) == 1:  # as it would run by itself: the layers of its graph are what balancers read
            found = functional_call(self.called, {name: one[0] for name, one in state.items()},
                                    (method, names, *(one[0] for one in given)))
            return {name: raw[None] for name, raw in found.items()} if given else found[None]
        one_member = lambda own, *rows: functional_call(self.called, own, (method, names, *rows))  # noqa: E731
        with sdpa_kernel(SDPBackend.MATH):  # fused attention can't be mapped over
            return vmap(one_member, randomness="same")(state, *given)  # one dropout mask serves all, as in Trunk


class _Called(nn.Module):
    """``functional_call`` calls forward alone; here that is any method."""

    def __init__(self, model: SharedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, method: str, names: Sequence[str], *rows: Tensor) -> Any:
        return self.model(*rows, names) if method == "forward" else getattr(self.model, method)()
