r"""Pictures as arrays: image batches tiled, enlarged, labelled and written as PNG, in milliseconds.

A picture here is one uint8 array (height, width, 3). A widget's frame is built from it in a few milliseconds,
where a grid of matplotlib axes takes up to a second and ten times the bytes. Images are drawn in the fixed
range [-1, 1] and never stretched to fill it, so that a mistake in their range stays visible. `figures` shows
these pictures in a notebook.
"""

from __future__ import annotations

import itertools
import math
import struct
import unicodedata
import zlib
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from matplotlib import get_data_path
from matplotlib.ft2font import FT2Font
from PIL import Image, ImageDraw, ImageFont

from .. import DATA

INK, SOFT, PAPER = "#222222", "#666666", "#ffffff"  # words, quieter words, background
FRAME = 208  # grey of the hairline around a picture, without which a white one has no edge
TEXT_SIZE = 13  # pixels: the size of JupyterLab's own text


def to_uint8(images) -> np.ndarray:
    """Images as drawn: floats (B, C, H, W) in [-1, 1], C = 1 or 3 -> uint8 (B, H, W, 3).

    uint8 (B, H, W, 3) passes through. Values outside [-1, 1] (beyond rounding) or NaN raise ValueError,
    because stretching or clipping them here would hide a mistake.
    """
    x = torch.as_tensor(images).detach().cpu()
    if x.dtype == torch.uint8 and x.ndim == 4 and x.shape[-1] == 3:
        return x.numpy()
    if x.ndim != 4 or x.shape[1] not in (1, 3) or not x.is_floating_point():
        raise ValueError(
            "images must be floats (B, C, H, W) with C = 1 or 3, or uint8 (B, H, W, 3); "
            f"got {x.dtype} {tuple(x.shape)}"
        )
    if x.numel() and not (x.amin() >= -1.001 and x.amax() <= 1.001):  # also false for NaN
        raise ValueError(
            f"images must lie in [-1, 1]; these run from {x.amin():.3g} to {x.amax():.3g}. "
            "Clamp a model's raw output with .clamp(-1, 1) before drawing it."
        )
    x = ((x.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return x.expand(-1, 3, -1, -1).permute(0, 2, 3, 1).contiguous().numpy()


def tile(images, columns: int = 8, *, scale: int = 4, gap: int = 4,
         labels=None, row_labels=None, column_labels=None) -> np.ndarray:
    """Lay images out in rows of `columns`, enlarged `scale` times, unsmoothed -> uint8 (height, width, 3).

    images: a batch that `to_uint8` accepts, or a list of such batches, one after the other (one a row, say).
    gap: pixels between pictures; from 2 on there is a grey hairline around each.
    labels: words under each picture; a row whose labels are all empty keeps no room for them.
    row_labels, column_labels: words left of each row and above each column.
    """
    batches = images if isinstance(images, (list, tuple)) else [images]
    x = np.concatenate([to_uint8(batch) for batch in batches])
    if not len(x):
        raise ValueError("there is no picture to draw")
    columns = min(columns, len(x))
    rows = -(-len(x) // columns)
    under = _labels("labels", labels, len(x))
    left = _labels("row_labels", row_labels, rows)
    above = _labels("column_labels", column_labels, columns)

    edge, line, height, width = int(gap >= 2), TEXT_SIZE + 7, x.shape[1] * scale, x.shape[2] * scale
    y0 = line * bool(above) + edge
    x0 = max((word.shape[1] + 16 for word in left), default=0) + edge
    bands = [line * any(map(str, labels[r * columns : (r + 1) * columns])) if under else 0 for r in range(rows)]
    tops = [y0 + r * (height + gap) + sum(bands[:r]) for r in range(rows)]
    dx = width + gap
    canvas = np.full((tops[-1] + height + bands[-1] + edge, x0 + columns * dx - gap + edge, 3), 255, np.uint8)
    for i, picture in enumerate(x):
        y, z = tops[i // columns], x0 + i % columns * dx
        canvas[y - edge : y + height + edge, z - edge : z + width + edge] = FRAME
        canvas[y : y + height, z : z + width] = picture.repeat(scale, axis=0).repeat(scale, axis=1)
        if under:
            place(canvas, under[i], y + height, z, box=(line, width))
    for r, word in enumerate(left):
        place(canvas, word, tops[r], x0 - edge - 10 - word.shape[1], box=(height, word.shape[1]))
    for c, word in enumerate(above):
        place(canvas, word, 0, x0 + c * dx, box=(line, width))
    return canvas


def to_png(picture: np.ndarray) -> bytes:
    """A uint8 picture (H, W, 3) as PNG bytes, in a third of the time that a general encoder takes.

    Every row is stored as its difference from the row above (filter type 2, Up, in section 9.2 of the PNG
    specification), which is zero wherever an enlarged picture repeats its rows.
    """
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError(f"a picture must be uint8 (H, W, 3); got {picture.dtype} {picture.shape}")
    height, width, _ = picture.shape
    flat = np.ascontiguousarray(picture).reshape(height, width * 3)
    rows = np.empty((height, 1 + width * 3), np.uint8)
    rows[:, 0], rows[0, 1:] = 2, flat[0]
    np.subtract(flat[1:], flat[:-1], out=rows[1:, 1:])
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)  # 8 bits a channel, RGB
    return b"\x89PNG\r\n\x1a\n" + b"".join((
        png_chunk(b"IHDR", header), png_chunk(b"IDAT", zlib.compress(rows, 1)), png_chunk(b"IEND", b"")
    ))


def png_chunk(kind: bytes, data: bytes) -> bytes:
    """One chunk of a PNG file: its length, kind and data, and their checksum (section 5.3 of the specification)."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# -- words in a picture ----------------------------------------------------------------------------


def course_fonts() -> list[Path]:
    """The font files that the course ships (Latin and Hangul); a bare machine draws Hangul as empty boxes."""
    return sorted((DATA / "fonts").glob("*.ttf"))


@lru_cache(maxsize=8)
def font(size: int = TEXT_SIZE) -> ImageFont.FreeTypeFont:
    """The course's font, `size` pixels high."""
    return _fonts(size)[0]


@lru_cache(maxsize=8)
def _fonts(size: int) -> list[ImageFont.FreeTypeFont]:
    """The fonts that a text is drawn with: each character with the first that has it."""
    return [ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC) for path in font_files()]


def font_files() -> list[Path]:
    """The course's font, then the one that matplotlib brings, with the letters of Europe's other languages."""
    return [*course_fonts(), Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"]


@lru_cache(maxsize=1)
def _glyphs() -> list[frozenset[int]]:
    return [frozenset(FT2Font(str(path)).get_charmap()) for path in font_files()]


def runs(text: str) -> list[tuple[int, str]]:
    """A text in pieces, each with the number of the first font in `font_files` that has its characters; else 0."""
    def first(character: str) -> int:
        return next((i for i, glyphs in enumerate(_glyphs()) if ord(character) in glyphs), 0)

    return [(number, "".join(piece)) for number, piece in itertools.groupby(text, key=first)]


def text_width(text: str, size: int = TEXT_SIZE) -> float:
    """How wide a line of text is drawn, in pixels."""
    return sum(_fonts(size)[number].getlength(piece) for number, piece in runs(text))


@lru_cache(maxsize=512)
def draw_text(text: str, size: int = TEXT_SIZE, ink: str = INK) -> np.ndarray:
    """One line of text as a uint8 picture (height, width, 3), dark on white; cached: do not write to it."""
    x, right, pieces = 0.0, 1, []
    for number, piece in runs(unicodedata.normalize("NFC", text) or " "):
        font = _fonts(size)[number]
        pieces.append((x, piece, font))
        right = max(right, math.ceil(x + font.getbbox(piece, anchor="ls")[2]))
        x += font.getlength(piece)
    image = Image.new("RGB", (right, round(1.4 * size)), PAPER)
    for x, piece, font in pieces:
        ImageDraw.Draw(image).text((round(x), round(1.05 * size)), piece, fill=ink, font=font, anchor="ls")
    return np.asarray(image)


def place(canvas: np.ndarray, picture: np.ndarray, y: int, x: int, box: tuple[int, int] | None = None):
    """Write `picture` into `canvas` at (y, x), or centred in a box (height, width) there; cut at edges."""
    if box is not None:
        y, x = y + (box[0] - picture.shape[0]) // 2, x + (box[1] - picture.shape[1]) // 2
    picture = picture[max(0, -y) :, max(0, -x) :]
    y, x = max(0, y), max(0, x)
    picture = picture[: canvas.shape[0] - y, : canvas.shape[1] - x]
    canvas[y : y + picture.shape[0], x : x + picture.shape[1]] = picture


def paragraph(text: str, width: int, size: int = TEXT_SIZE, ink: str = INK) -> np.ndarray:
    """Text wrapped to `width` pixels -> uint8 (height, width, 3); a word longer than a line is cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    pitch = round(size * 1.5)
    canvas = np.full((max(1, len(lines)) * pitch, width, 3), 255, np.uint8)
    for i, line in enumerate(lines):
        picture = draw_text(line, size, ink)
        place(canvas, picture, i * pitch, 0, box=(pitch, picture.shape[1]))
    return canvas


def _labels(name: str, texts, count: int) -> list[np.ndarray]:
    """The rendered labels of a tile, or none; ValueError when there are not `count` of them."""
    if texts is None:
        return []
    if len(texts) != count:
        raise ValueError(f"{name} must hold {count} texts, one for each, got {len(texts)}")
    return [draw_text(str(text)) for text in texts]
