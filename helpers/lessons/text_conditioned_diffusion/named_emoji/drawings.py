"""Figures of notebook 13's emoji: what is drawn for a typed name, beside the real ones; and what was never seen."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor

from ....data.emoji import HELD_OUT_BY, EmojiSet, to_range
from ....show.raster import tile
from ....systems.text_to_image import TextToImage
from ...start_here.experiments import TAUGHT
from ..batches import language_of
from .batches import ARTISTS, by_artist
from .chosen import drawn_emoji, held_emoji, joined_sets, part_of
from .experiments import EMOJI_SCALE, NAME_STEPS, draw_emoji, evenly, relatives
from .judges import names_in_pixels

EACH = 2  # drawings of a name by an artist


@cache
def real_emoji() -> EmojiSet:
    r"""All pictures of the chosen names: first those that were learned, then those that were held out."""
    return joined_sets(drawn_emoji(), *map(held_emoji, HELD_OUT_BY))


def real_pictures(name: str) -> dict[str, tuple[Tensor, bool]]:
    r"""{hand: the real picture (3, 32, 32) of a name in either language, and whether it was learned}."""
    emoji, wanted = real_emoji(), name.casefold()
    places = [i for i, both in enumerate(zip(emoji.names_en, emoji.names_ko, strict=True))
              if wanted in (each.casefold() for each in both)]
    return {emoji.hand[i]: (to_range(emoji.images[i]), i < len(drawn_emoji().hand)) for i in places}


def words_drawn(system: TextToImage, words: list[str], scale: float = EMOJI_SCALE, steps: int = NAME_STEPS,
              seed: int = 0) -> list[Tensor]:
    r"""A drawing of each word by each artist: a row (n, 3, 32, 32) an artist, in the order of `TAUGHT`."""
    prompts = [by_artist(word, hand, language_of(word)) for hand in TAUGHT for word in words]
    return list(system.draw(prompts, scale, steps, seed).cpu().split(len(words)))


def emoji_face(system: TextToImage, text: str, scale: float, seed: int, steps: int) -> tuple[np.ndarray, str]:
    r"""Drawings of a typed name in each artist's manner, beside the real picture where there is one; and a line."""
    kept, note = system.known(text)
    prompts = [by_artist(kept, hand, language_of(kept)) if kept else "" for hand in TAUGHT for _ in range(EACH)]
    drawings = system.draw(prompts, scale, steps, seed).cpu().unflatten(0, (len(TAUGHT), EACH))
    real = real_pictures(kept)
    white = torch.ones(3, 32, 32)
    rows = [torch.cat([row, real.get(hand, (white, True))[0][None]] if real else [row])
            for hand, row in zip(TAUGHT, drawings, strict=True)]
    unseen = [f"{ARTISTS['en'][hand]}'s" for hand, (_, learned) in real.items() if not learned]
    notes = ["no emoji of ours has this name" * (kept != "" and not real),
             f"never seen: {', '.join(unseen)}" * bool(unseen), note]
    shown = tile(rows, rows[0].shape[0], scale=3, row_labels=[ARTISTS["en"][hand] for hand in TAUGHT],
                 column_labels=[*"AB", "real"] if real else [*"AB"])
    return shown, " · ".join(filter(None, notes))


def held_rows(system: TextToImage, by: str, n: int, seed: int = 0) -> tuple[list[Tensor], list[str]]:
    r"""Of n held-out pictures three rows (n, 3, 32, 32), and their prompts.

    The rows: the same emoji as it was seen, in another hand or another tone; what is drawn; the true picture.
    """
    emoji = held_emoji(by)
    emoji = evenly(part_of(emoji, [i for i, kin in enumerate(relatives(emoji, by)) if kin]), n)
    seen = to_range(drawn_emoji().images[[kin[0] for kin in relatives(emoji, by)]])
    prompts = [by_artist(name, hand) for name, hand in zip(emoji.names_en, emoji.hand, strict=True)]
    return [seen, draw_emoji(system, emoji, seed=seed), to_range(emoji.images)], prompts


def failures(system: TextToImage, n: int, shown: int = 6, scale: float = EMOJI_SCALE, seed: int = 0):
    r"""The drawings of n learned names that are farthest from their names: two rows (shown, 3, 32, 32), and prompts.

    The rows: what is drawn, the real picture. Farthest: by how many other names have a nearer real picture.
    """
    wanted = evenly(drawn_emoji(), n)
    pictures = draw_emoji(system, wanted, scale=scale, seed=seed)
    places = names_in_pixels(pictures, wanted.names_en).argsort(descending=True)[:shown].tolist()
    prompts = [by_artist(wanted.names_en[i], wanted.hand[i]) for i in places]
    return [pictures[places], to_range(wanted.images[places])], prompts
