"""Scenes of one to five objects at different places, in splits: what is judged is never trained on.

    objects     (n, k, 5) int64  shape, colour, size, column, row; rows of UNSAID after the last object
    background  (n,) int64
"""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor

from .captions.lexicon import UNSAID
from .drawing import BACKGROUNDS, pairings

MOST = 5                                                 # objects in a scene


def sample_crowd(count: int | Sequence[int], n: int, generator: torch.Generator,
                 split: str = "train") -> tuple[Tensor, Tensor]:
    """Draw n scenes of `count` objects each: objects (n, count, 5) and background (n,).

    The places are different and in random order; the rest is uniform over what the split allows.
    count: 1 to MOST, or several such numbers, each drawn equally often: objects then has as many rows as the
    largest, and rows of UNSAID where a scene has fewer.
    split: "train" and "test" share no scene (see `kept_for_tests`) and have no held-out pairing of shape and colour;
    "held_out" has those only, "all" everything.
    """
    counts = torch.tensor([count] if isinstance(count, int) else list(count), dtype=torch.long)
    if not len(counts) or counts.min() < 1 or counts.max() > MOST:
        raise ValueError(f"a sentence has 1 to {MOST} objects, so count cannot be {count}")
    allowed = pairings("train" if split == "test" else split)
    objects, background = _draw_crowd(counts, n, generator, allowed)
    if split in ("train", "test"):
        wrong = torch.arange(n)
        while len(wrong := wrong[kept_for_tests(objects[wrong], background[wrong]) != (split == "test")]):
            objects[wrong], background[wrong] = _draw_crowd(counts, len(wrong), generator, allowed)
    return objects, background


def kept_for_tests(objects: Tensor, background: Tensor) -> Tensor:
    """Which scenes (n,) no training sees: an eighth of all, by a hash of what is there, in whatever order it is told.

    Sentences about one object are so few that a training of 900 steps would see each; a draw of new ones is not enough.
    """
    rows = zip(objects.tolist(), background.tolist(), strict=True)
    said = [(sorted(tuple(thing) for thing in things if thing[0] != UNSAID), ground) for things, ground in rows]
    return torch.tensor([hashlib.sha256(repr(scene).encode()).digest()[0] < 32 for scene in said], dtype=torch.bool)


def _draw_crowd(counts: Tensor, n: int, generator: torch.Generator, allowed: Tensor) -> tuple[Tensor, Tensor]:
    most = int(counts.max())
    pairing = allowed[torch.randint(len(allowed), (n, most), generator=generator)]      # (n, most, 2)
    size = torch.randint(2, (n, most), generator=generator)
    place = torch.rand(n, 9, generator=generator).argsort(1)[:, :most]                  # so all differ
    objects = torch.cat([pairing, torch.stack([size, place % 3, place // 3], 2)], 2)
    background = torch.randint(len(BACKGROUNDS), (n,), generator=generator)
    here = counts[torch.randint(len(counts), (n,), generator=generator)]
    objects[torch.arange(most) >= here[:, None]] = UNSAID
    return objects, background
