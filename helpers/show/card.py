"""The card of a sweep: a question and up to three knobs, the picture, and below it a line that says what is drawn.

Nothing on it jumps. The picture keeps the size of the largest one that was drawn: a smaller one is put on white paper.
The line and the caption stand below it, so that a longer line moves no picture. Only the widgets and traits that
ipywidgets 7.7.1 and 8 share are used; what those leave to style sheets is in `STYLE`.
"""

from __future__ import annotations

import html
from collections.abc import Sequence

import ipywidgets as widgets
import numpy as np

from .raster import place, text_width, to_png

IN_VIEW = 3  # knobs; the others are under a button
PAGE, TALLEST = 940, 400  # pixels: a card on a laptop, and the height that leaves room for knobs and line on its screen
NARROWEST = 520  # pixels: a card in a window 800 pixels wide, for which the lines below the picture are counted

# The mark comes late, so that a quick drawing does not blink. .course-spoken is read out and not seen.
STYLE = """<style>
.course-card { border: 1px solid rgba(128,128,128,.4); border-radius: 6px; padding: 8px 12px; box-sizing: border-box; }
.course-card .widget-label, .course-card .widget-readout { max-width: none; }
.course-card .widget-toggle-buttons { height: auto; }
.course-card .widget-toggle-buttons > div { flex: 1 1 0; min-width: 0; }
.course-card button { white-space: normal; height: auto; min-height: 28px; line-height: 1.3; padding: 4px 10px; }
.course-card .widget-html-content { line-height: 1.5; overflow-wrap: anywhere; }
.course-drawing { animation: course-late .1s .25s both; }
@keyframes course-late { from { opacity: 0; } to { opacity: 1; } }
.course-spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
</style>"""


class SweepCard:
    """The widgets of a sweep. `view` is all of them.

    knobs: widgets with a description. More than `IN_VIEW` are hidden, the rest of them, until a button is pressed.
    """

    def __init__(self, knobs: Sequence[widgets.Widget], caption: str, question: str = ""):
        ask = f'<b style="font-size:1.1em">{html.escape(question)}</b>' if question else ""
        self.image = widgets.Image(format="png", layout={"max_width": "100%", "height": "auto",
                                                         "align_self": "flex-start"})
        self.status = widgets.HTML()
        self.hidden = widgets.VBox(list(knobs[IN_VIEW:]))
        shown = None if self.hidden.children else "none"
        self.more = widgets.ToggleButton(layout={"width": "auto", "align_self": "flex-start", "display": shown})
        self._unfold({"new": False})
        self.more.observe(self._unfold, names="value")
        board = widgets.VBox([*knobs[:IN_VIEW], self.more, self.hidden], layout={"margin": "0 0 8px 0"})
        note = widgets.HTML(f'<span style="opacity:0.75">{html.escape(caption)}</span>')
        labels = min(180, round(1.15 * max((text_width(knob.description) for knob in knobs), default=0)))
        # Sliders begin on one line.
        ruler = f"<style>.course-labels-{labels} .widget-label {{ min-width: {labels}px; }}</style>"
        board.add_class(f"course-labels-{labels}")
        self.view = widgets.VBox([widgets.HTML(STYLE + ruler + ask), board, self.image, self.status, note])
        self.view.add_class("course-card")
        self._line, self._picture = "", np.full((1, 1, 3), 255, np.uint8)
        self._size, self._lines = (0, 0), 0  # of the largest picture and of the longest line so far

    def hold(self, picture: np.ndarray, line: str) -> None:
        """Keep room for a picture, uint8 (H, W, 3), and for a line of text; room is never given back."""
        size = tuple(max(pair) for pair in zip(self._size, picture.shape, strict=False))
        if size != self._size:
            self._size = height, width = size
            larger = min(PAGE / width, TALLEST / height, 3)
            # A little enlargement would only blur the words in it.
            self.image.layout.width = f"{round(width * (larger if larger >= 1.25 else 1))}px"
        lines = max(2, self._lines, -(-int(text_width(line)) // NARROWEST))
        if lines != self._lines:
            self._lines = lines
            self.status.layout.min_height = f"{1.5 * lines:g}em"

    def drawing(self) -> None:
        """Mark that the picture shows an earlier setting."""
        self.status.value = f'{self._line} <i class="course-drawing" aria-hidden="true">drawing …</i>'

    def show(self, picture: np.ndarray, line: str, spoken: str = "") -> None:
        """Show a picture and its line; `spoken` is read out before it."""
        self.hold(picture, line)
        self._picture = picture
        self.fit()
        self._say(f"<b>{html.escape(line)}</b>", spoken)

    def fit(self) -> None:
        """Put the picture on paper of the size that is held."""
        paper = self._picture
        if paper.shape[:2] != self._size:
            paper = np.full((*self._size, 3), 255, paper.dtype)
            place(paper, self._picture, 0, 0)
        self.image.value = to_png(paper)

    def refuse(self, reason: str, spoken: str = "") -> None:
        """Say that this setting has no picture; the last one stays."""
        self._say(f'<span role="alert">⚠ This setting cannot be drawn (<b>{html.escape(reason)}</b>). '
                  "The picture shows the last one that was.</span>", spoken)

    def close(self) -> None:
        """Take the widgets off the page."""
        close_all(self.view)

    def _say(self, line: str, spoken: str) -> None:
        # noUiSlider speaks a SelectionSlider's index, and no trait of ipywidgets changes that: its value is read out
        # from here. An alert, since a reader passes over other live regions that come with their text.
        self._line = line
        self.status.value = f'<span class="course-spoken" role="alert">{html.escape(spoken)}</span>{line}'

    def _unfold(self, change: dict) -> None:
        count = len(self.hidden.children)
        self.hidden.layout.display = None if change["new"] else "none"
        self.more.description = f"{'▾' if change['new'] else '▸'} {count} more knob{'s' * (count > 1)}"


def close_all(part: widgets.Widget) -> None:
    """Close a widget and all that it holds, with their layouts and styles."""
    for child in getattr(part, "children", ()):
        close_all(child)
    part.unobserve_all()
    for thing in (part, part.layout, getattr(part, "style", None)):
        if thing is not None:
            thing.close()
