r"""Principal component analysis: the linear autoencoder that is computed and not trained."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PASSES = 8  # over the data: errors of scenes and emoji then differ from the exact ones by less than 1e-6 of themselves


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
        if not 1 <= d <= min(flat.shape) or len(flat) < 2:
            raise ValueError(f"cannot fit {d} components to {len(flat)} points of {flat.shape[1]} numbers")
        with torch.random.fork_rng([]):  # it starts from random directions
            torch.manual_seed(0)
            _, values, vectors = torch.pca_lowrank(flat, min(max(2 * d, 64), *flat.shape), niter=PASSES)
        return cls(flat.mean(0), vectors.T[:d].contiguous(), values[:d] ** 2 / len(flat), tuple(x.shape[1:]))

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
