r"""MNIST for notebook 10: digits moved a little at each step, and how many of the test digits are named."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ...data import sets
from ...data.batches import in_batches

MOST_SHIFT = 2  # pixels that a digit is moved at most


def shifted_digits(batch: int):
    r"""step -> (digits (batch, 1, 28, 28), labels): the digits of a batch moved alike, in whole pixels."""
    images, labels = sets.mnist("train")
    padded = F.pad(images, (MOST_SHIFT,) * 4, value=-1.0)

    def batches(step):
        chosen = torch.randint(len(labels), (batch,))
        down, right = torch.randint(2 * MOST_SHIFT + 1, (2,)).tolist()
        return padded[chosen, :, down : down + 28, right : right + 28], labels[chosen]

    return batches


def digit_accuracy(model) -> dict[str, float]:
    r"""{"accuracy": the share of the 10,000 test digits that are named}."""
    images, labels = sets.mnist("test")
    return {"accuracy": (in_batches(model, images, size=500).argmax(1) == labels).float().mean().item()}
