"""MultiMNIST made from mnist_10k: two digits that overlap in one picture, a task each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sets import DATA
from sharewise.share import Staged, Trunk

from .problem import NO_FUNNEL, NO_NORMS, TRIALS, Effort, Part, Problem, draw
from .targets import OneOf

TRAIN, VALID, TEST = 7000, 1000, 2000
SIDE, FOLD = 36, 4


def load(seed: int) -> Problem:
    """Pictures of 36 x 36, one digit at the upper left and one at the lower right, the larger of the two pixels
    (Sabour, Frosst, Hinton 2017; Sener, Koltun 2018). No digit stands in two parts; the seed pairs the training digits.
    """
    with np.load(DATA / "vision" / "mnist_10k.npz") as kept:
        images, labels = torch.from_numpy(kept["image"]), torch.from_numpy(kept["label"]).long()
    valid, test, train = draw(len(images), len(images), seed=0).split([VALID, TEST, TRAIN])
    parts = [_pairs(images, labels, rows, pairing) for rows, pairing in ((train, seed), (valid, 0), (test, 0))]
    return Problem("MultiMNIST", f"two overlapping digits; {TRAIN:,} training pictures paired anew for each seed, "
                   f"{VALID:,} for validation, {TEST:,} for test; two convolutions over {SIDE // FOLD} x "
                   f"{SIDE // FOLD} patches, as in LeNet",
                   dict.fromkeys(("upper left", "lower right"), OneOf(10)), *parts,
                   Effort(160, 32, TRIALS), width=12, stages=2, trunk=_trunk,
                   head=lambda task, width: _head(width),
                   vector_head=lambda task, width: nn.Linear(width, 10), unfit=NO_FUNNEL | NO_NORMS | {
                       "Sluice": "its heads mix the stages, which give maps of two sizes"})


def _trunk(widths: Sequence[int]) -> Trunk:
    first, second = widths
    stages = [nn.Sequential(nn.Conv2d(FOLD**2, first, 3, padding=1), nn.ReLU()),
              nn.Sequential(nn.Conv2d(first, second, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))]
    return Staged(stages, torch.zeros(1, FOLD**2, SIDE // FOLD, SIDE // FOLD))


def _head(width: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear((SIDE // FOLD // 2) ** 2 * width, 10))


def _pairs(images: Tensor, labels: Tensor, rows: Tensor, pairing: int) -> Part:
    second = rows[draw(len(rows), len(rows), pairing + 1000)]
    canvas = torch.zeros(2, len(rows), SIDE, SIDE)
    canvas[0, :, :28, :28], canvas[1, :, -28:, -28:] = images[rows] / 255, images[second] / 255
    patches = nn.functional.pixel_unshuffle(canvas.amax(0).unsqueeze(1), FOLD)  # [N, 16, 9, 9]
    return Part(patches, {"upper left": labels[rows], "lower right": labels[second]})
