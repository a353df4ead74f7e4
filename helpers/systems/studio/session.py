r"""A sitting in the studio: its jobs in their order, what is typed made whole, and what waits to be drawn.

Nothing of a job ever changes. A job is its line: drawn again from it, its pictures are the same.
"""

from __future__ import annotations

import re
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from ...show.raster import tile, to_uint8
from .commands import CommandError, cleaned, with_seed
from .drawing import Drawing, Studio
from .lines import LONGEST_LINE, Line, Press, extent, read_line, read_press, split_line, write_line
from .png_files import read_png, write_png

MOST_WAITING, MOST_JOBS = 8, 300
FILE_SCALE = 4  # pixels of a file for one of a picture


@dataclass(frozen=True)
class Job:
    r"""What was asked for once, and drawn."""

    number: int
    line: Line
    drawing: Drawing
    seconds: float

    @property
    def text(self) -> str:
        return write_line(self.line)

    def picture(self) -> np.ndarray:
        r"""Its pictures as one, uint8 (H, W, 3): four in two rows, or the one."""
        scale = FILE_SCALE if len(self.drawing.shown) > 1 else FILE_SCALE // 2
        return tile(self.drawing.shown, 2, scale=scale, gap=4 * (len(self.drawing.shown) > 1))

    def canvas_pixels(self) -> np.ndarray:
        r"""Its first picture as it was drawn, uint8 (H, W, 3), not enlarged: a region is marked on it."""
        return to_uint8(self.drawing.canvases)[0]

    def png(self) -> bytes:
        r"""The file that carries its line."""
        return write_png(self.picture(), self.line)


@dataclass(frozen=True)
class Answer:
    r"""To one text: the job that came of it, or None, and a sentence."""

    text: str
    job: Job | None
    words: str


class Session:
    r"""say(text) draws at once; post(text) and answer() keep a queue.

    seeds  () -> a seed, for whoever gives none
    """

    def __init__(self, studio: Studio, seeds: Callable[[], int] = lambda: secrets.randbelow(2**32)):
        self.studio, self.seeds = studio, seeds
        self.jobs: tuple[Job, ...] = ()
        self.waiting: deque[tuple[str, int | None]] = deque()

    # -- the queue -------------------------------------------------------------------------------------------------

    def post(self, text: str, number: int | None = None) -> str:
        r"""Put a text in the queue, "" ; or drop it, and say so. number: the job whose button it is; None: the last."""
        if len(self.waiting) >= MOST_WAITING:
            return f"dropped: {MOST_WAITING} commands are waiting already; send it again when they are drawn"
        self.waiting.append((text, number))
        return ""

    def answer(self) -> Answer:
        r"""Answer the text that waits longest. It never raises: what goes wrong is said in the answer."""
        text, number = self.waiting.popleft()
        try:
            job = self.say(text, number)
        except CommandError as error:
            return Answer(str(text), None, str(error))
        except Exception as error:  # a studio that stops for one command would lose the others
            return Answer(str(text), None, f"this could not be drawn ({type(error).__name__}: {error})")
        return Answer(str(text), job, "; ".join(job.drawing.notes))

    # -- commands --------------------------------------------------------------------------------------------------

    def say(self, text: str, number: int | None = None) -> Job:
        r"""Draw what a text asks for, as a new job. CommandError for what cannot be."""
        line = self.complete(text, number)
        if len(self.jobs) >= MOST_JOBS:
            raise CommandError(f"this sitting has {MOST_JOBS} jobs, and that is all it holds: save what you like, and "
                               "begin a new one")
        began = time.perf_counter()
        job = Job(len(self.jobs) + 1, line, self.studio.draw(line), time.perf_counter() - began)
        self.jobs += (job,)
        return job

    def complete(self, text: str, number: int | None = None) -> Line:
        r"""A command, a button, or a whole line -> the line to draw, all its seeds chosen."""
        text = cleaned(text, LONGEST_LINE)
        if not text.startswith("/"):
            return self.seeded(self.with_button(text, number))
        begins = re.match(r"/imagine(?: prompt:)?\s*", text, re.IGNORECASE)
        if begins and (found := re.match(r"#(\S*)\s*", text[begins.end():])):
            source = self.referred(found[1])
            text = f"{text[:begins.end()]} {{{write_line(source)}}} {text[begins.end() + found.end():]}"
        return self.seeded(read_line(text))

    def with_button(self, text: str, number: int | None) -> Line:
        r"""The line of a job, with a typed button behind it: "U2", "#4 vary subtle", "reroll"."""
        found = re.match(r"#(\d{1,6})\s+", text)
        job = self.job(int(found[1]) if found else number)
        text = text[found.end():] if found else text
        if re.fullmatch(r"re-?roll", text, re.IGNORECASE):
            return rerolled(job.line)
        if not re.match(r"[uv]\s*\d|vary\b|region\b|zoom\b|pan\b", text, re.IGNORECASE):
            raise CommandError(f"{text[:40]!r} is no command: write /imagine prompt: and what the picture shows, or a "
                               "button such as U2")
        line = Line(job.line.asked, (*job.line.presses, *map(read_press, split_line(text))))
        return read_line(write_line(line))

    def job(self, number: int | None) -> Job:
        if not self.jobs:
            raise CommandError("there is no picture yet: begin with /imagine prompt: a red circle")
        if number is not None and not 1 <= number <= len(self.jobs):
            raise CommandError(f"there is no job {number}: the last one is {len(self.jobs)}")
        return self.jobs[-1 if number is None else number - 1]

    def referred(self, name: str) -> Line:
        r"""The line of a picture by its name: "3", or "3.2", the second one of job 3."""
        found = re.fullmatch(r"(\d{1,6})(?:\.([1-9]))?", name, re.ASCII)
        if not found:
            raise CommandError(f"#{name[:20]} names no picture: write #3, or #3.2 for the second one of job 3")
        line = self.job(int(found[1])).line
        if not found[2]:
            return line
        pressed = Line(line.asked, (*line.presses, read_press(f"U{found[2]}")))
        extent(pressed)
        return pressed

    def seeded(self, line: Line) -> Line:
        r"""The line with a seed wherever noise is drawn and none is given."""
        asked = line.asked if line.asked.seed is not None else with_seed(line.asked, self.seeds())
        presses = tuple(press if press.seed is not None or press.kind == "U" else replace(press, seed=self.seeds())
                        for press in line.presses)
        return Line(asked, presses)

    # -- files -----------------------------------------------------------------------------------------------------

    def open(self, data: bytes) -> tuple[Job, str]:
        r"""Draw the picture of a saved file again, as a new job, and say whether it is the same. CommandError else."""
        line, plain = read_png(data)
        if line != self.seeded(line):
            raise CommandError("the command in this PNG lacks a seed, so it was not written by the studio")
        job = self.say(write_line(line))
        same = read_png(job.png())[1] == plain
        return job, ("drawn again from its command, the same byte for byte" if same else
                     "drawn again from its command, and not the same: by other weights, or on another kind of machine")


def rerolled(line: Line) -> Line:
    r"""The line with its last noise still to be chosen. CommandError behind U, which has none."""
    if not line.presses:
        return Line(with_seed(line.asked, None))
    last: Press = line.presses[-1]
    if last.kind == "U":
        raise CommandError("Reroll draws a grid again, and this is one picture: press Vary Subtle or Vary Strong")
    return Line(line.asked, (*line.presses[:-1], replace(last, seed=None)))
