r"""Numbers from 0 to 1 as shades, and tables of them: a uint8 picture in a millisecond, for a page or a widget.

The range is always [0, 1] and never stretched, so that pictures can be compared. The shades are of one hue, from nearly
white for 0 to dark blue for 1 in even steps of lightness: they read the same without colour. Words on them are black
or white, whichever is easier to read; frames are in vermilion.
"""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib
import numpy as np
import torch
from matplotlib.colors import ListedColormap

from .figures import PALETTE
from .raster import SOFT, TEXT_SIZE, draw_text, place

PAPER = 255
FRAME = np.frombuffer(bytes.fromhex(PALETTE["vermilion"][1:]), np.uint8)


def heatmap(values, rows: Sequence, columns: Sequence, *, row_title: str = "", column_title: str = "",
            mark: tuple[int, int] | None = None) -> np.ndarray:
    r"""A table of values (R, C) in [0, 1] as a uint8 picture (height, width, 3), the number in each cell.

    rows, columns: the R and C names; row_title, column_title: what they are names of. mark: (row, column) of a cell
    to frame. Raises ValueError for other shapes and values.
    """
    values = checked("values", values, (len(rows), len(columns)))
    if mark is not None and not (0 <= mark[0] < len(rows) and 0 <= mark[1] < len(columns)):
        raise ValueError(f"mark must be (row, column) of a table of {len(rows)} x {len(columns)}, got {mark}")
    beside, above = ([draw_text(str(name)) for name in names] for names in (rows, columns))
    corner, over = draw_text(row_title, ink=SOFT), draw_text(column_title, ink=SOFT)
    line = TEXT_SIZE + 9
    height, width = 34, max(56, *(name.shape[1] + 12 for name in above))
    left = 12 + max(name.shape[1] for name in (*beside, corner))
    top = line * (1 + bool(column_title))
    across = max(width * len(columns), over.shape[1])
    canvas = np.full((top + height * len(rows), left + across, 3), PAPER, np.uint8)
    place(canvas, over, 0, left, box=(line, across))
    place(canvas, corner, top - line, left - 12 - corner.shape[1], box=(line, corner.shape[1]))
    for c, name in enumerate(above):
        place(canvas, name, top - line, left + c * width, box=(line, width))
    for r, name in enumerate(beside):
        place(canvas, name, top + r * height, left - 12 - name.shape[1], box=(height, name.shape[1]))
        for c, value in enumerate(values[r]):
            edge, thick = (FRAME, 3) if mark == (r, c) else (PAPER, 1)
            cell = boxed(written(f"{value:.2f}", shade(value)), height, width, shade(value), edge, thick)
            place(canvas, cell, top + r * height, left + c * width)
    return canvas


# -- shades ----------------------------------------------------------------------------------------


def luminance(colours: np.ndarray) -> np.ndarray:
    r"""Relative luminance in [0, 1] of colours (..., 3) in [0, 1], as WCAG 2 defines it."""
    return np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]


_BLUES = matplotlib.colormaps["Blues"](range(256))[:, :3]
_DARKNESS = -np.cbrt(luminance(_BLUES))  # grows along the map, as CIELAB's lightness falls
_LEVELS = np.linspace(_DARKNESS[0], _DARKNESS[-1], 256)
_TABLE = np.stack([np.interp(_LEVELS, _DARKNESS, channel) for channel in _BLUES.T], 1)  # (256, 3) in [0, 1]
SHADES = ListedColormap(_TABLE)


def shade(values) -> np.ndarray:
    r"""Values in [0, 1] of any shape -> their colours (..., 3), uint8."""
    return (255 * _TABLE[(np.asarray(values) * 256).astype(int).clip(0, 255)]).round().astype(np.uint8)


def ink_on(colour) -> np.ndarray:
    r"""Black or white (3,), uint8: the one that contrasts more with a uint8 colour (3,), by at least 4.5 to 1."""
    # WCAG 2: the contrast of lighter and darker is (lighter + .05) / (darker + .05). At .179 both are as far away.
    return np.full(3, 255 if luminance(np.asarray(colour) / 255) < 0.179 else 0, np.uint8)


def written(text: str, colour: np.ndarray, size: int = TEXT_SIZE) -> np.ndarray:
    r"""Text on a colour (3,), in black or white -> uint8 (height, width, 3)."""
    cover = 1 - draw_text(text, size, "#000000") / 255
    return (colour + (ink_on(colour).astype(float) - colour) * cover).round().astype(np.uint8)


def boxed(text: np.ndarray, height: int, width: int, colour, edge, thick: int = 1) -> np.ndarray:
    r"""A picture of text in the middle of a box (height, width, 3) of a colour, its edge of another."""
    box = np.full((height, width, 3), edge, np.uint8)
    box[thick:-thick, thick:-thick] = colour
    place(box, text, 0, 0, box=(height, width))
    return box


def checked(name: str, values, shape: tuple[int, ...]) -> np.ndarray:
    r"""Values as an array, or ValueError unless they have this shape and lie in [0, 1]."""
    values = torch.as_tensor(values).detach().cpu().double().numpy()
    if values.shape != shape or not values.size:
        raise ValueError(f"{name} must have the shape {shape}, one for each of the names, and some; got {values.shape}")
    if not (values.min() >= -1e-4 and values.max() <= 1 + 1e-4):  # also false for NaN
        raise ValueError(f"{name} must lie in [0, 1]; these run from {values.min():.3g} to {values.max():.3g}")
    return values.clip(0, 1)
