r"""How good a picture is, in numbers.

Errors are on the [0, 1] scale, where published figures live: images come in [-1, 1], so differences are
halved. Each picture gets its own number; the caller takes the mean.
"""

from __future__ import annotations

from torch import Tensor

from ..data import scenes
from ..data.batches import in_batches


def mse(x: Tensor, y: Tensor) -> Tensor:
    r"""Mean squared error of each picture on [0, 1]: two (B, C, H, W) in [-1, 1] -> (B,)."""
    return difference(x, y).square().mean(1)


def squared_error(x: Tensor, y: Tensor) -> Tensor:
    r"""Squared error of each picture on [0, 1], summed over its pixels and channels -> (B,).

    The figure of Hinton & Salakhutdinov 2006: 13.87 for PCA on MNIST with a code of 30 numbers.
    """
    return difference(x, y).square().sum(1)


def psnr(x: Tensor, y: Tensor) -> Tensor:
    r"""Peak signal-to-noise ratio of each picture, -10 log10(mse), in dB -> (B,). Infinite for equal ones."""
    return -10 * mse(x, y).log10()


def difference(x: Tensor, y: Tensor) -> Tensor:
    if x.shape != y.shape or x.ndim < 2:
        raise ValueError(f"expected batches of one shape; got {tuple(x.shape)} and {tuple(y.shape)}")
    return ((x.float() - y.float()) / 2).flatten(1)


def scene_accuracy(images: Tensor, factors: Tensor) -> dict[str, float]:
    r"""Share of tiny scenes in which the parser reads each factor as given, and "all_six".

    images (n, 3, 32, 32), clipped to [-1, 1]; factors (n, 6) as `scenes.sample_factors` gives them.
    """
    right = scenes.parse(images.clamp(-1, 1)).factors == factors.to(images.device)
    accuracy = dict(zip(scenes.FACTORS, right.float().mean(0).tolist(), strict=True))
    return accuracy | {"all_six": right.all(1).float().mean().item()}


def reconstruct(model, x, batch: int = 200):
    """model(x) in batches, clamped to [-1, 1]."""
    device = next(model.parameters()).device
    return in_batches(lambda part: model(part.to(device)).clamp(-1, 1).cpu(), x, size=batch)
