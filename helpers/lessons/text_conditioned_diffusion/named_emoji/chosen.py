r"""Which emoji are drawn from their names, and what a picture of one should show: its kind, colour, artist, skin tone.

Seven groups of Unicode, 585 of the 3,788 names; flags, people and things are left out: a network of two million weights
that learns for an hour or two cannot hold them all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from ....data.emoji import HELD_OUT_BY, EmojiSet, emoji_table, load_emoji
from ...start_here.experiments import TAUGHT

GROUPS = {  # kind: its first and its last emoji, in Unicode's order
    "face": ("grinning face", "angry face with horns"),
    "heart": ("heart with arrow", "white heart"),
    "gesture": ("waving hand", "folded hands dark skin tone"),
    "animal": ("monkey face", "microbe"),
    "plant": ("bouquet", "mushroom"),
    "fruit": ("grapes", "pea pod"),
    "shape": ("red circle", "small blue diamond"),
}
EMOJI_COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "white")  # not grey:
# its one emoji is held out, so no judge could learn it
TONES = ("none", "light", "medium-light", "medium", "medium-dark", "dark")
TRAITS = {"kind": tuple(GROUPS), "colour": EMOJI_COLOURS, "hand": TAUGHT, "tone": TONES}
NOT_SAID = -1  # of a trait that a name does not have


@cache
def kinds_of_names() -> dict[str, str]:
    r"""{English name: kind} of the chosen emoji; those of two skin tones are left out."""
    names = [row["name_en"] for row in emoji_table()]
    return {name: kind for kind, (first, last) in GROUPS.items()
            for name in names[names.index(first) : names.index(last) + 1] if len(tones_in(name)) < 2}


def tones_in(name: str) -> list[str]:
    r"""The skin tones that an English name says: ["medium-light"]."""
    return re.findall(r"([a-z-]+) skin tone", name)


def without_tone(name: str) -> str:
    r"""An English name without its skin tone."""
    return re.sub(r" [a-z-]+ skin tone$", "", name)


def part_of(emoji: EmojiSet, places: Sequence[int]) -> EmojiSet:
    r"""The emoji at these places of a set."""
    kept = list(places)
    return EmojiSet(emoji.images[kept], *([column[i] for i in kept] for column in emoji[1:]))


def choose(emoji: EmojiSet) -> EmojiSet:
    r"""Those of a set that this section draws."""
    return part_of(emoji, [i for i, name in enumerate(emoji.names_en) if name in kinds_of_names()])


@cache
def drawn_emoji() -> EmojiSet:
    r"""What the network learns: the chosen emoji by three artists, without what the three splits hold out; bytes."""
    return choose(load_emoji("train", TAUGHT, HELD_OUT_BY, dtype=torch.uint8))


def held_emoji(by: str) -> EmojiSet:
    r"""The chosen emoji that a split of `load_emoji` holds out: "family", "hand" or "tone"; bytes."""
    return choose(load_emoji("test", TAUGHT, by, dtype=torch.uint8))


def joined_sets(*sets: EmojiSet) -> EmojiSet:
    r"""The emoji of several sets, one set after the other."""
    columns = ([value for part in sets for value in part[i]] for i in range(1, len(EmojiSet._fields)))
    return EmojiSet(torch.cat([part.images for part in sets]), *columns)


def trait_labels(emoji: EmojiSet) -> dict[str, Tensor]:
    r"""{trait: for each emoji the place of its value in `TRAITS`, NOT_SAID where it has none}: (N,) each.

    A colour is the last that the name says. A tone is that of gestures; "none" is the yellow of those without.
    """
    kinds, found = kinds_of_names(), {trait: [] for trait in TRAITS}
    for name, hand in zip(emoji.names_en, emoji.hand, strict=True):
        colours = [word for word in re.split("[ -]", name) if word in EMOJI_COLOURS]
        values = {"kind": kinds[name], "colour": colours[-1] if colours else None, "hand": hand,
                  "tone": (tones_in(name) or ["none"])[0] if kinds[name] == "gesture" else None}
        for trait, value in values.items():
            found[trait].append(NOT_SAID if value is None else TRAITS[trait].index(value))
    return {trait: torch.tensor(labels) for trait, labels in found.items()}
