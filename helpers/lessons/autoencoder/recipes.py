r"""The weights of notebook 02: the sweep of the latent size on scenes and on emoji, its ablation, and MNIST."""

from __future__ import annotations

from functools import partial

from ...data import scenes, sets
from ...data.batches import NEW_SCENES_SEED, emoji_batches, mnist_batches, padded_mnist, scene_batches
from ...metrics.pictures import mse, reconstruct, scene_accuracy, squared_error
from ...models.autoencoder import PRESETS, Autoencoder, PlainAutoencoder, reconstruction_loss
from ...training.recipes import Recipe, any_length

SCENE_LATENTS = (1, 2, 3, 4, 6, 8, 12, 32, 128)
EMOJI_LATENTS = (1, 2, 4, 8, 16, 32, 128)


def evaluate_scenes(model, n: int = 2000) -> dict[str, float]:
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    y = reconstruct(model, x)
    return {"mse": mse(x, y).mean().item(), "all_six": scene_accuracy(y, factors)["all_six"]}


def evaluate_emoji(model) -> dict[str, float]:
    x = sets.load_emoji("test").images
    return {"mse": mse(x, reconstruct(model, x)).mean().item()}


def evaluate_mnist(model) -> dict[str, float]:
    x = padded_mnist("test")
    return {"squared_error": squared_error(x, reconstruct(model, x)).mean().item()}


STEPS = 18_000  # a small network trained long: at d = 32 less error than four times the parameters and 5,000 steps
SMALL = PRESETS["small"]
ON_SCENES = {"batches": any_length(scene_batches), "loss": reconstruction_loss, "evaluate": evaluate_scenes,
             "data": "tiny scenes, drawn anew at every step, batches of 32"}


def recipes():
    r"""The recipes of this notebook."""
    for latent in SCENE_LATENTS:
        yield Recipe(
            name=f"autoencoder-scenes-{latent}", build=partial(Autoencoder, latent, **PRESETS["tiny"]), **ON_SCENES, steps=STEPS,
            sizes={"gpu": {"build": partial(Autoencoder, latent, **PRESETS["large"]), "steps": 20_000,
                           "batches": any_length(scene_batches, 128),
                           "data": "tiny scenes, drawn anew at every step, batches of 128"}},
        )

    for latent in EMOJI_LATENTS:
        yield Recipe(
            name=f"autoencoder-emoji-{latent}", build=partial(Autoencoder, latent, **SMALL),
            batches=any_length(emoji_batches), loss=reconstruction_loss, evaluate=evaluate_emoji, steps=4000,
            data="emoji of the training families, half of them mirrored, batches of 32",
            sizes={"gpu": {"build": partial(Autoencoder, latent, **PRESETS["large"]), "steps": 8000}},
        )

    for name, hidden, normalise in (("bare", None, False), ("hidden", 256, False), ("norm", None, True),
                                    ("both", 256, True)):
        yield Recipe(name=f"autoencoder-plain-{name}", build=partial(PlainAutoencoder, 8, hidden, normalise),
                        **ON_SCENES, steps=2000, sizes={"gpu": {"steps": 8000}})

    yield Recipe(
        name="autoencoder-mnist-30", build=partial(Autoencoder, 30, channels=1, **PRESETS["medium"]),
        batches=any_length(mnist_batches, 128), loss=reconstruction_loss, evaluate=evaluate_mnist, steps=6000,
        data="MNIST, 60,000 training pictures padded to 32x32, batches of 128",
        sizes={"gpu": {"build": partial(Autoencoder, 30, channels=1, **PRESETS["large"]), "steps": 20_000}},
    )
