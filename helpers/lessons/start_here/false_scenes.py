r"""Pictures that try to pass for tiny scenes: what the judge must refuse.

KINDS is {name: kind}; kind(size, n, generator) -> n pictures (n, 3, 32, 32) in [-1, 1], none of them a scene.
"""

from __future__ import annotations

import math
from functools import partial

import torch

from ...data.scenes import BACKGROUNDS, COLOURS, PALETTE, SIZES
from ...data.scenes.blurring import blur
from ...data.scenes.drawing import BACKGROUND_PALETTE, CENTRES, JITTER, RADII, SIZE
from .outlines import CIRCLE, FALSE, TRUE, another, cover_true, covered, drawn_apart, ground, lay, truth

SMALL, BIG = range(len(SIZES))


# -- kinds of false scenes: each (size, n, generator) -> pictures -----------------------------------------------------


def shaped(outline, size, n, generator):
    factors, place, _ = truth(size, n, generator)
    return lay(ground(factors), covered(outline, place), factors[:, 1])


def mean_of_shapes(one, other, size, n, generator):
    factors, place, _ = truth(size, n, generator)
    return lay(ground(factors), (covered(TRUE[one], place) + covered(TRUE[other], place)) / 2, factors[:, 1])


def halves(size, n, generator):
    r"""The left half of one shape, the right half of the next."""
    factors, place, cover = truth(size, n, generator)
    left = (place[:, :1] - torch.arange(SIZE)).clamp(0, 1)[:, None]
    other = cover_true((factors[:, 0] + 1) % len(TRUE), place)
    return lay(ground(factors), cover * left + other * (1 - left), factors[:, 1])


def disc_near(place, reach, r, generator):
    r"""Discs of radii r (n,), their centres at most `reach` (n,) from places (n, 3)."""
    angle = 2 * math.pi * torch.rand(len(place), generator=generator)
    return covered(CIRCLE, torch.stack([place[:, 0] + reach * angle.cos(), place[:, 1] + reach * angle.sin(), r], 1))


def hole(size, n, generator):
    factors, place, cover = truth(size, n, generator)
    hollow = disc_near(place, 0.2 * place[:, 2] * torch.rand(n, generator=generator), 0.2 * place[:, 2], generator)
    return lay(ground(factors), cover * (1 - hollow), factors[:, 1])


def bite(size, n, generator):
    factors, place, _ = truth(size, n, generator)
    bitten = covered(CIRCLE, place) * (1 - disc_near(place, place[:, 2], 0.2 * place[:, 2], generator))
    return lay(ground(factors), bitten, factors[:, 1])


def crumb(same, size, n, generator):
    r"""A second, tiny object of 1.5 pixels radius, somewhere beside the first."""
    factors, place, cover = truth(size, n, generator)
    spot = 2 + 28 * torch.rand(n, 2, generator=generator)
    while len(rows := ((spot - place[:, :2]).norm(dim=1) < 1.25 * place[:, 2] + 2).nonzero()[:, 0]):
        spot[rows] = 2 + 28 * torch.rand(len(rows), 2, generator=generator)
    colour = factors[:, 1] if same else another(factors[:, 1], generator)
    tiny = covered(CIRCLE, torch.cat([spot, torch.full((n, 1), 1.5)], 1))
    return lay(lay(ground(factors), cover, factors[:, 1]), tiny, colour)


def two_objects(size, n, generator):
    factors, place, cover = truth(size, n, generator)
    away = torch.cat([(place[:, :1] + 14) % 28, place[:, 1:2], torch.full((n, 1), 5.0)], 1)
    return lay(lay(ground(factors), cover, factors[:, 1]), covered(CIRCLE, away), another(factors[:, 1], generator))


def half_recoloured(size, n, generator):
    r"""The lower 15 % of the object in another colour."""
    factors, place, cover = truth(size, n, generator)
    rows = cover.amax(2) > 0.5                                           # (n, 32)
    top, bottom = rows.int().argmax(1), SIZE - rows.flip(1).int().argmax(1)
    low = (torch.arange(SIZE) + 1 - (bottom - 0.15 * (bottom - top))[:, None]).clamp(0, 1)[:, :, None]
    return lay(lay(ground(factors), cover, factors[:, 1]), cover * low, another(factors[:, 1], generator))


def shaded_object(amount, size, n, generator):
    r"""The object darker towards its top, lighter towards its bottom, by that much on [-1, 1]."""
    factors, place, cover = truth(size, n, generator)
    slope = ((torch.arange(SIZE) + 0.5 - place[:, 1:2]) / place[:, 2:])[:, None, :, None]
    colour = PALETTE[factors[:, 1], :, None, None] * (1 - amount) + amount * slope
    return ground(factors) + cover[:, None] * (colour - ground(factors))


def striped(size, n, generator):
    factors, place, cover = truth(size, n, generator)
    stripes = cover * (torch.arange(SIZE) // 2 % 2)[:, None]
    return lay(lay(ground(factors), cover, factors[:, 1]), stripes, another(factors[:, 1], generator))


def hollow(size, n, generator):
    r"""The shape's border alone."""
    factors, place, cover = truth(size, n, generator)
    inner = cover_true(factors[:, 0], place * torch.tensor([1, 1, 0.7]))
    return lay(ground(factors), (cover - inner).clamp(0), factors[:, 1])


def outlined(size, n, generator):
    r"""A line of another colour, a pixel wide, round the object."""
    factors, place, cover = truth(size, n, generator)
    wider = cover_true(factors[:, 0], place + torch.tensor([0, 0, 1.0]))
    return lay(lay(ground(factors), wider, another(factors[:, 1], generator)), cover, factors[:, 1])


def sloped(amount, size, n, generator):
    r"""A background that goes from -amount to +amount on [0, 1], on average in its named colour or a little inwards."""
    factors, _, cover = truth(size, n, generator)
    angle = 2 * math.pi * torch.rand(n, 1, 1, 1, generator=generator)
    line = (torch.arange(SIZE) + 0.5 - SIZE / 2) / (SIZE / 2)
    slope = angle.cos() * line + angle.sin() * line[:, None]
    canvas = (ground(factors) + 2 * amount * slope / slope.abs().amax((2, 3), keepdim=True)).clamp(-1, 1)
    return lay(canvas, cover, factors[:, 1])


def chequered(size, n, generator):
    r"""A chessboard of ±.05 on [0, 1] on the background, its squares four pixels wide."""
    factors, _, cover = truth(size, n, generator)
    board = (torch.arange(SIZE)[:, None] // 4 + torch.arange(SIZE) // 4) % 2
    return lay(0.9 * ground(factors) + 0.2 * board - 0.1, cover, factors[:, 1])


def parted(size, n, generator):
    r"""Two backgrounds, side by side."""
    factors, _, cover = truth(size, n, generator)
    canvas = ground(factors).clone()
    canvas[..., SIZE // 2:] = BACKGROUND_PALETTE[(factors[:, 5] + 1) % len(BACKGROUNDS), :, None, None]
    return lay(canvas, cover, factors[:, 1])


def framed(size, n, generator):
    picture = drawn_apart(size, n, generator)
    edge = torch.ones(SIZE, SIZE)
    edge[1:-1, 1:-1] = 0
    return lay(picture, edge.expand(n, -1, -1), torch.randint(len(COLOURS), (n,), generator=generator))


def scratched(size, n, generator):
    picture = drawn_apart(size, n, generator)
    line = torch.nn.functional.one_hot(torch.randint(2, 30, (n,), generator=generator), SIZE)
    return lay(picture, line[:, :, None].expand(-1, -1, SIZE).float(),
                 torch.randint(len(COLOURS), (n,), generator=generator))


def mean_of_pictures(size, n, generator):
    r"""Half one scene, half another with its object in the next column."""
    factors, place, cover = truth(size, n, generator)
    x = (place[:, :1] - CENTRES[0] + 7) % 21 + CENTRES[0]
    beside = lay(ground(factors), cover_true(factors[:, 0], torch.cat([x, place[:, 1:]], 1)), factors[:, 1])
    return (lay(ground(factors), cover, factors[:, 1]) + beside) / 2


def misplaced(size, n, generator):
    r"""Anywhere on the canvas but in the nine places, by half a pixel or more."""
    factors, place, _ = truth(size, n, generator)
    low, high = CENTRES[0] - JITTER, CENTRES[-1] + JITTER
    centre = torch.full((n, 2), CENTRES[0])
    cells = torch.tensor(CENTRES)
    while len(rows := ((centre[..., None] - cells).abs().amin(2) < JITTER + 0.5).all(1).nonzero()[:, 0]):
        centre[rows] = low + (high - low) * torch.rand(len(rows), 2, generator=generator)
    place = torch.cat([centre, place[:, 2:]], 1)
    return lay(ground(factors), cover_true(factors[:, 0], place), factors[:, 1])


def resized(size, n, generator):
    r"""Radii that the world does not have, by a quarter of a pixel or more."""
    factors, place, _ = truth(size, n, generator)
    (least, small), (big, most) = RADII
    ranges = ((least - 1.5, least - 0.25), (small + 0.25, 6.5)), ((6.6, big - 0.25), (most + 0.25, most + 1))
    low, high = torch.tensor(ranges[size])[torch.randint(2, (n,), generator=generator)].unbind(1)
    place = torch.cat([place[:, :2], (low + (high - low) * torch.rand(n, generator=generator))[:, None]], 1)
    return lay(ground(factors), cover_true(factors[:, 0], place), factors[:, 1])


def cut(size, n, generator):
    r"""Over the left or the upper border."""
    factors, place, _ = truth(size, n, generator)
    across = torch.randint(2, (n,), generator=generator)
    place[torch.arange(n), across] = (0.2 + 0.6 * torch.rand(n, generator=generator)) * place[:, 2]
    return lay(ground(factors), cover_true(factors[:, 0], place), factors[:, 1])


def coloured(change, size, n, generator):
    factors, _, cover = truth(size, n, generator)
    return lay(ground(factors), cover, change(factors[:, 1], generator))


def grounded(size, n, generator):
    r"""On a gray half way between two backgrounds."""
    factors, _, cover = truth(size, n, generator)
    gray = torch.where(factors[:, 5] == 0, -0.5, 0.5)[:, None, None, None].expand(-1, 3, SIZE, SIZE)
    return lay(gray, cover, factors[:, 1])


def speckled(size, n, generator):
    picture = drawn_apart(size, n, generator)
    return picture + 0.2 * torch.randn(picture.shape, generator=generator)


KINDS = {name: partial(shaped, outline) for name, outline in FALSE.items()} | {
    "mean of circle and square": partial(mean_of_shapes, 0, 1), "halves of two shapes": halves,
    "mean of circle and star": partial(mean_of_shapes, 0, 3), "hole": hole, "bite": bite, "crumb": partial(crumb, True),
    "crumb of another colour": partial(crumb, False), "two objects": two_objects, "two colours": half_recoloured,
    "shaded": partial(shaded_object, 0.3), "striped": striped, "hollow": hollow, "outlined": outlined,
    "background from -.05 to +.05": partial(sloped, 0.05), "checked background": chequered, "two backgrounds": parted,
    "frame": framed, "scratch": scratched, "mean of two pictures": mean_of_pictures,
    "place": misplaced, "radius": resized, "cut by the border": cut, "unnamed background": grounded,
    "blurred by 1.5 pixels": lambda *wanted: blur(drawn_apart(*wanted), 1.5), "noise of 0.1": speckled,
    "colour between two names": partial(coloured, lambda c, g: (PALETTE[c] + PALETTE[another(c, g)]) / 2),
    "pale colour": partial(coloured, lambda c, g: 0.75 * PALETTE[c]),
}
