"""Scenes without words, which the first stage learns from; and latents of scenes with prompts, which diffusion does."""

from __future__ import annotations

from collections.abc import Callable

import torch

from ...data import scenes
from ...data.text import Tokenizer
from ...models.kl_autoencoder import KLAutoencoder
from ..text_conditioned_diffusion.batches import LEFT_OUT, PROMPT_SHARES, prompt_batches

UNPROMPTED = {"one": 11, "two": 5}  # of a batch for the first stage: scenes of one object, and of two


def picture_batches(one: int = UNPROMPTED["one"], two: int = UNPROMPTED["two"]):
    """step -> scenes (B, 3, 32, 32) of one object and of two, drawn anew at every step."""

    def batches(step):
        generator = torch.default_generator
        return torch.cat([scenes.draw(scenes.sample_factors(one, generator), generator),
                          scenes.draw_pairs(scenes.sample_pairs(two, generator), generator)])

    return batches


def latent_batches(make_first_stage: Callable[[], KLAutoencoder], one: int = PROMPT_SHARES["one"],
                   two: int = PROMPT_SHARES["two"], left_out: float = LEFT_OUT, words: Tokenizer | None = None):
    """step -> {"images": latents (B, C, S, S), drawn from q(z|x) of new scenes, "texts": ids (B, T)}.

    make_first_stage   () -> what makes latents of the pictures; it is called once, and learns nothing here
    The other arguments are those of notebook 13's `prompt_batches`.
    """
    first_stage = make_first_stage().eval().requires_grad_(False)
    prompted = prompt_batches(one, two, left_out, words)

    def batches(step):
        batch = prompted(step)
        return batch | {"images": first_stage.encode(batch["images"])}

    return batches
