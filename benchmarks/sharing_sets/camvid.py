"""CamVid: the class of every pixel of a street, and the share of the picture that each class takes."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor, nn

from sets import DATA
from sharewise.share import ResNet

from .problem import NO_FUNNEL, TRIALS, Effort, Part, Problem
from .targets import Pixels, Shares

CLASSES, HEIGHT, WIDTH, FOLD = 11, 24, 32, 4


def load(seed: int) -> Problem:
    """The set's own split; the seed moves initialisation and batches alone."""
    parts = _parts()
    rows = ", ".join(str(len(part.inputs)) for part in parts)
    heads = {"segmentation": lambda width: nn.Sequential(nn.Conv2d(width, CLASSES, 1), nn.Upsample(
        scale_factor=2 * FOLD, mode="bilinear")), "fractions": lambda width: nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, CLASSES))}
    return Problem("CamVid", f"streets seen from a car, {WIDTH} x {HEIGHT} pixels, {2 * WIDTH} x "
                   f"{2 * HEIGHT} labels; its own split, {rows} pictures; ResNet of two stages over {WIDTH // FOLD} x "
                   f"{HEIGHT // FOLD} patches",
                   {"segmentation": Pixels(CLASSES), "fractions": Shares(CLASSES)}, *parts,
                   Effort(100, 6, TRIALS), width=10, stages=2,
                   trunk=lambda widths: ResNet(3 * FOLD**2, widths, stride=1),
                   head=lambda task, width: heads[task](width),
                   unfit=NO_FUNNEL | {"TaskTokenDecoder": "a query gives one vector a picture, and the segmentation "
                                                           "is a map"})


@cache
def _parts() -> list[Part]:
    with np.load(DATA / "vision" / "camvid_96x128_train.npz") as kept:
        train = _part(kept["image"], kept["label"])
    with np.load(DATA / "vision" / "camvid_96x128_valtest.npz") as kept:
        both, is_test = _part(kept["image"], kept["label"]), torch.from_numpy(kept["is_test"])
    return [train, both.take(~is_test), both.take(is_test)]


def _part(images: np.ndarray, labels: np.ndarray) -> Part:
    """Pictures at a quarter of their size (means of the colours), labels at half of it (every second one); void pixels
    have no class."""
    colours = nn.functional.avg_pool2d(torch.from_numpy(images).movedim(-1, 1) / 255 - 0.5, 4)
    classes = torch.from_numpy(labels[:, ::2, ::2].astype(np.int64))
    return Part(nn.functional.pixel_unshuffle(colours, FOLD),
                {"segmentation": torch.where(classes < CLASSES, classes, -1), "fractions": _fractions(labels)})


def _fractions(labels: np.ndarray) -> Tensor:
    """[N, 11] of the pixels that have a class."""
    counts = np.stack([(labels == code).sum((1, 2)) for code in range(CLASSES)], axis=1)
    return torch.from_numpy((counts / counts.sum(1, keepdims=True)).astype(np.float32))
