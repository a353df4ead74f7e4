r"""Emoji with what one may type to get them: a name in English or Korean, at times in a phrase, at times the artist."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from ....data.emoji import emoji_table, to_range
from ....data.scenes import LANGUAGES
from ....data.text import Tokenizer, source_batch
from ...clip.batches import FRAMES
from ..batches import LEFT_OUT, prompt_tokenizer
from .chosen import drawn_emoji, kinds_of_names, tones_in

ARTISTS = {"en": {"noto": "Noto", "twemoji": "Twemoji", "fluent": "Fluent"},
           "ko": {"noto": "노토", "twemoji": "트위모지", "fluent": "플루언트"}}
SIGNED = {"en": "{name} by {artist}", "ko": "{artist}가 그린 {name}"}
NAME_COLUMNS = ("name_en", "name_ko")
NAMED_BATCH = 48
SIGNATURES, PHRASES = 0.6, 0.25  # shares of the names: with the artist, in a phrase such as "an emoji of ..."
TONED = 0.4  # how often a picture of a skin tone is taken, of one without: each gesture comes in six


@cache
def name_tokenizer() -> Tokenizer:
    r"""`prompt_tokenizer`, and behind its tokens the letters that it lacks of the names that are drawn."""
    known = prompt_tokenizer().vocabulary
    names = [row[column] for row in emoji_table() if row["name_en"] in kinds_of_names() for column in NAME_COLUMNS]
    return Tokenizer([*known, *sorted({*"".join(names)} - {*known, " "})])


def by_artist(name: str, hand: str | None = None, language: str = "en") -> str:
    r"""A name, with the artist where one is asked for: "tiger by Noto", "노토가 그린 호랑이"."""
    return name if hand is None else SIGNED[language].format(name=name, artist=ARTISTS[language][hand])


def how_often(names: list[str]) -> Tensor:
    r"""The weight of each picture in the draw, given their English names."""
    return torch.tensor([TONED if tones_in(name) else 1.0 for name in names])


def named_batches(count: int = NAMED_BATCH, left_out: float = LEFT_OUT, words: Tokenizer | None = None):
    r"""step -> {"images": (B, 3, 32, 32), "texts": ids (B, T)}, half of the names Korean; some texts are empty.

    words: what makes ids of the texts; None: `name_tokenizer`. The pictures are as they were drawn: moved or
    mirrored, left would be right, and a small square a large one.
    """
    words = name_tokenizer() if words is None else words
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
