"""Masks: which pixels of a picture are hidden. Boolean (n, 1, S, S), True = hidden.

    box      a square at a random place      half     one of the four sides
    pixels   each pixel for itself           brush    a few strokes, as one would paint over something
    patches  whole squares of a grid         mixed    one of the first four for each picture, in many sizes

Random numbers come from `generator`; None takes torch's own.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .scenes.drawing import SIZE

HOLE_SIDE = 14  # of the standard hole: it covers a small object of a tiny scene, and most of a big one
HOLE_SIDES = (6, 18)  # least and most in `mixed`
HIDDEN_SHARES = (0.25, 0.9)  # of hidden pixels, likewise
MIX = {"box": 0.55, "pixels": 0.15, "half": 0.15, "brush": 0.15}  # how often `mixed` takes each


def box_at(row: int, column: int, side: int = HOLE_SIDE, size: int = SIZE) -> Tensor:
    """One square hole (1, 1, S, S) with its upper left corner at (row, column), cut at the picture's edge."""
    check_side(side, size)
    along = torch.arange(size)
    rows, columns = ((along >= start) & (along < start + side) for start in (row, column))
    return (rows[:, None] & columns)[None, None]


def box(n: int, side: int | tuple[int, int] = HOLE_SIDE, size: int = SIZE, generator=None) -> Tensor:
    """n square holes that lie inside the picture; `side` in pixels, or (least, most) to draw one for each."""
    least, most = side if isinstance(side, tuple) else (side, side)
    check_side(least, size), check_side(most, size)
    sides = torch.randint(least, most + 1, (n, 1, 1), generator=generator)
    corner = (torch.rand(n, 2, 1, generator=generator) * (size - sides + 1)).long()
    along = torch.arange(size)
    rows, columns = ((along >= corner) & (along < corner + sides)).unbind(1)                # (n, S) each
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def pixels(n: int, share: float | tuple[float, float] = 0.5, size: int = SIZE, generator=None) -> Tensor:
    """Each pixel is hidden with probability `share`, or one drawn from (least, most) for each picture."""
    least, most = share if isinstance(share, tuple) else (share, share)
    shares = least + (most - least) * torch.rand(n, 1, 1, 1, generator=generator)
    return torch.rand(n, 1, size, size, generator=generator) < shares


def half(n: int, size: int = SIZE, generator=None) -> Tensor:
    """The left, right, upper or lower half."""
    late = torch.arange(size) >= size // 2
    right, lower = late.expand(size, size), late[:, None].expand(size, size)
    sides = torch.stack([~right, right, ~lower, lower])[:, None]
    return sides[torch.randint(4, (n,), generator=generator)]


def brush(n: int, strokes: int = 3, size: int = SIZE, generator=None) -> Tensor:
    """Strokes of a round brush: random walks that keep their direction for a while."""
    steps, pace = 8, size / 16  # of each walk, and the pixels between two of its points
    start = size * torch.rand(n, strokes, 1, 2, generator=generator)
    turns = 0.6 * torch.randn(n, strokes, steps, generator=generator)
    turns[..., 0] = 2 * math.pi * torch.rand(n, strokes, generator=generator)
    angle = turns.cumsum(2)
    points = start + pace * torch.stack([angle.cos(), angle.sin()], -1).cumsum(2)           # (n, strokes, steps, 2)
    radius = size * (0.05 + 0.05 * torch.rand(n, 1, 1, generator=generator))
    along = torch.arange(size) + 0.5
    grid = torch.cartesian_prod(along, along).expand(n, -1, -1)                             # (n, S * S, 2)
    near = torch.cdist(grid, points.flatten(1, 2)).amin(2, keepdim=True) < radius
    return near.view(n, 1, size, size)


def patches(n: int, share: float = 0.75, patch: int = 4, size: int = SIZE, generator=None) -> Tensor:
    """Whole patches of a grid: exactly round(share N) of the N = (S / patch)^2 in every picture (He et al. 2022)."""
    if size % patch:
        raise ValueError(f"a picture of {size} pixels has no whole number of patches of {patch}")
    side = size // patch
    order = torch.rand(n, side * side, generator=generator).argsort(1).argsort(1)
    hidden = (order < round(share * side * side)).view(n, 1, side, side)
    return hidden.repeat_interleave(patch, 2).repeat_interleave(patch, 3)


def mixed(n: int, size: int = SIZE, generator=None) -> Tensor:
    """What the course trains on: one of four kinds for each picture, with the probabilities in MIX."""
    sides = min(HOLE_SIDES[0], size), min(HOLE_SIDES[1], size)
    kinds = {"box": box(n, sides, size, generator), "pixels": pixels(n, HIDDEN_SHARES, size, generator),
             "half": half(n, size, generator), "brush": brush(n, 3, size, generator)}
    weights = torch.tensor([MIX[name] for name in kinds])
    which = torch.multinomial(weights, n, replacement=True, generator=generator)
    return torch.stack(list(kinds.values()))[which, torch.arange(n)]


def error_inside(x: Tensor, y: Tensor, mask: Tensor) -> Tensor:
    """Mean squared error of each y (B, C, S, S) to x on [0, 1], over its hidden pixels alone -> (B,).

    NaN where nothing is hidden. ValueError where the shapes do not fit each other.
    """
    if x.shape != y.shape or mask.shape != (len(x), 1, *x.shape[2:]):
        shapes = f"{tuple(x.shape)}, {tuple(y.shape)} and {tuple(mask.shape)}"
        raise ValueError(f"expected pictures (B, C, S, S), twice, and masks (B, 1, S, S); got {shapes}")
    squared = ((x - y) / 2).square().mean(1, keepdim=True)
    return (squared * mask).flatten(1).sum(1) / mask.flatten(1).sum(1)


def check_side(side: int, size: int) -> None:
    if not 1 <= side <= size:
        raise ValueError(f"the side of a hole is 1 to {size} pixels, not {side}")
