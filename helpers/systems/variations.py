r"""A picture, taken apart by CLIP and by DDIM: what CLIP has of it, z_i, may change; the noise x_T keeps the rest.

Notebook 17. Ramesh et al. 2022, sections 3 and 4: variations, interpolations, text diffs, and fewer numbers of z_i.

B pictures (B, 3, 32, 32) in [-1, 1] · E numbers of an embedding · C, S channels and side of what the decoder draws
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ..diffusion.samplers import inverted
from ..metrics.pca import PCA
from ..models.vae import slerp
from .dalle2 import DALLE2

INVERSION_STEPS = 50
DIFFS = (0.25, 0.5)  # theta of a text diff: the paper's range, section 3.3


@torch.no_grad()
def taken_apart(system: DALLE2, pictures: Tensor, steps: int = INVERSION_STEPS) -> tuple[Tensor, Tensor]:
    r"""Pictures -> z_i (B, E), and the noise x_T (B, C, S, S) that the decoder, told z_i, draws them from by DDIM."""
    z = system.embed(pictures)
    decoder = system.decoder
    return z, inverted(system.told(z), decoder.encode(pictures), decoder.schedule, steps)


def put_together(system: DALLE2, z: Tensor, x: Tensor, steps: int = INVERSION_STEPS, eta: float = 0.0,
                 seed: int = 0, scale: float = 1.0) -> Tensor:
    r"""The inverse of `taken_apart`, for eta 0 and scale 1: z_i (B, E) and x_T -> pictures."""
    return system.decode(z, scale=scale, steps=steps, seed=seed, eta=eta, x=x)


def variations(system: DALLE2, pictures: Tensor, eta: float, seed: int = 0, **options) -> Tensor:
    r"""A variation of each picture: the same z_i, drawn with eta > 0 from the x_T of the picture (section 3.1).

    At eta 0 the picture comes back. With more, what z_i does not hold is drawn anew, at 1 and above nearly all of it.
    """
    return put_together(system, *taken_apart(system, pictures), eta=eta, seed=seed, **options)


def on_the_way(system: DALLE2, a: Tensor, b: Tensor, shares: Sequence[float], **options) -> Tensor:
    r"""Pictures at these shares of the way from pictures a to b, (shares, B, 3, 32, 32): z_i and x_T by `slerp`.

    Section 3.2. Along the sphere: z_i keeps its length, and x_T that of noise.
    """
    (z_a, x_a), (z_b, x_b) = taken_apart(system, a), taken_apart(system, b)

    def noise(share):
        return slerp(x_a.flatten(1), x_b.flatten(1), share).view_as(x_a)

    return torch.stack([put_together(system, slerp(z_a, z_b, share), noise(share), **options) for share in shares])


def text_diff(system: DALLE2, pictures: Tensor, before: Sequence[str], after: Sequence[str],
              thetas: Sequence[float] = DIFFS, **options) -> Tensor:
    r"""Pictures changed as a text says, (thetas, B, 3, 32, 32): from `before`, what they show, to `after`.

    Section 3.3: z_d = (z_after - z_before) / |...| of the two texts; z_theta = slerp(z_i, z_d, theta); x_T stays.
    """
    z, x = taken_apart(system, pictures)
    z_d = difference_of(system.embed_texts(before), system.embed_texts(after))
    return torch.stack([put_together(system, slerp(z, z_d, theta), x, **options) for theta in thetas])


def difference_of(before: Tensor, after: Tensor) -> Tensor:
    r"""Embeddings (B, E), twice -> the direction (B, E) of length 1 from one to the other. ValueError where equal."""
    step = after - before
    if (step.norm(dim=1) < 1e-6).any():
        raise ValueError("the two texts mean the same to CLIP: there is no difference to follow")
    return F.normalize(step, dim=1)


def in_fewer_numbers(system: DALLE2, pca: PCA, pictures: Tensor, kept: Sequence[int], seed: int = 0,
                     **options) -> Tensor:
    r"""Pictures drawn from z_i with its first components alone, (kept, B, 3, 32, 32), all from the same noise.

    Section 4 and figure 7. pca: of many z_i; what is left of an embedding is brought to length 1 again
    """
    z = system.embed(pictures)
    return torch.stack([system.decode(F.normalize(pca.reconstruct(z, d), dim=1), seed=seed, **options) for d in kept])
