r"""What the notebooks show: pictures with captions, error maps, and curves.

Curves use `matplotlib.figure.Figure` without pyplot, so that a widget may draw them from any thread. Colours
are Okabe and Ito's (https://jfly.uni-koeln.de/color/), which colour-blind readers can tell apart; each line
also has its own marker and dash, and its name stands at its end. Every picture has a visible caption that
says what to notice, because JupyterLab, nbconvert and GitHub show no alternative text.
"""

from __future__ import annotations

import base64
import io
from functools import lru_cache

import matplotlib
import numpy as np
from IPython.display import display
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import NullLocator

from .raster import INK, SOFT, course_fonts, tile, to_png, to_uint8

__all__ = ["PALETTE", "curves", "error_map", "figure_png", "new_figure", "show_figure", "show_images",
           "show_picture", "style", "tile", "to_png", "to_uint8"]

PALETTE = {
    "blue": "#0072B2", "vermilion": "#D55E00", "green": "#009E73", "purple": "#CC79A7",
    "orange": "#E69F00", "sky": "#56B4E9", "yellow": "#F0E442", "black": "#000000",
}
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 2, 1, 2)), (0, (8, 2)), (0, (3, 1)))
DPI = 96  # CSS pixels in an inch: figures are this large on the page, and drawn sharper


# -- pictures --------------------------------------------------------------------------------------


def error_map(x, y, limit: float = 0.5) -> np.ndarray:
    """|x - y| of two image batches (B, C, H, W) as uint8 (B, H, W, 3): black 0, pale yellow `limit` or more.

    The error is the mean over channels on the [0, 1] scale. The scale is fixed, so that maps can be compared.
    """
    if x.shape != y.shape:
        raise ValueError(f"error_map compares batches of one shape, got {tuple(x.shape)}, {tuple(y.shape)}")
    error = (x.detach() - y.detach()).abs().mean(1).cpu().numpy() / 2
    return matplotlib.colormaps["magma"](np.clip(error / limit, 0, 1), bytes=True)[..., :3]


def show_picture(picture: np.ndarray, caption: str) -> None:
    """Show a uint8 picture (H, W, 3), as `tile` makes it, above a caption (Markdown)."""
    height, width, _ = picture.shape
    _show(to_png(picture), caption, width, height)


def show_images(images, caption: str, columns: int = 8, **layout) -> None:
    """`tile` images and show them above a caption (Markdown); `layout` is passed to `tile`."""
    show_picture(tile(images, columns, **layout), caption)


# -- figures ---------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def style() -> dict:
    """matplotlib's settings in this course, for `matplotlib.rc_context`: the global ones stay as they are."""
    for path in course_fonts():
        font_manager.fontManager.addfont(path)
    names = [font_manager.FontProperties(fname=str(path)).get_name() for path in course_fonts()]
    return {
        # The list lends a glyph that the first lacks; text that a page adds to a figure later is "sans-serif".
        "font.family": [*names, "DejaVu Sans"], "font.sans-serif": [*names, "DejaVu Sans"], "axes.unicode_minus": False,
        "font.size": 10.5, "axes.titlesize": 12, "axes.titlelocation": "left", "axes.titlepad": 10,
        "axes.labelcolor": SOFT, "axes.edgecolor": "#bbbbbb", "axes.spines.top": False,
        "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True, "grid.color": "#e6e6e6",
        "grid.linewidth": 0.8, "text.color": INK, "xtick.color": SOFT, "ytick.color": SOFT,
        "xtick.major.size": 0, "ytick.major.size": 0, "ytick.minor.size": 0,
        "lines.linewidth": 2, "lines.markersize": 5.5,
        "figure.dpi": DPI, "figure.constrained_layout.use": True, "figure.constrained_layout.w_pad": 0.1,
    }


def new_figure(columns: int = 1, width: float = 8.0, height: float = 3.75) -> tuple[Figure, list[Axes]]:
    """An empty figure with `columns` axes side by side; width, height in inches (a page holds 10 or so)."""
    with matplotlib.rc_context(style()):
        fig = Figure(figsize=(width, height))
        return fig, list(fig.subplots(1, columns, squeeze=False)[0])


def curves(series: dict, xlabel: str, ylabel: str, *, title: str = "", log: str = "", xticks=None, ylim=None,
           marks: dict | None = None, levels: dict | None = None, ax: Axes | None = None):
    """Draw series = {name: (x, y)} as lines, each with its name at its end, and return the figure.

    log: the axes with a logarithmic scale, "", "x", "y" or "xy". xticks: the values named on the x axis.
    ylim: (lowest, highest) of the y axis, either None for its own; set here, since the names take their places by it.
    marks, levels: {name: x} and {name: y} of thin vertical and horizontal reference lines.
    ax: axes of `new_figure` to draw into, instead of a new figure.
    """
    if not series:
        raise ValueError("curves needs at least one series {name: (x, y)}")
    ax = ax or new_figure()[1][0]
    dotted = {"color": SOFT, "linewidth": 1, "linestyle": (0, (2, 2)), "zorder": 1}
    note = {"textcoords": "offset points", "fontsize": 9.5, "color": SOFT,
            "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1}}
    with matplotlib.rc_context(style()):
        ax.set(xlabel=xlabel, ylabel=ylabel, title=title, xscale="log" if "x" in log else "linear",
               yscale="log" if "y" in log else "linear")
        ax.margins(y=0.15 if marks else 0.05)  # room at the top for the marks' names
        ends = [_line(ax, i, name, *series[name]) for i, name in enumerate(series)]
        for name, x in (marks or {}).items():
            ax.axvline(x, **dotted)
            ax.annotate(name, (x, 1), (5, -3), xycoords=("data", "axes fraction"), va="top", **note)
        for name, y in (levels or {}).items():
            ax.axhline(y, **dotted)
            ax.annotate(name, (0, y), (5, 4), xycoords=("axes fraction", "data"), **note)
        if xticks is not None:
            ax.set_xticks(list(xticks), [f"{x:g}" for x in xticks])
            ax.xaxis.set_minor_locator(NullLocator())
        if ylim is not None:
            ax.set_ylim(*ylim)
        _name_lines(ax, ends)
    return ax.figure


def _line(ax: Axes, i: int, name: str, x, y) -> tuple[str, str, float, float]:
    """Draw one series and return what its name needs: (name, colour, its last finite x and y)."""
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.shape != y.shape or x.ndim != 1 or not np.isfinite(y).any():
        raise ValueError(f"series {name!r} needs finite x and y of one length, got {x.shape} and {y.shape}")
    colour = list(PALETTE.values())[i % len(MARKERS)]
    marker = MARKERS[i % len(MARKERS)] if len(x) <= 24 else None  # more would hide the line
    ax.plot(x, y, color=colour, linestyle=DASHES[i % len(DASHES)], marker=marker)
    last = np.flatnonzero(np.isfinite(y))[-1]
    return name, colour, x[last], y[last]


def _name_lines(ax: Axes, ends: list[tuple[str, str, float, float]], gap: float = 15.0, early: float = 0.9) -> None:
    """Write each line's name at the right edge at the height of its end, at least `gap` pixels apart.

    The name of a line that ends before the share `early` of the width stands at the line's own end.
    """
    ax.figure.draw_without_rendering()  # fixes the limits and the layout that turn data into pixels
    low, high = ax.bbox.y0, ax.bbox.y1
    heights: list[float] = []
    late = []
    for name, colour, *end in sorted(ends, key=lambda end: end[3]):
        x, y = ax.transData.transform(end)
        if x < ax.bbox.x0 + early * ax.bbox.width:
            ax.annotate(name, tuple(end), (7, 0), textcoords="offset points", va="center", color=colour,
                        path_effects=[withStroke(linewidth=3, foreground="white")])
            continue
        wanted = float(np.clip(y, low, high))
        late.append((name, colour))
        heights.append(max(wanted, heights[-1] + gap) if heights else wanted)
    excess = max(0.0, heights[-1] - high) if heights else 0.0  # a pile that grew over the top moves down as a whole
    for (name, colour), height in zip(late, heights, strict=True):
        ax.annotate(name, (1, (height - excess - low) / (high - low)), (7, 0), xycoords="axes fraction",
                    textcoords="offset points", va="center", color=colour)


def show_figure(fig: Figure, caption: str) -> None:
    """Show a figure from `new_figure` or `curves` above a caption that says what to notice (Markdown)."""
    width, height = (round(inches * DPI) for inches in fig.get_size_inches())
    _show(figure_png(fig), caption, width, height)


def figure_png(fig: Figure, density: float = 2.0) -> bytes:
    """A figure as PNG bytes, drawn in the course's style with `density` pixels for each CSS pixel."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(style()):
        fig.savefig(buffer, format="png", dpi=DPI * density)
    return buffer.getvalue()


def _show(png: bytes, caption: str, width: int, height: int) -> None:
    # Two outputs, because a viewer shows one form of an output and none shows its alt text:
    # the picture, with the caption as its alt text, and the caption itself.
    bundle = {"image/png": base64.b64encode(png).decode(), "text/plain": caption}
    display(bundle, raw=True, metadata={"image/png": {"width": width, "height": height, "alt": caption}})
    display({"text/markdown": caption, "text/plain": caption}, raw=True)
