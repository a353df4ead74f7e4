"""The pane itself: what is typed or pressed goes into the session's queue, what comes of it is shown."""

from __future__ import annotations

import asyncio
import base64
import itertools
import os
import warnings
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from ..card import close_all
from ..raster import to_png
from ..reruns import close_earlier, running_loop
from .markup import HELP, STYLE_SHEET, job_line, job_picture, said, thumbs_style
from .region_cells import RegionCells
from .stills import still_sheet

ON_A_GRID = ("U1", "U2", "U3", "U4", "V1", "V2", "V3", "V4", "Reroll")
ON_ONE = ("Vary Subtle", "Vary Strong", "Region", "Zoom Out 1.5x", "Zoom Out 2x", "Pan left", "Pan right", "Pan up",
          "Pan down")
ARROWS = {"Pan left": "Pan ←", "Pan right": "Pan →", "Pan up": "Pan ↑", "Pan down": "Pan ↓"}
IN_GALLERY, IN_STILL = 12, 8  # jobs
CANVAS_CELL = 4  # pixels of a canvas to a cell of a region
PAUSE = 0.01  # seconds between two jobs, in which a kernel hears what else was pressed
_PANES = itertools.count()


class StudioPane:
    """A sitting of the studio on the page. Put it last in a cell, or pass it to `display`.

    session   say, post, answer, open, waiting and jobs of a `helpers.systems.studio.Session`
    describe  job -> what its pictures show, in words: for who does not see them, and below them
    hint      what stands in the empty line
    """

    def __init__(self, session: Any, describe: Callable[[Any], str] = lambda job: "",
                 hint: str = "/imagine prompt: a big red circle"):
        self.session, self.describe = session, describe
        self.job = session.jobs[-1] if session.jobs else None  # the one that is shown, whose buttons these are
        self.name = f"studio-{next(_PANES)}"
        self.typed = widgets.Text(placeholder=hint, description="command", style={"description_width": "initial"},
                                  layout={"flex": "1 1 16em", "width": "auto"})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # ipywidgets has no other way to hear Enter alone
            self.typed.on_submit(lambda _: self._send_typed())
        self.send = self._button("Send", lambda _: self._send_typed(), "send the command")
        self.send.add_class("studio-send")
        self.says, self.picture, self.line = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self.says.add_class("studio-says")
        self.buttons = {label: self._button(ARROWS.get(label, label), lambda _, label=label: self.press(label), label)
                        for label in (*ON_A_GRID, *ON_ONE)}
        self.region = widgets.VBox([])
        self.upload = widgets.FileUpload(accept=".png", multiple=False, description="Open a saved PNG",
                                         layout={"width": "auto"})
        self.upload.observe(self._opened, names="value")
        self.thumbs = [self._button(" ", lambda _, i=i: self._pick(i), "") for i in range(IN_GALLERY)]
        self.thumb_style = widgets.HTML()
        self.view = self._laid_out()
        self._loop, self._answering = running_loop(), False
        self._show_job()
        self.say("told", "Type a command, or press a button. Enter sends.")
        close_earlier(self, "studio")

    def _button(self, label: str, press: Callable, tooltip: str) -> widgets.Button:
        button = widgets.Button(description=label, tooltip=tooltip, layout={"width": "auto"})
        button.on_click(press)
        return button

    def _laid_out(self) -> widgets.Widget:
        def wrapped(*parts):
            return widgets.Box(parts, layout={"flex_flow": "row wrap", "align_items": "center"})

        rows = [wrapped(*(self.buttons[label] for label in labels)) for labels in
                (ON_A_GRID[:4], ON_A_GRID[4:], ON_ONE[:3], ON_ONE[3:5], ON_ONE[5:])]
        heads = [widgets.HTML(f"<b>{text}</b>") for text in ("on a grid", "on one picture, after U")]
        side = widgets.VBox([self.line, heads[0], *rows[:2], heads[1], *rows[2:]],
                            layout={"flex": "1 1 20em", "width": "auto", "padding": "0 0 0 12px"})
        board = widgets.Box([self.picture, side], layout={"flex_flow": "row wrap", "align_items": "flex-start"})
        gallery = wrapped(*self.thumbs)
        for i, button in enumerate(self.thumbs):
            button.add_class(f"studio-thumb-{i}")
        gallery.add_class("studio-thumbs")
        styles = [widgets.HTML(STYLE_SHEET), self.thumb_style]
        view = widgets.VBox([*styles, wrapped(self.typed, self.send), self.says, board, self.region, gallery,
                             wrapped(self.upload, widgets.HTML(HELP))])
        for name in ("studio", self.name):
            view.add_class(name)
        return view

    # -- what is asked for -----------------------------------------------------------------------------------------

    def _send_typed(self) -> None:
        text, self.typed.value = self.typed.value, ""
        self.post(text)

    def press(self, label: str) -> None:
        """What a button under the picture does: its command, to the job that is shown."""
        if label == "Region" and self.job is not None and len(self.job.drawing.shown) == 1:
            canvas = self.job.canvas_pixels()
            self.region.children = (RegionCells(canvas, CANVAS_CELL, self._region_done).view,)
            return
        self.post("Region 0,0" if label == "Region" else label)

    def _region_done(self, text: str) -> None:
        cells, self.region.children = self.region.children, ()
        for part in cells:
            close_all(part)
        if text.startswith("Region :") or text == "Region ":
            self.say("refused", "no cell is marked, so there is nothing to draw anew: press Region again and mark some")
        elif text:
            self.post(text)

    def post(self, text: str) -> None:
        """Put a text in the queue; a button's belongs to the job that is shown."""
        if dropped := self.session.post(text, self.job.number if self.job else None):
            self.say("refused", f"{text[:60]} {dropped}")
            return
        if self._loop is None or os.environ.get("COURSE_SYNC_WIDGETS") == "1":
            while self.session.waiting:
                self._answer()
        elif not self._answering:
            self._answering = True
            self._loop.call_soon_threadsafe(lambda: self._loop.create_task(self._answer_all()))

    async def _answer_all(self) -> None:
        while self.session.waiting:
            self._answer()
            await asyncio.sleep(PAUSE)
        self._answering = False

    def _answer(self) -> None:
        self.say("told", f"drawing: {self.session.waiting[0][0][:200]} …")
        answer = self.session.answer()
        if answer.job is None:
            self.say("refused", f"“{answer.text[:120]}”: {answer.words}")
            return
        self._show(answer.job, answer.words)

    def _opened(self, change: dict) -> None:
        files = change["new"]
        if not files:
            return
        # ipywidgets 7 gives {name: {"content": ...}}, 8 a tuple of {"content": ...}
        file = next(iter(files.values())) if isinstance(files, dict) else files[0]
        try:
            self._show(*self.session.open(bytes(file["content"])))
        except ValueError as error:
            self.say("refused", str(error))
        self.upload.unobserve(self._opened, names="value")
        self.upload.value = type(self.upload.value)()  # empty, so that the same file can be chosen again
        self.upload.observe(self._opened, names="value")

    def _pick(self, place: int) -> None:
        jobs = self.session.jobs[-IN_GALLERY:]
        if place < len(jobs):
            self._show(jobs[place], "shown again: its buttons are those of this job")

    # -- what is shown ---------------------------------------------------------------------------------------------

    def say(self, kind: str, words: str) -> None:
        """Show a sentence; kind: "told" or "refused"."""
        self.says.value = said(kind, words)

    def _show(self, job: Any, words: str) -> None:
        self.job = job
        self._region_done("")
        self._show_job()
        self.say("told", f"job {job.number}: {words}" if words else f"job {job.number} is drawn: {self.alt(job)}")

    def alt(self, job: Any) -> str:
        """What the pictures of a job show, in words."""
        count = "four pictures" if len(job.drawing.shown) > 1 else "one picture"
        return f"{count}: {self.describe(job) or job.line.asked.prompt}"

    def _show_job(self) -> None:
        jobs = self.session.jobs[-IN_GALLERY:]
        self.thumb_style.value = thumbs_style(self.name, jobs)
        for i, button in enumerate(self.thumbs):
            button.layout.display = None if i < len(jobs) else "none"
            if i < len(jobs):
                button.tooltip = f"job {jobs[i].number}: {jobs[i].text[:200]}"
                (button.add_class if jobs[i] is self.job else button.remove_class)("studio-current")
        one = self.job is not None and len(self.job.drawing.shown) == 1
        for label, button in self.buttons.items():
            idle = self.job is None or (label in ON_ONE) != one
            (button.add_class if idle else button.remove_class)("studio-idle")
        if self.job is not None:
            self.picture.value = job_picture(self.job, self.alt(self.job))
            self.line.value = job_line(self.job, self.alt(self.job))

    def close(self) -> None:
        """Take the pane off the page; the session stays."""
        close_all(self.view)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> tuple[dict, dict]:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.view.model_id}
        jobs = self.session.jobs[-IN_STILL:]
        words = "; ".join(f"{job.number}: {job.text}" for job in jobs) or "the studio, before the first command"
        bundle = {"application/vnd.jupyter.widget-view+json": view, "text/plain": words}
        if jobs:
            bundle["image/png"] = base64.b64encode(to_png(still_sheet(jobs))).decode()
        return bundle, {"image/png": {"alt": words}}
