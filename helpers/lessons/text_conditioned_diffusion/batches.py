"""Scenes with what people might type to get them, or with nothing: what notebook 13's network learns from."""

from __future__ import annotations

from functools import cache

import torch

from ...data.text import Tokenizer, source_batch
from ..clip.batches import scene_pairs, two_object_pairs

VOCABULARY = 1000  # tokens
SHARES = {"one": 44, "two": 20}  # of a batch: scenes of one object, and of two
LEFT_OUT = 0.15  # of the captions, for guidance


@cache
def tokenizer() -> Tokenizer:
    """Learned from captions of scenes of one object and of two, in English and Korean."""
    generator = torch.Generator().manual_seed(0)
    return Tokenizer.learn(scene_pairs(8000, generator).texts + two_object_pairs(4000, generator).texts, VOCABULARY)


def prompt_batches(one: int = SHARES["one"], two: int = SHARES["two"], left_out: float = LEFT_OUT):
    """step -> {"images": (B, 3, 32, 32), "texts": ids (B, T)}, made anew at every step.

    Every other caption is Korean; half of those of one object leave factors out; `left_out` of all are empty.
    """
    words = tokenizer()

    def batches(step):
        generator = torch.default_generator
        parts = [scene_pairs(one, generator), two_object_pairs(two, generator)]
        texts = [text for part in parts for text in part.texts]
        kept = (torch.rand(len(texts), generator=generator) >= left_out).tolist()
        said = [text if keep else "" for text, keep in zip(texts, kept, strict=True)]
        return {"images": torch.cat([part.images for part in parts]), "texts": source_batch(words, said)}

    return batches
