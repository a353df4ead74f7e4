"""The weights of notebook 13:

    prompted-scenes    draws scenes of one object and of two from what is typed, in English and Korean
    prompted-emoji     draws emoji from their names, in English and Korean
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ...diffusion.forward import Schedule
from ...diffusion.targets import logit_normal_times
from ...models.clip import TextTower
from ...models.glide import GLIDE, prompt_loss
from ...models.unet import start_at_zero
from ...training.checkpoints import load
from ...training.recipes import Recipe, any_length
from . import experiments as own
from .batches import PROMPT_SHARES, READER, prompt_batches, prompt_tokenizer
from .named_emoji.batches import NAMED_BATCH, name_tokenizer, named_batches
from .named_emoji.experiments import NAMED_NETWORK, judge_names

UNCONDITIONAL = "diffusion-scenes"  # notebook 12's network, which learns to read
READING_STEPS, NAMING_STEPS = 4000, 8000
UNCLEAR = (2.0, 200.0)  # noise / signal where a picture says little of itself and words decide
UNCLEAR_SHARE = 0.3  # of the times lie there
READING_RATE = 7e-4  # lower than the usual rate: notebook 12's network should not forget how to draw


def times_to_read(schedule: Schedule, x0: Tensor) -> Tensor:
    r"""t (B,): logit-normal, as in notebook 12, but for a share even in log(noise / signal) over UNCLEAR.

    Logit-normal times are hardly ever near T, where a sampler settles background and place.
    """
    usual, (low, high) = logit_normal_times(schedule, x0), UNCLEAR
    ratio = low * (high / low) ** torch.rand(len(x0), device=x0.device)
    ratios = (schedule.noise / schedule.signal).to(x0)                         # rising, infinite at T
    heavy = torch.searchsorted(ratios, ratio.to(x0)).clamp(max=schedule.last)
    return torch.where(torch.rand(len(x0), device=x0.device) < UNCLEAR_SHARE, heavy, usual)


def start_from_clip(tower: TextTower) -> None:
    r"""Gives a tower that is one block deeper the weights of notebook 11's; the new block passes everything on.

    The tower's first tokens are CLIP's. Letters that CLIP has not are noise.
    """
    state = load(READER)[0].text.state_dict()
    known, new = state["embed.weight"], tower.embed.weight[len(state["embed.weight"]):]
    state["embed.weight"] = torch.cat([known, new * known.std() / new.std()])
    tower.load_state_dict(state, strict=False)
    for layer in (tower.blocks[-1].attention.out, tower.blocks[-1].narrow):
        start_at_zero(layer)


def deeper_tower() -> dict:
    r"""Sizes of a tower that is one block deeper than CLIP's."""
    sizes = load(READER)[0].config["text"]
    return sizes | {"depth": sizes["depth"] + 1}


def taught_to_read(make_words=prompt_tokenizer) -> GLIDE:
    r"""Notebook 12's network, and notebook 11's text tower for it to read with.

    At first it draws what it drew, whatever the prompt. The tower knows words from pictures, and stays as it is; a new
    block on it learns what CLIP's captions lacked.
    make_words: () -> the tokenizer, whose first tokens are CLIP's
    """
    model = GLIDE(make_words().vocabulary, deeper_tower())
    start_from_clip(model.text)
    model.text.requires_grad_(False)
    model.text.blocks[-1].requires_grad_(True)
    start_at_zero(model.unet.vector)
    model.unet.load_state_dict(load(UNCONDITIONAL)[0].state_dict(), strict=False)
    return model


def recipes():
    """The recipes of this notebook."""
    loss = partial(prompt_loss, schedule=own.SCHEDULE, target=own.TARGET, times=times_to_read)
    yield Recipe(
        name=own.PROMPTED_NETWORK, build=taught_to_read, steps=READING_STEPS, lr=READING_RATE, ema=0.999,
        evaluate=own.judge_prompts, loss=loss,
        batches=any_length(prompt_batches),
        data=f"tiny scenes, drawn anew at every step, in each process {PROMPT_SHARES['one']} of one object and "
             f"{PROMPT_SHARES['two']} of two; captions in English and Korean, with rare words, 15 % left "
             f"out; begins with the weights of {UNCONDITIONAL} and the text tower of {READER}")
    yield Recipe(
        name=NAMED_NETWORK, build=partial(taught_to_read, name_tokenizer), steps=NAMING_STEPS, ema=0.999,
        evaluate=judge_names,
        loss=loss,
        batches=any_length(named_batches),
        data=f"emoji of seven kinds by Noto, Twemoji, Fluent that no split holds out, batches of {NAMED_BATCH}; names "
             f"in English and Korean, 60 % with the artist, 15 % left out; begins with the weights of {UNCONDITIONAL} "
             f"and the text tower of {READER}",
        sizes={"smoke": {"batches": any_length(named_batches, 6), "evaluate": partial(judge_names, n=6)}})
