r"""Toy data: points of two classes in the plane. A function of two numbers can be drawn, so nothing is hidden.

Points are float32 (n, 2), roughly in [-1, 1]; labels are int64 (n,), 0 and 1 by turns. The seed gives all of them.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

TURNS = 1.75  # of each spiral
EDGE = 1.15  # the plane is drawn from -EDGE to EDGE
COLOURS = torch.tensor([[0x00, 0x72, 0xB2], [0xD5, 0x5E, 0x00]]) / 127.5 - 1  # plotting.PALETTE: blue, vermilion
PALE = 0.35  # how strongly an area has the colour of its class


def moons(n: int, seed: int, noise: float = 0.05) -> tuple[Tensor, Tensor]:
    r"""Two half circles, each with an end in the hollow of the other."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    angle = math.pi * (torch.rand(n, generator=generator) + labels)
    points = 0.6 * torch.stack([angle.cos(), angle.sin()], 1)
    points += torch.where(labels == 0, -1, 1)[:, None] * torch.tensor([0.3, 0.15])
    return points + noise * torch.randn(n, 2, generator=generator), labels


def spirals(n: int, seed: int, noise: float = 0.03, turns: float = TURNS) -> tuple[Tensor, Tensor]:
    r"""Two spirals around one centre, the second the first turned by 180 degrees (after Lang & Witbrock 1988)."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 2
    way = torch.rand(n, generator=generator).sqrt()  # more points outside, where a turn is longer
    angle = 2 * math.pi * turns * way + math.pi * labels
    points = (0.1 + 0.9 * way)[:, None] * torch.stack([angle.cos(), angle.sin()], 1)
    return points + noise * torch.randn(n, 2, generator=generator), labels


def plane(side: int = 96) -> Tensor:
    r"""The points of a square grid over the plane (side * side, 2), row by row from the top left, as `paint` reads."""
    axis = torch.linspace(-EDGE, EDGE, side)
    return torch.cartesian_prod(-axis, axis).flip(1)


def paint(share: Tensor, points: Tensor | None = None, labels: Tensor | None = None) -> Tensor:
    r"""What a classifier says of `plane(side)`, as pictures (R, 3, side, side) in [-1, 1].

    share: the probability of class 1 at each point of the plane, (R, side * side): blue 0, white 0.5, vermilion 1.
    points, labels: marks in the colours of their classes on top, (n, 2) and (n,).
    """
    side = math.isqrt(share.shape[-1])
    colour = COLOURS[(share > 0.5).long()]  # (R, side * side, 3)
    pictures = 1 + PALE * (2 * share - 1).abs()[..., None] * (colour - 1)
    pictures = pictures.transpose(1, 2).unflatten(2, (side, side)).contiguous()
    if points is not None:
        column, row = ((points * torch.tensor([1, -1]) / EDGE + 1) / 2 * (side - 1)).round().long().clamp(0, side - 1).T
        pictures[:, :, row, column] = COLOURS[labels].T
    return pictures
