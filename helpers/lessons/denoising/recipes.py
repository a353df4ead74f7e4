"""The weights of notebook 06: denoising autoencoders, with a narrow middle and with skip connections.

    dae-scenes-code, dae-emoji-code    every picture passes a code of 64 numbers
    dae-scenes-unet, dae-emoji-unet    none has to: details go past the middle

All are trained on noise of a level from U(0, 0.5) for each picture, which the network is not told ("blind"), with the
clean picture as target. The last one also sees its emoji turned and in other colours, and weighs quiet ones more.
"""

from __future__ import annotations

from functools import partial

import torch

from ...data.batches import emoji_batches, scene_batches
from ...data.noise import add_noise
from ...models.autoencoder import Autoencoder
from ...models.denoising import weighted_denoising_loss
from ...models.small_unet import SmallUNet
from ...training.recipes import Recipe, any_length
from .experiments import LOUDEST, psnr_by_level

NARROW, NARROWER = {"width": 32, "bottom": 16, "hidden": 128}, {"width": 16, "bottom": 16, "hidden": 96}
ALIKE = f"with noise of a level from U(0, {LOUDEST}) on [0, 1], drawn anew at every step, batches of 32"


def noisy(clean):
    """step -> (noisy pictures, clean ones, the level of each), where `clean` is step -> pictures."""

    def batches(step):
        x = clean(step)
        sigma = LOUDEST * torch.rand(len(x))
        return add_noise(x, sigma), x, sigma

    return batches


def noisy_scenes(batch: int = 32):
    return noisy(scene_batches(batch))


def noisy_emoji(batch: int = 32):
    return noisy(emoji_batches(batch))


def turned_emoji(batch: int = 32):
    """Noisy emoji, each by 0 to 3 quarter turns, about half with their colour channels in another order.

    A few thousand pictures are soon known by heart. Noise has no upright and no colour, so more edges can be had free.
    """
    upright = emoji_batches(batch)

    def clean(step):
        x = torch.cat([part.rot90(turns, (2, 3)) for turns, part in enumerate(upright(step).chunk(4))])
        order = torch.where(torch.rand(len(x), 1) < 0.5, torch.rand(len(x), 3).argsort(1), torch.arange(3))
        return x.gather(1, order[:, :, None, None].expand_as(x))

    return noisy(clean)


def recipes():
    """The recipes of this notebook."""
    for world, source, narrow, steps in (("scenes", noisy_scenes, NARROW, 6000),
                                         ("emoji", noisy_emoji, NARROWER, 4000)):
        yield Recipe(
            name=f"dae-{world}-code", build=partial(Autoencoder, 64, **narrow), batches=any_length(source),
            loss=weighted_denoising_loss, evaluate=partial(psnr_by_level, world), steps=steps, data=f"{world} {ALIKE}",
            sizes={"gpu": {"steps": 5 * steps}},
        )

    yield Recipe(
        name="dae-scenes-unet", build=SmallUNet, batches=any_length(noisy_scenes), loss=weighted_denoising_loss,
        evaluate=partial(psnr_by_level, "scenes"), steps=5000, data=f"scenes {ALIKE}", sizes={"gpu": {"steps": 25_000}},
    )
    yield Recipe(
        name="dae-emoji-unet", build=SmallUNet, batches=any_length(turned_emoji),
        loss=partial(weighted_denoising_loss, pivot=0.02), evaluate=partial(psnr_by_level, "emoji"), steps=9000,
        lr=3e-3, data=f"emoji, turned and with channels exchanged, {ALIKE}", sizes={"gpu": {"steps": 45_000}},
    )
