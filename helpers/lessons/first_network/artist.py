"""Pictures for a typed sentence without a model that draws from text: draw many at random, let a reader choose.

The interface is that of `systems.text_to_image.TextToImage`, so that a network that reads the sentence *while* it draws
can take this one's place in one line.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...data import scenes
from ...data.batches import in_batches
from ...models.clip import CLIP
from ...models.densities import mixture
from ...systems.zero_shot import ZeroShot

TRIES = 500  # draws for each prompt; of far more, CLIP likes best what only looks right to CLIP
CODES, GAUSSIANS = 4000, 24  # training scenes, and the Gaussians that are fitted to their codes


class RandomArtist:
    """An autoencoder draws from random codes (notebook 09), CLIP chooses what fits the prompt best (notebook 11).

    painter   its decoder draws; the codes come from a mixture of Gaussians, fitted to the codes of training scenes
    """

    def __init__(self, painter, reader: CLIP):
        self.painter, self.reader = painter, ZeroShot(reader)
        codes = in_batches(painter.encode, scenes.make_scenes(CODES, seed=0)[0])
        self.source = mixture(codes, GAUSSIANS)
        self._tried: dict[int, list[tuple[Tensor, Tensor]]] = {}  # seed -> pools: codes, embeddings of their pictures

    def draw(self, prompts: Sequence[str], seed: int = 0) -> Tensor:
        """A picture for each prompt, (B, 3, 32, 32) in [-1, 1]: the best of `TRIES` draws of its own.

        ValueError, in words, for a prompt that the reader cannot read.
        """
        wanted = self.reader.texts(prompts)
        best = [codes[(seen @ text).argmax()]
                for text, (codes, seen) in zip(wanted, self.pools(len(prompts), seed), strict=True)]
        return torch.cat([self.paint(code[None]) for code in best])  # each alone: none depends on the others

    def pools(self, count: int, seed: int) -> list[tuple[Tensor, Tensor]]:
        """`count` times: codes (TRIES, D), and where CLIP puts their pictures (TRIES, E)."""
        tried = self._tried.setdefault(seed, [])
        for number in range(len(tried), count):
            codes = self.source.sample(TRIES, torch.Generator().manual_seed(1000 * seed + number))
            tried.append((codes, self.reader.pictures(self.paint(codes))))
        return tried[:count]

    def paint(self, codes: Tensor) -> Tensor:
        """Codes (N, D) -> pictures (N, 3, 32, 32) in [-1, 1]."""
        return in_batches(self.painter.decode, codes).clamp(-1, 1)


def as_asked(artist, seed: int = 0) -> dict[str, float]:
    """The share of pictures in which the parser reads what was asked for: "shape", "colour", "size", "all" of them.

    A prompt for each size, colour and shape, such as "a big red circle"; pairings that training held out are left out.
    """
    asked = [(shape, colour, size) for shape, name in enumerate(scenes.SHAPES)
             for colour, word in enumerate(scenes.COLOURS) if (name, word) not in scenes.HELD_OUT
             for size in range(len(scenes.SIZES))]
    prompts = [f"a {scenes.SIZES[size]} {scenes.COLOURS[colour]} {scenes.SHAPES[shape]}"
               for shape, colour, size in asked]
    right = scenes.parse(artist.draw(prompts, seed)).factors[:, :3] == torch.tensor(asked)
    shares = dict(zip(scenes.FACTORS[:3], right.float().mean(0).tolist(), strict=True))
    return shares | {"all": right.all(1).float().mean().item()}
