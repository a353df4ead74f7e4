r"""The pictures of notebook 16's widgets: one token after another, a draw at a temperature, a swap.

side: rows and columns of places · P places
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ...data import scenes
from ...show.heatmaps import FRAME, ink_on, shade
from ...show.raster import draw_text, paragraph, place, tile
from ...systems.dalle import DallE
from ..text_conditioned_diffusion.faces import AT_A_TIME, chip_lines, judged
from ..text_conditioned_diffusion.verdicts import shares_drawn, understood, verdicts
from .experiments import WRITING_TEMPERATURE

PLACE_SIDE = 40  # pixels: the side of a place of a picture whose codes are shown
LIKELY = 5  # of the next codes that are shown
NOT_WRITTEN = 232  # grey
OFTEN = 0.25  # of scenes: the darkest shade of a map of swaps


def numbered(picture: Tensor, codes: Tensor, written: int | None = None, frame: int | None = None) -> np.ndarray:
    r"""A picture (3, S, S) with the number of its code on each place; codes (side, side). uint8.

    written  so many places in the order from the top are shown, the others grey;  frame  the place with a border
    """
    side = len(codes)
    sheet = tile(picture[None], 1, scale=PLACE_SIDE * side // picture.shape[-1], gap=0).copy()
    for number in range(side * side):
        y, x = PLACE_SIDE * (number // side), PLACE_SIDE * (number % side)
        box = sheet[y:y + PLACE_SIDE, x:x + PLACE_SIDE]
        if written is not None and number >= written:
            box[:] = NOT_WRITTEN
        else:
            write_on(box, f"{int(codes.flatten()[number])}")
        box[0], box[:, 0] = box[0] // 4 * 3 + 48, box[:, 0] // 4 * 3 + 48
        if number == frame:
            box[:3] = box[-3:] = FRAME
            box[:, :3] = box[:, -3:] = FRAME
    return sheet


def write_on(box: np.ndarray, text: str) -> None:
    r"""Small words into a uint8 picture (H, W, 3), in black or white; what is under them stays in view."""
    cover = 1 - draw_text(text, 11, "#000000") / 255
    top, left = box.shape[0] - 2 - cover.shape[0], (box.shape[1] - cover.shape[1]) // 2
    under = box[top:top + cover.shape[0], left:left + cover.shape[1]]
    ink = ink_on(under.mean((0, 1))).astype(float)
    under[:] = (under + (ink - under) * cover).round()


@lru_cache(maxsize=8)
def written_codes(system: DallE, prompt: str, seed: int, temperature: float) -> Tensor:
    r"""All codes of a prompt's picture in the order of writing: (1, P)."""
    *_, codes = system.path([prompt], temperature=temperature, seed=seed)
    return codes


@torch.no_grad()
def painter_face(system: DallE, text: str, token: int, seed: int,
                 temperature: float = WRITING_TEMPERATURE) -> tuple[np.ndarray, str]:
    r"""The picture after so many tokens, and the most probable next ones as they would look, with probabilities.

    ValueError for a number of tokens that is none of 0, ..., P.
    """
    if not 0 <= token <= system.model.places:
        raise ValueError(f"expected 0 to {system.model.places} tokens; got {token}")
    kept, note = system.known(text)
    codes = written_codes(system, kept, seed, temperature)
    shown = numbered(system.decode(system.model.grid(codes))[0].cpu(), system.model.grid(codes)[0], token, token)
    column = np.full((shown.shape[0], 260, 3), 255, np.uint8)
    told = "the picture is written" if token == codes.shape[1] else f"{token} of {codes.shape[1]} tokens are written"
    place(column, paragraph("next token:" if token < codes.shape[1] else "", 240), 0, 16)
    if token < codes.shape[1]:
        logits, _ = system.model.start(system.read([kept]), codes[:, :token])
        shares, best = (logits[0] / temperature).softmax(0).topk(LIKELY)
        for number, (share, code) in enumerate(zip(shares.tolist(), best.tolist(), strict=True)):
            place(column, candidate(system, codes, token, code), 26 + 56 * number, 16)
            words = f"{code}: {share:.1%}" + "  ← drawn" * (code == int(codes[0, token]))
            place(column, draw_text(words), 42 + 56 * number, 78)
    return np.concatenate([shown, column], 1), " · ".join(filter(None, [told, note]))


def candidate(system: DallE, codes: Tensor, token: int, code: int) -> np.ndarray:
    r"""What would stand at a place with another code there, the others as they are: a uint8 picture."""
    other = codes.clone()
    other[0, token] = code
    where = system.model.grid(torch.arange(codes.shape[1])[None])[0] == token
    y, x = (int(each) for each in where.nonzero()[0])
    picture = system.decode(system.model.grid(other))[0].cpu()
    f = picture.shape[-1] // len(where)
    return tile(picture[None, :, f * y:f * (y + 1), f * x:f * (x + 1)], 1, scale=48 // f, gap=2)


def luck_face(system: DallE, text: str, temperature: float, top_k: int, seed: int = 0) -> tuple[np.ndarray, str]:
    r"""Four pictures of a prompt at a temperature, each next code from the top_k most probable, with verdicts."""
    asked, reading = understood(text)
    kept, note = system.known(text)
    pictures = system.draw([kept] * AT_A_TIME, temperature=temperature, top_k=top_k, seed=seed).cpu()
    shares = shares_drawn(pictures, asked)
    shown = judged(pictures, verdicts(pictures, asked))
    line = (f"all that was asked for: {AT_A_TIME * shares['asked']:.0f} of {AT_A_TIME}; "
            f"valid scenes: {AT_A_TIME * shares['valid']:.0f} of {AT_A_TIME}")
    return np.concatenate([chip_lines(reading, shown.shape[1]), shown]), " · ".join(filter(None, [line, note]))


@torch.no_grad()
def swap_face(system: DallE, row: int, column: int, source: int) -> tuple[np.ndarray, str]:
    r"""A scene, and what it is when the code of one place is that of another scene; what the judge reads in both."""
    codes = system.encode(scenes.make_scenes(6, 61)[0].roll(-1, 0))
    before = codes[:1]
    after = before.clone()
    after[0, row, column] = codes[source, row, column]
    pictures = system.decode(torch.cat([before, after])).cpu()
    place_number = row * codes.shape[2] + column
    sheets = [numbered(picture, grid, frame=place_number)
              for picture, grid in zip(pictures, (before[0], after[0]), strict=True)]
    gap = np.full((sheets[0].shape[0], 24, 3), 255, np.uint8)
    read = scenes.parse(pictures)
    told = [scenes.caption(factors) + (f" · {fault}" if fault else "")
            for factors, fault in zip(read.factors, read.words, strict=True)]
    old, new = int(before[0, row, column]), int(after[0, row, column])
    return np.concatenate([sheets[0], gap, sheets[1]], 1), f"code {old} became {new}: {told[0]} → {told[1]}"


def swap_maps(shares: Tensor) -> np.ndarray:
    r"""`experiments.swapped_codes` (P, 6) -> uint8 pictures (6, side, side, 3): the darkest: `OFTEN` or more."""
    side = int(len(shares) ** 0.5)
    return shade((shares / OFTEN).clamp(max=1).T.unflatten(1, (side, side)))
