r"""From a picture to another: redrawn, filled in, carried on beyond its borders, by `sample` with a start or a paste.

Notebook 14, and the buttons of notebook 15. Papers: Meng et al., "SDEdit", 2022 (Stable Diffusion's img2img);
Lugmayr et al., "RePaint", 2022, for what is known. Outpainting is inpainting of a larger canvas, window by window.

n pictures · C, S channels and side of what the denoiser sees · H, W sides of a canvas, as large as a picture or larger
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..diffusion.samplers import FRESH, finished, keep_known, sample
from ..models.inpainting import paste, smooth_guess
from .text_to_image import TextToImage

WINDOW_STEP = 8  # pixels from one window of a canvas to the next


def image_to_image(system: TextToImage, pictures: Tensor, prompts: Sequence[str], strength: float, scale: float = 2.0,
                   steps: int = 20, eta: float = FRESH, seed: int = 0) -> Tensor:
    r"""Pictures (n, 3, 32, 32) under noise, and drawn from there on as the prompts say: (n, 3, 32, 32).

    Meng et al., "SDEdit", 2022; Stable Diffusion's img2img. The noise is that of t = strength T, and of the steps the
    same share is made. At 0 only the first stage changes the picture; at 1, where the schedule ends without signal, it
    is forgotten: `TextToImage.draw` of that seed.
    ValueError for a strength outside of [0, 1].
    """
    denoise = system.guided_by([prompts], scale)
    return drawn_on(system, denoise, pictures, strength, steps, eta, torch.Generator().manual_seed(seed))


@torch.no_grad()
def drawn_on(system: TextToImage, denoise, pictures: Tensor, strength: float, steps: int, eta: float,
             generator) -> Tensor:
    r"""`image_to_image` by any denoise(x, t); generator: what `sample` takes noise from."""
    if not 0 <= strength <= 1:
        raise ValueError(f"a strength is a share of the noise, from 0 (the picture) to 1 (noise alone); got {strength}")
    schedule, x = system.schedule, system.encode(pictures)
    start = round(strength * schedule.last)
    if start == 0:
        return system.decode(x).clamp(-1, 1)
    x = schedule.add_noise(x, start, system.noise(len(x), generator) / schedule.noise[-1].item())
    steps = min(start, math.ceil(strength * steps))
    return finished(sample(denoise, x, schedule, steps, eta, generator=generator, start=start), system.decode)


# -- filled in -----------------------------------------------------------------------------------------------------


def hidden_places(mask: Tensor, factor: int) -> Tensor:
    r"""Masks of pixels (n, 1, S, S) -> of places (n, 1, S/f, S/f), True = hidden: where any pixel of the place is."""
    return F.max_pool2d(mask.float(), factor).bool()


def repainted(system: TextToImage, pictures: Tensor, mask: Tensor, prompts: Sequence[str], scale: float = 2.0,
              steps: int = 20, rounds: int = 4, seed: int = 0) -> Tensor:
    r"""Pictures (n, 3, 32, 32) with their hidden part (n, 1, 32, 32) drawn anew, as the prompts say.

    A place of the latent is pasted where all of its pixels are known (`samplers.keep_known`). The encoder looks around
    a place, so hidden pixels are first smoothed over: what was there is never read. Known pixels stay as they are.
    """
    denoise = system.guided_by([prompts], scale)
    return filled_in(system, denoise, pictures, mask, steps, FRESH, rounds, torch.Generator().manual_seed(seed))


@torch.no_grad()
def filled_in(system: TextToImage, denoise, pictures: Tensor, mask: Tensor, steps: int, eta: float, rounds: int,
              generator) -> Tensor:
    r"""`repainted` by any denoise(x, t); generator: what `sample` takes noise from."""
    x = system.encode(smooth_guess(pictures, mask))
    places = hidden_places(mask, pictures.shape[-1] // x.shape[-1])
    keep = keep_known(x, places, system.schedule, generator)
    path = sample(denoise, system.noise(len(x), generator), system.schedule, steps, eta, keep, generator, rounds)
    return paste(finished(path, system.decode), pictures, mask)


# -- beyond the borders --------------------------------------------------------------------------------------------


def carried_on(system: TextToImage, denoise, canvases: Tensor, hidden: Tensor, steps: int, eta: float, rounds: int,
               generator) -> Tensor:
    r"""Canvases (n, 3, H, W) with their hidden part drawn window by window, each a picture beside what is known.

    hidden  boolean (1, 1, H, W), True = to be drawn; H and W at least the side of a picture
    Known pixels stay as they are, to the bit. What is hidden is never read.
    """
    side = system.decode(system.noise(1, torch.Generator())).shape[-1]
    canvases, hidden = canvases.masked_fill(hidden, 0.0), hidden.clone()
    while hidden.any():
        rows, columns = next_window(hidden, side)
        part, mask = canvases[:, :, rows, columns], hidden[:, :, rows, columns].expand(len(canvases), -1, -1, -1)
        canvases[:, :, rows, columns] = filled_in(system, denoise, part, mask, steps, eta, rounds, generator)
        hidden[:, :, rows, columns] = False
    return canvases


def next_window(hidden: Tensor, side: int) -> tuple[slice, slice]:
    r"""The window (rows, columns) to draw first of what is hidden (1, 1, H, W): half known, then as much as there is.

    With less than half known, the window sees too little of what it is to carry on; with more, there are more windows.
    """
    def worth(window: tuple[slice, slice]) -> tuple[int, int]:
        count = int(hidden[:, :, window[0], window[1]].sum())
        return (min(side * side - count, side * side // 2), count) if count else (-1, 0)

    return max(windows(*hidden.shape[2:], side), key=worth)


def windows(height: int, width: int, side: int) -> Iterator[tuple[slice, slice]]:
    r"""All windows of side x side pixels on a canvas, `WINDOW_STEP` apart, up to its lower right corner."""
    for top in sorted({*range(0, height - side, WINDOW_STEP), height - side}):
        for left in sorted({*range(0, width - side, WINDOW_STEP), width - side}):
            yield slice(top, top + side), slice(left, left + side)


def zoomed(canvases: Tensor, factor: float) -> tuple[Tensor, Tensor]:
    r"""Canvases (n, 3, H, W) made smaller `factor` times, in the middle of empty ones: (canvases, hidden (1, 1, H, W)).

    The new size is rounded to an even number of pixels, so that the middle is the middle.
    """
    size = [2 * round(length / factor / 2) for length in canvases.shape[2:]]
    small = F.interpolate(canvases, size, mode="bicubic", antialias=True).clamp(-1, 1)
    top, left = ((length - less) // 2 for length, less in zip(canvases.shape[2:], size, strict=True))
    larger, hidden = torch.zeros_like(canvases), torch.ones(1, 1, *canvases.shape[2:], dtype=torch.bool)
    inside = slice(top, top + size[0]), slice(left, left + size[1])
    larger[:, :, inside[0], inside[1]], hidden[:, :, inside[0], inside[1]] = small, False
    return larger, hidden


def extended(canvases: Tensor, left: int = 0, right: int = 0, top: int = 0, bottom: int = 0) -> tuple[Tensor, Tensor]:
    r"""Canvases (n, 3, H, W) with so many empty pixels at their sides: (canvases, hidden (1, 1, H', W'))."""
    sides = (left, right, top, bottom)
    hidden = F.pad(torch.zeros(1, 1, *canvases.shape[2:]), sides, value=1.0).bool()
    return F.pad(canvases, sides), hidden
