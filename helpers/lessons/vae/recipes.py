r"""The weights of notebook 08: the VAEs of scenes and of emoji; those of MNIST are in `mnist`.

    vae-scenes-32-beta-10     a code of 32 numbers; beta = 10 once the KL is warmed up
    vae-scenes-2-beta-10      a code of 2 numbers, to walk in
    vae-scenes-32-free-bits   the last beta, but half a nat of each number is free
    vae-scenes-32-cold        no warm-up; its figures are in data/trials.json, its weights are not shipped
    vae-emoji                 emoji, a code of 32 numbers
"""

from __future__ import annotations

from functools import partial

import torch

from ...data.batches import BATCH, emoji_batches, scene_batches
from ...models.vae import PRESETS, VAE, elbo_loss, warmed_up
from ...training.recipes import Recipe
from . import mnist
from .experiments import (
    BETAS,
    CHOSEN,
    FREE,
    KL_WARMUP,
    LATENT,
    MEAN_BETA,
    S,
    beta_name,
    evaluate_emoji,
    evaluate_scenes,
)

STEPS = 18_000
EMOJI_STEPS = 6000
LARGER = {"width": 32, "bottom": 32, "hidden": 176}  # for emoji, whose details are many


def with_beta(pictures, beta: float, warmup: float = KL_WARMUP):
    r"""steps -> step -> (pictures, the weight of the KL at that step). pictures: () -> step -> (B, C, S, S)."""

    def make(steps):
        draw = pictures()
        return lambda step: (draw(step), torch.tensor(warmed_up(step, round(warmup * steps), beta)))

    return make


def weighted_loss(model, batch, free: float = 0.0):
    r"""`elbo_loss` of (pictures, beta)."""
    x, beta = batch
    return elbo_loss(model, x, beta, free)


ON_SCENES = {"loss": weighted_loss, "evaluate": evaluate_scenes, "steps": STEPS,
             "data": f"tiny scenes, drawn anew at every step, batches of {BATCH}"}
GPU = {"steps": 4 * STEPS}


def on_scenes(name: str, latent: int, beta: float, warmup: float = KL_WARMUP, **changes) -> Recipe:
    r"""A VAE of scenes in the size of the sweep; `changes` are fields of the Recipe."""
    settings = ON_SCENES | changes
    return Recipe(name=name, build=partial(VAE, latent, s=S, **PRESETS["tiny"]), 
                  batches=with_beta(scene_batches, beta, warmup), **settings, sizes={"gpu": GPU})


def recipes():
    r"""The recipes of this notebook."""
    for beta in BETAS:
        yield on_scenes(beta_name(beta), LATENT, beta)

    yield on_scenes("vae-scenes-2-beta-10", 2, CHOSEN)

    # Against the collapse: half a nat free for each number. And, at the chosen beta, no warm-up.
    yield on_scenes(f"vae-scenes-{LATENT}-free-bits", LATENT, MEAN_BETA, loss=partial(weighted_loss, free=FREE))
    yield on_scenes(f"vae-scenes-{LATENT}-cold", LATENT, CHOSEN, warmup=0.0)

    yield Recipe(
        name="vae-emoji", build=partial(VAE, LATENT, s=S, **LARGER), batches=with_beta(emoji_batches, 1),
        loss=weighted_loss, evaluate=evaluate_emoji, steps=EMOJI_STEPS,
        data="emoji of the training families, half of them mirrored, batches of 32",
        sizes={"gpu": {"steps": 16_000, "build": partial(VAE, LATENT, s=S, **PRESETS["large"])}},
    )
    yield from mnist.recipes()
