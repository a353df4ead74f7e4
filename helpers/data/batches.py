"""What trainings draw from: step -> a batch; and many at once, taken in batches.

Random numbers come from torch's generator, which `train` seeds at each step.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from . import scenes, sets

BATCH = 32
NEW_SCENES_SEED = 1_000_003  # of the scenes that figures are measured on; none of them was trained on


def scene_batches(batch: int = BATCH):
    """Scenes drawn anew at every step: none is seen twice, so none can be learned by heart."""

    def batches(step):
        return scenes.draw(scenes.sample_factors(batch, torch.default_generator), torch.default_generator)

    return batches


def emoji_batches(batch: int = BATCH):
    """Training emoji, half of them mirrored."""
    images = sets.load_emoji("train").images

    def batches(step):
        x = images[torch.randint(len(images), (batch,))]
        return torch.where(torch.rand(batch, 1, 1, 1) < 0.5, x.flip(3), x)

    return batches


def mnist_batches(batch: int):
    """Training digits, as `padded_mnist` has them."""
    images = padded_mnist("train")
    return lambda step: images[torch.randint(len(images), (batch,))]


def padded_mnist(split: str):
    """MNIST with a border of two background pixels, (N, 1, 32, 32): a side that can be halved three times."""
    return F.pad(sets.mnist(split)[0], (2, 2, 2, 2), value=-1.0)


@torch.no_grad()
def in_batches(function, *tensors: Tensor, size: int = 100):
    """function(*tensors) without gradients, `size` rows at a time; the function returns a tensor or a tuple of them."""
    parts = [function(*part) for part in zip(*(x.split(size) for x in tensors), strict=True)]
    if isinstance(parts[0], tuple):
        return tuple(torch.cat(column) for column in zip(*parts, strict=True))
    return torch.cat(parts)
