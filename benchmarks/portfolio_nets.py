"""Many small networks in one loop, for benchmarks/portfolio.py: the same effort for every group of every plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

HIDDEN, RATE, WARM = 32, 0.01, 0.08
ALONE, SHARED = (400, 32), (500, 64)  # steps, and rows of a batch, of networks of one task and of several
SIZES = (1, 3, 6, 12)  # groups of up to so many tasks are padded to their largest and trained in one bundle
MOST_MEMBERS = 128  # networks of a bundle: more would leave the cache


@dataclass(frozen=True)
class Job:
    """One network: the tasks that it learns, the rows that it may see, its weight decay, and its start."""

    tasks: tuple[int, ...]
    rows: np.ndarray
    decay: float
    start: int = 0


def bundles(jobs: Sequence[Job]) -> Iterator[list[int]]:
    """Places of the jobs that are trained in one loop: groups of about one size."""
    kinds: dict[int, list[int]] = {}
    for at, job in enumerate(jobs):
        kinds.setdefault(int(np.searchsorted(SIZES, len(job.tasks))), []).append(at)
    for places in kinds.values():
        for at in range(0, len(places), MOST_MEMBERS):
            yield places[at : at + MOST_MEMBERS]


@torch.no_grad()
def train(jobs: Sequence[Job], X: np.ndarray, Z: np.ndarray, binary: np.ndarray, seed: int,
          effort: int = 1) -> list[Tensor]:
    """Parameters [B, ...] of the jobs of a bundle: one hidden layer of 32, Adam with one cycle and decoupled decay,
    gradients by hand. Rows are drawn from those in which a task of the group is observed; the loss is the sum over the
    group's tasks of the mean over their observed rows in the batch, as expected. Heads stand in the order of the job's
    tasks. ``binary`` [T]: log loss in the place of the square. ``effort``: times the steps."""
    steps, batch = ALONE if len(jobs[0].tasks) == 1 else SHARED
    steps *= effort
    chance = torch.Generator().manual_seed(seed)
    count, width, heads = len(jobs), X.shape[1], max(len(job.tasks) for job in jobs)
    sizes = torch.tensor([len(job.rows) for job in jobs])
    most = int(sizes.max())
    x = torch.from_numpy(X).float()
    rows, targets = torch.zeros(count, most, dtype=torch.long), torch.zeros(2, count, most, heads)
    logistic = torch.zeros(count, 1, heads, dtype=torch.bool)
    for at, job in enumerate(jobs):
        own = Z[np.ix_(job.rows, job.tasks)]
        seen = ~np.isnan(own)
        rows[at, : len(own)] = torch.from_numpy(job.rows)
        targets[0, at, : len(own), : len(job.tasks)] = torch.from_numpy(np.nan_to_num(own))
        share = np.where(binary[list(job.tasks)], 1.0, 2.0) / np.maximum(seen.mean(axis=0), 1e-6)
        targets[1, at, : len(own), : len(job.tasks)] = torch.from_numpy(seen * share / batch)
        logistic[at, 0, : len(job.tasks)] = torch.from_numpy(binary[list(job.tasks)])
    rows, targets = rows.flatten(), targets.flatten(1, 2)
    starts = torch.randn(max(job.start for job in jobs) + 1, width, HIDDEN, generator=chance) / width**0.5
    parts = [starts[[job.start for job in jobs]], torch.zeros(count, 1, HIDDEN), torch.zeros(count, HIDDEN, heads),
             torch.zeros(count, 1, heads)]
    optimizer = torch.optim.Adam(parts, lr=RATE, betas=(0.9, 0.98), fused=True)
    decay = torch.tensor([job.decay for job in jobs])[:, None, None]
    offset = most * torch.arange(count)[:, None]
    for step in range(steps):
        done = step / steps
        rate = RATE * (done / WARM if done < WARM else 0.5 + 0.5 * np.cos(np.pi * (done - WARM) / (1 - WARM)))
        optimizer.param_groups[0]["lr"] = rate
        picked = ((torch.rand(count, batch, generator=chance) * sizes[:, None]).long() + offset).flatten()
        inputs = x[rows[picked]].view(count, batch, width)
        target, weight = (part[picked].view(count, batch, heads) for part in targets)
        hidden = torch.baddbmm(parts[1], inputs, parts[0]).tanh_()
        raw = torch.baddbmm(parts[3], hidden, parts[2])
        slope = activated(raw, logistic).sub_(target).mul_(weight)
        back = torch.bmm(slope, parts[2].mT).mul_(1 - hidden**2)
        parts[0].grad, parts[1].grad = torch.bmm(inputs.mT, back), back.sum(dim=1, keepdim=True)
        parts[2].grad, parts[3].grad = torch.bmm(hidden.mT, slope), slope.sum(dim=1, keepdim=True)
        optimizer.step()
        for part in (parts[0], parts[2]):
            part.mul_(1 - rate * decay)
    return parts


def activated(raw: Tensor, logistic: Tensor) -> Tensor:
    """Means of raw outputs."""
    if not logistic.any():
        return raw
    return raw.sigmoid_() if logistic.all() else torch.where(logistic, raw.sigmoid(), raw)


@torch.no_grad()
def predict(parts: Sequence[Tensor], at: int, X: np.ndarray, binary: np.ndarray) -> np.ndarray:
    """Means [N, tasks of the job] of one of the networks; ``binary`` is of its own tasks."""
    one = [part[at] for part in parts]
    raw = torch.tanh(torch.from_numpy(X).float() @ one[0] + one[1]) @ one[2] + one[3]
    return activated(raw[:, : len(binary)], torch.from_numpy(binary)).numpy()
