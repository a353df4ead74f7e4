r"""What the figures are made of: pictures, vectors, stacks of feature maps, words, operations, clouds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ..figures import to_uint8
from ..raster import INK, SOFT
from .elements import LABEL, Element
from .layout import Group, row
from .marks import (
    LABEL_HIGH,
    TEXT_HIGH,
    edge_colour,
    line_width,
    oval,
    raster_image,
    rectangle,
    tint,
    tinted,
    written_text,
)

INSET = 9  # pixels between words and the box around them
CELL = 13  # the side of a number in a vector


def picture(image, label: str = "", side: float = 84) -> Element:
    """A picture (C, H, W) in [-1, 1], or uint8 (H, W, 3), `side` pixels high, with the frame of its quantity."""
    pixels = image if isinstance(image, np.ndarray) else to_uint8(image[None])[0]
    width = side * pixels.shape[1] / pixels.shape[0]

    def draw(left: float, top: float) -> list[str]:
        return [rectangle(left, top, width, side, "none", edge_colour("picture"), 2, 4),
                raster_image(left + 1, top + 1, width - 2, side - 2, pixels)]

    return Element(width, side, draw, label)


def operation(name: str, quantity: str = "network", note: str = "", *, least: float = 0.0) -> Element:
    r"""A box with the name of what is computed, and a quieter note in it; lines are parted by "\n".

    least   its width at least, so that boxes of one kind are equally wide
    """
    lines = [(text, TEXT_HIGH) for text in name.split("\n")] + [(text, LABEL_HIGH) for text in note.split("\n") if text]
    width = max(least, max(line_width(text, size) for text, size in lines) + 2 * INSET)
    height = 18 * len(lines) + 2 * INSET - 4

    def draw(left: float, top: float) -> list[str]:
        inks, x = {TEXT_HIGH: INK, LABEL_HIGH: SOFT}, left + width / 2
        words = [written_text(text, x, top + INSET + 7 + 18 * i, size, inks[size])
                 for i, (text, size) in enumerate(lines)]
        fill = "#ffffff" if quantity == "network" else tint(quantity, 0.3)
        return [rectangle(left, top, width, height, fill, edge_colour(quantity), 1.3, 5), *words]

    return Element(width, height, draw)


def sign(symbol: str) -> Element:
    """A small circle with a sign in it, such as + or ×."""
    def draw(left: float, top: float) -> list[str]:
        return [oval(left + 11, top + 11, 11, 11, "#ffffff", edge_colour("network")),
                written_text(symbol, left + 11, top + 11)]

    return Element(22, 22, draw)


def note(text: str, size: int = LABEL_HIGH) -> Element:
    r"""Words without a box; lines are parted by "\n"."""
    lines = text.split("\n")
    width, height = max(line_width(each, size) for each in lines), LABEL * len(lines)

    def draw(left: float, top: float) -> list[str]:
        return [written_text(each, left + width / 2, top + LABEL * (i + 0.5), size) for i, each in enumerate(lines)]

    return Element(width, height, draw)


def vector(values, label: str = "", quantity: str = "code", *, cell: float = CELL, upright: bool = True,
           limit: float | None = None) -> Element:
    """Numbers (n,) as a row of coloured cells, one above the other if upright.

    A cell is white at -limit and has the full colour at limit, which is the largest |value| if it is not given.
    """
    values = torch.as_tensor(values).detach().float().flatten()
    limit = limit or max(values.abs().max().item(), 1e-9)
    shares = [(value / limit + 1) / 2 for value in values.tolist()]
    size = (cell, cell * len(shares)) if upright else (cell * len(shares), cell)

    def draw(left: float, top: float) -> list[str]:
        step = (0, cell) if upright else (cell, 0)
        return [rectangle(left + step[0] * i, top + step[1] * i, cell, cell, tint(quantity, share),
                          edge_colour(quantity), 0.8) for i, share in enumerate(shares)]

    return Element(*size, draw, label, cells=len(shares) if upright else 1)


def weight(value: float, cell: float = 34) -> Element:
    """A number from 0 to 1, such as an attention weight, on its shade."""
    def draw(left: float, top: float) -> list[str]:
        ink = "#ffffff" if value > 0.6 else "#000000"
        return [rectangle(left, top, cell, 22, tint("attention", value), edge_colour("attention"), 1),
                written_text(f"{value:.2f}", left + cell / 2, top + 11, LABEL_HIGH, ink)]

    return Element(cell, 22, draw)


def maps(features, label: str = "", quantity: str = "hidden", *, side: float | None = None) -> Element:
    """Feature maps (C, h, w) as a stack of sheets: a sheet for some eight channels, larger where h is.

    Each sheet shows a channel, the last one in front: white where it is lowest in the whole layer, in the full colour
    where it is highest.
    """
    features = torch.as_tensor(features).detach().float()
    sheets, side = int(np.clip(round(len(features) / 8), 1, 8)), side or 10 + 1.7 * features.shape[1]
    chosen = features[torch.linspace(0, len(features) - 1, sheets).round().long()]
    low, high = features.quantile(0.02), features.quantile(0.98)
    pixels = [tinted(((sheet - low) / (high - low + 1e-9)).numpy(), quantity) for sheet in chosen]
    shift = 4 * (sheets - 1)

    def draw(left: float, top: float) -> list[str]:
        marks = []
        for i, sheet in enumerate(pixels):
            x, y = left + shift - 4 * i, top + 4 * i
            frame = rectangle(x, y, side, side, "none", edge_colour(quantity), 1)
            marks += [raster_image(x, y, side, side, sheet), frame]
        return marks

    return Element(side + shift, side + shift, draw, label)


def words(tokens: Sequence[str], gap: float = 4) -> Group:
    """Tokens of a text, a box each."""
    return row(*(operation(token, "words") for token in tokens), gap=gap)


def cloud(centres, radii, draws=(), label: str = "", *, side: float = 120, middle=(0.0, 0.0),
          reach: float = 3.0) -> Element:
    """A window on the plane of codes of two numbers, from middle - reach to middle + reach: clouds and draws.

    centres, radii   (n, 2) each: the mean and the standard deviation of a code in each direction, an ellipse of 1 sigma
    draws            (m, 2): codes, a dot each. The circle of radius 1 around 0, of N(0, I), is dashed.
    What lies outside the window is left out.
    """
    centres, radii, draws = (np.asarray(torch.as_tensor(each)).reshape(-1, 2) for each in (centres, radii, draws))
    middle, scale = np.asarray(torch.as_tensor(middle)), side / 2 / reach

    def draw(left: float, top: float) -> list[str]:
        def inside(point, radius) -> bool:
            return bool((np.abs(point - middle) + radius < reach).all())

        def round_mark(point, radius, *colours, **how) -> list[str]:
            x, y = side / 2 + scale * (point - middle) * (1, -1)
            return [oval(left + x, top + y, *(scale * radius), *colours, **how)] * inside(point, radius)

        marks = [rectangle(left, top, side, side, "#ffffff", tint("network", 0.35), 1.3, 3)]
        marks += round_mark(np.zeros(2), np.ones(2), "none", edge_colour("noise"), dashed=True)
        for centre, radius in zip(centres, np.maximum(radii, 1.6 / scale), strict=True):
            marks += round_mark(centre, radius, tint("code", 0.3), edge_colour("code"))
        for point in draws:
            marks += round_mark(point, np.full(2, 2.2 / scale), tint("code", 1))
        return marks

    return Element(side, side, draw, label)
