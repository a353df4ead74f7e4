r"""Densities over codes: something to draw from, where a model has nothing of the kind, or better than its own.

Notebook 09. Papers: Ghosh et al., "From variational to deterministic autoencoders", ICLR 2020, who fit a density to the
codes of a trained autoencoder ("ex-post density estimation"); Dai & Wipf, "Diagnosing and enhancing VAE models", ICLR
2019, who train a second model on a VAE's codes.
All three kinds are one class, because N(0, I) and a fitted Gaussian are mixtures of one component.

n codes · d numbers in a code · k components
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

RIDGE = 1e-4  # of the codes' mean variance, added to every variance: a number that never changes breaks no inverse
PASSES = 60  # of expectation and maximisation, at most


@dataclass(frozen=True)
class Mixture:
    r"""p(z) = sum_k w_k N(z; m_k, L_k L_k^T), a mixture of Gaussians over codes.

    weights  (k,), not negative, of sum 1
    means    (k, d)
    roots    (k, d, d), lower triangular: the Cholesky factors L_k of the covariances
    """

    weights: Tensor
    means: Tensor
    roots: Tensor

    def __post_init__(self):
        k, d = self.means.shape
        if self.weights.shape != (k,) or self.roots.shape != (k, d, d):
            shapes = [tuple(part.shape) for part in (self.weights, self.means, self.roots)]
            raise ValueError(f"expected weights (k,), means (k, d) and roots (k, d, d); got {shapes}")
        if not ((self.weights >= 0).all() and abs(self.weights.sum().item() - 1) <= 1e-3):  # also for NaN
            raise ValueError("the weights of a mixture are not negative and sum to 1")

    def sample(self, n: int, generator: torch.Generator | None = None) -> Tensor:
        r"""n codes (n, d): a component each, by its weight, then m_k + L_k eps with eps ~ N(0, I).

        A generator in the same state gives every mixture over d numbers the same chance: what differs between the
        draws of two mixtures is the mixtures' own.
        """
        chance = torch.rand(n, generator=generator, device=self.means.device)
        eps = torch.randn(n, self.means.shape[1], generator=generator, device=self.means.device)
        which = torch.searchsorted(self.weights.cumsum(0), chance).clamp(max=len(self.weights) - 1)
        return self.means[which] + torch.einsum("nij,nj->ni", self.roots[which], eps)

    def log_density(self, z: Tensor) -> Tensor:
        r"""log p(z), in nats: codes (n, d) -> (n,)."""
        if z.ndim != 2 or z.shape[1] != self.means.shape[1]:
            raise ValueError(f"expected codes (n, {self.means.shape[1]}); got {tuple(z.shape)}")
        offset = (z - self.means[:, None]).transpose(1, 2)                              # (k, d, n)
        eps = torch.linalg.solve_triangular(self.roots, offset, upper=False)            # (k, d, n)
        log_det = self.roots.diagonal(dim1=1, dim2=2).log().sum(1)                      # (k,)
        constant = self.weights.log() - log_det - z.shape[1] / 2 * math.log(2 * math.pi)
        return (constant[:, None] - eps.square().sum(1) / 2).logsumexp(0)


def standard_normal(d: int) -> Mixture:
    r"""N(0, I) over d numbers: the prior of a VAE. Nothing is fitted."""
    if d < 1:
        raise ValueError(f"a code has at least one number, not {d}")
    return Mixture(torch.ones(1), torch.zeros(1, d), torch.eye(d)[None])


def gaussian(z: Tensor) -> Mixture:
    r"""The Gaussian of largest likelihood for codes z (n, d), n > d: their mean and covariance, but for RIDGE."""
    check_codes(z, 1)
    centred = z.double() - z.double().mean(0)
    covariance = centred.T @ centred / len(z) + ridge(z) * torch.eye(z.shape[1])
    return Mixture(torch.ones(1), z.mean(0, keepdim=True), torch.linalg.cholesky(covariance).float()[None])


def mixture(z: Tensor, k: int, seed: int = 0) -> Mixture:
    r"""k Gaussians of full covariance for codes z (n, d), by expectation-maximisation (Dempster, Laird & Rubin 1977).

    scikit-learn's, from one k-means start. It stops after `PASSES` passes, or where the mean log-density rises by less
    than 0.01 a pass. ValueError unless there are more codes than numbers in the k means.
    """
    from sklearn.mixture import GaussianMixture  # a second to import, so not before it is needed
    from threadpoolctl import threadpool_limits

    if k < 1:
        raise ValueError(f"a mixture has at least one component, not {k}")
    check_codes(z, k)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it stopped at the last pass
        em = GaussianMixture(k, max_iter=PASSES, tol=0.01, reg_covar=ridge(z), random_state=seed)
        with threadpool_limits(1):  # matrices this small are slower when threads share them
            em.fit(z.double().numpy())
    weights, means, covariances = map(torch.from_numpy, (em.weights_, em.means_, em.covariances_))
    return Mixture(weights.float(), means.float(), torch.linalg.cholesky(covariances).float())


def check_codes(z: Tensor, k: int) -> None:
    r"""ValueError unless z is float (n, d), finite, not all the same, with more codes than k means have numbers."""
    least = k * z.shape[-1] + 1 if z.ndim else 1
    if z.ndim != 2 or z.shape[1] < 1 or len(z) < least or not z.is_floating_point():
        raise ValueError(f"expected float codes (n, d) with n at least {least}; got {z.dtype} {tuple(z.shape)}")
    if not z.isfinite().all():
        raise ValueError("the codes hold NaN or infinity")
    if (z == z[0]).all():
        raise ValueError(f"all {len(z)} codes are the same: there is no spread to fit")


def ridge(z: Tensor) -> float:
    return RIDGE * z.var(0).mean().item()
