"""The data of the course in fixed ranges: the emoji that ship, and the public sets that are downloaded.

Images are float32 in [-1, 1], (N, C, H, W); -1 is black.
"""

import csv
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from helpers import DATA

EMOJI_SIDE = 32


class EmojiSet(NamedTuple):
    """Emoji and what is known of them; the five fields run in the same order, Unicode's.

    A family is an emoji with its variants of skin tone, hair and gender; no family is in both splits.
    """

    images: Tensor  # (N, 3, 32, 32)
    names_en: list[str]
    names_ko: list[str]
    categories: list[str]  # nine: "Animals & Nature", "Flags", ...
    families: list[str]


def load_emoji(split: str = "train") -> EmojiSet:
    """The emoji of `split`: "train" (3,462 pictures), "test" (326, whole families held out) or "all"."""
    _check_split(split, ("train", "test", "all"))
    with open(DATA / "emoji" / "emoji.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    with Image.open(DATA / "emoji" / "emoji.webp") as page:
        sheet = torch.from_numpy(np.array(page.convert("RGB")))
    cells = sheet.unfold(0, EMOJI_SIDE, EMOJI_SIDE).unfold(1, EMOJI_SIDE, EMOJI_SIDE)
    keep = [i for i, row in enumerate(rows) if split in ("all", row["split"])]
    images = _to_range(cells.flatten(0, 1)[keep])
    columns = ([rows[i][name] for i in keep] for name in ("name_en", "name_ko", "category", "family"))
    return EmojiSet(images, *columns)


def _check_split(split: str, known: tuple[str, ...]) -> None:
    if split not in known:
        raise ValueError(f"split {split!r} is not one of {', '.join(map(repr, known))}")


def _to_range(bytes_: Tensor) -> Tensor:
    """uint8 in 0..255 -> float32 in [-1, 1]."""
    return bytes_.to(torch.float32).div_(127.5).sub_(1)
