"""The weights of notebook 02: the sweep of the latent size on scenes and on emoji, its ablation, and MNIST."""

from __future__ import annotations

from functools import partial

from ...data.batches import emoji_batches, mnist_batches, scene_batches
from ...models.autoencoder import PRESETS, Autoencoder, PlainAutoencoder, reconstruction_loss
from ...training.recipes import Recipe, any_length
from .experiments import EMOJI_LATENTS, SCENE_LATENTS, error_on_emoji, error_on_mnist, error_on_scenes

SCENE_STEPS = 18_000  # a small net trained long: at d = 32 less error than four times the parameters and 5,000 steps
SCENE_TRAINING = {"batches": any_length(scene_batches), "loss": reconstruction_loss, "evaluate": error_on_scenes,
                  "data": "tiny scenes, drawn anew at every step, batches of 32"}
PARTS = {"bare": (None, False), "hidden": (256, False), "norm": (None, True), "both": (256, True)}  # of a plain one


def recipes():
    """The recipes of this notebook."""
    for latent in SCENE_LATENTS:
        yield Recipe(
            name=f"autoencoder-scenes-{latent}", build=partial(Autoencoder, latent, **PRESETS["tiny"]),
            **SCENE_TRAINING, steps=SCENE_STEPS,
            sizes={"gpu": {"build": partial(Autoencoder, latent, **PRESETS["large"]), "steps": 20_000,
                           "batches": any_length(scene_batches, 128),
                           "data": "tiny scenes, drawn anew at every step, batches of 128"}},
        )

    for latent in EMOJI_LATENTS:
        yield Recipe(
            name=f"autoencoder-emoji-{latent}", build=partial(Autoencoder, latent, **PRESETS["small"]),
            batches=any_length(emoji_batches), loss=reconstruction_loss, evaluate=error_on_emoji, steps=4000,
            data="emoji of the training families, half of them mirrored, batches of 32",
            sizes={"gpu": {"build": partial(Autoencoder, latent, **PRESETS["large"]), "steps": 8000}},
        )

    for name, parts in PARTS.items():
        yield Recipe(name=f"autoencoder-plain-{name}", build=partial(PlainAutoencoder, 8, *parts), **SCENE_TRAINING,
                     steps=2000, sizes={"gpu": {"steps": 8000}})

    yield Recipe(
        name="autoencoder-mnist-30", build=partial(Autoencoder, 30, channels=1, **PRESETS["medium"]),
        batches=any_length(mnist_batches, 128), loss=reconstruction_loss, evaluate=error_on_mnist, steps=6000,
        data="MNIST, 60,000 training pictures padded to 32x32, batches of 128",
        sizes={"gpu": {"build": partial(Autoencoder, 30, channels=1, **PRESETS["large"]), "steps": 20_000}},
    )
