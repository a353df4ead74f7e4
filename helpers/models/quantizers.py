r"""Vectors become codes of a finite list, and gradients pass all the same: three ways.

Notebook 16. Papers: van den Oord, Vinyals & Kavukcuoglu, "Neural discrete representation learning", NeurIPS 2017,
section 3 and appendix A.1 (VQ, its codebook by moving averages); Dhariwal et al., "Jukebox", 2020, section 3.1 (codes
that nobody uses start anew); Mentzer et al., "Finite scalar quantization: VQ-VAE made simple", ICLR 2024; Jang, Gu &
Poole, "Categorical reparameterization with Gumbel-softmax", ICLR 2017, which Ramesh et al. 2021 take for DALL-E.
All three are used alike: quantizer(z) -> `Quantized`, and quantizer.lookup(indices) -> the codes themselves.

B batch · D numbers of a code · H, W rows and columns of places · N = B H W vectors · K codes
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

START_ROUNDS = 10  # of k-means, over the first batch
DECAY = 0.99  # of the moving averages that the codebook is made of
DEAD = 0.02  # a code that is chosen less often than this share of the mean starts anew
SMALLEST_TEMPERATURE = 1 / 16  # of Gumbel-softmax, DALL-E's last


class Quantized(NamedTuple):
    r"""What became of vectors z (B, D, H, W).

    codes    (B, D, H, W)  the code at each place; the gradient goes to z
    indices  (B, H, W)     int64, their numbers in the codebook, 0 to K - 1
    loss     ()            what the encoder pays, averaged over places: 0 where there is nothing to pay
    """

    codes: Tensor
    indices: Tensor
    loss: Tensor


def straight_through(z: Tensor, codes: Tensor) -> Tensor:
    r"""The values of `codes`, the gradient of z: rounding has none of its own (Bengio et al. 2013)."""
    return z + (codes - z).detach()


def nearest_code(vectors: Tensor, codebook: Tensor) -> Tensor:
    r"""The row of the codebook (K, D) that is nearest to each vector (N, D): (N,) int64. |v|^2 is the same for all."""
    return (codebook.square().sum(1) - 2 * vectors @ codebook.T).argmin(1)


def code_means(vectors: Tensor, chosen: Tensor, codes: int) -> tuple[Tensor, Tensor]:
    r"""How many of the vectors (N, D) chose each code (K,), and the sums of those (K, D)."""
    ones = F.one_hot(chosen, codes).to(vectors.dtype)                          # (N, K)
    return ones.sum(0), ones.T @ vectors


def k_means(vectors: Tensor, codes: int, rounds: int = START_ROUNDS) -> Tensor:
    r"""Centres (K, D) of vectors (N, D), by Lloyd's rounds from vectors drawn at random; repeated where N < K."""
    order = torch.randperm(len(vectors), device=vectors.device)
    centres = vectors[order.repeat(math.ceil(codes / len(vectors)))[:codes]].clone()
    for _ in range(rounds):
        counts, sums = code_means(vectors, nearest_code(vectors, centres), codes)
        centres = torch.where(counts[:, None] > 0, sums / counts.clamp(min=1)[:, None], centres)
    return centres


def perplexity(indices: Tensor, codes: int) -> float:
    r"""exp of the entropy of how often each of K codes occurs: 1 if it is always the same, K if all do alike.

    A batch of N places can show no more than N codes, so its perplexity is at most N.
    """
    share = torch.bincount(indices.flatten(), minlength=codes) / indices.numel()
    return torch.special.entr(share).sum().exp().item()


class VectorQuantizer(nn.Module):
    r"""The nearest code of a learned list of K. `codebook` follows the vectors that choose each code.

    Van den Oord et al., appendix A.1: counts <- decay counts + (1 - decay) n, sums likewise, code = sums / counts.
    start    "k-means" of the first batch of training, or "random": N(0, 1), as a codebook is often begun
    restart  a code that is hardly chosen takes the place of a vector that has none near; False: it stays dead
    """

    def __init__(self, codes: int = 512, dim: int = 16, decay: float = DECAY, start: str = "k-means",
                 restart: bool = True):
        super().__init__()
        if codes < 2 or dim < 1 or not 0 < decay < 1 or start not in ("k-means", "random"):
            raise ValueError("a codebook has at least 2 codes of at least 1 number, a decay between 0 and 1, and the "
                             f'start "k-means" or "random"; got {codes}, {dim}, {decay} and {start!r}')
        self.codes, self.dim, self.decay, self.restart = codes, dim, decay, restart
        self.register_buffer("codebook", torch.randn(codes, dim))
        self.register_buffer("counts", torch.ones(codes))
        self.register_buffer("sums", self.codebook.clone())
        self.register_buffer("begun", torch.tensor(int(start == "random")))  # a checkpoint holds no bool

    def lookup(self, indices: Tensor) -> Tensor:
        r"""Numbers of codes (B, H, W) -> the codes (B, D, H, W)."""
        return self.codebook[indices].movedim(-1, 1)

    def forward(self, z: Tensor) -> Quantized:
        vectors = z.detach().movedim(1, -1).flatten(0, -2).float()             # (N, D)
        with torch.autocast(z.device.type, enabled=False):  # in bfloat16 near codes are mixed up, and means drift
            if self.training and not self.begun:
                self.begin(vectors)
            chosen = nearest_code(vectors, self.codebook)                      # (N,)
            indices = chosen.view(len(z), *z.shape[2:])
            codes = self.lookup(indices)                                       # (B, D, H, W)
            if self.training:
                self.follow(vectors, chosen)
        return Quantized(straight_through(z, codes), indices, (z - codes).square().sum(1).mean())

    @torch.no_grad()
    def begin(self, vectors: Tensor) -> None:
        r"""The codebook becomes the `k_means` of vectors (N, D)."""
        centres = k_means(vectors, self.codes)
        counts = code_means(vectors, nearest_code(vectors, centres), self.codes)[0].clamp(min=DEAD)
        for buffer, value in ((self.codebook, centres), (self.counts, counts), (self.sums, centres * counts[:, None])):
            buffer.copy_(value)
        self.begun.fill_(1)

    @torch.no_grad()
    def follow(self, vectors: Tensor, chosen: Tensor) -> None:
        r"""Move the codes towards the means of the vectors (N, D) that chose them (N,), and start dead ones anew."""
        counts, sums = code_means(vectors, chosen, self.codes)
        self.counts.lerp_(counts, 1 - self.decay)
        self.sums.lerp_(sums, 1 - self.decay)
        alive = self.counts >= DEAD * len(vectors) / self.codes
        moved = self.sums / self.counts.clamp(min=1e-6)[:, None]
        self.codebook.copy_(torch.where((self.counts > 1e-3)[:, None], moved, self.codebook))
        if self.restart and not alive.all():
            self.renew(~alive, vectors)

    def renew(self, dead: Tensor, vectors: Tensor) -> None:
        r"""Dead codes (K,) bool become vectors (N, D) that lie far from every code: drawn by their squared distance."""
        far = (vectors - self.codebook[nearest_code(vectors, self.codebook)]).square().sum(1) + 1e-12
        drawn = vectors[torch.multinomial(far, int(dead.sum()), replacement=True)]
        share = len(vectors) / self.codes  # as if chosen as often as the mean, so that it has time
        self.codebook[dead], self.sums[dead], self.counts[dead] = drawn, drawn * share, share


class FSQ(nn.Module):
    r"""Each number of z is rounded to one of a few levels: the codebook is a grid that nobody learns or keeps alive.

    levels  of each of the D numbers, at least 2 each; K is their product. Mentzer et al., section 3.1: tanh bounds a
            number, and an even count of levels is shifted by a half; codes lie in [-1, 1].
    """

    def __init__(self, levels=(8, 8, 8)):
        super().__init__()
        if not len(levels) or min(levels) < 2:
            raise ValueError(f"every number has at least 2 levels; got {list(levels)}")
        self.codes, self.dim = math.prod(levels), len(levels)
        strides = [math.prod(levels[:place]) for place in range(len(levels))]
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        self.register_buffer("strides", torch.tensor(strides), persistent=False)

    def bounded(self, z: Tensor) -> Tensor:
        r"""z (B, D, H, W) -> numbers that round to 0, ..., levels - 1."""
        top = (self.levels - 1).view(-1, 1, 1)
        return (z.tanh() * (1 - 1e-3) + 1) / 2 * (top + 1) - 0.5

    def lookup(self, indices: Tensor) -> Tensor:
        digits = indices[..., None] // self.strides % self.levels              # (B, H, W, D)
        return (digits / (self.levels - 1) * 2 - 1).movedim(-1, 1)

    def forward(self, z: Tensor) -> Quantized:
        bounded = self.bounded(z)
        digits = straight_through(bounded, bounded.round())                    # (B, D, H, W)
        codes = digits / (self.levels - 1).view(-1, 1, 1) * 2 - 1
        indices = (digits.detach().round().long() * self.strides.view(-1, 1, 1)).sum(1)
        return Quantized(codes, indices, z.new_zeros(()))


class GumbelQuantizer(nn.Module):
    r"""A soft choice that hardens: codes are a mixture, softmax((logits + Gumbel noise) / temperature) @ codebook.

    DALL-E's way. As the temperature falls the mixture becomes one code; in use it is the most probable one.
    What the encoder pays is KL(q || uniform) = log K - entropy, in nats a place.
    """

    def __init__(self, codes: int = 512, dim: int = 16):
        super().__init__()
        self.codes, self.dim = codes, dim
        self.logits, self.codebook = nn.Conv2d(dim, codes, 1), nn.Parameter(torch.randn(codes, dim))
        self.register_buffer("temperature", torch.ones(()))

    def lookup(self, indices: Tensor) -> Tensor:
        return self.codebook[indices].movedim(-1, 1)

    def cool(self, progress: float) -> None:
        r"""Set the temperature for this share of the training, 0 to 1: 1 falls to `SMALLEST_TEMPERATURE`."""
        self.temperature.fill_(SMALLEST_TEMPERATURE ** min(max(progress, 0.0), 1.0))

    def forward(self, z: Tensor) -> Quantized:
        logits = self.logits(z)                                                # (B, K, H, W)
        indices, log_q = logits.argmax(1), logits.log_softmax(1)
        kl = math.log(self.codes) + (log_q.exp() * log_q).sum(1).mean()
        if not self.training:
            return Quantized(self.lookup(indices), indices, kl)
        soft = F.gumbel_softmax(logits, self.temperature.item(), dim=1)        # (B, K, H, W)
        return Quantized(torch.einsum("bkhw,kd->bdhw", soft, self.codebook), indices, kl)
