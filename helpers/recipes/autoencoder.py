r"""The weights of notebook 02: the sweep of the latent size on scenes and on emoji, its ablation, and MNIST."""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F

from .. import data, metrics, scenes
from ..models.autoencoder import PRESETS, Autoencoder, PlainAutoencoder, reconstruction_loss
from . import Recipe, register

SCENE_LATENTS = (1, 2, 3, 4, 6, 8, 12, 32, 128)
EMOJI_LATENTS = (1, 2, 4, 8, 16, 32, 128)
BATCH = 32
NEW_SCENES_SEED = 1_000_003  # of the scenes that figures are measured on; none of them was trained on


def new_scenes(batch: int = BATCH):
    r"""Scenes drawn anew at every step: none is seen twice, so none can be learned by heart."""

    def batches(step):
        return scenes.draw(scenes.sample_factors(batch, torch.default_generator), torch.default_generator)

    return batches


def emoji(batch: int = BATCH):
    r"""Training emoji, half of them mirrored."""
    images = data.load_emoji("train").images

    def batches(step):
        x = images[torch.randint(len(images), (batch,))]
        return torch.where(torch.rand(batch, 1, 1, 1) < 0.5, x.flip(3), x)

    return batches


def mnist(batch: int):
    images = padded_mnist("train")
    return lambda step: images[torch.randint(len(images), (batch,))]


def padded_mnist(split: str):
    r"""MNIST with a border of two background pixels, (N, 1, 32, 32): a side that can be halved three times."""
    return F.pad(data.mnist(split)[0], (2, 2, 2, 2), value=-1.0)


@torch.no_grad()
def reconstruct(model, x, batch: int = 200):
    r"""model(x) in batches, clamped to [-1, 1]."""
    device = next(model.parameters()).device
    return torch.cat([model(part.to(device)).clamp(-1, 1).cpu() for part in x.split(batch)])


def evaluate_scenes(model, n: int = 2000) -> dict[str, float]:
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    y = reconstruct(model, x)
    return {"mse": metrics.mse(x, y).mean().item(), "all_six": metrics.scene_accuracy(y, factors)["all_six"]}


def evaluate_emoji(model) -> dict[str, float]:
    x = data.load_emoji("test").images
    return {"mse": metrics.mse(x, reconstruct(model, x)).mean().item()}


def evaluate_mnist(model) -> dict[str, float]:
    x = padded_mnist("test")
    return {"squared_error": metrics.squared_error(x, reconstruct(model, x)).mean().item()}


SMALL = PRESETS["small"]
ON_SCENES = {"batches": new_scenes, "loss": reconstruction_loss, "evaluate": evaluate_scenes,
             "data": "tiny scenes, drawn anew at every step, batches of 32"}  # fmt: skip

for latent in SCENE_LATENTS:
    register(Recipe(
        name=f"autoencoder-scenes-{latent}", build=partial(Autoencoder, latent, **SMALL), **ON_SCENES, steps=5000,
        sizes={"gpu": {"build": partial(Autoencoder, latent, **PRESETS["large"]), "steps": 20_000,
                       "batches": partial(new_scenes, 128),
                       "data": "tiny scenes, drawn anew at every step, batches of 128"}},
    ))  # fmt: skip

for latent in EMOJI_LATENTS:
    register(Recipe(
        name=f"autoencoder-emoji-{latent}", build=partial(Autoencoder, latent, **SMALL), batches=emoji,
        loss=reconstruction_loss, evaluate=evaluate_emoji, steps=4000,
        data="emoji of the training families, half of them mirrored, batches of 32",
        sizes={"gpu": {"build": partial(Autoencoder, latent, **PRESETS["large"]), "steps": 8000}},
    ))  # fmt: skip

for name, hidden, normalise in (("bare", None, False), ("hidden", 256, False), ("norm", None, True),
                                ("both", 256, True)):  # fmt: skip
    register(Recipe(name=f"autoencoder-plain-{name}", build=partial(PlainAutoencoder, 8, hidden, normalise),
                    **ON_SCENES, steps=2000, sizes={"gpu": {"steps": 8000}}))  # fmt: skip

register(Recipe(
    name="autoencoder-mnist-30", build=partial(Autoencoder, 30, channels=1, **PRESETS["medium"]),
    batches=partial(mnist, 128), loss=reconstruction_loss, evaluate=evaluate_mnist, steps=6000,
    data="MNIST, 60,000 training pictures padded to 32x32, batches of 128",
    sizes={"gpu": {"build": partial(Autoencoder, 30, channels=1, **PRESETS["large"]), "steps": 20_000}},
))  # fmt: skip
