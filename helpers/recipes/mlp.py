r"""The weights of notebook 04: a grid of toy classifiers, and autoencoders of dense and of convolutional layers.

The two kinds of autoencoder see the same pictures in the same order, for the same number of steps. Their learning
rates were chosen from the same list, LEARNING_RATES, in trainings of TUNING_STEPS steps (data/trials.json).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch

from .. import metrics, scenes, toys
from ..models.autoencoder import Autoencoder, reconstruction_loss
from ..models.mlp import Grid, MLPAutoencoder, classification_loss
from . import Recipe, find, register
from .autoencoder import NEW_SCENES_SEED, emoji, evaluate_emoji, evaluate_scenes, new_scenes, reconstruct

DEPTHS, WIDTHS, ACTIVATIONS, COPIES = (1, 2, 4, 8), (2, 4, 8, 16, 32), ("none", "relu", "tanh"), 5
TRAIN_SEED, TEST_SEED = 0, 1  # of the spirals' points

LEARNING_RATES = (5e-4, 1e-3, 2e-3, 4e-3, 8e-3)
TUNING_STEPS = 2000
SCENE_LATENT, EMOJI_LATENT = 8, 32
DENSE = {"hidden": (160, 128)}  # a million parameters
CONV = {"width": 32, "bottom": 24, "hidden": 128}  # a sixth of that


def points(batch: int = 400):
    r"""The same points at every step."""
    x, labels = toys.spirals(batch, TRAIN_SEED)
    return lambda step: (x, labels)


@torch.no_grad()
def accuracies(grid: Grid, n: int = 2000) -> dict[str, torch.Tensor]:
    r"""{"relu-2-32": the share of n test points that each copy puts in their class (R,), ...}."""
    x, labels = toys.spirals(n, TEST_SEED)
    return {name: (logits.argmax(2) == labels).float().mean(1) for name, logits in grid(x).items()}


def evaluate_grid(grid: Grid) -> dict[str, float]:
    return {name: right.mean().item() for name, right in accuracies(grid).items()}


def shuffle_pixels(x, back: bool = False):
    r"""Pictures (B, C, S, S) with their pixels moved to other places, in all pictures the same; `back` undoes it."""
    order = torch.randperm(x.shape[2] * x.shape[3], generator=torch.Generator().manual_seed(0))
    order = order.argsort() if back else order
    return x.flatten(2)[..., order].view_as(x)


def shuffled_scenes(batch: int = 32):
    draw = new_scenes(batch)
    return lambda step: shuffle_pixels(draw(step))


def evaluate_shuffled(model, n: int = 2000) -> dict[str, float]:
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    y = shuffle_pixels(reconstruct(model, shuffle_pixels(x)), back=True)
    return {"mse": metrics.mse(x, y).mean().item(), "all_six": metrics.scene_accuracy(y, factors)["all_six"]}


register(Recipe(
    name="mlp-spirals", build=partial(Grid, DEPTHS, WIDTHS, ACTIVATIONS, COPIES), batches=points,
    loss=classification_loss, evaluate=evaluate_grid, steps=2000, lr=1e-2,
    data="400 points of two spirals, all of them at every step",
))  # fmt: skip

ON_SCENES = {"loss": reconstruction_loss, "evaluate": evaluate_scenes, "batches": new_scenes, "steps": 5000,
             "data": "tiny scenes, drawn anew at every step, batches of 32"}  # fmt: skip
ON_EMOJI = {"loss": reconstruction_loss, "evaluate": evaluate_emoji, "batches": emoji, "steps": 4000,
            "data": "emoji of the training families, half of them mirrored, batches of 32"}  # fmt: skip
SHUFFLED = {"batches": shuffled_scenes, "evaluate": evaluate_shuffled,
            "data": "tiny scenes with their pixels in a fixed random order, drawn anew, batches of 32"}  # fmt: skip

for place, latent, settings in (("scenes", SCENE_LATENT, ON_SCENES), ("emoji", EMOJI_LATENT, ON_EMOJI)):
    register(Recipe(name=f"mlp-{place}-dense", build=partial(MLPAutoencoder, latent, **DENSE), **settings))
    register(Recipe(name=f"mlp-{place}-conv", build=partial(Autoencoder, latent, **CONV), **settings))
for kind in ("dense", "conv"):
    recipe = find(f"mlp-scenes-{kind}")
    register(replace(recipe, name=f"mlp-shuffled-{kind}", **SHUFFLED))
