"""The weights of notebook 12:

    diffusion-scenes    draws scenes; told nothing but the noise level
"""

from __future__ import annotations

from functools import partial

from ...data.batches import scene_batches
from ...diffusion.forward import flow_schedule
from ...diffusion.targets import diffusion_loss, flow_weight, logit_normal_times
from ...models.unet import UNet
from ...training.recipes import Recipe, any_length
from .experiments import evaluate

BATCH, STEPS = 64, 5500
SIZE = {"widths": (32, 96, 144)}
HEAVY = partial(logit_normal_times, mean=0.8)  # a scene is decided in heavy noise: such times are seen more often
TRAINED_WITH = {"target": "x0", "times": HEAVY, "weight": flow_weight}
ON_SCENES = {"loss": partial(diffusion_loss, schedule=flow_schedule(), **TRAINED_WITH), "evaluate": evaluate,
             "batches": any_length(scene_batches, BATCH), "optimizer": "muon", "ema": 0.998,
             "data": f"tiny scenes, drawn anew at every step, batches of {BATCH}"}


def recipes():
    """The recipes of this notebook."""
    yield Recipe(name="diffusion-scenes", build=partial(UNet, **SIZE), steps=STEPS, **ON_SCENES)
