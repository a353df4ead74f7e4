"""The loss of a denoising autoencoder, and the best denoiser there can be where the data are a list of points.

Notebook 06. Papers: Vincent, Larochelle, Bengio & Manzagol, ICML 2008 (denoising autoencoders); Miyasawa 1961,
Robbins 1956 (the mean of what was there, from the density of what is seen); Vincent 2011 and Alain & Bengio 2014 (the
residual of a denoiser is a score).

x clean · y noisy, y = x + sigma e, e from N(0, I) · r(y) a denoiser
sigma is in the units of x here, unless it says otherwise: for pictures in [-1, 1], twice the level on [0, 1]
"""

from __future__ import annotations

import math

import torch.nn.functional as F
from torch import Tensor, nn

PIVOT = 0.1  # the noise level on [0, 1] at which a picture counts half


def denoising_loss(model, batch):
    """(loss, {"mse": ...}) of batch = (noisy, clean): the mean of (clean - model(noisy))^2, pictures in [-1, 1].

    "mse" is the same error on the [0, 1] scale: a quarter of the loss.
    """
    noisy, clean = batch
    loss = F.mse_loss(model(noisy), clean)
    return loss, {"mse": loss.detach() / 4}


def weighted_denoising_loss(model, batch, pivot: float = PIVOT):
    """`denoising_loss` of batch = (noisy, clean, sigma (B,)), each picture's error times pivot / (pivot + sigma).

    sigma and pivot are on [0, 1]. Without the weight the loss is made by the noisiest pictures, whose errors are
    large whatever the network does. Where the level can be told from the picture, a weight that depends on the
    level alone does not change the best answer.
    """
    noisy, clean, sigma = batch
    error = (model(noisy) - clean).square().flatten(1).mean(1)           # (B,)
    loss = (pivot / (pivot + sigma) * error).mean()
    return loss, {"mse": error.detach().mean() / 4}


def log_density(y: Tensor, points: Tensor, sigma: float) -> Tensor:
    """log p_sigma(y) of a noisy point, where x is one of `points`, each as likely: (B, D), (N, D) -> (B,).

    p_sigma is the mean of N Gaussians around the points, each of covariance sigma^2 I.
    """
    n, d = points.shape
    return exponents(y, points, sigma).logsumexp(1) - d / 2 * math.log(2 * math.pi * sigma**2) - math.log(n)


def ideal_denoiser(y: Tensor, points: Tensor, sigma: float) -> Tensor:
    """E[x | y], the least squared error that any denoiser can have: (B, D), (N, D) -> (B, D).

    A mean of the points, each weighted by the probability that it is the one that was there.
    """
    return exponents(y, points, sigma).softmax(1) @ points


def exponents(y: Tensor, points: Tensor, sigma: float) -> Tensor:
    """-|y - x|^2 / (2 sigma^2) for every pair, (B, N). ValueError unless sigma > 0, and both have D numbers."""
    if not sigma > 0:
        raise ValueError(f"sigma is a noise level above 0, in units of the points; got {sigma}")
    if y.ndim != 2 or points.ndim != 2 or y.shape[1] != points.shape[1] or not len(points):
        raise ValueError(f"expected (B, D) and (N, D), N at least 1; got {tuple(y.shape)} and {tuple(points.shape)}")
    return -(y[:, None] - points).square().sum(-1) / (2 * sigma**2)  # cdist's default would lose digits


class PointDenoiser(nn.Module):
    """y + sigma net(y / sigma): denoises points (B, 2) that carry noise of one known level, (B, 2) -> (B, 2).

    The net sees the plane in units of the noise and answers in them, so that one learning rate serves every level.
    """

    def __init__(self, sigma: float, hidden: int = 64):
        super().__init__()
        self.config = {"sigma": sigma, "hidden": hidden}
        sides = [2, hidden, hidden, hidden]
        layers = [f for a, b in zip(sides, sides[1:], strict=False) for f in (nn.Linear(a, b), nn.SiLU())]
        self.net = nn.Sequential(*layers, nn.Linear(hidden, 2))

    def forward(self, y):
        sigma = self.config["sigma"]
        return y + sigma * self.net(y / sigma)
