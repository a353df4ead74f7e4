r"""The weights of notebook 06: denoising autoencoders, with a narrow middle and with skip connections.

    dae-scenes-code, dae-emoji-code    every picture passes a code of 64 numbers
    dae-scenes-skip, dae-emoji-skip    none has to: details go past the middle

All are trained on noise of a level from U(0, 0.5) for each picture, which the network is not told ("blind"), with the
clean picture as target. The last one also sees its emoji turned and in other colours, and weighs quiet ones more.
"""

from __future__ import annotations

from functools import partial

from ...models.autoencoder import Autoencoder
from ...models.denoising import weighted_denoising_loss
from ...models.small_unet import SmallUNet
from ...training.recipes import Recipe, any_length
from .experiments import CODE, HIGHEST, NARROW, NARROWER, evaluate, noisy_emoji, noisy_scenes, turned_emoji

ALIKE = f"with noise of a level from U(0, {HIGHEST}) on [0, 1], drawn anew at every step, batches of 32"


def recipes():
    r"""The recipes of this notebook."""
    for kind, source, narrow, steps in (("scenes", noisy_scenes, NARROW, 6000), ("emoji", noisy_emoji, NARROWER, 4000)):
        yield Recipe(
            name=f"dae-{kind}-code", build=partial(Autoencoder, CODE, **narrow), batches=any_length(source),
            loss=weighted_denoising_loss, evaluate=partial(evaluate, kind), steps=steps, data=f"{kind} {ALIKE}",
            sizes={"gpu": {"steps": 5 * steps}},
        )

    yield Recipe(
        name="dae-scenes-skip", build=SmallUNet, batches=any_length(noisy_scenes), loss=weighted_denoising_loss,
        evaluate=partial(evaluate, "scenes"), steps=5000, data=f"scenes {ALIKE}", sizes={"gpu": {"steps": 25_000}},
    )
    yield Recipe(
        name="dae-emoji-skip", build=SmallUNet, batches=any_length(turned_emoji),
        loss=partial(weighted_denoising_loss, pivot=0.02), evaluate=partial(evaluate, "emoji"), steps=9000, lr=3e-3,
        data=f"emoji, turned and with channels exchanged, {ALIKE}", sizes={"gpu": {"steps": 45_000}},
    )
