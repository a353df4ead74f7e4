"""Two views of a picture, for SimCLR: crops, and colours that are turned. What a view changes, the code may forget."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data.batches import scene_batches

LEAST = 0.9  # side of the smallest crop, of the picture's: smaller ones lose the place, or all of a small thing
VIEWS = 64  # pictures of a batch; each comes twice


def crops(x: Tensor, generator: torch.Generator, least: float = LEAST) -> Tensor:
    """A square part of each picture (B, C, S, S), enlarged to the same size, half of them mirrored.

    The side of a part is between `least` and 1 of the picture's.
    """
    u = torch.rand(4, len(x), generator=generator)
    side = least + (1 - least) * u[0]
    mirror = torch.where(u[1] < 0.5, -1.0, 1.0)
    room, zero = 1 - side, torch.zeros_like(side)
    rows = [side * mirror, zero, room * (2 * u[2] - 1), zero, side, room * (2 * u[3] - 1)]
    grid = F.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, padding_mode="border", align_corners=False)


def jittered(x: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Each picture (B, 3, S, S) with its hues turned by up to half a circle, paler or stronger, darker or brighter.

    Hues turn about the axis from black to white; a fifth of the pictures loses its colours, and half of them become
    negatives: black for white. Values stay in [-1, 1].
    """
    u = torch.rand(5, len(x), generator=generator)
    angle = strength * math.pi * (2 * u[0] - 1)
    saturation = torch.where(u[1] < 0.2 * strength, 0.0, 1 + 0.5 * strength * (2 * u[2] - 1))
    gray = torch.full((3, 3), 1 / 3)
    across = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    turn = angle.cos()[:, None, None] * (torch.eye(3) - gray) + angle.sin()[:, None, None] * across
    matrix = gray + saturation[:, None, None] * turn                           # (B, 3, 3), a rotation about (1, 1, 1)
    sign = torch.where(u[4] < 0.5 * strength, -1.0, 1.0)
    shift = 0.4 * strength * (2 * u[3] - 1)
    x = torch.einsum("bij,bjhw->bihw", sign[:, None, None] * matrix, x)
    return (x + shift[:, None, None, None]).clamp(-1, 1)


def view_batches(colours: bool, batch: int = VIEWS):
    """step -> two views of scenes drawn anew (2, B, 3, 32, 32); colours: whether their colours are turned too."""
    draw = scene_batches(batch)

    def view(x):
        part = crops(x, torch.default_generator)
        return jittered(part, torch.default_generator) if colours else part

    def batches(step):
        x = draw(step)
        return torch.stack([view(x), view(x)])

    return batches
