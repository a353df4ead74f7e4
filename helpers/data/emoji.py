"""The emoji that ship: up to 3,788 pictures by each of four artists, and three ways to hold some of them out.

data/emoji/README.md says where they come from, under which licences, and how the splits were drawn.
"""

import csv
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .. import DATA

HANDS = ("noto", "twemoji", "openmoji", "fluent")
HELD_OUT_BY = ("family", "hand", "tone")
SHEETS = {(hand, 32): hand for hand in HANDS} | {("fluent", 64): "fluent-64"}  # (hand, side): file


class EmojiSet(NamedTuple):
    """Emoji and what is known of them; the fields run in the same order: hand by hand, each in Unicode's order.

    A family is an emoji with its variants of skin tone, hair and gender.
    """

    images: Tensor  # (N, 3, side, side)
    names_en: list[str]
    names_ko: list[str]
    categories: list[str]  # nine: "Animals & Nature", "Flags", ...
    families: list[str]
    hand: list[str]  # of HANDS


def load_emoji(split: str = "train", hands: Sequence[str] = ("noto",), by: str | Sequence[str] = "family",
               side: int = 32, dtype: torch.dtype = torch.float32) -> EmojiSet:
    """The emoji of `split`, "train", "test" or "all", by the artists in `hands`: 3,462, 326 or 3,788 of Noto's.

    by     what "test" holds and "train" lacks: "family", whole families; "hand", families in one hand that are seen in
           others; "tone", a skin tone of a family whose other tones are seen. With several, "train" lacks all of them.
           What is too near a picture of the other split is in neither.
    side   32 pixels, or 64, which "fluent" alone has
    dtype  float32 in [-1, 1], or torch.uint8 in 0 to 255: a quarter of the memory, for all hands 44 MB in place of 176
    Raises ValueError where an argument is none of these.
    """
    by = (by,) if isinstance(by, str) else tuple(by)
    _check("split", [split], ("train", "test", "all"))
    _check("hand", hands, HANDS)
    _check("kind of split", by, HELD_OUT_BY)
    _check("hand and side", [(hand, side) for hand in hands], SHEETS)
    _check("dtype", [dtype], (torch.float32, torch.uint8))
    rows = emoji_table()
    kept = {hand: [i for i, row in enumerate(rows) if _belongs(row, HANDS.index(hand), split, by)] for hand in hands}
    images = torch.empty(sum(map(len, kept.values())), 3, side, side, dtype=dtype)
    start = 0
    for hand, places in kept.items():  # one sheet at a time
        images[start : start + len(places)] = to_range(_cells(SHEETS[hand, side], side)[places], dtype)
        start += len(places)
    columns = ([rows[i][name] for places in kept.values() for i in places]
               for name in ("name_en", "name_ko", "category", "family"))
    return EmojiSet(images, *columns, [hand for hand, places in kept.items() for _ in places])


def emoji_table() -> list[dict[str, str]]:
    """A row an emoji, in Unicode's order: "emoji", "name_en", "name_ko", "category", "family", and how it is split."""
    with open(DATA / "emoji" / "emoji.tsv", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def drawn_by_all(split: str = "test") -> dict[str, Tensor]:
    """{hand: images} of the same emoji in the same order: those of `split`, by family, that all hands have drawn."""
    emoji = {hand: load_emoji(split, [hand]) for hand in HANDS}
    common = set.intersection(*(set(of_hand.names_en) for of_hand in emoji.values()))
    return {hand: of_hand.images[[i for i, name in enumerate(of_hand.names_en) if name in common]]
            for hand, of_hand in emoji.items()}


def to_range(images: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 in 0..255 -> float32 in [-1, 1]; with torch.uint8 as it is."""
    return images if dtype == torch.uint8 else images.to(dtype).div_(127.5).sub_(1)


def _belongs(row: dict[str, str], hand: int, split: str, by: tuple[str, ...]) -> bool:
    """Whether a row's picture by a hand is in the split. s: seen, h: held out, x: in neither, -: not drawn."""
    letters = {row[f"by_{kind}"][hand] for kind in by}
    if split == "all":
        return letters != {"-"}
    return letters == {"s"} if split == "train" else "h" in letters and "x" not in letters


def _cells(name: str, side: int) -> Tensor:
    """The places of a sheet, row by row: (N, 3, side, side) uint8."""
    with Image.open(DATA / "emoji" / f"{name}.webp") as page:
        sheet = torch.from_numpy(np.array(page.convert("RGB")))
    return sheet.unfold(0, side, side).unfold(1, side, side).flatten(0, 1)


def _check(what: str, values: Sequence, known: Sequence) -> None:
    for value in values:
        if value not in known:
            raise ValueError(f"{what} {value!r} is not one of {', '.join(map(repr, known))}")
