"""Pictures with their texts: scenes of one object and of two, and emoji; and which text of a batch fits which picture.

A caption is in English or Korean, in any word order, and whole or in part: in part it leaves each factor out with
p = 0.5. So one caption may fit many pictures of a batch, and that is known exactly: `fits`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data import scenes
from ...data.emoji import HELD_OUT_BY, EmojiSet, load_emoji, to_range
from ...data.scenes import LANGUAGES, UNSAID
from ...data.text import Tokenizer, source_batch
from ..start_here.experiments import TAUGHT

VOCABULARY = 2000  # tokens
SHARES = {"scenes": 112, "two": 16, "emoji": 112}  # of a batch of the course's CLIP
FRAMES = {"en": ("{}", "{}", "{} emoji", "an emoji of {}"), "ko": ("{}", "{}", "{} 이모지", "{} 그림")}


class Captioned(NamedTuple):
    """Pictures (B, 3, S, S), their texts, and which text (column) fits which picture (row): (B, B) bool."""

    images: Tensor
    texts: list[str]
    positives: Tensor


def fits(factors: Tensor, said: Tensor) -> Tensor:
    """Whether each picture of factors (B, F) is as a caption says that says (M, F), UNSAID where nothing -> (B, M)."""
    return ((said[None] == UNSAID) | (said[None] == factors[:, None])).all(2)


def near_factors(n: int, generator: torch.Generator, group: int) -> Tensor:
    """Rows of factors (n, 6) of the training split, `group` at a time alike: each shares about half with the first."""
    rows = scenes.sample_factors(n, generator)
    first = rows[::group].repeat_interleave(group, 0)[:n]
    near = torch.where(torch.rand(rows.shape, generator=generator) < 0.5, first, rows)
    taught = (near[:, None, :2] == scenes.drawing.pairings("train")).all(2).any(1)
    near[:, :2] = torch.where(taught[:, None], near[:, :2], rows[:, :2])
    return near


def scene_pairs(n: int, generator: torch.Generator, languages: Sequence[str] = LANGUAGES, whole: float = 0.5,
                group: int = 1, rare: float = 0.0) -> Captioned:
    """Scenes of one object.

    whole: the share of captions that name all factors; group: as of `near_factors`; rare: of `write_captions`
    """
    factors = near_factors(n, generator, group)
    in_part = torch.rand(n, 1, generator=generator) >= whole
    said = torch.where(in_part, scenes.drop_factors(factors, generator), factors)
    write = partial(scenes.write_captions, rare=rare)
    return Captioned(scenes.draw(factors, generator), in_languages(write, said, generator, languages),
                     fits(factors, said))


def two_object_pairs(n: int, generator: torch.Generator, languages: Sequence[str] = LANGUAGES) -> Captioned:
    """Scenes of two objects; half of the captions leave the background out."""
    factors = scenes.sample_pairs(n, generator)
    said = scenes.canonical(factors)
    said[:, 5] = torch.where(torch.rand(n, generator=generator) < 0.5, UNSAID, said[:, 5])
    told = torch.cat([factors[:, :5], said[:, 5:]], 1)
    return Captioned(scenes.draw_pairs(factors, generator),
                 in_languages(scenes.write_pair_captions, told, generator, languages),
                 fits(scenes.canonical(factors), said))


def in_languages(write, rows: Tensor, generator: torch.Generator, languages: Sequence[str]) -> list[str]:
    """write(rows, generator, language) for rows in turn in each of the languages."""
    texts = [""] * len(rows)
    for place, language in enumerate(languages):
        texts[place :: len(languages)] = write(rows[place :: len(languages)], generator, language)
    return texts


@cache
def taught_emoji() -> EmojiSet:
    """The emoji that CLIP learns from: three hands, without what any of the three splits holds out; as bytes."""
    return load_emoji("train", TAUGHT, HELD_OUT_BY, dtype=torch.uint8)


def emoji_pairs(n: int, generator: torch.Generator, languages: Sequence[str] = LANGUAGES) -> Captioned:
    """Emoji, moved and turned a little, half of them mirrored, and their names, some of them in a phrase.

    One emoji may come in two hands: then each of the two texts fits both pictures.
    """
    emoji = taught_emoji()
    chosen = torch.randint(len(emoji.names_en), (n,), generator=generator).tolist()
    names = {"en": emoji.names_en, "ko": emoji.names_ko}
    phrase = torch.randint(len(FRAMES["en"]), (n,), generator=generator).tolist()
    spoken = [languages[place % len(languages)] for place in range(n)]
    texts = [FRAMES[language][kind].format(names[language][i])
             for language, kind, i in zip(spoken, phrase, chosen, strict=True)]
    own = [emoji.names_en[i] for i in chosen]
    same = torch.tensor([[a == b for b in own] for a in own])
    return Captioned(warped(to_range(emoji.images[chosen]), generator), texts, same)


def warped(x: Tensor, generator: torch.Generator, turn: float = 0.15, move: float = 0.12, zoom: float = 0.15) -> Tensor:
    """Pictures on white, each turned (radians), moved (half sides) and scaled by at most so much, half mirrored."""
    u = 2 * torch.rand(5, len(x), generator=generator) - 1
    angle, scale = turn * u[0], 1 + zoom * u[1]
    along, across, mirror = scale * angle.cos(), scale * angle.sin(), u[4].sign()
    rows = [mirror * along, -across, move * u[2], mirror * across, along, move * u[3]]
    grid = F.affine_grid(torch.stack(rows, 1).view(-1, 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x - 1, grid, align_corners=False) + 1


def joined(parts: Sequence[Captioned]) -> Captioned:
    """Several series as one: no text of one fits a picture of another."""
    return Captioned(torch.cat([part.images for part in parts]), [text for part in parts for text in part.texts],
                 torch.block_diag(*(part.positives for part in parts)).bool())


@cache
def tokenizer() -> Tokenizer:
    """Learned from captions of scenes and the names of the emoji that are taught, in both languages."""
    generator = torch.Generator().manual_seed(0)
    texts = scene_pairs(8000, generator).texts + two_object_pairs(2000, generator).texts
    emoji = taught_emoji()
    frames = [frame.format("") for frames in FRAMES.values() for frame in frames for _ in range(100)]
    return Tokenizer.learn(texts + frames + emoji.names_en + emoji.names_ko, VOCABULARY)


def pair_batches(shares: dict[str, int], languages: Sequence[str] = LANGUAGES, diagonal: bool = False, **options):
    """step -> {"images", "texts", "positives"}, made anew at every step.

    shares    how many of each kind: "scenes", "two", "emoji"
    diagonal  no "positives": each other text counts as wrong, though it may fit
    options   of `scene_pairs`
    """
    makers = {"scenes": lambda *a: scene_pairs(*a, **options), "two": two_object_pairs, "emoji": emoji_pairs}
    words = tokenizer()

    def batches(step):
        pairs = joined([makers[kind](n, torch.default_generator, languages) for kind, n in shares.items() if n])
        batch = {"images": pairs.images, "texts": source_batch(words, pairs.texts)}
        return batch if diagonal else batch | {"positives": pairs.positives}

    return batches
