r"""How good a picture is, in numbers.

Errors are on the [0, 1] scale, where published figures live: images come in [-1, 1], so differences are
halved. Each picture gets its own number; the caller takes the mean.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from . import scenes

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


@dataclass(frozen=True)
class PCA:
    r"""Principal components: the best linear code of every length up to dmax, from one fit.

        pca = PCA.fit(train, 128)
        pca.reconstruct(test, 8)       # as if fitted with 8
    """

    mean: Tensor  # (D,)
    components: Tensor  # (dmax, D), orthonormal rows, the largest variance first
    variances: Tensor  # (dmax,) of the data along each component
    shape: tuple[int, ...]  # of one picture, (C, H, W)

    @classmethod
    def fit(cls, x: Tensor, d: int) -> PCA:
        r"""Fit d components to x (N, ...)."""
        flat = x.flatten(1)
        if not 1 <= d <= flat.shape[1] or len(flat) < 2:
            raise ValueError(f"cannot fit {d} components to {len(flat)} points of {flat.shape[1]} numbers")
        # In parts, so that no second copy of x is made, nor of the covariance where float32 is added to float64. Sums
        # of 512 products are exact enough in float32 (1e-7 of the largest); their sum is in float64.
        parts = flat.split(512)
        mean = (sum(part.sum(0, dtype=torch.float64) for part in parts) / len(flat)).float()
        covariance = torch.zeros(flat.shape[1], flat.shape[1], dtype=torch.float64, device=x.device)
        product = flat.new_empty(covariance.shape)
        for centred in (part - mean for part in parts):
            torch.mm(centred.T, centred, out=product)
            for rows, more in zip(covariance.split(256), product.split(256), strict=True):
                rows.add_(more, alpha=1 / len(flat))
        variances, vectors = largest_eigenpairs(covariance, d)
        return cls(mean, vectors.T.float().contiguous(), variances.float(), tuple(x.shape[1:]))

    def encode(self, x: Tensor, d: int | None = None) -> Tensor:
        r"""Pictures (N, *shape) -> codes (N, d); d None takes all components, more than there are is a ValueError."""
        if d is not None and not 1 <= d <= len(self.components):
            raise ValueError(f"this PCA has {len(self.components)} components; asked for {d}")
        return (x.flatten(1) - self.mean) @ self.components[:d].T

    def decode(self, z: Tensor) -> Tensor:
        r"""Codes (N, d), d <= dmax -> pictures (N, *shape); they may leave [-1, 1] a little."""
        return (z @ self.components[: z.shape[1]] + self.mean).unflatten(1, self.shape)

    def reconstruct(self, x: Tensor, d: int | None = None) -> Tensor:
        return self.decode(self.encode(x, d))


def largest_eigenpairs(matrix: Tensor, d: int) -> tuple[Tensor, Tensor]:
    r"""The d largest eigenvalues (d,), falling, and eigenvectors (n, d) of a symmetric matrix (n, n) >= 0.

    A few of many are found by orthogonal iteration (Golub & Van Loan, Matrix Computations, 8.2.4) on twice as
    many vectors, until the values stand still: 128 of 3,072 take a fifth of the time that all would.
    """
    n, width = len(matrix), 2 * d
    if n <= 4 * width:
        values, vectors = torch.linalg.eigh(matrix)
        return values.flip(0)[:d], vectors.flip(1)[:, :d]
    start = torch.randn(n, width, dtype=matrix.dtype, generator=torch.Generator().manual_seed(0))
    basis, before = torch.linalg.qr(start.to(matrix.device)).Q, matrix.new_zeros(d)
    for _ in range(100):
        image = matrix @ basis
        values, rotation = torch.linalg.eigh(basis.T @ image)
        values, rotation = values.flip(0)[:d], rotation.flip(1)[:, :d]
        if (values - before).abs().max() <= 1e-10 * values[0]:
            return values, basis @ rotation
        basis, before = torch.linalg.qr(image).Q, values
    raise RuntimeError(f"the {d} largest eigenvalues did not settle in 100 iterations: fit more components, or fewer")
