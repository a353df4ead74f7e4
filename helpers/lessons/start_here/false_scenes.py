r"""Pictures that try to pass for tiny scenes: what the judge must refuse, and true scenes by another drawer.

Drawn from outlines, not from the signed distances of `data.scenes.drawing`: a pixel is the share of its 5 x 5 points
that lie inside. An outline is a function (u, v) -> bool, with u to the right and v down, in radii from the centre.

    KINDS        {name: kind}; kind(size, n, generator) -> n pictures (n, 3, 32, 32) in [-1, 1], none of them a scene
    drawn_apart  true scenes by this drawer, of one object; `pairs_apart` of two
    PAIR_KINDS   {name: kind} for two objects; kind(n, generator)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ...data.scenes import BACKGROUNDS, COLOURS, PALETTE, SIZES, pairs, sample_factors, sample_pairs
from ...data.scenes.drawing import BACKGROUND_PALETTE, CENTRES, JITTER, RADII, SIZE, blur, placements

POINTS = 5  # a side of a pixel
SMALL, BIG = range(len(SIZES))
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


def rounded(corner: float) -> Outline:
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
    "pentagon": regular(5), "hexagon": regular(6), "heptagon": regular(7), "rounded square": rounded(0.35),
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


def paint(canvas: Tensor, cover: Tensor, colour: Tensor) -> Tensor:
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
    return paint(ground(factors), cover, factors[:, 1])


def another(colour: Tensor, generator: torch.Generator) -> Tensor:
    return (colour + torch.randint(1, len(COLOURS), colour.shape, generator=generator)) % len(COLOURS)


# -- kinds of false scenes: each (size, n, generator) -> pictures -----------------------------------------------------


def shaped(outline, size, n, generator):
    factors, place, _ = truth(size, n, generator)
    return paint(ground(factors), covered(outline, place), factors[:, 1])


def mean_of_shapes(one, other, size, n, generator):
    factors, place, _ = truth(size, n, generator)
    return paint(ground(factors), (covered(TRUE[one], place) + covered(TRUE[other], place)) / 2, factors[:, 1])


def halves(size, n, generator):
    r"""The left half of one shape, the right half of the next."""
    factors, place, cover = truth(size, n, generator)
    left = (place[:, :1] - torch.arange(SIZE)).clamp(0, 1)[:, None]
    other = cover_true((factors[:, 0] + 1) % len(TRUE), place)
    return paint(ground(factors), cover * left + other * (1 - left), factors[:, 1])


def disc_near(place, reach, r, generator):
    r"""Discs of radii r (n,), their centres at most `reach` (n,) from places (n, 3)."""
    angle = 2 * math.pi * torch.rand(len(place), generator=generator)
    return covered(CIRCLE, torch.stack([place[:, 0] + reach * angle.cos(), place[:, 1] + reach * angle.sin(), r], 1))


def hole(size, n, generator):
    factors, place, cover = truth(size, n, generator)
    hollow = disc_near(place, 0.2 * place[:, 2] * torch.rand(n, generator=generator), 0.2 * place[:, 2], generator)
    return paint(ground(factors), cover * (1 - hollow), factors[:, 1])


def bite(size, n, generator):
    factors, place, _ = truth(size, n, generator)
    bitten = covered(CIRCLE, place) * (1 - disc_near(place, place[:, 2], 0.2 * place[:, 2], generator))
    return paint(ground(factors), bitten, factors[:, 1])


def crumb(same, size, n, generator):
    r"""A second, tiny object of 1.5 pixels radius, somewhere beside the first."""
    factors, place, cover = truth(size, n, generator)
    spot = 2 + 28 * torch.rand(n, 2, generator=generator)
    while len(rows := ((spot - place[:, :2]).norm(dim=1) < 1.25 * place[:, 2] + 2).nonzero()[:, 0]):
        spot[rows] = 2 + 28 * torch.rand(len(rows), 2, generator=generator)
    colour = factors[:, 1] if same else another(factors[:, 1], generator)
    tiny = covered(CIRCLE, torch.cat([spot, torch.full((n, 1), 1.5)], 1))
    return paint(paint(ground(factors), cover, factors[:, 1]), tiny, colour)


def two_objects(size, n, generator):
    factors, place, cover = truth(size, n, generator)
    away = torch.cat([(place[:, :1] + 14) % 28, place[:, 1:2], torch.full((n, 1), 5.0)], 1)
    return paint(paint(ground(factors), cover, factors[:, 1]), covered(CIRCLE, away), another(factors[:, 1], generator))


def two_colours(size, n, generator):
    r"""The lower 15 % of the object in another colour."""
    factors, place, cover = truth(size, n, generator)
    rows = cover.amax(2) > 0.5                                           # (n, 32)
    top, bottom = rows.int().argmax(1), SIZE - rows.flip(1).int().argmax(1)
    low = (torch.arange(SIZE) + 1 - (bottom - 0.15 * (bottom - top))[:, None]).clamp(0, 1)[:, :, None]
    picture = paint(ground(factors), cover, factors[:, 1])
    return paint(picture, cover * low, another(factors[:, 1], generator))


def shade(amount, size, n, generator):
    r"""The object darker towards its top, lighter towards its bottom, by that much on [-1, 1]."""
    factors, place, cover = truth(size, n, generator)
    slope = ((torch.arange(SIZE) + 0.5 - place[:, 1:2]) / place[:, 2:])[:, None, :, None]
    colour = PALETTE[factors[:, 1], :, None, None] * (1 - amount) + amount * slope
    return ground(factors) + cover[:, None] * (colour - ground(factors))


def striped(size, n, generator):
    factors, place, cover = truth(size, n, generator)
    stripes = cover * (torch.arange(SIZE) // 2 % 2)[:, None]
    return paint(paint(ground(factors), cover, factors[:, 1]), stripes, another(factors[:, 1], generator))


def hollow(size, n, generator):
    r"""The shape's border alone."""
    factors, place, cover = truth(size, n, generator)
    inner = cover_true(factors[:, 0], place * torch.tensor([1, 1, 0.7]))
    return paint(ground(factors), (cover - inner).clamp(0), factors[:, 1])


def outlined(size, n, generator):
    r"""A line of another colour, a pixel wide, round the object."""
    factors, place, cover = truth(size, n, generator)
    wider = cover_true(factors[:, 0], place + torch.tensor([0, 0, 1.0]))
    return paint(paint(ground(factors), wider, another(factors[:, 1], generator)), cover, factors[:, 1])


def sloped(amount, size, n, generator):
    r"""A background that goes from -amount to +amount on [0, 1], on average in its named colour or a little inwards."""
    factors, _, cover = truth(size, n, generator)
    angle = 2 * math.pi * torch.rand(n, 1, 1, 1, generator=generator)
    line = (torch.arange(SIZE) + 0.5 - SIZE / 2) / (SIZE / 2)
    slope = angle.cos() * line + angle.sin() * line[:, None]
    canvas = (ground(factors) + 2 * amount * slope / slope.abs().amax((2, 3), keepdim=True)).clamp(-1, 1)
    return paint(canvas, cover, factors[:, 1])


def checked(size, n, generator):
    r"""A chessboard of ±.05 on [0, 1] on the background, its squares four pixels wide."""
    factors, _, cover = truth(size, n, generator)
    board = (torch.arange(SIZE)[:, None] // 4 + torch.arange(SIZE) // 4) % 2
    return paint(0.9 * ground(factors) + 0.2 * board - 0.1, cover, factors[:, 1])


def parted(size, n, generator):
    r"""Two backgrounds, side by side."""
    factors, _, cover = truth(size, n, generator)
    canvas = ground(factors).clone()
    canvas[..., SIZE // 2:] = BACKGROUND_PALETTE[(factors[:, 5] + 1) % len(BACKGROUNDS), :, None, None]
    return paint(canvas, cover, factors[:, 1])


def framed(size, n, generator):
    picture = drawn_apart(size, n, generator)
    edge = torch.ones(SIZE, SIZE)
    edge[1:-1, 1:-1] = 0
    return paint(picture, edge.expand(n, -1, -1), torch.randint(len(COLOURS), (n,), generator=generator))


def scratched(size, n, generator):
    picture = drawn_apart(size, n, generator)
    line = torch.nn.functional.one_hot(torch.randint(2, 30, (n,), generator=generator), SIZE)
    return paint(picture, line[:, :, None].expand(-1, -1, SIZE).float(),
                 torch.randint(len(COLOURS), (n,), generator=generator))


def mean_of_pictures(size, n, generator):
    r"""Half one scene, half another with its object in the next column."""
    factors, place, cover = truth(size, n, generator)
    x = (place[:, :1] - CENTRES[0] + 7) % 21 + CENTRES[0]
    beside = paint(ground(factors), cover_true(factors[:, 0], torch.cat([x, place[:, 1:]], 1)), factors[:, 1])
    return (paint(ground(factors), cover, factors[:, 1]) + beside) / 2


def moved(size, n, generator):
    r"""Anywhere on the canvas but in the nine places, by half a pixel or more."""
    factors, place, _ = truth(size, n, generator)
    low, high = CENTRES[0] - JITTER, CENTRES[-1] + JITTER
    centre = torch.full((n, 2), CENTRES[0])
    cells = torch.tensor(CENTRES)
    while len(rows := ((centre[..., None] - cells).abs().amin(2) < JITTER + 0.5).all(1).nonzero()[:, 0]):
        centre[rows] = low + (high - low) * torch.rand(len(rows), 2, generator=generator)
    place = torch.cat([centre, place[:, 2:]], 1)
    return paint(ground(factors), cover_true(factors[:, 0], place), factors[:, 1])


def resized(size, n, generator):
    r"""Radii that the world does not have, by a quarter of a pixel or more."""
    factors, place, _ = truth(size, n, generator)
    (least, small), (big, most) = RADII
    ranges = ((least - 1.5, least - 0.25), (small + 0.25, 6.5)), ((6.6, big - 0.25), (most + 0.25, most + 1))
    low, high = torch.tensor(ranges[size])[torch.randint(2, (n,), generator=generator)].unbind(1)
    place = torch.cat([place[:, :2], (low + (high - low) * torch.rand(n, generator=generator))[:, None]], 1)
    return paint(ground(factors), cover_true(factors[:, 0], place), factors[:, 1])


def cut(size, n, generator):
    r"""Over the left or the upper border."""
    factors, place, _ = truth(size, n, generator)
    across = torch.randint(2, (n,), generator=generator)
    place[torch.arange(n), across] = (0.2 + 0.6 * torch.rand(n, generator=generator)) * place[:, 2]
    return paint(ground(factors), cover_true(factors[:, 0], place), factors[:, 1])


def coloured(change, size, n, generator):
    factors, _, cover = truth(size, n, generator)
    return paint(ground(factors), cover, change(factors[:, 1], generator))


def grounded(size, n, generator):
    r"""On a gray half way between two backgrounds."""
    factors, _, cover = truth(size, n, generator)
    gray = torch.where(factors[:, 5] == 0, -0.5, 0.5)[:, None, None, None].expand(-1, 3, SIZE, SIZE)
    return paint(gray, cover, factors[:, 1])


def blurry(size, n, generator):
    return blur(drawn_apart(size, n, generator), 1.5)


def noisy(size, n, generator):
    picture = drawn_apart(size, n, generator)
    return picture + 0.2 * torch.randn(picture.shape, generator=generator)


KINDS = {name: partial(shaped, outline) for name, outline in FALSE.items()} | {
    "mean of circle and square": partial(mean_of_shapes, 0, 1),
    "mean of circle and star": partial(mean_of_shapes, 0, 3),
    "halves of two shapes": halves, "hole": hole, "bite": bite, "crumb": partial(crumb, True),
    "crumb of another colour": partial(crumb, False), "two objects": two_objects, "two colours": two_colours,
    "shaded": partial(shade, 0.3), "striped": striped, "hollow": hollow, "outlined": outlined,
    "background from -.05 to +.05": partial(sloped, 0.05), "checked background": checked, "two backgrounds": parted,
    "frame": framed, "scratch": scratched, "mean of two pictures": mean_of_pictures, "place": moved, "radius": resized,
    "cut by the border": cut, "unnamed background": grounded, "blurred by 1.5 pixels": blurry, "noise of 0.1": noisy,
    "colour between two names": partial(coloured, lambda c, g: (PALETTE[c] + PALETTE[another(c, g)]) / 2),
    "pale colour": partial(coloured, lambda c, g: 0.75 * PALETTE[c]),
}


# -- two objects -----------------------------------------------------------------------------------------------------


def two_places(n, generator):
    r"""Pair factors (n, 6), and the places (n, 2, 3) of the two objects."""
    factors = sample_pairs(n, generator, "all")
    objects = pairs.pair_objects(factors, generator)
    return factors, placements(objects, generator)


def pairs_apart(n: int, generator: torch.Generator, second: Outline | None = None, change=None) -> Tensor:
    r"""n pictures of two objects by this drawer. second: an outline instead of the second object's; change: of its
    places (n, 2, 3)."""
    factors, place = two_places(n, generator)
    place = place if change is None else change(place)
    canvas = ground(factors)
    first = paint(canvas, cover_true(factors[:, 0], place[:, 0]), factors[:, 1])
    cover = cover_true(factors[:, 3], place[:, 1]) if second is None else covered(second, place[:, 1])
    return paint(first, cover, factors[:, 4])


def third_object(n, generator):
    picture = pairs_apart(n, generator)
    spot = torch.tensor([16.0, 16.0, 1.5]).expand(n, -1)
    return paint(picture, covered(CIRCLE, spot), torch.randint(len(COLOURS), (n,), generator=generator))


def sloped_pair(n, generator):
    slope = torch.linspace(-0.1, 0.1, SIZE)
    return (pairs_apart(n, generator) + slope).clamp(-1, 1)


PAIR_KINDS = {name: partial(pairs_apart, second=FALSE[name]) for name in
              ("pentagon", "diamond", "star of six", "ellipse of 1.21", "ring", "half circle")} | {
    "third object": third_object, "background from -.05 to +.05": sloped_pair,
    "one object only": partial(pairs_apart, change=lambda place: place[:, :1].expand(-1, 2, -1)),
    "both moved": partial(pairs_apart, change=lambda place: place + torch.tensor([2.5, 2.5, 0])),
    "one of them big": partial(pairs_apart, change=lambda place: place + torch.tensor([[0, 0, 0], [0, 0, 1.5]])),
}
