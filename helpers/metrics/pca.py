r"""Principal component analysis: the linear autoencoder that is computed and not trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from ..data.emoji import to_range


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
        r"""Fit d components to x (N, ...), float32; uint8 pictures count as in [-1, 1], converted a part at a time."""
        flat = x.flatten(1)
        if not 1 <= d <= flat.shape[1] or len(flat) < 2:
            raise ValueError(f"cannot fit {d} components to {len(flat)} points of {flat.shape[1]} numbers")
        # In parts, so that no second copy of x is made, nor of the covariance where float32 is added to float64. Sums
        # of 512 products are exact enough in float32 (1e-7 of the largest); their sum is in float64.
        parts = partial(map, in_range, flat.split(512))
        mean = (sum(part.sum(0, dtype=torch.float64) for part in parts()) / len(flat)).float()
        covariance = torch.zeros(flat.shape[1], flat.shape[1], dtype=torch.float64, device=x.device)
        product = covariance.new_empty(covariance.shape, dtype=torch.float32)
        for centred in (part - mean for part in parts()):
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


def in_range(pictures: Tensor) -> Tensor:
    r"""uint8 pictures in 0..255 -> float32 in [-1, 1]; others as they are."""
    return to_range(pictures) if pictures.dtype == torch.uint8 else pictures


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
