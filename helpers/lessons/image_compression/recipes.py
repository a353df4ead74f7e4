"""The weights of notebook 05: autoencoders that see few pictures many times, and the codec at two qualities.

    overfit-256-200     a code of 256 numbers, trained on the same 200 scenes all along
    codec-high          the learned codec where bits are cheap; codec-low, where they are dear

The codes that are quantised there are of notebook 02's autoencoders.
"""

from __future__ import annotations

from functools import partial

from ...models.autoencoder import Autoencoder
from ...models.codec import PRESETS, Codec, rate_distortion_loss
from ...training.recipes import Recipe, any_length
from . import experiments
from .experiments import OVERFIT_COUNTS, OVERFIT_LATENTS, PRICES

PIECES = "pieces of 64x64 pixels of emoji of the training families, one in eight of tiny scenes"


def recipes():
    """The recipes of this notebook."""
    for latent in OVERFIT_LATENTS:
        for count in OVERFIT_COUNTS:
            yield Recipe(
                name=f"overfit-{latent}-{count}", build=partial(Autoencoder, latent, width=32, bottom=16, hidden=96),
                batches=any_length(experiments.same_scenes, count), loss=experiments.watched_loss,
                evaluate=partial(experiments.overfit_errors, count=count), steps=1500, lr=4e-3,
                data=f"the same {count:,} tiny scenes all along, batches of 32",
                sizes={"gpu": {"steps": 12_000}},
            )

    for quality, price in PRICES.items():
        yield Recipe(
            name=f"codec-{quality}", build=partial(Codec, **PRESETS["small"]),
            batches=any_length(experiments.codec_batches), loss=partial(rate_distortion_loss, price=price),
            evaluate=experiments.evaluate_codec, steps=6000, lr=4e-3, data=f"{PIECES}, batches of 8",
            sizes={"gpu": {"build": partial(Codec, **PRESETS["large"]), "steps": 40_000,
                           "batches": any_length(experiments.codec_batches, 32), "data": f"{PIECES}, batches of 32"}},
        )
