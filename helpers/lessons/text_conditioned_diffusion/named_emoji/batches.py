r"""Emoji with what one may type to get them: a name in English or Korean, at times in a phrase, at times the artist."""

from __future__ import annotations

import torch
from torch import Tensor

from ....data.emoji import to_range
from ....data.scenes import LANGUAGES
from ....data.text import Tokenizer, source_batch
from ...clip.batches import FRAMES
from ..batches import LEFT_OUT, prompt_tokenizer
from .chosen import drawn_emoji, tones_in

ARTISTS = {"en": {"noto": "Noto", "twemoji": "Twemoji", "fluent": "Fluent"},
           "ko": {"noto": "노토", "twemoji": "트위모지", "fluent": "플루언트"}}
SIGNED = {"en": "{name} by {artist}", "ko": "{artist}가 그린 {name}"}
NAMED_BATCH = 48
SIGNATURES, PHRASES = 0.6, 0.25  # shares of the names: with the artist, in a phrase such as "an emoji of ..."
TONED = 0.4  # how often a picture of a skin tone is taken, of one without: each gesture comes in six


def by_artist(name: str, hand: str | None = None, language: str = "en") -> str:
    r"""A name, with the artist where one is asked for: "tiger by Noto", "노토가 그린 호랑이"."""
    return name if hand is None else SIGNED[language].format(name=name, artist=ARTISTS[language][hand])


def how_often(names: list[str]) -> Tensor:
    r"""The weight of each picture in the draw, given their English names."""
    return torch.tensor([TONED if tones_in(name) else 1.0 for name in names])


def named_batches(count: int = NAMED_BATCH, left_out: float = LEFT_OUT, words: Tokenizer | None = None):
    r"""step -> {"images": (B, 3, 32, 32), "texts": ids (B, T)}, half of the names Korean; some texts are empty.

    words: what makes ids of the texts; None: `prompt_tokenizer`. The pictures are as they were drawn: moved or
    mirrored, left would be right, and a small square a large one.
    """
    words = prompt_tokenizer() if words is None else words
    emoji = drawn_emoji()
    names, weights = {"en": emoji.names_en, "ko": emoji.names_ko}, how_often(emoji.names_en)

    def text(place: int, i: int, chance: list[float]) -> str:
        if chance[0] < left_out:
            return ""
        language = LANGUAGES[place % len(LANGUAGES)]
        frames = FRAMES[language][2:]
        name = names[language][i]
        if chance[1] < PHRASES:
            name = frames[int(chance[1] / PHRASES * len(frames))].format(name)
        return by_artist(name, emoji.hand[i] if chance[2] < SIGNATURES else None, language)

    def batches(step):
        chosen = torch.multinomial(weights, count, replacement=True).tolist()
        chances = torch.rand(count, 3).tolist()
        texts = [text(place, i, chance) for place, (i, chance) in enumerate(zip(chosen, chances, strict=True))]
        return {"images": to_range(emoji.images[chosen]), "texts": source_batch(words, texts)}

    return batches
