r"""How good a picture is, in numbers.

Errors are on the [0, 1] scale, where published figures live: images come in [-1, 1], so differences are
halved. Each picture gets its own number; the caller takes the mean.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ..data import scenes
from ..data.batches import in_batches

SSIM_WINDOW, SSIM_SIGMA, SSIM_K1, SSIM_K2 = 11, 1.5, 0.01, 0.03  # as in the paper


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


def ssim(x: Tensor, y: Tensor) -> Tensor:
    r"""Structural similarity of each picture, 1 for equal ones: two (B, C, H, W) in [-1, 1] -> (B,).

    Wang, Bovik, Sheikh & Simoncelli 2004, equation 13, under a Gaussian window of 11 x 11 pixels with
    standard deviation 1.5; the mean over all places where the window fits, and over the channels.
    """
    if x.shape != y.shape or x.ndim != 4 or min(x.shape[2:]) < SSIM_WINDOW:
        shapes = f"{tuple(x.shape)} and {tuple(y.shape)}"
        raise ValueError(f"ssim needs two (B, C, H, W) of one shape, at least 11 x 11 pixels; got {shapes}")
    x, y = ((images.float() + 1) / 2 for images in (x, y))
    mean_x, mean_y = window_mean(x), window_mean(y)
    var_x = window_mean(x * x) - mean_x**2
    var_y = window_mean(y * y) - mean_y**2
    covariance = window_mean(x * y) - mean_x * mean_y
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (var_x + var_y + c2)
    return (luminance * structure).flatten(1).mean(1)


def window_mean(x: Tensor) -> Tensor:
    r"""The Gaussian mean around every pixel whose window lies inside: (B, C, H, W) -> (B, C, H-10, W-10)."""
    offsets = torch.arange(SSIM_WINDOW, device=x.device) - SSIM_WINDOW // 2
    weights = torch.exp(-(offsets**2) / (2 * SSIM_SIGMA**2))
    weights = (weights / weights.sum()).expand(x.shape[1], 1, 1, -1)  # one window for each channel
    rows = F.conv2d(x, weights, groups=x.shape[1])
    return F.conv2d(rows, weights.transpose(2, 3), groups=x.shape[1])


def frechet_distance(a: Tensor, b: Tensor) -> float:
    r"""Fréchet distance between Gaussians fitted to two sets of features, (N, D) and (M, D).

    |mu_a - mu_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)): Dowson & Landau 1982; on features of a network it is
    the FID of Heusel et al. 2017. Biased upwards for few samples: compare only sets of equal size.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        shapes = f"{tuple(a.shape)} and {tuple(b.shape)}"
        raise ValueError(f"expected features (N, D) and (M, D) with N and M at least 2; got {shapes}")
    a, b = a.double(), b.double()
    cov_a, cov_b = a.T.cov().reshape(a.shape[1], -1), b.T.cov().reshape(b.shape[1], -1)
    # C_a C_b has the eigenvalues of the symmetric C_a^(1/2) C_b C_a^(1/2), which are real and not negative.
    values, vectors = torch.linalg.eigh(cov_a)
    root_a = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root_a @ cov_b @ root_a).clamp(min=0).sqrt().sum()
    distance = (a.mean(0) - b.mean(0)).square().sum() + cov_a.trace() + cov_b.trace() - 2 * cross
    return max(distance.item(), 0.0)


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
