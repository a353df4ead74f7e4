r"""Inpainting and outpainting by a network that was taught to: it sees what is known, and the mask, at every step.

Notebook 17. Nichol et al., "GLIDE", 2022, section 4.3, which adds 3 channels for the known pixels and one for the mask;
in latents, as here, they are as many as a latent has, and one (Rombach et al. 2022's inpainting).

B pictures (B, 3, 32, 32) in [-1, 1] · mask boolean (B, 1, 32, 32), True = hidden · C, S channels and side of a latent
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ..diffusion.guidance import guided
from ..diffusion.samplers import FRESH, finished, sample
from ..models.inpainting import paste, smooth_guess
from ..models.kl_autoencoder import KLAutoencoder
from .edits import hidden_places, next_window
from .text_to_image import TextToImage


@torch.no_grad()
def what_is_known(first_stage: KLAutoencoder, pictures: Tensor, mask: Tensor) -> Tensor:
    r"""What the network sees beside its latent, (B, C + 1, S, S): the known part as a latent, and where it is not.

    Hidden pixels are smoothed over before they are encoded, so what was there is never read. Of the mask a place
    counts as hidden where any of its pixels is.
    """
    z = first_stage.encode(smooth_guess(pictures, mask))
    return torch.cat([z, hidden_places(mask, pictures.shape[-1] // z.shape[-1]).to(z)], 1)


@torch.no_grad()
def filled_by_network(system: TextToImage, pictures: Tensor, mask: Tensor, prompts: Sequence[str], scale: float = 2.0,
                      steps: int = 20, eta: float = FRESH, seed: int = 0, pasted: bool = True) -> Tensor:
    r"""Pictures with their hidden part drawn as the prompts say; empty ones say nothing: (B, 3, 32, 32).

    system  around a GLIDE with channels for `what_is_known`, in latents
    pasted  known pixels are put back in the end, to the bit; else all is as the network drew it
    """
    model, concat = system.model, {"concat": what_is_known(system.first_stage, pictures, mask)}
    cond, uncond = (model.read(system.read(texts)) | concat for texts in (prompts, [""] * len(pictures)))
    chance = torch.Generator().manual_seed(seed)
    x, denoise = system.noise(len(pictures), chance), guided(system.denoise, cond, uncond, scale)
    drawn = finished(sample(denoise, x, system.schedule, steps, eta, generator=chance), system.decode)
    return paste(drawn, pictures, mask) if pasted else drawn


def outpainted(system: TextToImage, canvases: Tensor, hidden: Tensor, prompts: Sequence[str], seed: int = 0,
               **options) -> Tensor:
    r"""Canvases (B, 3, H, W) with their hidden part drawn window by window, half of each known where it can be.

    canvases, hidden  as `edits.extended` or `edits.zoomed` make them: hidden (1, 1, H, W) bool, True = to be drawn
    options           of `filled_by_network`
    """
    side = system.decode(system.noise(1, torch.Generator())).shape[-1]
    canvases, hidden = canvases.masked_fill(hidden, 0.0), hidden.clone()
    while hidden.any():
        rows, columns = window = next_window(hidden, side)
        canvases[:, :, rows, columns] = one_window(system, canvases, hidden, window, prompts, seed, **options)
        hidden[:, :, rows, columns], seed = False, seed + 1
    return canvases


def one_window(system: TextToImage, canvases: Tensor, hidden: Tensor, window: tuple[slice, slice],
               prompts: Sequence[str], seed: int = 0, **options) -> Tensor:
    r"""One step of `outpainted`: what belongs into the window (rows, columns), (B, 3, side, side)."""
    part, mask = canvases[:, :, window[0], window[1]], hidden[:, :, window[0], window[1]]
    return filled_by_network(system, part, mask.expand(len(part), -1, -1, -1), prompts, seed=seed, **options)
