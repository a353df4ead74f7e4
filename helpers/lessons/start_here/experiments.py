"""What a drawing of an emoji has to beat: the nearest picture that was seen, and a small network that names categories.

What is seen is what no split holds out (`HELD_OUT_BY`).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data.batches import in_batches
from ...data.emoji import HANDS, HELD_OUT_BY, EmojiSet, load_emoji, to_range

# Chosen on an eighth of the training families: without shifts, or with rare families drawn more often, it did worse.
CATEGORY_SEEDS, CATEGORY_BATCH, SHIFT = (0, 1, 2), 64, 2
TAUGHT = ("noto", "twemoji", "fluent")  # not OpenMoji: what ships is then free of its share-alike licence


def seen_emoji() -> EmojiSet:
    """What is seen if all three kinds of test are to count: four hands, as bytes."""
    return load_emoji("train", HANDS, HELD_OUT_BY, dtype=torch.uint8)


def nearest_seen(x: Tensor, seen: Tensor, size: int = 2000) -> tuple[Tensor, Tensor]:
    """For each picture of x (B, 3, S, S) in [-1, 1] the least error to one of `seen` (N, 3, S, S) uint8, and its index.

    The error is the root of the mean square over pixels, on [0, 1]. Of `seen`, `size` pictures at a time are floats.
    """
    x = x.flatten(1) / 2
    best, index = torch.full((len(x),), torch.inf), torch.zeros(len(x), dtype=torch.int64)
    for start in range(0, len(seen), size):
        part = to_range(seen[start : start + size]).flatten(1) / 2
        error, place = torch.cdist(x, part).min(1)
        nearer = error < best
        best, index = torch.where(nearer, error, best), torch.where(nearer, place + start, index)
    return best / x.shape[1] ** 0.5, index


def category_labels(emoji: EmojiSet) -> Tensor:
    """The place of each emoji's category among the sorted names of all nine, (N,) int64."""
    names = sorted(set(emoji.categories))
    return torch.tensor([names.index(category) for category in emoji.categories])


def category_batches():
    """step -> (pictures, labels), half of the pictures mirrored, all of a batch shifted alike."""
    seen = load_emoji("train", TAUGHT, HELD_OUT_BY, dtype=torch.uint8)
    labels = category_labels(seen)

    def batches(step):
        chosen = torch.randint(len(labels), (CATEGORY_BATCH,))
        x = to_range(seen.images[chosen])
        return moved(torch.where(torch.rand(CATEGORY_BATCH, 1, 1, 1) < 0.5, x.flip(3), x)), labels[chosen]

    return batches


def moved(x: Tensor) -> Tensor:
    """All pictures of a batch moved alike, by up to SHIFT pixels at random; white comes in at the border."""
    side, (down, right) = x.shape[-1], torch.randint(2 * SHIFT + 1, (2,)).tolist()
    return F.pad(x, (SHIFT,) * 4, value=1.0)[:, :, down : down + side, right : right + side]


def category_accuracy(model) -> dict[str, float]:
    """Of held-out families the share of pictures whose category is named, and its mean over the nine categories."""
    emoji = load_emoji("test", TAUGHT)
    labels = category_labels(emoji)
    right = (in_batches(model, emoji.images).argmax(1) == labels).float()
    each = torch.stack([right[labels == label].mean() for label in labels.unique()])
    return {"accuracy": right.mean().item(), "mean_over_categories": each.mean().item()}
