r"""What notebook 13 measures: is what was drawn what was asked for?

n pictures · said (n, 6) what a caption says, UNSAID where it says nothing
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...data import scenes
from ...data.scenes import LANGUAGES
from ...data.text import source_batch
from ...diffusion.guidance import guided
from ..clip.batches import tokenizer
from ..diffusion.experiments import clipped, denoiser, draw

SCALE, STEPS = 2.0, 20


def from_texts(model, texts: list[str], scale: float = SCALE, steps: int = STEPS, seed: int = 0, at_once: int = 60,
               **options) -> Tensor:
    r"""One picture for each text (n, 3, S, S), each from noise of its own; `options` of `draw`."""
    words, drawn = tokenizer(), []
    for start in range(0, len(texts), at_once):
        part = texts[start:start + at_once]
        with torch.no_grad():
            cond, uncond = (model.read(source_batch(words, text)) for text in (part, [""] * len(part)))
        denoise = clipped(guided(denoiser(model, clip=False), cond, uncond, scale))
        drawn.append(draw(denoise, len(part), steps, seed=seed + start, at_once=at_once, **options))
    return torch.cat(drawn)


def one_object(model, split: str = "train", language: str = "en", n: int = 300, scale: float = SCALE, seed: int = 1,
               **options) -> dict[str, float]:
    r"""Of n captions that name all six factors: the shares valid, all six right, both; and right for each factor."""
    chance = torch.Generator().manual_seed(seed)
    asked = scenes.sample_factors(n, chance, split)
    parsed = scenes.parse(from_texts(model, scenes.write_captions(asked, chance, language), scale, **options))
    return shares(parsed, asked, scenes.FACTORS)


def two_objects(model, split: str = "train", language: str = "en", n: int = 300, scale: float = SCALE, seed: int = 2,
                **options) -> dict[str, float]:
    r"""The same of two objects: shape and colour of both, their relation, and the background."""
    chance = torch.Generator().manual_seed(seed)
    asked = scenes.sample_pairs(n, chance, split)
    pictures = from_texts(model, scenes.write_pair_captions(asked, chance, language), scale, **options)
    return shares(scenes.parse_pairs(pictures), scenes.canonical(asked), scenes.PAIR_FACTORS)


def shares(parsed: scenes.Parsed, asked: Tensor, names) -> dict[str, float]:
    right = parsed.factors == asked                                            # (n, factors)
    every = right.all(1)
    found = parsed.shares() | {"all": every, "both": every & parsed.valid}
    found |= dict(zip(names, right.unbind(1), strict=True))
    return {name: value if isinstance(value, float) else value.float().mean().item() for name, value in found.items()}


def evaluate(model) -> dict[str, float]:
    found = {}
    for language in LANGUAGES:
        for kind, measure in (("one", one_object), ("two", two_objects)):
            found |= {f"{kind}.{language}.{name}": value for name, value in measure(model, language=language).items()}
    return found | {f"held_out.{name}": value for name, value in one_object(model, "held_out").items()}
