r"""The pictures of notebook 16's widgets: codes on a plane, one token after another, a draw at a temperature, a swap.

n vectors (n, 2) · K codes (K, 2) · side, rows and columns of places
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ...data import scenes
from ...models.quantizers import VectorQuantizer, nearest_code, perplexity
from ...show.figures import PALETTE
from ...show.heatmaps import FRAME, shade
from ...show.raster import SOFT, draw_text, paragraph, place, tile
from ...systems.dalle import DallE
from ..text_conditioned_diffusion.faces import AT_A_TIME, chip_lines, judged
from ..text_conditioned_diffusion.verdicts import shares_drawn, understood, verdicts
from .experiments import WRITING_TEMPERATURE

PLANE, REACH = 300, 3.0  # pixels along a side, and how far it reaches from 0
CURES = {"none": ("random", False), "restart": ("random", True), "k-means": ("k-means", False)}
ON_THE_PLANE, VECTORS = 16, 256  # codes and vectors of the toy
PLACE = 40  # pixels: the side of a place of a picture whose codes are shown
LIKELY = 5  # of the next codes that are shown
NOT_WRITTEN = 232  # grey


# -- a plane of vectors --------------------------------------------------------------------------------------------


def on_the_plane() -> Tensor:
    r"""The toy's vectors (256, 2): six heaps, all away from 0 to one side."""
    generator = torch.Generator().manual_seed(3)
    heaps = torch.tensor([[0.6, 1.8], [1.9, 1.9], [2.2, 0.7], [1.2, 0.3], [2.1, -0.8], [0.2, 0.9]])
    chosen = heaps[torch.randint(len(heaps), (VECTORS,), generator=generator)]
    return chosen + 0.18 * torch.randn(VECTORS, 2, generator=generator)


def plane(points: Tensor, codes: Tensor, ends: Tensor | None = None, used: Tensor | None = None,
          title: str = "") -> np.ndarray:
    r"""A uint8 picture of vectors (n, 2) as dots and codes (K, 2) as squares.

    ends  (n, 2): a line from each vector to what became of it;  used  (K,) bool: the others are crosses
    """
    fine = 3  # drawn larger, then made smaller: smooth edges
    sheet = Image.new("RGB", (PLANE * fine, PLANE * fine), "white")
    pen = ImageDraw.Draw(sheet)

    def at(point) -> tuple[float, float]:
        return tuple((PLANE * fine / 2 * (1 + np.array([1, -1]) * np.asarray(point) / REACH)).tolist())

    for start, end in zip(points, ends if ends is not None else (), strict=False):
        pen.line([at(start), at(end)], fill="#bbbbbb", width=fine)
    for point in points:
        x, y = at(point)
        pen.ellipse([x - 5, y - 5, x + 5, y + 5], fill=PALETTE["sky"])
    for code, alive in zip(codes, used if used is not None else [True] * len(codes), strict=True):
        x, y = at(code)
        if alive:
            pen.rectangle([x - 12, y - 12, x + 12, y + 12], fill=PALETTE["vermilion"])
        else:
            for lean in (-1, 1):
                pen.line([(x - 12, y - 12 * lean), (x + 12, y + 12 * lean)], fill="#888888", width=4)
    pen.rectangle([0, 0, PLANE * fine - 1, PLANE * fine - 1], outline="#cccccc", width=fine)
    words = draw_text(title, ink=SOFT) if title else np.full((1, 1, 3), 255, np.uint8)
    canvas = np.full((PLANE + 24, PLANE + 12, 3), 255, np.uint8)
    place(canvas, words, 2, 0)
    place(canvas, np.asarray(sheet.resize((PLANE, PLANE), Image.LANCZOS)), 24, 0)
    return canvas


def followed(cure: str, steps: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    r"""The codes (16, 2) after so many steps with `on_the_plane` as every batch, and the codes chosen there (n,)."""
    start, restart = CURES[cure]
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        quantizer = VectorQuantizer(ON_THE_PLANE, 2, decay=0.9, start=start, restart=restart)
        points = on_the_plane()
        for _ in range(steps):
            quantizer(points.T[None, :, None])
    return quantizer.codebook.clone(), nearest_code(points, quantizer.codebook)


def collapse_face(cure: str, steps: int, seed: int) -> tuple[np.ndarray, str]:
    r"""A codebook at its start and after some steps, beside one another: crosses are codes that no vector takes."""
    points, sides, line = on_the_plane(), [], ""
    for count, title in ((0, "at the start"), (steps, f"after {steps} steps")):
        codes, chosen = followed(cure, count, seed)
        used = torch.zeros(ON_THE_PLANE, dtype=torch.bool)
        used[chosen] = True
        sides.append(plane(points, codes, used=used, title=title))
        line = f"{int(used.sum())} of {ON_THE_PLANE} codes in use, perplexity {perplexity(chosen, ON_THE_PLANE):.1f}"
    return np.concatenate(sides, 1), f"{title}: {line}"


def gumbel_face(temperature: float, seed: int) -> tuple[np.ndarray, str]:
    r"""What becomes of 40 vectors: the nearest code (VQ), and a mixture of codes at a temperature (Gumbel).

    The logits are minus the squared distances, so without noise and at temperature 0 both are the same.
    """
    points, codes = on_the_plane()[:40], followed("k-means", 30)[0]
    logits = -torch.cdist(points, codes).square() / 0.1
    noise = -torch.rand(logits.shape, generator=torch.Generator().manual_seed(seed)).log().neg().log()
    soft = ((logits + noise) / temperature).softmax(1)
    snapped = codes[nearest_code(points, codes)]
    sides = [plane(points, codes, snapped, title="VQ: the nearest code"),
             plane(points, codes, soft @ codes, title=f"Gumbel: temperature {temperature:g}")]
    largest = soft.max(1).values.mean()
    return np.concatenate(sides, 1), f"the largest weight of a mixture is {largest:.2f}, in the mean"


# -- pictures and their codes --------------------------------------------------------------------------------------


def numbered(picture: Tensor, codes: Tensor, written: int | None = None, frame: int | None = None) -> np.ndarray:
    r"""A picture (3, S, S) with the number of its code on each place; codes (side, side). uint8.

    written  so many places in the order from the top are shown, the others grey;  frame  the place with a border
    """
    side = len(codes)
    sheet = tile(picture[None], 1, scale=PLACE * side // picture.shape[-1], gap=0).copy()
    for number in range(side * side):
        y, x = PLACE * (number // side), PLACE * (number % side)
        box = sheet[y:y + PLACE, x:x + PLACE]
        if written is not None and number >= written:
            box[:] = NOT_WRITTEN
        else:
            text = draw_text(f"{int(codes.flatten()[number])}", 11)
            place(box, text, PLACE - 1 - text.shape[0], (PLACE - text.shape[1]) // 2)
        box[0], box[:, 0] = box[0] // 4 * 3 + 48, box[:, 0] // 4 * 3 + 48
        if number == frame:
            box[:3] = box[-3:] = FRAME
            box[:, :3] = box[:, -3:] = FRAME
    return sheet


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
            words = f"{code}: {share:.0%}" + "  ← drawn" * (code == int(codes[0, token]))
            place(column, draw_text(words), 26 + 56 * number, 74, box=(48, 180))
    return np.concatenate([shown, column], 1), " · ".join(filter(None, [told, note]))


def candidate(system: DallE, codes: Tensor, token: int, code: int) -> np.ndarray:
    r"""What would stand at a place with another code there, the others as they are: uint8 (48, 48, 3)."""
    other = codes.clone()
    other[0, token] = code
    where = system.model.grid(torch.arange(codes.shape[1])[None])[0] == token
    y, x = (int(each) for each in where.nonzero()[0])
    picture = system.decode(system.model.grid(other))[0].cpu()
    f = picture.shape[-1] // len(where)
    return tile(picture[None, :, f * y:f * (y + 1), f * x:f * (x + 1)], 1, scale=48 // f, gap=0)


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
    codes = system.encode(scenes.make_scenes(6, 61)[0])
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
    r"""`experiments.swapped_codes` (P, 6) -> uint8 pictures (6, side, side, 3): dark where a code often decides."""
    side = int(len(shares) ** 0.5)
    return shade(shares.T.unflatten(1, (side, side)))
