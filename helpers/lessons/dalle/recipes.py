r"""The weights of notebook 16:

    vqvae-scenes         pictures <-> 8 x 8 codes of 512: scenes of one object and of two
    vqvae-scenes-tuned   the same codes; its decoder has learned on, with some codes a little wrong
    dalle-scenes         writes these codes from what is typed, in English and Korean
    codebook-...         small trials of how a codebook lives or dies: random, restart, k-means, fsq, gumbel
"""

from __future__ import annotations

from functools import partial

import torch

from ...models.dalle import DALLE, dalle_loss
from ...models.vqvae import VQVAE, cooling_loss, decoding_loss, vqvae_loss
from ...training.checkpoints import load
from ...training.recipes import Recipe, any_length
from ..stable_diffusion.batches import picture_batches
from ..stable_diffusion.recipes import LEARNED_FROM
from ..text_conditioned_diffusion.batches import READER
from . import experiments as own
from .batches import TOLD, code_batches, cooling_batches

CODE_STEPS, CODE_TUNING_STEPS, WRITING_STEPS = 4000, 8000, 7000
CODEBOOK = {"codes": 512, "dim": 16}
WRITER_SIZES = {"width": 128, "depth": 6, "heads": 4}
TRIAL_STEPS, TRIAL_SIZES = 1000, {"looks": 32, "widths": (32, 64)}
# A codebook that begins at random and is left alone, three cures, and the way of DALL-E's own first stage.
TRIALS = {"random": ("vq", {"codes": 256, "dim": 16, "start": "random", "restart": False}),
          "restart": ("vq", {"codes": 256, "dim": 16, "start": "random", "restart": True}),
          "k-means": ("vq", {"codes": 256, "dim": 16, "start": "k-means", "restart": False}),
          "fsq": ("fsq", {"levels": [8, 8, 4]}),
          "gumbel": ("gumbel", {"codes": 256, "dim": 16})}
START_STD = 0.02  # of the embeddings of words, as of all others


def untrained_codes() -> VQVAE:
    return VQVAE(quantizer=CODEBOOK)


def untrained_trial(trial: str) -> VQVAE:
    kind, sizes = TRIALS[trial]
    return VQVAE(kind, sizes, **TRIAL_SIZES)


def shipped_codes() -> VQVAE:
    return load(own.CODE_STAGE)[0]


def codes_to_tune() -> VQVAE:
    r"""The shipped one, of which only the decoder learns on."""
    model = shipped_codes()
    model.encoder.requires_grad_(False)
    return model


def beginning_to_write(sizes: dict | None = None) -> DALLE:
    r"""A transformer whose words begin where notebook 11's CLIP left them, turned at random: words that mean the same,
    in either language, begin near to one another. Everything else is new."""
    clip = load(READER)[0]
    model = DALLE(clip.config["vocabulary"], CODEBOOK["codes"], **(sizes or WRITER_SIZES))
    known = clip.text.embed.weight.detach()                                    # (V, 64)
    turn = torch.linalg.qr(torch.randn(model.embed.embedding_dim, known.shape[1]))[0]
    with torch.no_grad():
        turned = known @ turn.T
        model.embed.weight[:len(known)] = turned * (START_STD / turned.std())
    return model


def codebook_trial(trial: str) -> Recipe:
    cools = TRIALS[trial][0] == "gumbel"
    return Recipe(
        name=f"codebook-{trial}", build=partial(untrained_trial, trial), steps=TRIAL_STEPS, ema=0.99,
        batches=cooling_batches if cools else any_length(picture_batches), loss=cooling_loss if cools else vqvae_loss,
        evaluate=own.judge_codes, data=LEARNED_FROM, sizes={"smoke": {"evaluate": partial(own.judge_codes, n=8)}})


def recipes():
    """The recipes of this notebook."""
    yield Recipe(
        name=own.CODE_STAGE, build=untrained_codes, batches=any_length(picture_batches), loss=vqvae_loss,
        evaluate=own.judge_codes, steps=CODE_STEPS, ema=0.995, data=LEARNED_FROM,
        sizes={"smoke": {"evaluate": partial(own.judge_codes, n=8)}})
    yield Recipe(
        name=own.TUNED_CODES, build=codes_to_tune, batches=any_length(picture_batches), loss=decoding_loss,
        evaluate=own.judge_codes, steps=CODE_TUNING_STEPS, lr=1e-3, ema=0.998,
        data=f"{LEARNED_FROM}; as codes of {own.CODE_STAGE}, 10 % of them exchanged for a near one",
        sizes={"smoke": {"evaluate": partial(own.judge_codes, n=8), "build": untrained_codes}})
    yield Recipe(
        name=own.WRITER, build=beginning_to_write, loss=dalle_loss, steps=WRITING_STEPS, ema=0.999,
        batches=any_length(code_batches, shipped_codes), evaluate=own.judge_writing,
        data=f"codes of {own.CODE_STAGE}, of tiny scenes drawn anew at every step, in each process {TOLD['one']} of "
             f"one object and {TOLD['two']} of two; captions in English and Korean, with rare words; the embeddings of "
             f"words begin as those of {READER}",
        sizes={"smoke": {"batches": any_length(code_batches, untrained_codes, 3, 1),
                         "evaluate": partial(own.judge_writing, make_first_stage=untrained_codes, n=2)}})
    for trial in TRIALS:
        yield codebook_trial(trial)
