r"""What notebook 04 measures: toy classifiers, and autoencoders of dense and of convolutional layers."""

from __future__ import annotations

import torch

from ...data import scenes, two_classes
from ...data.batches import NEW_SCENES_SEED, scene_batches
from ...metrics.pictures import mse, reconstruct, scene_accuracy
from ...models.mlp import Grid

DEPTHS, WIDTHS, ACTIVATIONS, COPIES = (1, 2, 4, 8), (2, 4, 8, 16, 32), ("none", "relu", "tanh"), 5
TRAIN_SEED, TEST_SEED = 0, 1  # of the spirals' points

SCENE_LATENT, EMOJI_LATENT = 8, 32
SHAPES = {  # of the MLP; each has a million parameters
    "deep": {"hidden": (160, 128)}, "deep-norm": {"hidden": (160, 128), "normalise": True},
    "shallow": {"hidden": (160,)}, "shallow-norm": {"hidden": (160,), "normalise": True},
}
BEST_SHAPE = {"scenes": "deep", "emoji": "shallow-norm"}  # of four trained at SHAPE_RATE
CONV = {"width": 32, "bottom": 24, "hidden": 128}  # a sixth of that

# What was tried, for TUNING_STEPS steps each, and for the best of it three seeds (data/trials.json).
SHAPE_RATE, TUNING_STEPS, SEEDS = 2e-3, 2000, (0, 1, 2)
LEARNING_RATES = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
BEST_RATE = {"mlp-scenes-dense": 4e-3, "mlp-scenes-conv": 8e-3, "mlp-emoji-dense": 4e-3, "mlp-emoji-conv": 2e-3,
             "mlp-shuffled-conv": 2e-3}
BEST_RATE["mlp-shuffled-dense"] = BEST_RATE["mlp-scenes-dense"]  # a dense layer takes pixels in any order alike
TOY_RATES = (3e-3, 1e-2, 3e-2)


def points(batch: int = 400):
    r"""The same points at every step."""
    x, labels = two_classes.spirals(batch, TRAIN_SEED)
    return lambda step: (x, labels)


@torch.no_grad()
def accuracies(grid: Grid, n: int = 2000) -> dict[str, torch.Tensor]:
    r"""{"relu-2-32": the share of n test points that each copy puts in their class (R,), ...}."""
    x, labels = two_classes.spirals(n, TEST_SEED)
    return {name: (logits.argmax(2) == labels).float().mean(1) for name, logits in grid(x).items()}


def evaluate_grid(grid: Grid) -> dict[str, float]:
    return {name: right.mean().item() for name, right in accuracies(grid).items()}


def shuffle_pixels(x, back: bool = False):
    r"""Pictures (B, C, S, S) with their pixels moved to other places, in all pictures the same; `back` undoes it."""
    order = torch.randperm(x.shape[2] * x.shape[3], generator=torch.Generator().manual_seed(0))
    order = order.argsort() if back else order
    return x.flatten(2)[..., order].view_as(x)


def shuffled_scenes(batch: int = 32):
    draw = scene_batches(batch)
    return lambda step: shuffle_pixels(draw(step))


def evaluate_shuffled(model, n: int = 2000) -> dict[str, float]:
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    y = shuffle_pixels(reconstruct(model, shuffle_pixels(x)), back=True)
    return {"mse": mse(x, y).mean().item(), "all_six": scene_accuracy(y, factors)["all_six"]}
