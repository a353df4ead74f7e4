"""What a reader types, what is drawn, what the judge says of it: the pictures of notebook 13's two large widgets."""

from __future__ import annotations

import re

import numpy as np
import torch

from ...data.scenes import Reading
from ...show.heatmaps import FRAME, boxed, shade, written
from ...show.raster import draw_text, paragraph, place, tile, to_uint8
from ...systems.text_to_image import TextToImage
from .verdicts import shares_drawn, understood, verdicts

AT_A_TIME = 4  # pictures of a prompt
PIXEL, BETWEEN = 6, 20  # pixels: the side of a pixel of theirs, and from picture to picture
UNDERSTOOD = np.array([228, 240, 248], np.uint8)  # the paper of a chip
LINES = 3  # of a verdict, for which room is kept


def chip_lines(reading: Reading, width: int) -> np.ndarray:
    """A chip for each word that was understood, with what it stands for; a framed ✗ for each problem. uint8 picture."""
    paper = np.full(3, 255, np.uint8)
    chips = []
    for word in reading.words:
        if word.factor and not word.problem:
            of = f" · object {word.thing + 1}" * (word.thing > 0)
            text = written(f"{word.text} = {word.factor}: {word.value}{of}", UNDERSTOOD)
            chips.append(boxed(text, 24, text.shape[1] + 14, UNDERSTOOD, UNDERSTOOD))
    for problem in reading.problems:
        text = paragraph(f"✗ {problem}", min(width - 20, draw_text(f"✗ {problem}").shape[1] + 2))
        chips.append(boxed(text, text.shape[0] + 6, text.shape[1] + 14, paper, FRAME, 2))
    return in_lines(chips, width)


def in_lines(chips: list[np.ndarray], width: int) -> np.ndarray:
    """uint8 pictures side by side, in as many lines of this width as it takes; uint8 picture."""
    rows, x = [[]], 0
    for chip in chips:
        if rows[-1] and x + chip.shape[1] > width:
            rows.append([])
            x = 0
        rows[-1].append((x, chip))
        x += chip.shape[1] + 6
    lines = []
    for row in rows:
        lines.append(np.full((max((chip.shape[0] for _, chip in row), default=18) + 6, width, 3), 255, np.uint8))
        for x, chip in row:
            place(lines[-1], chip, 0, x)
    return np.concatenate(lines)


def judged(pictures, lines: list[str], pixel: int = PIXEL, room: int = LINES) -> np.ndarray:
    """Pictures (n, 3, S, S) in [-1, 1] side by side, under each its line, in `room` lines of text; uint8 picture.

    pixel: the side of a pixel of theirs
    """
    columns = []
    for picture, line in zip(pictures.clamp(-1, 1), lines, strict=True):
        shown = tile(picture[None], 1, scale=pixel)
        words = paragraph(re.sub("([✓✗]) ", r"\1", line), shown.shape[1] + BETWEEN // 2)  # a mark stays with its word
        height = shown.shape[0] + 4 + max(room * 20, words.shape[0])
        column = np.full((height, shown.shape[1] + BETWEEN, 3), 255, np.uint8)
        place(column, shown, 0, 0)
        place(column, words, shown.shape[0] + 4, 0)
        columns.append(column)
    height = max(column.shape[0] for column in columns)
    return np.concatenate([np.pad(c, ((0, height - len(c)), (0, 0), (0, 0)), constant_values=255) for c in columns], 1)


def prompt_face(system: TextToImage, text: str, scale: float, seed: int, steps: int) -> tuple[np.ndarray, str]:
    """What was understood of a prompt, four pictures of it, and for each the judge's verdict; and a line about all.

    Words that the model never met are left out, and the line names them. ValueError for a text that is too long.
    """
    asked, reading = understood(text)
    kept, note = system.known(text)
    pictures = system.draw([kept] * AT_A_TIME, scale, steps, seed).cpu()
    shares = shares_drawn(pictures, asked)
    shown = judged(pictures, verdicts(pictures, asked))
    line = (f"all that was asked for: {AT_A_TIME * shares['asked']:.0f} of {AT_A_TIME}; "
            f"valid scenes: {AT_A_TIME * shares['valid']:.0f} of {AT_A_TIME}")
    return np.concatenate([chip_lines(reading, shown.shape[1]), shown]), " · ".join(filter(None, [line, note]))


@torch.no_grad()
def word_face(system: TextToImage, text: str, step: int, seed: int = 0, scale: float = 2.0, steps: int = 20,
              columns: int = 7) -> tuple[np.ndarray, str]:
    """Where each word of a prompt is read after `step` of `steps` steps, beside the guess x0 of that step.

    Dark is the largest weight in this prompt; a word's weights are those of its tokens together.
    """
    if not 1 <= step < steps:
        raise ValueError(f"words are read from step 1 to {steps - 1} of {steps}; got {step}")
    kept, note = system.known(text)
    t, x, x0 = next(state for number, state in enumerate(system.path([kept], scale, steps, seed), 1) if number == step)
    (names, maps), = system.attention([kept], x, t)
    shades = shade(maps.cpu() / maps.max().item())                             # (W, S, S, 3)
    shown = tile([to_uint8(x0.clamp(-1, 1)), shades], columns, scale=4, gap=8, labels=["guess of x0", *names])
    return shown, " · ".join(filter(None, [f"step {step} of {steps}, t = {t}; darkest: {maps.max():.2f}", note]))
