r"""Pictures that try to pass for scenes of two objects: PAIR_KINDS {name: kind}, kind(n, generator) -> n pictures."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ...data.scenes import COLOURS, pairs, sample_pairs
from ...data.scenes.drawing import SIZE, placements
from .outlines import CIRCLE, FALSE, Outline, cover_true, covered, ground, lay


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
    first = lay(canvas, cover_true(factors[:, 0], place[:, 0]), factors[:, 1])
    cover = cover_true(factors[:, 3], place[:, 1]) if second is None else covered(second, place[:, 1])
    return lay(first, cover, factors[:, 4])


def third_object(n, generator):
    picture = pairs_apart(n, generator)
    spot = torch.tensor([16.0, 16.0, 1.5]).expand(n, -1)
    return lay(picture, covered(CIRCLE, spot), torch.randint(len(COLOURS), (n,), generator=generator))


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
