r"""What notebook 06 measures: denoisers by name, noise that is the same for every figure, and what repetition does."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ...data import scenes, sets
from ...data.batches import NEW_SCENES_SEED, emoji_batches, scene_batches
from ...data.noise import add_noise
from ...metrics.pictures import psnr, reconstruct
from ...training.checkpoints import load
from . import filters

HIGHEST = 0.5  # the noise level on [0, 1] up to which all are trained
KINDS = ("scenes", "emoji")
SIGMAS = (0.1, 0.2, 0.3, 0.5)  # the levels that figures are quoted at
CODE = 64
NARROW, NARROWER = {"width": 32, "bottom": 16, "hidden": 128}, {"width": 16, "bottom": 16, "hidden": 96}


def noisy(clean, highest: float = HIGHEST):
    r"""step -> (noisy pictures, clean ones, the level of each), where `clean` is step -> pictures."""

    def batches(step):
        x = clean(step)
        sigma = highest * torch.rand(len(x))
        return add_noise(x, sigma), x, sigma

    return batches


def noisy_scenes(batch: int = 32):
    return noisy(scene_batches(batch))


def noisy_emoji(batch: int = 32):
    return noisy(emoji_batches(batch))


def turned_emoji(batch: int = 32):
    r"""The same, each by 0 to 3 quarter turns, about half with their colour channels in another order.

    A few thousand pictures are soon known by heart. Noise has no upright and no colour, so more edges can be had free.
    """
    upright = emoji_batches(batch)

    def clean(step):
        x = torch.cat([part.rot90(turns, (2, 3)) for turns, part in enumerate(upright(step).chunk(4))])
        order = torch.where(torch.rand(len(x), 1) < 0.5, torch.rand(len(x), 3).argsort(1), torch.arange(3))
        return x.gather(1, order[:, :, None, None].expand_as(x))

    return noisy(clean)


def with_noise(x: Tensor, sigma: float) -> Tensor:
    r"""x with the noise that figures are measured with: always the same for the same shape and level."""
    return add_noise(x, sigma, torch.Generator().manual_seed(NEW_SCENES_SEED))


def new_pictures(kind: str, n: int = 300) -> Tensor:
    r"""n pictures that nothing here was trained or tuned on: "scenes" or "emoji", of held-out families."""
    if kind == "scenes":
        return scenes.make_scenes(n, NEW_SCENES_SEED)[0]
    images = sets.load_emoji("test").images
    return images[torch.randperm(len(images), generator=torch.Generator().manual_seed(0))[:n]]


def mean_psnr(x: Tensor, y: Tensor) -> float:
    r"""PSNR in dB of clamped y to x, the mean over pictures."""
    return psnr(x, y.clamp(-1, 1)).mean().item()


def evaluate(kind: str, model) -> dict[str, float]:
    x = new_pictures(kind)
    return {f"psnr_{sigma}": mean_psnr(x, reconstruct(model, with_noise(x, sigma))) for sigma in SIGMAS}


@torch.no_grad()
def again(model, y: Tensor, times: int) -> Tensor:
    r"""model(model(... model(y))), `times` times, clamped at the end: pictures (B, C, S, S) -> the same shape."""
    for _ in range(times):
        y = model(y)
    return y.clamp(-1, 1)


def pure_noise(n: int, seed: int = 4) -> Tensor:
    r"""n pictures with nothing in them: noise of the highest level around grey, (n, 3, 32, 32)."""
    return add_noise(torch.zeros(n, 3, 32, 32), HIGHEST, torch.Generator().manual_seed(seed))


def denoise_and_renoise(model, y: Tensor, steps: int, seed: int = 0) -> Tensor:
    r"""`steps` times: the model's answer, then fresh noise on it, of a level that falls to 0 in equal steps.

    Near to the sampler of Kadkhodaie & Simoncelli, NeurIPS 2021: a denoiser that is blind, and fresh noise.
    """
    generator = torch.Generator().manual_seed(seed)
    for k in range(steps):
        y = add_noise(again(model, y, 1), HIGHEST * (1 - (k + 1) / steps), generator)
    return y.clamp(-1, 1)


# Denoisers by the names that figures give them; a classical one is told the level.
CLASSICAL = {"Gaussian": "gaussian", "median": "median", "total variation": "variation", "non-local means": "nlm"}
NETWORKS = {"code of 64": "code", "skips": "skip"}


def denoisers(kind: str) -> dict:
    r"""{name: (noisy pictures, sigma) -> pictures in [-1, 1]}: nothing, the classical four, the two shipped networks.

    kind   the pictures that they are tuned for or trained on, "scenes" or "emoji"
    """
    table = {"nothing": lambda y, sigma: y.clamp(-1, 1)}
    table |= {name: partial(filters.denoise, key, kind) for name, key in CLASSICAL.items()}
    return table | {name: blind(load(f"dae-{kind}-{key}")[0]) for name, key in NETWORKS.items()}


def blind(model):
    r"""A network as one of `denoisers`: it takes the level, and does not look at it."""
    return lambda y, sigma: reconstruct(model, y, batch=50)
