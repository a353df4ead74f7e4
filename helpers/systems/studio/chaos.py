r"""Chaos: how unlike the four pictures of a grid are. An analogy: what Midjourney's --chaos does inside is not known.

Their noise is in part one noise for all, in part each one's own; and captions lose words.
"""

from __future__ import annotations

import torch
from torch import Tensor

CALM = 0.3  # the own share of the noise at chaos 0
MOST_LOST = 0.5  # at chaos 100 a word of the caption is left out with this probability
STREAMS = 8  # of numbers that one seed gives: what all share, each picture's own, the words that are lost


class SpreadNoise:
    r"""noise(shape) ~ N(0, I), (n, ...), of pictures that are in part alike: a generator for `sample`.

        eps_i = sqrt(1 - share) common + sqrt(share) own_i          corr(eps_i, eps_j) = 1 - share

    seed   of all streams; picture i has the same own stream whatever n is
    share  of each one's own noise, 0 to 1: 1 independent pictures, 0 four times the same
    """

    def __init__(self, seed: int, share: float = 1.0):
        if not 0 <= share <= 1:
            raise ValueError(f"the own share of the noise lies from 0 to 1; got {share}")
        self.share, (self.common, *self.own, _) = share, noise_streams(seed)

    def __call__(self, shape) -> Tensor:
        common = torch.randn(tuple(shape[1:]), generator=self.common)
        own = torch.stack([torch.randn(common.shape, generator=self.own[i]) for i in range(shape[0])])
        return (1 - self.share) ** 0.5 * common + self.share**0.5 * own


def noise_streams(seed: int) -> list[torch.Generator]:
    r"""`STREAMS` generators of one seed. Each has a seed drawn by it: torch's own takes the low 32 bits of a number."""
    drawn = torch.randint(2**32, (STREAMS,), generator=torch.Generator().manual_seed(seed))
    return [torch.Generator().manual_seed(number) for number in drawn.tolist()]


def own_share(chaos: int) -> float:
    r"""The own share of the noise at a chaos of 0 to 100: `CALM` to 1, on a straight line."""
    return CALM + (1 - CALM) * chaos / 100


def fewer_words(prompt: str, count: int, chaos: int, seed: int) -> list[str]:
    r"""The prompt `count` times, each without some of its words, one at least left; at chaos 0 all are whole.

    At a higher chaos of the same seed, the words that were lost stay lost.
    """
    words, lose = prompt.split(), MOST_LOST * chaos / 100
    chances = torch.rand(count, len(words), generator=noise_streams(seed)[-1])
    kept = [[word for word, chance in zip(words, row, strict=True) if chance >= lose] or [words[row.argmax()]]
            for row in chances]
    return [" ".join(row) for row in kept]
