"""The weights of notebook 17:

    unclip-prior          guesses CLIP's embedding of a scene from its caption
    unclip-decoder        draws latents of a scene from that embedding, a caption, or both
    upsampler-scenes      draws scenes at 64 x 64 that it sees at 32 x 32
    inpainting-latents    notebook 14's network, which also sees what is known of a picture, and the mask
"""

from __future__ import annotations

from functools import partial

import torch

from ...data import scenes
from ...data.batches import in_batches
from ...models.glide import GLIDE, prompt_loss, with_channels
from ...models.unclip import Prior, UnCLIP, prior_loss, unclip_loss
from ...models.upsampler import upsampling_loss, upsampling_unet
from ...systems.dalle2 import PRIOR_SCHEDULE
from ...training.checkpoints import load
from ...training.recipes import Recipe, any_length
from ..stable_diffusion.experiments import FIRST_STAGE, LATENT_NETWORK, LATENT_TARGET, SCHEDULE
from ..text_conditioned_diffusion.batches import READER
from . import experiments as own
from . import upsampling
from .batches import (
    DECODER_SHARES,
    PRIOR_SHARES,
    UPSAMPLER_SHARES,
    decoder_batches,
    embedded_batches,
    enlarging_batches,
    filling_batches,
    shipped_clip,
)

PRIOR_STEPS, UNCLIP_STEPS, UPSAMPLER_STEPS, FILLER_STEPS = 4000, 3000, 3000, 3000
GENTLE_RATE = 7e-4  # lower than the usual rate: notebook 14's network should not forget how to draw
MEASURED = 2000  # scenes of each kind that the prior's scale is computed from


def untrained_prior() -> Prior:
    """A prior that fits the shipped CLIP, its scale measured."""
    clip = shipped_clip()
    model = Prior(clip.config["embedding"], clip.text.width)
    pictures = torch.cat([make(MEASURED, own.KNOWN_SEED)[0] for make in (scenes.make_scenes, scenes.make_pairs)])
    model.measure(in_batches(clip.encode_image, pictures))
    return model


def decoder_to_teach() -> UnCLIP:
    """Notebook 14's network, which is now told CLIP's embedding, too. What reads its texts learns no more."""
    taught, clip = load(LATENT_NETWORK)[0], shipped_clip()
    model = UnCLIP(**taught.config, embedding=clip.config["embedding"])
    model.load_state_dict(taught.state_dict(), strict=False)
    model.text.requires_grad_(False)
    return model


def filler_to_teach() -> GLIDE:
    """Notebook 14's network with channels for a latent and a mask, which it does not read yet."""
    taught = load(LATENT_NETWORK)[0]
    model = with_channels(taught, taught.unet.config["channels"] + 1)
    model.text.requires_grad_(False)
    return model


def loss_in_latents(loss):
    """A loss of this notebook's denoisers of latents, on notebook 14's schedule and target."""
    return partial(loss, schedule=SCHEDULE, target=LATENT_TARGET)


def of_each_kind(shares: dict[str, int]) -> str:
    return f"in each process {shares['one']} of one object and {shares['two']} of two"


def recipes():
    """The recipes of this notebook."""
    yield Recipe(
        name=own.PRIOR, build=untrained_prior, batches=any_length(embedded_batches), steps=PRIOR_STEPS, ema=0.999,
        loss=partial(prior_loss, schedule=PRIOR_SCHEDULE), evaluate=own.judge_prior,
        data=f"what {READER} makes of tiny scenes drawn anew at every step, {of_each_kind(PRIOR_SHARES)}, and of their "
             "captions in English and Korean, 10 % left out",
        sizes={"smoke": {"batches": any_length(embedded_batches, 6, 2), "evaluate": partial(own.judge_prior, n=6)}})
    yield Recipe(
        name=own.DECODER, build=decoder_to_teach, batches=any_length(decoder_batches), steps=UNCLIP_STEPS,
        lr=GENTLE_RATE, ema=0.998, loss=loss_in_latents(unclip_loss), evaluate=own.judge_decoder,
        data=f"latents of {FIRST_STAGE}, of tiny scenes drawn anew at every step, {of_each_kind(DECODER_SHARES)}, with "
             f"their embeddings by {READER}, 10 % left out, and captions in English and Korean, 50 % left out; begins "
             f"with the weights of {LATENT_NETWORK}",
        sizes={"smoke": {"batches": any_length(decoder_batches, 6, 2), "evaluate": partial(own.judge_decoder, n=2)}})
    yield from of_pictures()


def of_pictures():
    """The recipes of what makes pictures larger, and of what fills them in."""
    yield Recipe(
        name=own.UPSAMPLER, build=upsampling_unet, batches=any_length(enlarging_batches), steps=UPSAMPLER_STEPS,
        ema=0.998, loss=partial(upsampling_loss, schedule=SCHEDULE, target=upsampling.UPSAMPLING_TARGET),
        evaluate=upsampling.judge_upsampler,
        data=f"tiny scenes drawn anew at every step at 32 x 32 and at 64 x 64, {of_each_kind(UPSAMPLER_SHARES)}, the small "
             "ones blurred and under noise",
        sizes={"smoke": {"batches": any_length(enlarging_batches, 1, 1),
                         "evaluate": partial(upsampling.judge_upsampler, n=2, steps=2)}})
    yield Recipe(
        name=own.FILLER, build=filler_to_teach, batches=any_length(filling_batches), steps=FILLER_STEPS,
        lr=GENTLE_RATE, ema=0.998, loss=loss_in_latents(prompt_loss), evaluate=upsampling.judge_filler,
        data=f"latents of {FIRST_STAGE}, of tiny scenes drawn anew at every step, {of_each_kind(DECODER_SHARES)}, with "
             "notebook 07's masks, 10 % of them whole; captions in English and Korean, 15 % left out; begins with the "
             f"weights of {LATENT_NETWORK}",
        sizes={"smoke": {"batches": any_length(filling_batches, 6, 2),
                         "evaluate": partial(upsampling.judge_filler, n=2)}})
