"""What notebook 06 measures: noisy pictures, classical and learned denoisers, and what becomes of pure noise."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ...data import scenes, sets
from ...data.batches import NEW_SCENES_SEED
from ...data.emoji import drawn_by_all
from ...data.noise import add_noise
from ...data.own_picture import own_picture
from ...metrics.pictures import psnr, reconstruct
from ...training.checkpoints import load
from ..image_compression.photographs import PHOTOGRAPHS, photograph_path
from . import filters

WORLDS = ("scenes", "emoji")
LOUDEST = 0.5  # the noise level on [0, 1] up to which all networks are trained
QUOTED_LEVELS = (0.1, 0.2, 0.3, 0.5)


def with_noise(x: Tensor, sigma: float) -> Tensor:
    """x with the noise that figures are measured with: always the same for the same shape and level."""
    return add_noise(x, sigma, torch.Generator().manual_seed(NEW_SCENES_SEED))


def new_pictures(world: str, n: int = 300) -> Tensor:
    """n pictures that nothing here was trained or tuned on: "scenes" or "emoji", of held-out families."""
    if world == "scenes":
        return scenes.make_scenes(n, NEW_SCENES_SEED)[0]
    images = sets.load_emoji("test").images
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:n]]


def another_hand(hand: str, sigma: float, n: int = 8) -> dict[str, Tensor]:
    """{what: n pictures}: held-out emoji by `hand` under noise, after two denoisers made for Noto's, and clean."""
    emoji = drawn_by_all()[hand]
    x, by = emoji[:: len(emoji) // n][:n], denoisers("emoji")
    y = with_noise(x, sigma)
    return {"in": y.clamp(-1, 1), "non-local means": by["non-local means"](y, sigma), "skips": by["skips"](y, sigma),
            "truth": x}


def mean_psnr(x: Tensor, y: Tensor) -> float:
    """PSNR in dB of clamped y to x, the mean over pictures."""
    return psnr(x, y.clamp(-1, 1)).mean().item()


def psnr_by_level(world: str, model) -> dict[str, float]:
    x = new_pictures(world)
    return {f"psnr_{sigma}": mean_psnr(x, reconstruct(model, with_noise(x, sigma))) for sigma in QUOTED_LEVELS}


@torch.no_grad()
def again(model, y: Tensor, times: int) -> Tensor:
    """model(model(... model(y))), `times` times, clamped at the end: pictures (B, C, S, S) -> the same shape."""
    for _ in range(times):
        y = model(y)
    return y.clamp(-1, 1)


def pure_noise(n: int, seed: int = 4) -> Tensor:
    """n pictures with nothing in them: noise of the highest level around grey, (n, 3, 32, 32)."""
    return add_noise(torch.zeros(n, 3, 32, 32), LOUDEST, torch.Generator().manual_seed(seed))


def denoise_and_renoise(model, y: Tensor, steps: int, seed: int = 0) -> Tensor:
    """`steps` times: the model's answer, then fresh noise on it, of a level that falls to 0 in equal steps.

    Near to the sampler of Kadkhodaie & Simoncelli, NeurIPS 2021: a denoiser that is blind, and fresh noise.
    """
    generator = torch.Generator().manual_seed(seed)
    for k in range(steps):
        y = add_noise(again(model, y, 1), LOUDEST * (1 - (k + 1) / steps), generator)
    return y.clamp(-1, 1)


# Denoisers by the names that figures give them; a classical one is told the level.
CLASSICAL = {"Gaussian": "gaussian", "median": "median", "total variation": "variation", "non-local means": "nlm"}
NETWORKS = {"code of 64": "code", "skips": "unet"}


def denoisers(world: str) -> dict:
    """{name: (noisy pictures, sigma) -> pictures in [-1, 1]}: nothing, the classical four, the two shipped networks.

    world   the pictures that they are tuned for or trained on, "scenes" or "emoji"
    """
    table = {"nothing": lambda y, sigma: y.clamp(-1, 1)}
    table |= {name: partial(filters.denoise, key, world) for name, key in CLASSICAL.items()}
    return table | {name: blind(load(f"dae-{world}-{key}")[0]) for name, key in NETWORKS.items()}


def blind(model):
    """A network as one of `denoisers`: it takes the level, and does not look at it."""
    return lambda y, sigma: reconstruct(model, y, batch=50)


# -- photographs: what no network here has seen --------------------------------------------------------------------


def denoise_own(x: Tensor, sigma: float = 0.1) -> dict[str, Tensor]:
    """{what: pictures as x}: x under noise, after non-local means, and after the two networks with skips.

    x  (B, 3, S, S) in [-1, 1], S a multiple of 8, such as `own_picture(..., side=128).batch`. The strength of non-local
    means is the one tuned on emoji: nothing here was tuned on photographs.
    """
    y, emoji = with_noise(x, sigma), denoisers("emoji")
    return {"in": y.clamp(-1, 1), "non-local means": emoji["non-local means"](y, sigma),
            "skips, for emoji": emoji["skips"](y, sigma), "skips, for scenes": denoisers("scenes")["skips"](y, sigma)}


def lead_on_photographs(network: str, sigma: float = 0.1, side: int = 128) -> dict[str, float]:
    """{photograph: PSNR of non-local means over that of a network of `denoise_own`, in dB}."""
    leads = {}
    for name in PHOTOGRAPHS:
        x = own_picture(photograph_path(name), side).batch
        by = denoise_own(x, sigma)
        leads[name] = mean_psnr(x, by["non-local means"]) - mean_psnr(x, by[network])
    return leads
