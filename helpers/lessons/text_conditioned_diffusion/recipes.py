"""The weights of notebook 13:

    prompted-scenes    draws scenes of one object and of two from what is typed, in English and Korean
"""

from __future__ import annotations

from functools import partial

from ...diffusion.targets import logit_normal_times
from ...models.glide import GLIDE, prompt_loss
from ...models.unet import start_at_zero
from ...training.checkpoints import load
from ...training.recipes import Recipe, any_length
from . import experiments as own
from .batches import SHARES, prompt_batches, tokenizer

UNCONDITIONAL = "diffusion-scenes"  # notebook 12's network, which learns to read
TRAINING_STEPS = 5200
HEAVIER = partial(logit_normal_times, mean=0.5)  # where the picture does not yet show what the prompt says


def taught_to_read() -> GLIDE:
    r"""Notebook 12's network with words to read: at first it draws what it drew, whatever the prompt."""
    model = GLIDE(tokenizer().vocabulary)
    model.unet.load_state_dict(load(UNCONDITIONAL)[0].state_dict(), strict=False)
    start_at_zero(model.unet.vector)
    return model


def recipes():
    """The recipes of this notebook."""
    yield Recipe(
        name=own.NETWORK, build=taught_to_read, steps=TRAINING_STEPS, lr=1e-3, ema=0.999, evaluate=own.judge_prompts,
        loss=partial(prompt_loss, schedule=own.SCHEDULE, target=own.TARGET, times=HEAVIER),
        batches=any_length(prompt_batches),
        data=f"tiny scenes, drawn anew at every step, in each process {SHARES['one']} of one object and "
             f"{SHARES['two']} of two; captions in English and Korean, with rare words, 15 % left out; begins with the "
             f"weights of {UNCONDITIONAL}")
