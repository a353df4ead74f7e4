r"""The toy of notebook 16: a world of four codes, in which all that a transformer over codes can know is known.

A picture has 4 x 4 places. On the ground stands a tower; the text says how high it is, and nobody says where it stands.

    sky sky   sky sky        "a low tower": its roof is on the ground floor's wall
    sky sky   sky sky        "a high tower": it reaches the top
    sky roof  sky sky
    grass wall grass grass
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...data.text import MARK, SPECIALS, Tokenizer, source_batch
from ...models.dalle import DALLE

SKY, GRASS, WALL, ROOF = range(4)
CODES_OF_TOWERS = ("sky", "grass", "wall", "roof")
TOWER_SIDE = 4
HEIGHTS = {"low": 2, "high": 4}
TOWER_WORDS = [*SPECIALS, *(MARK + word for word in ("a", "low", "high", "tower"))]
PAINTS = torch.tensor([[0.75, 0.87, 1.0], [0.35, 0.62, 0.3], [0.62, 0.5, 0.42], [0.8, 0.25, 0.2]]) * 2 - 1
COLUMN_NATS = math.log(TOWER_SIDE)  # what nobody can guess of a picture: in which column its tower stands
KIND_NATS = math.log(len(HEIGHTS))  # and of a text, how high


def tower(height: int, column: int) -> Tensor:
    r"""The codes (4, 4) of a tower so many rows high in a column."""
    codes = torch.full((TOWER_SIDE, TOWER_SIDE), SKY)
    codes[-1] = GRASS
    codes[-height:, column] = WALL
    codes[-height, column] = ROOF
    return codes


def towers(n: int, generator: torch.Generator | None = None) -> tuple[Tensor, list[str]]:
    r"""Codes (n, 4, 4) of n towers, and their texts."""
    kinds = torch.randint(len(HEIGHTS), (n,), generator=generator).tolist()
    columns = torch.randint(TOWER_SIDE, (n,), generator=generator).tolist()
    names = list(HEIGHTS)
    codes = [tower(HEIGHTS[names[kind]], column) for kind, column in zip(kinds, columns, strict=True)]
    return torch.stack(codes), [f"a {names[kind]} tower" for kind in kinds]


def tower_writer(order: str = "down") -> DALLE:
    r"""An untrained transformer for them, of some 60,000 parameters. So small a one learns sooner by AdamW."""
    model = DALLE(TOWER_WORDS, len(CODES_OF_TOWERS), TOWER_SIDE, context=4, width=48, depth=2, heads=2, order=order)
    model.optimizer = "adamw"
    return model


def tower_batches(step: int, n: int = 32) -> dict[str, Tensor]:
    r"""{"texts": ids (n, 4), "codes": (n, 4, 4)} of new towers: what `dalle_loss` takes."""
    codes, texts = towers(n)
    return {"texts": source_batch(Tokenizer(TOWER_WORDS), texts), "codes": codes}


def painted(codes: Tensor) -> Tensor:
    r"""Codes (n, 4, 4) -> pictures (n, 3, 4, 4) in [-1, 1], a colour for each code: the toy's decoder."""
    return PAINTS[codes].movedim(-1, 1)


class TowerStage:
    r"""What `systems.dalle` asks of a first stage: the K codes, and pictures for them."""

    codes = len(CODES_OF_TOWERS)

    def encode(self, pictures: Tensor) -> Tensor:
        r"""The inverse of `painted`: the nearest paint of each place."""
        return (pictures.movedim(1, -1)[..., None, :] - PAINTS).square().sum(-1).argmin(-1)

    def decode(self, codes: Tensor) -> Tensor:
        return painted(codes)


def whole(codes: Tensor) -> Tensor:
    r"""Which of n grids of codes (n, 4, 4) are a tower from the ground to its roof: bool (n,)."""
    right = torch.stack([tower(height, column) for height in HEIGHTS.values() for column in range(TOWER_SIDE)])
    return (codes[:, None] == right).flatten(2).all(2).any(1)
