"""What captions of scenes say, as facts: what the reader of notebook 14 learns from, and how well it reads."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...data.scenes import LANGUAGES, UNSAID
from ...data.text import source_batch
from ..clip.batches import in_languages
from ..text_conditioned_diffusion.batches import RARE, as_typed, captions_of_two, prompt_tokenizer, told_of_two

SCENE_READER = "reader-scenes"  # CLIP's text tower, after it learned what captions say
FACTS = [len(values) for values in [*scenes.VALUES.values(), *2 * tuple(scenes.PAIR_VALUES.values())]]


def facts_of(said: Tensor, two: bool) -> Tensor:
    """Factors or pair factors (n, 6) as captions say them -> facts (n, 18): those of one object, then those of two.

    UNSAID are those of the other kind. A pair's are told twice, in the order of the caption and `canonical`: the second
    is the same for all captions that mean the same. It is hard to learn alone: who stands left depends on the order of
    the words and on the word between. After 1,500 steps of one seed .12 of new captions were read with the second
    alone, .40 with both.
    """
    nothing = torch.full_like(said, UNSAID)
    return torch.cat([nothing, said, scenes.canonical(said)] if two else [said, nothing, nothing], 1)


def captions_to_read(one: int, two: int, generator: torch.Generator, split: str = "train") -> tuple[Tensor, list[str]]:
    """Facts (one + two, 18) and the texts that say them, of one object and of two, as people might type them."""
    factors = scenes.sample_factors(one, generator, split)
    whole = torch.rand(one, 1, generator=generator) < 0.5
    said = torch.where(whole, factors, scenes.drop_factors(factors, generator))
    texts = in_languages(partial(scenes.write_captions, rare=RARE), said, generator, LANGUAGES)
    _, pairs = told_of_two(two, generator, split)
    texts += captions_of_two(pairs, generator)
    facts = torch.cat([facts_of(said, False), facts_of(pairs, True)])
    return facts, [as_typed(text, generator) for text in texts]


def reading_batches(one: int = 64, two: int = 64):
    """step -> {"texts": ids (B, T), "said": facts (B, 18)}, made anew at every step."""
    words = prompt_tokenizer()

    def batches(step):
        facts, texts = captions_to_read(one, two, torch.default_generator)
        return {"texts": source_batch(words, texts), "said": facts}

    return batches


@torch.no_grad()
def judge_reading(model, n: int = 1000) -> dict[str, float]:
    """Shares of new captions of which every fact is read: of one object and of two, taught pairings and held-out."""
    generator, words, found = torch.Generator().manual_seed(NEW_SCENES_SEED), prompt_tokenizer(), {}
    for split in ("train", "held_out"):
        for kind, counts in (("one", (n, 0)), ("two", (0, n))):
            facts, texts = captions_to_read(*counts, generator, split)
            found[f"{kind}.{split}"] = (model.said(source_batch(words, texts)) == facts).all(1).float().mean().item()
    return found
