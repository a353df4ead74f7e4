"""What notebook 04 measures: the grid of toy classifiers, and pictures whose pixels were moved to other places."""

from __future__ import annotations

import torch

from ...data import scenes, two_classes
from ...data.batches import NEW_SCENES_SEED
from ...metrics.pictures import mse, reconstruct, scene_accuracy
from ...models.mlp import Grid

SPIRAL_NETS = {"depths": (1, 2, 4, 8), "widths": (2, 4, 8, 16, 32), "activations": ("none", "relu", "tanh"),
               "copies": 5}
SPIRALS_SEED, NEW_SPIRALS_SEED = 0, 1  # of the points to train on, and of those that figures are measured on


@torch.no_grad()
def accuracies(grid: Grid, n: int = 2000) -> dict[str, torch.Tensor]:
    """{"relu-2-32": the share of n new points that each copy puts in their class (R,), ...}."""
    x, labels = two_classes.spirals(n, NEW_SPIRALS_SEED)
    return {name: (logits.argmax(2) == labels).float().mean(1) for name, logits in grid(x).items()}


def mean_accuracies(grid: Grid) -> dict[str, float]:
    return {name: right.mean().item() for name, right in accuracies(grid).items()}


def shuffle_pixels(x, back: bool = False):
    """Pictures (B, C, S, S) with their pixels moved to other places, in all pictures the same; `back` undoes it."""
    order = torch.randperm(x.shape[2] * x.shape[3], generator=torch.Generator().manual_seed(0))
    order = order.argsort() if back else order
    return x.flatten(2)[..., order].view_as(x)


def error_on_shuffled(model, n: int = 2000) -> dict[str, float]:
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    y = shuffle_pixels(reconstruct(model, shuffle_pixels(x)), back=True)
    return {"mse": mse(x, y).mean().item(), "all_six": scene_accuracy(y, factors)["all_six"]}
