"""Gradients that can be differentiated once more, for nodes that go back by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor


def differentiated(run: Callable[[list[Any]], Sequence[Tensor]], inputs: Sequence[Tensor | None],
                   gradients: Sequence[Tensor | None]) -> list[Tensor | None]:
    """The gradients in those inputs of ``run`` that learn, as autograd gives them, with a graph of their own.

    An input that is None reaches ``run`` as None; an output whose gradient is None plays no part.
    """
    # views, as one may depend on another: no way back leads through both
    alone = [None if one is None else one.view_as(one) for one in inputs]
    wanted = [one for one in alone if one is not None and one.requires_grad]
    heard = [(output, one) for output, one in zip(run(alone), gradients, strict=True) if one is not None]
    outputs, flows = zip(*heard, strict=True)
    found = iter(torch.autograd.grad(outputs, wanted, flows, create_graph=True, allow_unused=True))
    return [next(found) if one is not None and one.requires_grad else None for one in alone]
