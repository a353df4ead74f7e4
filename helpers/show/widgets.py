"""The sweep: a few knobs, one picture and one status line, live in the page and still in print.

Only the widgets and traits that ipywidgets 7.7.1 (Colab) and 8 share are used. There is no model code here: a
sweep is a plain function that a notebook writes.

    def render(latent, start):                       # one argument for each knob
        return tile(...), f"error {error:.4f}"       # a uint8 picture (H, W, 3), and a line of text

    Sweep(render, {"latent": choice("latent size d", [1, 2, 4, 8], value=4),
                   "start": integer("first picture", 0, 92, step=4)},
          caption="With more numbers, more survives.", still=[{"latent": 1}, {"latent": 8}])
"""

from __future__ import annotations

import asyncio
import base64
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets
import numpy as np

from .card import SweepCard
from .raster import SOFT, paragraph, place, to_png
from .reruns import close_earlier, running_loop

REST = 0.006  # seconds; a burst is over when two such pauses bring no event (queued events come 1-3 ms apart)
LONGEST_WAIT = 0.5  # seconds after which a burst that does not end is drawn all the same
STILL_WIDTH = 980  # pixels: JupyterLab's page on a laptop


def choice(label: str, values: Sequence, value: Any = None) -> widgets.SelectionSlider:
    """A slider over the given values, in their order."""
    options = [(str(option), option) for option in values]
    return _knob(widgets.SelectionSlider, label, options=options, value=values[0] if value is None else value)


def integer(label: str, low: int, high: int, value: int | None = None, step: int = 1) -> widgets.IntSlider:
    """A slider over whole numbers from `low` to `high`; it starts at `value` or `low`."""
    value = low if value is None else value
    return _knob(widgets.IntSlider, label, min=low, max=high, step=step, value=value)


def number(label: str, low: float, high: float, value: float | None = None,
           step: float = 0.1) -> widgets.FloatSlider:
    """A slider over numbers from `low` to `high`; it starts at `value` or `low`."""
    value = low if value is None else value
    return _knob(widgets.FloatSlider, label, min=low, max=high, step=step, value=value)


def pick(label: str, values: Sequence, value: Any = None) -> widgets.Dropdown | widgets.ToggleButtons:
    """One of a few values without an order: buttons for up to four, a list for more."""
    kind = widgets.ToggleButtons if len(values) <= 4 else widgets.Dropdown
    options = [(str(option), option) for option in values]
    knob = _knob(kind, label, options=options, value=values[0] if value is None else value)
    if kind is widgets.ToggleButtons:
        knob.style.button_width = "auto"  # as wide as its words: a width in numbers cuts them in some font
        knob.layout.max_width = "100%"
        knob.add_class("widget-inline-hbox")  # the label beside the buttons, as with the other knobs
    return knob


def text_box(label: str, value: str = "") -> widgets.Text:
    """A line of text that the reader types; it is drawn when the reader presses Enter or leaves the field."""
    knob = _knob(widgets.Text, label, value=value)
    knob.continuous_update = False
    return knob


def _knob(kind: type, label: str, **traits) -> Any:
    return kind(description=label, style={"description_width": "initial"},
                layout={"width": "100%", "max_width": "44em"}, **traits)


class Sweep:
    """A card: knobs, and below them the picture that `render` draws. Put it last in a cell, or pass it to `display`.

    render: called with one keyword for each knob; returns (picture, status): uint8 (H, W, 3), a line of text.
    knobs: {keyword: widget} from `choice`, `integer`, `number`, `pick` and `text_box`.
    caption: one line that says what to notice.
    still: settings {keyword: value}, the other knobs as they were first. They are drawn as a contact sheet
        each time the sweep is shown; it stands for the sweep wherever no kernel runs.
    continuous: draw while a slider moves; False, for a slow render, draws when it is let go.
    question: what the reader is to find out; it stands above the knobs.

    Moving a knob schedules one render of the newest values on the kernel's event loop: the first event of a
    burst is drawn at once, the last when the burst is over. With COURSE_SYNC_WIDGETS=1 each event is drawn
    inside its handler and an error is raised there, so that a test sees it.
    """

    def __init__(self, render: Callable[..., tuple[np.ndarray, str]], knobs: Mapping[str, widgets.Widget],
                 caption: str, still: Sequence[Mapping[str, Any]] = (), continuous: bool = True,
                 question: str = ""):
        unknown = {name for setting in still for name in setting} - set(knobs)
        if unknown:
            raise ValueError(f"`still` names {sorted(unknown)}; the knobs are {sorted(knobs)}")
        self.render, self.knobs, self.caption, self.still = render, dict(knobs), caption, list(still)
        self.question = question
        self.renders = 0  # how often the picture was drawn
        self.card = SweepCard(list(self.knobs.values()), caption, question)
        self.view, self.image, self.status = self.card.view, self.card.image, self.card.status
        self._moved = ""  # the knob that moved last and its value, in words
        self._lock = threading.RLock()  # some kernels handle events on a thread beside the main one
        self._loop = running_loop()
        self._first = self.values()
        self._moves = self._drawn = 0  # events so far, and how many of them the picture shows
        self._scheduled = False  # a drawing task is due or under way
        self._draw(reraise=True)
        for knob in self.knobs.values():
            if not continuous and "continuous_update" in knob.trait_names():
                knob.continuous_update = False
            knob.observe(self._on_move, names="value")
        close_earlier(self, caption)

    def close(self) -> None:
        """Take the sweep off the page, and let go of all that `render` holds: the notebook's Out keeps the sweep."""
        self.render = _closed
        self.card.close()

    def values(self) -> dict[str, Any]:
        """The knobs' present values."""
        return {name: knob.value for name, knob in self.knobs.items()}

    def _on_move(self, change: Any) -> None:
        knob = change["owner"]
        self._moved = f"{knob.description}: {getattr(knob, 'label', knob.value)}. "
        if self._loop is None or os.environ.get("COURSE_SYNC_WIDGETS") == "1":
            self._draw(reraise=True)
            return
        with self._lock:
            self._moves += 1
            if not self._scheduled:
                self._scheduled = True
                self._loop.call_soon_threadsafe(lambda: self._loop.create_task(self._draw_newest()))

    async def _draw_newest(self) -> None:
        """Draw until the picture shows the newest values; after a drawing, wait for the end of the burst."""
        while True:
            with self._lock:
                if self._drawn == self._moves:
                    self._scheduled = False
                    return
                self._drawn = self._moves
            self._draw()
            calm, deadline = 0, self._loop.time() + LONGEST_WAIT
            while calm < 2 and self._loop.time() < deadline:
                before = self._moves
                await asyncio.sleep(REST)
                calm = calm + 1 if self._moves == before else 0

    def _draw(self, reraise: bool = False) -> None:
        with self._lock:
            self.renders += 1
            self.card.drawing()
            try:
                self.card.show(*self._render(self.values()), self._moved)
            except Exception as error:
                self.card.refuse(f"{type(error).__name__}: {error}", self._moved)
                if reraise:
                    raise

    def _render(self, values: Mapping[str, Any]) -> tuple[np.ndarray, str]:
        result = self.render(**values)
        if not (isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str)):
            raise TypeError("the render function must return (picture, status line)")
        return np.asarray(result[0]), result[1]

    def sheet(self) -> np.ndarray:
        """The still: the question, a picture for each setting of `still` under its label, the caption; uint8."""
        panels = [self._panel(setting) for setting in self.still or [{}]]
        height, width = (max(panel.shape[axis] for panel in panels) + 20 for axis in (0, 1))
        columns = min(len(panels), max(1, STILL_WIDTH // width))
        rows = -(-len(panels) // columns)
        note = paragraph(self.caption, columns * width - 20, ink=SOFT)
        canvas = np.full((rows * height + len(note), columns * width - 20, 3), 255, np.uint8)
        for i, panel in enumerate(panels):
            place(canvas, panel, i // columns * height, i % columns * width)
        place(canvas, note, rows * height, 0)
        ask = [paragraph(self.question, canvas.shape[1]), np.full_like(canvas[:8], 255)] if self.question else []
        return np.concatenate([*ask, canvas])

    def _panel(self, setting: Mapping[str, Any]) -> np.ndarray:
        picture, status = self._render({**self._first, **setting})
        self.card.hold(picture, status)
        width = picture.shape[1]
        label = ", ".join(f"{self.knobs[name].description} = {value}" for name, value in setting.items())
        lines = [paragraph(label, width)] * bool(label) + [paragraph(status, width, ink=SOFT)] * bool(status)
        return np.concatenate([*lines, np.full((5, width, 3), 255, np.uint8), picture])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        # One output in three forms. JupyterLab shows the live view; on commit it is dropped, and GitHub,
        # which cannot draw it, shows the picture.
        view = {"version_major": 2, "version_minor": 0, "model_id": self.view.model_id}
        sheet = to_png(self.sheet())
        self.card.fit()  # the sheet may have drawn larger pictures
        bundle = {
            "application/vnd.jupyter.widget-view+json": view,
            "image/png": base64.b64encode(sheet).decode(),
            "text/plain": self.caption,
        }
        return bundle, {"image/png": {"alt": self.caption}}


def _closed(**_: Any) -> tuple[np.ndarray, str]:
    raise RuntimeError("the cell of this widget was run again: move the knobs of the newer one")
