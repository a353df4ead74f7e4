"""The weights of notebook 13:

    prompted-scenes    draws scenes of one object and of two from captions in English and Korean
"""

from __future__ import annotations

from functools import partial

from ...diffusion.forward import flow_schedule
from ...models.glide import GLIDE, prompt_loss
from ...training.recipes import Recipe, any_length
from ..clip.batches import tokenizer
from ..diffusion.recipes import HEAVY, SIZE
from .batches import DROPPED, prompted_batches
from .experiments import evaluate

SHARES = {"scenes": 44, "two": 20}
STEPS = 8000


def untrained(**sizes) -> GLIDE:
    return GLIDE(tokenizer().vocabulary, **sizes)


def recipes():
    """The recipes of this notebook."""
    yield Recipe(
        name="prompted-scenes", build=partial(untrained, unet=SIZE), steps=STEPS, optimizer="muon", ema=0.998,
        loss=partial(prompt_loss, schedule=flow_schedule(), times=HEAVY), batches=any_length(prompted_batches, SHARES),
        evaluate=evaluate,
        data=f"tiny scenes, {SHARES['scenes']} of one object and {SHARES['two']} of two in a batch, with captions in "
             f"English and Korean, in any word order, whole and in part; {DROPPED:.0%} of the captions left out")
