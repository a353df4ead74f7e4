"""What a drawing of an emoji has to beat: the nearest picture that was seen, and a small network that names categories.

Both figures are of held-out emoji by four artists, against all that is seen whatever is held out (`HELD_OUT_BY`).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data.batches import in_batches
from ...data.emoji import HANDS, HELD_OUT_BY, EmojiSet, load_emoji, to_range
from ...models.autoencoder import PRESETS, Encoder
from ...models.mlp import classification_loss
from ...training.loop import train

# Chosen on an eighth of the training families: without shifts, or with rare families drawn more often, it did worse.
CATEGORY_STEPS, CATEGORY_BATCH, SHIFT = 1500, 64, 2


def seen_emoji() -> EmojiSet:
    """What may be trained on if all three kinds of test are to count: four hands, as bytes."""
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


def category_net(seen: EmojiSet, seed: int) -> Encoder:
    """A network trained to name the category of an emoji; its nine outputs are in the order of the sorted names."""
    names = sorted(set(seen.categories))
    labels = torch.tensor([names.index(category) for category in seen.categories])

    def batches(step):
        chosen = torch.randint(len(labels), (CATEGORY_BATCH,))
        x = to_range(seen.images[chosen])
        return moved(torch.where(torch.rand(CATEGORY_BATCH, 1, 1, 1) < 0.5, x.flip(3), x)), labels[chosen]

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Encoder(len(names), channels=3, size=seen.images.shape[-1], **PRESETS["tiny"])
    train(model, batches, classification_loss, CATEGORY_STEPS, seed=seed, label=f"categories, seed {seed}")
    return model


def moved(x: Tensor) -> Tensor:
    """All pictures of a batch moved alike, by up to SHIFT pixels at random; white comes in at the border."""
    side, (down, right) = x.shape[-1], torch.randint(2 * SHIFT + 1, (2,)).tolist()
    return F.pad(x, (SHIFT,) * 4, value=1.0)[:, :, down : down + side, right : right + side]


def category_accuracy(model: Encoder, emoji: EmojiSet) -> tuple[float, float]:
    """The share of pictures whose category is named, and the mean of this share over the nine categories."""
    names = sorted(set(emoji.categories))
    labels = torch.tensor([names.index(category) for category in emoji.categories])
    right = (in_batches(model, emoji.images).argmax(1) == labels).float()
    each = [right[labels == label].mean() for label in range(len(names))]
    return right.mean().item(), torch.stack(each).mean().item()
