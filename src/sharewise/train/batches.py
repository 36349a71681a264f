"""Rows of every batch: each member walks through its own rows in a new order each epoch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from .bundle import Member


def batches(members: Sequence[Member], rows: int, size: int, steps: int, seed: int) -> Iterator[Int[Tensor, "B M"]]:
    """``steps`` batches of row numbers [B, M] for members with rows out of ``rows``; M = ``size``.

    The order comes from one random key a row, epoch and copy, so that it does not depend on which other members
    there are. A member with few rows starts its next epoch earlier.
    """
    chance = [np.random.default_rng([seed, copy]) for copy in range(1 + max(member.copy for member in members))]
    most = max(len(member.rows) for member in members)
    padded = np.stack([np.resize(member.rows, most) for member in members])
    beyond = np.arange(most)[None, :] >= np.array([len(member.rows) for member in members])[:, None]
    copies = np.array([member.copy for member in members])
    length = np.array([len(member.rows) for member in members])
    block = max(most, size)  # indices made in one go for each member
    waiting = np.empty((len(members), 0), dtype=np.int64)
    for _ in range(steps):
        if waiting.shape[1] < size:
            fresh = []
            repeats = -(-block // int(length.min()))
            for _ in range(min(repeats, 64)):
                keys = np.stack([generator.random(rows, dtype=np.float32) for generator in chance])
                fresh.append(_shuffled(keys[copies[:, None], padded], padded, beyond))
            waiting = np.concatenate([waiting, _packed(fresh, length, block)], axis=1)
        yield torch.from_numpy(np.ascontiguousarray(waiting[:, :size]))
        waiting = waiting[:, size:]


def _shuffled(keys: np.ndarray, padded: np.ndarray, beyond: np.ndarray) -> np.ndarray:
    keys = np.where(beyond, np.float32(2), keys)
    return np.take_along_axis(padded, np.argsort(keys, axis=1), axis=1)


def _packed(epochs: Sequence[np.ndarray], length: np.ndarray, block: int) -> np.ndarray:
    """The first ``block`` rows of each member's epochs, one after the other."""
    place = np.arange(block)[None, :]
    epoch = np.minimum(place // length[:, None], len(epochs) - 1)
    return np.stack(epochs)[epoch, np.arange(len(length))[:, None], place % length[:, None]]
