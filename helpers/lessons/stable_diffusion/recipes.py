r"""The weights of notebook 14:

    first-stage-scenes        pictures <-> latents of 4 x 8 x 8 numbers (f = 4): scenes of one object and of two
    first-stage-scenes-f2     latents of 2 x 16 x 16, and
    first-stage-scenes-f8     of 16 x 4 x 4 numbers
    first-stage-scenes-tuned  the first again; its decoder has learned on, from latents with a little noise
    reader-scenes             says what captions say, of one object and of two: a text tower for others to read with
    latent-diffusion-scenes   draws latents of the first from what is typed, which the tower of reader-scenes reads

Not shipped:

    latent-diffusion-scenes-clip  the same on CLIP's text tower as it was; figures in data/trials.json
"""

from __future__ import annotations

from functools import partial

from ...data.text import Tokenizer
from ...models.glide import GLIDE, prompt_loss
from ...models.kl_autoencoder import PRESETS, KLAutoencoder, decoder_loss, first_stage_loss
from ...models.reading import SceneReader, reading_loss
from ...training.checkpoints import load
from ...training.recipes import Recipe, any_length
from ..text_conditioned_diffusion.batches import PROMPT_SHARES, READER, prompt_tokenizer
from ..text_conditioned_diffusion.recipes import deeper_tower, start_from_clip
from . import experiments as own
from .batches import UNPROMPTED, latent_batches, picture_batches
from .facts import FACTS, SCENE_READER, judge_reading, reading_batches

FIRST_STAGE_STEPS, DECODER_STEPS, READER_STEPS, LATENT_STEPS = 3000, 10_000, 6000, 12_000
LEARNED_FROM = (f"tiny scenes, drawn anew at every step, in each process {UNPROMPTED['one']} of one object and "
        f"{UNPROMPTED['two']} of two")
CLIP_ALONE = "latent-diffusion-scenes-clip"  # for comparison
DENOISER = {"channels": 4, "size": 8, "widths": [64, 96], "reads": 2}


def untrained_first_stage(size: str = "f4") -> KLAutoencoder:
    return KLAutoencoder(**PRESETS[size])


def shipped_first_stage() -> KLAutoencoder:
    return load(own.FIRST_STAGE)[0]


def first_stage_to_tune() -> KLAutoencoder:
    r"""The shipped one for f = 4, of which only the decoder learns on: what was trained on its latents stays right."""
    model = shipped_first_stage()
    model.encoder.requires_grad_(False)
    return model


def reader_to_teach() -> SceneReader:
    r"""Notebook 11's text tower, a block deeper, which is to learn what captions say of scenes."""
    model = SceneReader(prompt_tokenizer().vocabulary, FACTS, deeper_tower())
    start_from_clip(model.text)
    return model


def reading_as_taught(reader: str = SCENE_READER, **unet) -> GLIDE:
    r"""A GLIDE whose texts are read by a tower that knows how, and learns no more: Stable Diffusion's way to read.

    Its network is new, of these sizes of a `UNet`. reader: the name of the weights whose text tower it takes
    """
    taught = load(reader)[0]
    model = GLIDE(taught.config["vocabulary"], taught.config["text"], unet)
    model.text.load_state_dict(taught.text.state_dict())
    model.text.requires_grad_(False)
    return model


def first_stage(name: str, size: str) -> Recipe:
    return Recipe(
        name=name, build=partial(untrained_first_stage, size), batches=any_length(picture_batches),
        loss=first_stage_loss, evaluate=own.judge_first_stage, steps=FIRST_STAGE_STEPS, ema=0.995,
        data=LEARNED_FROM, sizes={"smoke": {"evaluate": partial(own.judge_first_stage, n=8)}})


def clip_tokenizer() -> Tokenizer:
    return Tokenizer(load(READER)[0].config["vocabulary"])


def latent_network(name: str, reader: str, make_words) -> Recipe:
    r"""The denoiser of latents, on the text tower of `reader`. make_words: () -> the tokenizer of that tower"""
    def batches(first_stage, one, two):
        return lambda steps: latent_batches(first_stage, one, two, words=make_words())

    return Recipe(
        name=name, build=partial(reading_as_taught, reader, **DENOISER), steps=LATENT_STEPS, ema=0.999,
        loss=partial(prompt_loss, schedule=own.SCHEDULE, target=own.LATENT_TARGET),
        batches=batches(shipped_first_stage, *PROMPT_SHARES.values()), evaluate=own.judge_latents,
        data=f"latents of {own.FIRST_STAGE}, of tiny scenes drawn anew at every step, in each process "
             f"{PROMPT_SHARES['one']} of one object and {PROMPT_SHARES['two']} of two; captions in English and Korean, "
             f"with rare words, 15 % left out, are read by the text tower of {reader}, which does not learn",
        sizes={"smoke": {"batches": batches(untrained_first_stage, 6, 2),
                         "evaluate": partial(own.judge_latents, make_first_stage=untrained_first_stage, n=2)}})


def recipes():
    """The recipes of this notebook."""
    yield first_stage(own.FIRST_STAGE, "f4")
    for size in ("f2", "f8"):
        yield first_stage(f"{own.FIRST_STAGE}-{size}", size)
    yield Recipe(
        name=own.TUNED_STAGE, build=first_stage_to_tune, batches=any_length(picture_batches), loss=decoder_loss,
        evaluate=own.judge_first_stage, steps=DECODER_STEPS, lr=1e-3, ema=0.999,
        data=f"{LEARNED_FROM}; as latents of {own.FIRST_STAGE}, with noise",
        sizes={"smoke": {"evaluate": partial(own.judge_first_stage, n=8)}})
    yield Recipe(
        name=SCENE_READER, build=reader_to_teach, steps=READER_STEPS, ema=0.998, batches=any_length(reading_batches),
        loss=reading_loss, evaluate=judge_reading,
        data=f"captions of scenes of one object and of two, in English and Korean, as people might type them, made "
             f"anew at every step, 64 of each; begins with the text tower of {READER}")
    yield latent_network(own.LATENT_NETWORK, SCENE_READER, prompt_tokenizer)
    yield latent_network(CLIP_ALONE, READER, clip_tokenizer)
