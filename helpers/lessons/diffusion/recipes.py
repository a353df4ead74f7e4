"""The weights of notebook 12:

    diffusion-scenes    draws scenes; told nothing but the noise level

and trainings whose figures are in data/trials.json, without weights: a smaller network, briefly trained,

    denoiser-eps, denoiser-x0, ...    for each row of `TARGETS`
    denoiser-uniform, denoiser-heavy  edm, on other times than the logit-normal ones
    denoiser-untold                   x0, from a network that is not told the time
"""

from __future__ import annotations

from functools import partial

import torch

from ...data.batches import scene_batches
from ...diffusion.targets import TARGETS, diffusion_loss, logit_normal_times, uniform_times
from ...models.unet import UNet
from ...training.loop import seed_at
from ...training.recipes import Recipe, any_length
from . import experiments as own

BATCH, TRAINING_STEPS, PROCESSES = 64, 10_000, 2
BRIEF_BATCH, BRIEFLY = 32, 400
BRIEF_SIZE = {"widths": (16, 24, 48), "reads": 1}
HEAVY = partial(logit_normal_times, mean=1.0)


def trial(name: str, target: str, times=logit_normal_times, told: bool = True) -> Recipe:
    r"""A brief training of a small network, for its errors at some noise levels."""
    loss = partial(diffusion_loss, schedule=own.SCHEDULE, target=target, times=times)
    return Recipe(name=f"denoiser-{name}", build=partial(UNet, **BRIEF_SIZE), steps=BRIEFLY,
                  loss=loss if told else partial(untold_loss, loss), evaluate=partial(own.errors, target, told=told),
                  batches=any_length(scene_batches, BRIEF_BATCH), ema=0.99,
                  data=f"tiny scenes, drawn anew at every step, batches of {BRIEF_BATCH}")


def untold_loss(loss, model, x0):
    r"""A loss of a network that always hears t = 0."""
    return loss(own.untold(model), x0)


def last_pictures(n: int = 5000) -> torch.Tensor:
    r"""The pictures that `diffusion-scenes` saw last in its training, at least n of them: (N, 3, 32, 32)."""
    make, end, found = scene_batches(BATCH), PROCESSES * TRAINING_STEPS, []
    with torch.random.fork_rng([]):
        for index in range(end - -(-n // BATCH), end):
            torch.manual_seed(seed_at(0, index))
            found.append(make(index))
    return torch.cat(found)


def recipes():
    """The recipes of this notebook."""
    yield Recipe(
        name="diffusion-scenes", build=UNet, steps=TRAINING_STEPS, ema=0.999, evaluate=own.judge_drawings,
        loss=partial(diffusion_loss, schedule=own.SCHEDULE, target="edm", times=logit_normal_times),
        batches=any_length(scene_batches, BATCH),
        data=f"tiny scenes, drawn anew at every step, batches of {BATCH} in each process")

    for target in TARGETS:
        yield trial(target, target)
    yield trial("uniform", "edm", uniform_times)
    yield trial("heavy", "edm", HEAVY)
    yield trial("untold", "x0", told=False)
