"""Pictures with their texts, of which some are left out: what a denoiser that reads is trained on."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from ...data.scenes import LANGUAGES
from ...data.text import source_batch
from ..clip.batches import emoji_pairs, scene_pairs, tokenizer, two_object_pairs

DROPPED = 0.15  # share of the texts that are left out: Ho & Salimans 2022 find 0.1 and 0.2 about equally good


def prompted_batches(shares: dict[str, int], languages: Sequence[str] = LANGUAGES, whole: float = 0.7):
    """step -> {"images", "texts"}, made anew at every step.

    shares  how many of each kind: "scenes", "two" (objects), "emoji"
    whole   share of the captions of one object that name all six factors
    """
    makers = {"scenes": lambda *a: scene_pairs(*a, whole=whole), "two": two_object_pairs, "emoji": emoji_pairs}
    words = tokenizer()

    def batches(step):
        chance = torch.default_generator
        pairs = [makers[kind](n, chance, languages) for kind, n in shares.items() if n]
        texts = [text for part in pairs for text in part.texts]
        left_out = (torch.rand(len(texts), generator=chance) < DROPPED).tolist()
        texts = ["" if out else text for text, out in zip(texts, left_out, strict=True)]
        return {"images": torch.cat([part.images for part in pairs]), "texts": source_batch(words, texts)}

    return batches
