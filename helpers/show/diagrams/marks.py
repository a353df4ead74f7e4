r"""What a drawn figure is made of: SVG elements as strings, and the course's colours, one for each quantity.

A quantity keeps its colour in figures, equations and plots (Okabe and Ito's, as `figures.PALETTE`):

    picture    sky         what goes in and what is drawn
    code       vermilion   a code z, a context vector: what has passed a bottleneck
    hidden     green       states and features inside a network
    attention  blue        attention weights, as the shades of `heatmaps`
    noise      purple      what dice decide: eps, added noise
    loss       yellow      what training makes small
    words      orange      tokens of a text
    network    black       layers and other operations; drawn in greys

Words are drawn as the outlines of the course's font, so they are as wide on every computer as they were measured.
"""

from __future__ import annotations

import base64
import html
import unicodedata
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from matplotlib.ft2font import FT2Font, LoadFlags

from ..figures import PALETTE
from ..raster import INK, SOFT, font_files, runs, to_png

QUANTITIES = {"picture": "sky", "code": "vermilion", "hidden": "green", "attention": "blue", "noise": "purple",
              "loss": "yellow", "words": "orange", "network": "black"}
GROUND = "#e9ebee"  # behind a figure: light enough for dark words, and it does not glare on a dark page
TEXT_HIGH, LABEL_HIGH = 14, 12  # pixels: words, and the quieter words under things
_RAISED, _LOWERED = "⁰¹²³⁴⁵⁶⁷⁸⁹", "₀₁₂₃₄₅₆₇₈₉"
_LARGE = str.maketrans(_RAISED + _LOWERED, "01234567890123456789")
_SHIFTS = dict.fromkeys(_RAISED, (0.7, 0.36)) | dict.fromkeys(_LOWERED, (0.7, -0.16))  # size, rise

XY = tuple[float, float]


def tint(quantity: str, share: float) -> str:
    """The colour of a quantity mixed with white: share 0 is white, 1 the full colour. KeyError for another name."""
    full = bytes.fromhex(PALETTE[QUANTITIES[quantity]][1:])
    return "#" + bytes(round(255 + (c - 255) * float(np.clip(share, 0, 1))) for c in full).hex()


def tinted(values: np.ndarray, quantity: str) -> np.ndarray:
    """Shares (h, w) from 0 to 1 as a uint8 picture (h, w, 3): 0 white, 1 the quantity's colour."""
    full = np.frombuffer(bytes.fromhex(PALETTE[QUANTITIES[quantity]][1:]), np.uint8)
    return (255 + (full - 255.0) * np.clip(values, 0, 1)[..., None]).round().astype(np.uint8)


def edge_colour(quantity: str) -> str:
    """The colour of a quantity's outlines; a box of a network has a grey one, so that the data stand out."""
    return tint(quantity, 0.55 if quantity == "network" else 1)


# -- shapes ----------------------------------------------------------------------------------------


def rectangle(x: float, y: float, across: float, down: float, fill: str, edge: str = "none", width: float = 0.0,
              radius: float = 0.0) -> str:
    """A rectangle `across` x `down`, its upper left corner at (x, y); width: of its edge, in pixels."""
    return (f'<rect x="{x:.1f}" y="{y:.1f}" width="{across:.1f}" height="{down:.1f}" rx="{radius:g}" fill="{fill}" '
            f'stroke="{edge}" stroke-width="{width:g}"/>')


def oval(x: float, y: float, across: float, down: float, fill: str, edge: str = "none", dashed: bool = False) -> str:
    """An ellipse around (x, y); across and down are its half axes."""
    return (f'<ellipse cx="{x:.1f}" cy="{y:.1f}" rx="{across:.1f}" ry="{down:.1f}" fill="{fill}" stroke="{edge}" '
            f'stroke-width="1.3"{_dashes(dashed)}/>')


def line(points: Sequence[XY], colour: str = SOFT, width: float = 1.5, dashed: bool = False, bend: float = 7) -> str:
    """A line through points, its corners rounded with radius `bend`."""
    path = f"M{points[0][0]:.1f} {points[0][1]:.1f}"
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        near, far = _towards(corner, before, bend), _towards(corner, after, bend)
        path += f"L{near[0]:.1f} {near[1]:.1f}Q{corner[0]:.1f} {corner[1]:.1f} {far[0]:.1f} {far[1]:.1f}"
    path += f"L{points[-1][0]:.1f} {points[-1][1]:.1f}"
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width:g}"{_dashes(dashed)}/>'


def arrow_line(points: Sequence[XY], dashed: bool = False) -> str:
    """A line through points whose last end is the tip of an arrow."""
    (tip, colour), size = (points[-1], SOFT), 7.0
    neck = _towards(tip, points[-2], size)
    across = (tip[1] - neck[1]) * 0.5, (neck[0] - tip[0]) * 0.5
    corners = (tip, (neck[0] + across[0], neck[1] + across[1]), (neck[0] - across[0], neck[1] - across[1]))
    head = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    ends = f'data-ends="{points[0][0]:.1f} {points[0][1]:.1f} {tip[0]:.1f} {tip[1]:.1f}"'
    shaft = line([*points[:-1], _towards(tip, points[-2], size - 1)], colour, dashed=dashed)
    return f'<g class="arrow" {ends}>{shaft}<polygon points="{head}" fill="{colour}"/></g>'


def raster_image(x: float, y: float, width: float, height: float, pixels: np.ndarray) -> str:
    """A uint8 picture (h, w, 3), stretched to width x height without smoothing."""
    data = base64.b64encode(to_png(pixels)).decode()
    return (f'<image x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" preserveAspectRatio="none" '
            f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>')


def _towards(start: XY, end: XY, distance: float) -> XY:
    """The point `distance` away from start on the way to end, half way at most."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    share = min(0.5, distance / max(1e-9, (dx * dx + dy * dy) ** 0.5))
    return start[0] + share * dx, start[1] + share * dy


def _dashes(dashed: bool) -> str:
    return ' stroke-dasharray="5 4"' if dashed else ""


# -- words -----------------------------------------------------------------------------------------


def line_width(text: str, size: float = TEXT_HIGH) -> float:
    """How wide a line of text is, in pixels: the sum of its letters' advances."""
    return sum(size * scale * letter.advance / letter.em for letter, scale, _ in _letters(text))


def written_text(text: str, x: float, y: float, size: float = TEXT_HIGH, ink: str = INK, align: str = "middle") -> str:
    """One line of text whose middle, or "start", is at x, and whose capitals are centred on y."""
    place, letters = -line_width(text, size) / 2 if align == "middle" else 0.0, []
    for letter, scale, rise in _letters(text):
        step = size * scale / letter.em
        letters.append(f'<use href="#{letter.name}" transform="translate({place:.2f} {-rise * size:.2f}) '
                       f'scale({step:.5f})"/>')
        place += letter.advance * step
    return (f'<g class="words" aria-label="{html.escape(text)}" fill="{ink}" transform="translate({x:.1f} '
            f'{y + 0.36 * size:.1f})">{"".join(letters)}</g>')


def outlines(texts: Iterable[str]) -> str:
    """The outlines of all letters that stand in texts, once each, for `written_text` to use."""
    found = {letter.name: letter.path for text in texts for letter, _, _ in _letters(text)}
    return "<defs>" + "".join(f'<path id="{name}" d="{path}"/>' for name, path in sorted(found.items())) + "</defs>"


class Letter(NamedTuple):
    """A letter of a font: its name in a figure, units of the font's em, advance in units, outline."""

    name: str
    em: int
    advance: int
    path: str


@lru_cache(maxsize=512)
def _letters(text: str) -> list[tuple[Letter, float, float]]:
    """The letters of a text, each with its size and how far it is raised, in shares of the size of the text.

    Small digits are made of large ones: the course's font has them too small to be read.
    """
    text = unicodedata.normalize("NFC", text)
    pieces = runs(text.translate(_LARGE))
    letters = [_letter(number, character) for number, piece in pieces for character in piece]
    return [(letter, *_SHIFTS.get(character, (1.0, 0.0))) for letter, character in zip(letters, text, strict=True)]


@lru_cache(maxsize=2048)
def _letter(number: int, character: str) -> Letter:
    font = _font(number)
    advance = font.load_char(ord(character), flags=LoadFlags.NO_SCALE).horiAdvance
    vertices, codes = font.get_path()
    points = iter([f"{64 * x:.0f} {-64 * y:.0f}" for x, y in vertices])  # matplotlib takes units for 1/64 pixels
    path, kinds = "", iter(codes)
    for kind in kinds:
        count = {1: 1, 2: 1, 3: 2, 4: 3, 79: 1}[int(kind)]  # points of a move, a line, two kinds of curve, a close
        these = [next(points)] + [(next(kinds), next(points))[1] for _ in range(count - 1)]
        path += "Z" if kind == 79 else "MLQC"[int(kind) - 1] + " ".join(these)
    return Letter(f"letter-{number}-{ord(character):x}", font.units_per_EM, advance, path)


@lru_cache(maxsize=4)
def _font(number: int) -> FT2Font:
    return FT2Font(str(font_files()[number]))
