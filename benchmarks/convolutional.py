"""The convolutional trunks that benchmarks/balance.py takes steps with."""

from __future__ import annotations

import torch
from torch import nn


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride=2, padding=1)
        self.second = nn.Conv2d(after, after, 3, padding=1)
        self.around = nn.Conv2d(before, after, 1, stride=2)
        self.norms = nn.ModuleList(nn.BatchNorm2d(after) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        inner = self.norms[1](self.second(torch.relu(self.norms[0](self.first(x)))))
        return torch.relu(inner + self.around(x))


class Basic(nn.Module):
    """Two convolutions of 3 x 3 and a way around them, as in a ResNet-18."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        self.inside = nn.Sequential(*together(nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False)),
                                    nn.Conv2d(after, after, 3, padding=1, bias=False), nn.BatchNorm2d(after))
        self.around = nn.Sequential(nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after)) \
            if stride > 1 or before != after else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.inside(x) + self.around(x))


class Bottleneck(nn.Module):
    """Three convolutions, 1x1 at both ends, and a way around them, as in a ResNet-50."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__()
        inner = after // 4
        self.inside = nn.Sequential(
            *together(nn.Conv2d(before, inner, 1, bias=False)),
            *together(nn.Conv2d(inner, inner, 3, stride=stride, padding=1, bias=False)),
            nn.Conv2d(inner, after, 1, bias=False), nn.BatchNorm2d(after))
        self.around = nn.Sequential(nn.Conv2d(before, after, 1, stride=stride, bias=False), nn.BatchNorm2d(after)) \
            if stride > 1 or before != after else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.inside(x) + self.around(x))


class Mean(nn.Module):
    """Features of a sample: the mean over its positions."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(2).mean(2) if x.ndim == 4 else x.mean(1)


def together(convolution: nn.Conv2d) -> list[nn.Module]:
    """A convolution, batch statistics, and what is positive."""
    return [convolution, nn.BatchNorm2d(convolution.out_channels), nn.ReLU()]


def residual() -> nn.Sequential:
    """Three blocks, each on half the map of the one before."""
    return nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), Block(16, 32), Block(32, 64), Block(64, 128),
                         Mean())


def bottleneck() -> nn.Sequential:
    """The first half of a ResNet-50, at half its width."""
    return nn.Sequential(*together(nn.Conv2d(3, 32, 7, stride=2, padding=3, bias=False)), nn.MaxPool2d(3, 2, 1),
                         Bottleneck(32, 128), Bottleneck(128, 128), Bottleneck(128, 256, 2), Bottleneck(256, 256),
                         Bottleneck(256, 512, 2), Bottleneck(512, 512), Mean())


def vgg() -> nn.Sequential:
    """Convolutions of 3 x 3 without stride, and the largest of every four positions between them."""
    widths = ((3, 32), (32, 32), None, (32, 64), (64, 64), None, (64, 128), (128, 128), None)
    layers = [[nn.MaxPool2d(2)] if pair is None else together(nn.Conv2d(*pair, 3, padding=1)) for pair in widths]
    return nn.Sequential(*(layer for group in layers for layer in group), Mean())


def depthwise() -> nn.Sequential:
    """Convolutions of one channel each and 1 x 1 between them, as in a MobileNet."""
    layers = together(nn.Conv2d(3, 32, 3, stride=2, padding=1, bias=False))
    for before, after, stride in ((32, 64, 1), (64, 128, 2), (128, 128, 1), (128, 256, 2), (256, 256, 1)):
        layers += together(nn.Conv2d(before, before, 3, stride=stride, padding=1, groups=before, bias=False))
        layers += together(nn.Conv2d(before, after, 1, bias=False))
    return nn.Sequential(*layers, Mean())


def basic() -> nn.Sequential:
    """A ResNet-18 of half the width, up to its third stage."""
    return nn.Sequential(*together(nn.Conv2d(3, 32, 7, stride=2, padding=3, bias=False)), nn.MaxPool2d(3, 2, 1),
                         Basic(32, 32), Basic(32, 32), Basic(32, 64, 2), Basic(64, 64), Basic(64, 128, 2),
                         Basic(128, 128), Mean())


CONVOLUTIONAL = {"conv": (residual, 128), "bottleneck": (bottleneck, 512), "vgg": (vgg, 128),
                 "depthwise": (depthwise, 256), "basic": (basic, 128)}
