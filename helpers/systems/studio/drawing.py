r"""A line -> pictures: each button a few lines of `sample` and `edits`. Nothing but the line decides what is drawn.

Every correspondence with Midjourney's buttons is an analogy: what those do inside, its maker does not tell.

n pictures · H, W sides of a canvas, 32 to 64 pixels
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...diffusion.samplers import sample
from ...show.raster import to_uint8
from .. import edits
from .chaos import SpreadNoise, fewer_words, own_share
from .commands import CommandError, Imagine
from .lines import CELL_SIDE, IN_A_GRID, PAN, PICTURE_SIDE, Line, Press, canvas_size, read_cells, read_line, write_line
from .worlds import World

VARY_STRENGTHS = {"Subtle": 0.3, "Strong": 0.7}  # of SDEdit; V is strong
FILL_ROUNDS = 1  # each step of a fill is made so often
REMEMBERED = 24  # lines whose pictures are kept, so that a button need not draw all that came before it
SOURCE_WEIGHT = 0.25  # of an image prompt: at --iw w drawing starts under 1 - w/4 of the noise


class Drawing(NamedTuple):
    r"""What a line gives.

    canvases  (n, 3, H, W) in [-1, 1], n of 4 or 1
    shown     uint8 (n, h, w, 3): the same as pixels, twice as large behind U
    notes     what to tell whoever asked
    """

    canvases: Tensor
    shown: np.ndarray
    notes: tuple[str, ...]


def bicubic_twice(pictures: Tensor) -> Tensor:
    r"""Pictures (n, 3, H, W) -> (n, 3, 2H, 2W): bicubic interpolation, which invents nothing. 17 has better."""
    return F.interpolate(pictures, scale_factor=2, mode="bicubic").clamp(-1, 1)


class Studio:
    r"""Lines in, pictures out; two studios with the same worlds draw the same, byte for byte on one machine.

    scenes, emoji  what is drawn without --emoji, and with it; None: there are none
    upscale        what U does: (1, 3, H, W) -> (1, 3, h, w)
    """

    def __init__(self, scenes: World, emoji: World | None = None, upscale: Callable[[Tensor], Tensor] = bicubic_twice):
        self.worlds: Mapping[bool, World | None] = {False: scenes, True: emoji}
        self.upscale = upscale
        self.drawn: OrderedDict[str, tuple[Tensor, tuple[str, ...]]] = OrderedDict()

    def draw(self, line: Line) -> Drawing:
        r"""The pictures of a line that `read_line` let through, all of whose seeds are chosen. CommandError for words
        that cannot be read."""
        canvases, notes = self.canvases(line)
        larger = self.upscale(canvases) if line.presses and line.presses[-1].kind == "U" else canvases
        return Drawing(canvases, to_uint8(larger), notes)

    def canvases(self, line: Line) -> tuple[Tensor, tuple[str, ...]]:
        r"""What a line gives, and what its words gave to remark; of the last `REMEMBERED` lines it is remembered."""
        key = write_line(line)
        if key not in self.drawn:
            if line.presses:
                before, notes = self.canvases(Line(line.asked, line.presses[:-1]))
                self.drawn[key] = self.pressed(before, line.asked, line.presses[-1], notes)
            else:
                self.drawn[key] = self.imagined(line.asked)
        self.drawn.move_to_end(key)
        while len(self.drawn) > REMEMBERED:
            self.drawn.popitem(last=False)
        return self.drawn[key]

    def world(self, asked: Imagine) -> World:
        if self.worlds[asked.emoji] is None:
            raise CommandError("this studio has no emoji: leave --emoji out")
        return self.worlds[asked.emoji]

    def told(self, asked: Imagine) -> tuple[str, str, tuple[str, ...]]:
        r"""The words of a command that can be read, those of --no, and remarks."""
        world = self.world(asked)
        prompt, notes = world.known(asked.prompt)
        no, more = world.known(asked.no, "text behind --no") if asked.no else ("", [])
        if world.sign is None and asked.stylize != Imagine.stylize:
            notes.append("scenes are drawn by one hand, so --stylize changes nothing here")
        return prompt, no, (*notes, *more)

    # -- /imagine --------------------------------------------------------------------------------------------------

    def imagined(self, asked: Imagine) -> tuple[Tensor, tuple[str, ...]]:
        r"""Four pictures of a command."""
        world, (prompt, no, notes) = self.world(asked), self.told(asked)
        noise = SpreadNoise(asked.seed, own_share(asked.chaos))
        prompts = fewer_words(prompt, IN_A_GRID, asked.chaos, asked.seed)
        denoise = world.denoiser(prompts, no, asked.style, asked.stylize)
        if asked.source:
            start = self.canvases(read_line(asked.source))[0].expand(IN_A_GRID, -1, -1, -1)
            strength = 1 - SOURCE_WEIGHT * asked.iw
            pictures = edits.drawn_on(world.system, denoise, start, strength, world.steps, world.eta, noise)
        else:
            pictures = self.from_noise(world, denoise, noise, asked.stop)
        height, width = canvas_size(asked.ar)
        if (height, width) != (PICTURE_SIDE, PICTURE_SIDE):
            top, left = (height - PICTURE_SIDE) // 2, (width - PICTURE_SIDE) // 2
            sides = {"left": left, "right": width - PICTURE_SIDE - left,
                     "top": top, "bottom": height - PICTURE_SIDE - top}
            pictures = self.carried_on(world, denoise, *edits.extended(pictures, **sides), noise)
        return pictures, notes

    @staticmethod
    def from_noise(world: World, denoise, noise: SpreadNoise, stop: int) -> Tensor:
        r"""Pictures from x_T on; with a stop below 100, the guess of the clean picture where the loop was broken."""
        system = world.system
        path = sample(denoise, system.noise(IN_A_GRID, noise), system.schedule, world.steps, world.eta, generator=noise)
        states = islice(path, max(1, round(world.steps * stop / 100)))
        *_, (_, x, x0) = states
        with torch.no_grad():
            return system.decode(x if stop == 100 else x0).clamp(-1, 1)

    @staticmethod
    def carried_on(world: World, denoise, canvases: Tensor, hidden: Tensor, noise: SpreadNoise,
                   strength: float = edits.ONWARD) -> Tensor:
        system, steps, eta = world.system, world.steps, world.eta
        return edits.carried_on(system, denoise, canvases, hidden, steps, eta, FILL_ROUNDS, noise, strength)

    # -- buttons ---------------------------------------------------------------------------------------------------

    def pressed(self, before: Tensor, asked: Imagine, press: Press,
                notes: tuple[str, ...]) -> tuple[Tensor, tuple[str, ...]]:
        r"""What a button makes of the canvases (n, 3, H, W) before it."""
        if press.kind == "U":
            return before[int(press.what) - 1 : int(press.what)], notes
        world, (prompt, no, _) = self.world(asked), self.told(asked)
        if press.prompt:
            prompt, more = world.known(press.prompt, "words of the region")
            notes = (*notes, *more)
        denoise = world.denoiser([prompt] * IN_A_GRID, no, asked.style, asked.stylize)
        start = before[int(press.what) - 1 :][:1] if press.kind == "V" else before
        start, noise = start.expand(IN_A_GRID, -1, -1, -1), SpreadNoise(press.seed)
        if press.kind in ("V", "Vary"):
            strength = VARY_STRENGTHS["Strong" if press.kind == "V" else press.what]
            return self.varied(world, denoise, start, strength, noise), notes
        if press.kind == "Region":
            mask = region(press.what, *start.shape[2:])
            return self.carried_on(world, denoise, start, mask, noise, strength=1.0), notes
        if press.kind == "Zoom":
            return self.carried_on(world, denoise, *edits.zoomed(start, float(press.what)), noise), notes
        side = {"up": "top", "down": "bottom"}.get(press.what, press.what)
        return self.carried_on(world, denoise, *edits.extended(start, **{side: PAN}), noise), notes

    def varied(self, world: World, denoise, start: Tensor, strength: float, noise: SpreadNoise) -> Tensor:
        r"""SDEdit of the middle of each canvas; what is beyond it is drawn anew from there."""
        height, width = start.shape[2:]
        top, left = (height - PICTURE_SIDE) // 2, (width - PICTURE_SIDE) // 2
        canvases, hidden = start.clone(), torch.ones(1, 1, height, width, dtype=torch.bool)
        middle = slice(top, top + PICTURE_SIDE), slice(left, left + PICTURE_SIDE)
        part = start[:, :, middle[0], middle[1]]
        canvases[:, :, middle[0], middle[1]] = edits.drawn_on(world.system, denoise, part, strength, world.steps,
                                                              world.eta, noise)
        hidden[:, :, middle[0], middle[1]] = False
        return self.carried_on(world, denoise, canvases, hidden, noise) if hidden.any() else canvases


def region(what: str, height: int, width: int) -> Tensor:
    r"""The mask of a region's cells, boolean (1, 1, H, W), True = to be drawn anew."""
    cells = torch.zeros(1, 1, height // CELL_SIDE, width // CELL_SIDE)
    for left, top, right, bottom in read_cells(what):
        cells[:, :, top : bottom + 1, left : right + 1] = 1
    return F.interpolate(cells, scale_factor=CELL_SIDE).bool()
