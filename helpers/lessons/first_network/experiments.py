"""What notebook 00b trains on and measures: which shape a network names."""

from __future__ import annotations

import torch

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED, in_batches

SHAPE = scenes.FACTORS.index("shape")  # the column of a row of factors that a network is asked for


def shape_batches(batch: int = 64):
    """step -> (scenes (batch, 3, 32, 32), the number of each one's shape (batch,)), drawn anew at every step."""

    def batches(step):
        factors = scenes.sample_factors(batch, torch.default_generator)
        return scenes.draw(factors, torch.default_generator), factors[:, SHAPE]

    return batches


def share_of_shapes(model, split: str = "train", n: int = 2000) -> float:
    """The share of n scenes that no network was trained on whose shape a network names."""
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED, split)
    return (in_batches(model, x).argmax(1) == factors[:, SHAPE]).float().mean().item()


def shapes_named(model) -> dict[str, float]:
    """{"new": the share named in new scenes, "held_out": the same in pairings of shape and colour never trained on}."""
    return {"new": share_of_shapes(model), "held_out": share_of_shapes(model, "held_out")}
