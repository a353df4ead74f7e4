r"""Another drawer of tiny scenes: from outlines, not from the signed distances of `data.scenes.drawing`.

A pixel is the share of its 5 x 5 points that lie inside an outline, a function (u, v) -> bool, with u to the right
and v down, in radii from the centre. So a mistake in one of the two drawers shows in the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from ...data.scenes import COLOURS, PALETTE, sample_factors
from ...data.scenes.drawing import BACKGROUND_PALETTE, SIZE, placements

POINTS = 5  # a side of a pixel
Outline = Callable[[Tensor, Tensor], Tensor]


# -- outlines --------------------------------------------------------------------------------------------------------


def polygon(*corners: tuple[float, float]) -> Outline:
    r"""Inside a polygon, by the parity of the edges that a ray to the left crosses."""

    def inside(u, v):
        found = torch.zeros(torch.broadcast_shapes(u.shape, v.shape), dtype=torch.bool)
        for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
            if y1 != y2:
                found ^= ((v < y1) != (v < y2)) & (u > x1 + (v - y1) * (x2 - x1) / (y2 - y1))
        return found

    return inside


def regular(k: int) -> Outline:
    r"""A regular polygon of k corners, one of them upwards, as large as the circle."""
    reach = math.sqrt(2 * math.pi / (k * math.sin(2 * math.pi / k)))
    return polygon(*((reach * math.sin(a), -reach * math.cos(a)) for a in (2 * math.pi * i / k for i in range(k))))


def star(k: int, notch: float = 0.47, tip: float = 1.1, down: float = 0.0) -> Outline:
    r"""A star of k points, one of them upwards; notch: its inner radius over its outer one; down: of its centre."""
    angles = [math.pi * i / k for i in range(2 * k)]
    reach = [tip, notch * tip] * k
    return polygon(*((r * math.sin(a), down - r * math.cos(a)) for r, a in zip(reach, angles, strict=True)))


def ellipse(ratio: float) -> Outline:
    return lambda u, v: u.square() / ratio + v.square() * ratio <= 1


def rounded_square(corner: float) -> Outline:
    r"""The square with its corners rounded by that part of r."""
    inner = 0.86 - corner
    return lambda u, v: (u.abs() - inner).clamp(min=0).square() + (v.abs() - inner).clamp(min=0).square() <= corner**2


def turned(outline: Outline, degrees: float) -> Outline:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return lambda u, v: outline(c * u + s * v, c * v - s * u)


def wavy(size: float, waves: int) -> Outline:
    r"""A circle whose radius swings by that part."""
    return lambda u, v: (u.square() + v.square()).sqrt() <= 1 + size * torch.cos(waves * torch.atan2(u, -v))


CIRCLE = ellipse(1.0)
SQUARE = polygon((-0.86, -0.86), (0.86, -0.86), (0.86, 0.86), (-0.86, 0.86))
TRIANGLE = polygon((0, -0.885), (1.0219, 0.885), (-1.0219, 0.885))
TRUE = (CIRCLE, SQUARE, TRIANGLE, star(5, down=0.0955 * 1.1))    # in the order of SHAPES
FALSE = {
    "pentagon": regular(5), "hexagon": regular(6), "heptagon": regular(7), "rounded square": rounded_square(0.35),
    "ellipse of 1.1": ellipse(1.1), "ellipse of 1.21": ellipse(1.21), "square turned by 10°": turned(SQUARE, 10),
    "diamond": turned(SQUARE, 45), "star of four": star(4), "star of six": star(6), "fat star": star(5, 0.62),
    "triangle upside down": turned(TRIANGLE, 180), "star upside down": turned(TRUE[3], 180),
    "rectangle": polygon((-0.95, -0.78), (0.95, -0.78), (0.95, 0.78), (-0.95, 0.78)),
    "trapezium": polygon((-0.55, -0.8), (0.55, -0.8), (0.9, 0.8), (-0.9, 0.8)),
    "right triangle": polygon((-0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)), "wavy circle": wavy(0.06, 5),
    "half circle": lambda u, v: CIRCLE(u, v) & (v > -0.1), "ring": lambda u, v: CIRCLE(u, v) & ~CIRCLE(2 * u, 2 * v),
    "crescent": lambda u, v: CIRCLE(u, v) & ~CIRCLE((u - 0.5) / 0.8, v / 0.8),
    "plus": lambda u, v: (torch.maximum(u.abs(), v.abs()) < 1) & (torch.minimum(u.abs(), v.abs()) < 0.35),
}


# -- painting --------------------------------------------------------------------------------------------------------


def covered(outline: Outline, place: Tensor) -> Tensor:
    r"""The share of each pixel (n, 32, 32) inside outlines at places x, y, r (n, 3)."""
    grid = (torch.arange(SIZE * POINTS) + 0.5) / POINTS
    parts = []
    for x, y, r in (chunk.unbind(1) for chunk in place.split(32)):
        u, v = (grid - x[:, None]) / r[:, None], (grid - y[:, None]) / r[:, None]
        inside = outline(u[:, None, :], v[:, :, None]).float()
        parts.append(torch.nn.functional.avg_pool2d(inside[:, None], POINTS)[:, 0])
    return torch.cat(parts)


def cover_true(shape: Tensor, place: Tensor) -> Tensor:
    cover = torch.empty(len(shape), SIZE, SIZE)
    for index, outline in enumerate(TRUE):
        if (rows := shape == index).any():
            cover[rows] = covered(outline, place[rows])
    return cover


def ground(factors: Tensor) -> Tensor:
    return BACKGROUND_PALETTE[factors[:, 5], :, None, None].expand(-1, -1, SIZE, SIZE)


def lay(canvas: Tensor, cover: Tensor, colour: Tensor) -> Tensor:
    r"""Paint colours, indices (n,) or values (n, 3), on canvases (n, 3, 32, 32), where cover (n, 32, 32) is 1."""
    colour = PALETTE[colour] if colour.ndim == 1 else colour
    return canvas + cover[:, None] * (colour[:, :, None, None] - canvas)


def truth(size: int | None, n: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    r"""Factors (n, 6), places (n, 3) and covers (n, 32, 32) of true scenes of that size (None: of either)."""
    factors = sample_factors(n, generator, "all")
    factors[:, 2] = factors[:, 2] if size is None else size
    place = placements(factors[:, None, :5], generator)[:, 0]
    return factors, place, cover_true(factors[:, 0], place)


def drawn_apart(size: int | None, n: int, generator: torch.Generator) -> Tensor:
    factors, _, cover = truth(size, n, generator)
    return lay(ground(factors), cover, factors[:, 1])


def another(colour: Tensor, generator: torch.Generator) -> Tensor:
    return (colour + torch.randint(1, len(COLOURS), colour.shape, generator=generator)) % len(COLOURS)
