"""Whether a call is an ordinary one, in which parts of a graph may be put together by hand."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.autograd import forward_ad

PLAIN = frozenset((Tensor, torch.nn.Parameter))


def is_ordinary(*tensors: Tensor) -> bool:
    """Whether nothing else looks on: no export, compilation, trace, autocast, ``torch.func`` or derivative in forward
    mode. All tensors must be plain ones of one dtype.
    """
    if (torch.compiler.is_compiling() or torch.jit.is_tracing() or torch._C._are_functorch_transforms_active()
            or forward_ad._current_level >= 0 or torch.is_autocast_enabled(tensors[0].device.type)):
        return False
    kinds, dtypes = {type(one) for one in tensors}, {one.dtype for one in tensors}
    return kinds <= PLAIN and len(dtypes) == 1
