"""Scenes as codes, with what might be said of them: what notebook 16's transformer learns from."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ...data import scenes
from ...data.scenes import LANGUAGES, UNSAID
from ...data.text import Tokenizer, source_batch
from ...models.vqvae import VQVAE
from ...training.checkpoints import load
from ..clip.batches import in_languages, scene_pairs
from ..stable_diffusion.batches import picture_batches
from ..text_conditioned_diffusion.batches import READER

TOLD = {"one": 26, "two": 6}  # of a batch: scenes of one object, and of two
WHOLE = 0.8  # of the captions of one object name all of its factors
RARE_WORDS = 0.1  # of the words: any that the reader of captions knows


def reading_words() -> Tokenizer:
    """That of notebook 11's CLIP, which knows captions in both languages and the names of emoji."""
    return Tokenizer(load(READER)[0].config["vocabulary"])


def told_pairs(n: int, generator: torch.Generator) -> tuple[Tensor, list[str]]:
    """n scenes of two objects and captions in both languages; half of these leave the background out."""
    pairs = scenes.sample_pairs(n, generator)
    said = pairs.clone()
    said[:, 5] = torch.where(torch.rand(n, generator=generator) < 0.5, UNSAID, said[:, 5])
    write = partial(scenes.write_pair_captions, rare=RARE_WORDS)
    return scenes.draw_pairs(pairs, generator), in_languages(write, said, generator, LANGUAGES)


def cooling_batches(steps: int):
    """step -> {"images": scenes (B, 3, 32, 32), "progress": the share of the steps that is done}."""
    pictures = picture_batches()
    return lambda step: {"images": pictures(step), "progress": torch.tensor(step / steps)}


def code_batches(make_first_stage: Callable[[], VQVAE], one: int = TOLD["one"], two: int = TOLD["two"]):
    """step -> {"codes": (B, side, side) of new scenes, "texts": ids (B, T) of CLIP's words}.

    make_first_stage   () -> what makes codes of the pictures; it is called once, and learns nothing here
    one, two           scenes of one object, and of two
    """
    first_stage, words = make_first_stage().eval().requires_grad_(False), reading_words()

    def batches(step):
        generator = torch.default_generator
        single = scene_pairs(one, generator, whole=WHOLE, rare=RARE_WORDS)
        pictures, texts = [single.images], list(single.texts)
        if two:
            pair, others = told_pairs(two, generator)
            pictures, texts = [*pictures, pair], texts + others
        with torch.no_grad():
            codes = first_stage.encode(torch.cat(pictures))
        return {"codes": codes, "texts": source_batch(words, texts)}

    return batches
