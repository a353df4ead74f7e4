r"""The parser of the tiny scenes against the truth (notebook 00)."""

from __future__ import annotations

import torch

from .. import scenes
from . import Score, group

SEED = 2_000_003


def all_right(found, truth) -> float:
    return (found == truth).all(1).float().mean().item()


@group("scenes")
def parser():
    x, factors = scenes.make_scenes(4000, SEED, "all")
    yield Score("scenes.parser.clean", "pictures with all six factors read right", 
                all_right(scenes.parse(x).factors, factors), ".2%", bar=">= 1")  # fmt: skip
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(SEED))
    noisy = scenes.parse(x + 2 * 0.05 * noise)  # 0.05 on [0, 1] is 0.1 on [-1, 1]
    yield Score("scenes.parser.noisy", "the same under noise of 0.05 on [0, 1]", all_right(noisy.factors, factors),
                ".2%", bar=">= 0.995")  # fmt: skip
    x, pairs = scenes.make_pairs(2000, SEED)
    yield Score("scenes.parser.pairs", "two-object scenes read right",
                all_right(scenes.parse_pairs(x).factors, scenes.canonical(pairs)), ".2%", bar=">= 0.99")  # fmt: skip
