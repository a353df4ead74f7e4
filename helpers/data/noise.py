r"""Pictures made worse on purpose, for networks that learn to undo it.

Noise levels are quoted on [0, 1], where published figures live; pictures lie in [-1, 1], a range twice as wide.
"""

from __future__ import annotations

import torch
from torch import Tensor


def add_noise(x: Tensor, sigma, generator: torch.Generator | None = None) -> Tensor:
    r"""x + 2 sigma e, e from N(0, 1) for every number: pictures (B, C, H, W) in [-1, 1] -> the same shape.

    sigma      standard deviation on [0, 1], at least 0: one number, or one for each picture (B,)
    generator  of the noise, on the CPU; torch's own without it
    The result is *not* clamped: clamped noise is no longer Gaussian, nor is its mean 0. Clamp before drawing.
    ValueError for a level that is negative or not finite, for another number of levels, and for whole numbers.
    """
    if not x.is_floating_point():
        raise ValueError(f"pictures are floats in [-1, 1]; got {x.dtype}")
    sigma = torch.as_tensor(sigma, dtype=x.dtype, device=x.device)
    if sigma.ndim > 1 or (sigma.ndim == 1 and len(sigma) != len(x)):
        raise ValueError(f"sigma is one number or one for each of {len(x)} pictures; got shape {tuple(sigma.shape)}")
    if not ((sigma >= 0) & sigma.isfinite()).all():  # false for NaN, too
        raise ValueError(f"a standard deviation is finite and at least 0; sigma is {sigma.min():g} to {sigma.max():g}")
    noise = torch.randn(x.shape, generator=generator, dtype=x.dtype).to(x.device)
    return x + 2 * sigma.reshape(-1, *[1] * (x.ndim - 1)) * noise
