r"""Where a translation looked: attention weights beside the tokens that they belong to.

    attention_map   weights (T, S)  -> a figure: every step of a translation at once
    word_rows       weights (S,)    -> a uint8 picture: one step, in milliseconds, for a widget

Weights are shades on the fixed scale of helpers.show.heatmaps. Tokens are those of helpers.data.text: "▁" begins a
word. It is not drawn; the pieces of a word stand close together, and words apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ..data.text import MARK
from .figures import PALETTE, new_figure, style
from .heatmaps import FRAME, PAPER, SHADES, boxed, checked, shade, written
from .raster import INK, SOFT, TEXT_SIZE, draw_text, place, text_width

HAIRLINE, EDGE = "#c8c8c8", 170  # thin lines of the figure, edges in the picture
WORD, NUMBER = TEXT_SIZE + 2, TEXT_SIZE - 2  # pixels


def attention_map(weights, source: Sequence[str], target: Sequence[str], *, truth: Sequence[int] | None = None,
                  title: str = "") -> Figure:
    r"""Attention weights (T, S) in [0, 1] of each target token over the source tokens, one row a step.

    source, target: S and T tokens. truth: for each target token the index of the source token that it translates,
    or -1; those cells are outlined. Thin lines part the words. Raises ValueError for other shapes and values.
    """
    weights = checked("weights", weights, (len(target), len(source)))
    if truth is not None and (len(truth) != len(target) or not all(-1 <= j < len(source) for j in truth)):
        raise ValueError(f"truth must hold {len(target)} indices from -1 to {len(source) - 1}, one a target token")
    wide, high = np.clip(7 / len(source), 0.17, 0.55), np.clip(7 / len(target), 0.17, 0.28)  # a cell, in inches
    size = min(10.5, 52 * wide, 52 * high)  # points
    names = [[plain(token) for token in tokens] for tokens in (source, target)]
    over, beside = (max(text_width(name, 100) for name in side) / 100 * size / 72 for side in names)
    turned = over > wide  # names that are wider than their column stand upright
    over = over if turned else size / 72
    height = high * len(target) + over + 0.4 + 0.35 * bool(title)
    fig, (ax,) = new_figure(1, wide * len(source) + beside + 1.5, height)
    with matplotlib.rc_context(style()):
        shades = ax.imshow(weights, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
        ax.grid(False)
        ax.set_title(title)
        ax.xaxis.tick_top()
        ax.set_xticks(range(len(source)), names[0], rotation=90 * turned, fontsize=size, color=INK)
        ax.set_yticks(range(len(target)), names[1], fontsize=size, color=INK)
        _part_words(ax.xaxis, source, ax.axvline, 72 * over)
        _part_words(ax.yaxis, target, ax.axhline, 72 * beside)
        for i, j in enumerate(truth if truth is not None else ()):
            if j >= 0:
                frame = {"fill": False, "edgecolor": PALETTE["vermilion"], "linewidth": 1.8, "zorder": 3}
                ax.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, **frame))
        fig.colorbar(shades, ax=ax, aspect=30, label="attention weight")
    return fig


def _part_words(axis, tokens: Sequence[str], line: Callable, reach: float) -> None:
    r"""Thin lines between the words, across the map and `reach` points on between the names."""
    starts = [word[0] - 0.5 for word in word_groups(tokens)[1:]]
    axis.set_ticks(starts, minor=True)
    axis.set_tick_params(which="minor", length=reach, width=0.6, color=HAIRLINE)
    for start in starts:
        line(start, color=HAIRLINE, linewidth=0.6)


def word_rows(weights, source: Sequence[str], target: Sequence[str], chosen: int, *, width: int = 900,
              names: tuple[str, str] = ("source", "output")) -> np.ndarray:
    r"""One step of a translation as a uint8 picture (height, width, 3): where the chosen output token looked.

    weights (S,) in [0, 1] shade the S source tokens and stand under them; below are the target tokens, target[chosen]
    in a frame. Both wrap between words. Raises ValueError for other shapes and values.
    """
    weights = checked("weights", weights, (len(source),))
    if not 0 <= chosen < len(target):
        raise ValueError(f"chosen must be the index of one of {len(target)} target tokens, got {chosen}")
    above = [_shaded_word(token, weight) for token, weight in zip(source, weights, strict=True)]
    below = [_framed_word(token, i == chosen) for i, token in enumerate(target)]
    left = 16 + max(draw_text(name, ink=SOFT).shape[1] for name in names)
    rows = []
    for name, boxes, tokens in ((names[0], above, source), (names[1], below, target)):
        rows.append(_flow(boxes, tokens, width, left))
        place(rows[-1], draw_text(name, ink=SOFT), 7, 0)
    return np.concatenate([rows[0], np.full((10, width, 3), 255, np.uint8), rows[1]])


def _shaded_word(token: str, weight: float) -> np.ndarray:
    r"""A token on the shade of its weight, the number under it."""
    text, number = written(plain(token), shade(weight), WORD), draw_text(f"{weight:.2f}", NUMBER, SOFT)
    under = np.full((18, max(text.shape[1], number.shape[1]) + 6, 3), 255, np.uint8)
    place(under, number, 0, 0, box=under.shape[:2])
    return np.concatenate([boxed(text, 30, under.shape[1], shade(weight), EDGE), under])


def _framed_word(token: str, chosen: bool) -> np.ndarray:
    text = draw_text(plain(token), WORD, "#000000")
    return boxed(text, 30, text.shape[1] + 10, PAPER, FRAME if chosen else PAPER, 3)


def _flow(boxes: Sequence[np.ndarray], tokens: Sequence[str], width: int, left: int) -> np.ndarray:
    r"""Boxes of one height set in lines from x = left on; a word that does not fit goes to the next line whole."""
    x, y, places, pitch = left, 0, [], boxes[0].shape[0] + 6
    for word in word_groups(tokens):
        for i in word:
            needed = sum(boxes[j].shape[1] + 1 for j in (word if i == word[0] else [i]))
            if x > left and x + needed > width:
                x, y = left, y + pitch
            places.append((y, x))
            x += boxes[i].shape[1] + 1
        x += 9
    canvas = np.full((y + pitch, width, 3), 255, np.uint8)
    for box, (y, x) in zip(boxes, places, strict=True):
        place(canvas, box, y, x)
    return canvas


def plain(token: str) -> str:
    r"""A token as it is drawn: without the mark of a word's beginning."""
    return token.removeprefix(MARK) or " "


def word_groups(tokens: Sequence[str]) -> list[list[int]]:
    r"""The indices of tokens, grouped into words; "</s>" and its like are words too."""
    groups: list[list[int]] = []
    for i, token in enumerate(tokens):
        if not groups or token.startswith((MARK, "<")):
            groups.append([])
        groups[-1].append(i)
    return groups
