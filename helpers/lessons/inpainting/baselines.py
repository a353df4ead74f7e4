"""Fillings without learning: what a trained network has to beat, and what no network can beat.

Each takes pictures x (B, C, S, S) in [-1, 1] and masks (B, 1, S, S), True = hidden, and returns pictures in which the
known pixels are as they were. What stands in the hole of x does not matter.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...data import scenes

EQUAL = 1e-3  # pixels that differ by less count as equal: less than a fifth of one step of 256


def mean_fill(x: Tensor, mask: Tensor) -> Tensor:
    """The mean of the known pixels, for each channel: the best constant for what is seen."""
    known = ~mask
    mean = (x * known).sum((2, 3), keepdim=True) / known.sum((2, 3), keepdim=True).clamp(min=1)
    return torch.where(mask, mean, x)


def background_fill(x: Tensor, mask: Tensor) -> Tensor:
    """The median of the known pixels on the picture's border, for each channel; of all known ones if none is."""
    border = torch.ones_like(mask)
    border[..., 1:-1, 1:-1] = False
    known = border & ~mask
    known = torch.where(known.flatten(1).any(1)[:, None, None, None], known, ~mask)
    values = torch.where(known, x, torch.nan).flatten(2).nanmedian(2).values
    return torch.where(mask, values.nan_to_num()[:, :, None, None], x)


def biharmonic_fill(x: Tensor, mask: Tensor) -> Tensor:
    """The smoothest surface that meets the hole's edge: the biharmonic equation, Damelin & Hoang 2018.

    scikit-image's; 30 ms or so for a picture. With nothing known, or nothing hidden, x comes back.
    """
    from skimage.restoration import inpaint_biharmonic  # not at the top: it takes a second

    filled = x.clone()
    for picture, hidden, out in zip(x, mask[:, 0], filled, strict=True):
        if hidden.any() and not hidden.all():
            damaged = torch.where(hidden, 0, picture).numpy().astype(np.float64)
            result = inpaint_biharmonic(damaged, hidden.numpy(), channel_axis=0)
            out.copy_(torch.from_numpy(result).clamp(-1, 1))
    return torch.where(mask, filled, x)


def possible_scenes(x: Tensor, mask: Tensor, background: int, tries: int = 20_000, seed: int = 0) -> Tensor:
    """Scenes that show what is known of one scene x (1, 3, 32, 32), by rejection: (k, 3, 32, 32).

    Scenes on that background are drawn as in training, `tries` in all, and those kept that agree with x at every known
    pixel. They are exact samples of p(scene | known pixels, background), so their mean estimates the conditional mean.
    It takes a hole that hides the whole object: where an edge is seen, hardly any other scene agrees. ValueError if
    none does.
    """
    generator = torch.Generator().manual_seed(seed)
    kept = []
    for begun in range(0, tries, 1000):
        factors = scenes.sample_factors(min(1000, tries - begun), generator)
        factors[:, 5] = background
        candidates = scenes.draw(factors, generator)
        wrong = ((candidates - x).abs() > EQUAL) & ~mask
        kept.append(candidates[~wrong.flatten(1).any(1)])
    kept = torch.cat(kept)
    if not len(kept):
        raise ValueError(f"none of {tries:,} scenes shows what is known of this one: hide all of its object, "
                         f"or draw more scenes")
    return kept
