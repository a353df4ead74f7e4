r"""Two worlds so small that nothing in them is hidden: numbers of three kinds, and points of a Hangul letter.

Notebook 12. In the first, E[x0 | x_t] is a formula (the score of a mixture: Song & Ermon 2019 use one as their toy,
too); in the second, a small network learns it, and the ideal denoiser of 200 points shows what it is to memorise.

B numbers or points · K kinds
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ...data.batches import NEW_SCENES_SEED
from ...diffusion.forward import Schedule, flow_schedule
from ...diffusion.samplers import sample
from ...models.densities import Mixture
from ...models.unet import timestep_embedding
from ...show.raster import draw_text

# -- numbers ---------------------------------------------------------------------------------------


def numbers(weights=(0.45, 0.2, 0.35), means=(-1.0, 0.45, 1.2), stds=(0.12, 0.08, 0.15)) -> Mixture:
    r"""A mixture over one number. Of the default's three kinds none is near the mean of all, 0.06."""
    roots = torch.tensor(stds, dtype=torch.float64)[:, None, None]
    return Mixture(torch.tensor(weights, dtype=torch.float64), torch.tensor(means, dtype=torch.float64)[:, None], roots)


def at_time(mixture: Mixture, schedule: Schedule, t: int) -> Mixture:
    r"""p_t, the density of x_t: each kind N(m, s^2) has become N(signal m, signal^2 s^2 + noise^2)."""
    signal, noise = schedule.signal[t], schedule.noise[t]
    return Mixture(mixture.weights, signal * mixture.means, (signal**2 * mixture.roots**2 + noise**2).sqrt())


def mixture_denoiser(mixture: Mixture, schedule: Schedule):
    r"""denoise(x, t) -> E[x0 | x_t = x], exactly, of a mixture over one number: x (B, 1), t one or (B,) -> (B, 1).

    Within a kind, x0 and x_t are Gaussian together, so the mean of x0 is a straight line in x_t:

        E[x0 | x, k] = m_k + signal s_k^2 / (signal^2 s_k^2 + noise^2) (x - signal m_k)

    and the kinds are weighted with their probabilities, given x.
    """
    m, s = mixture.means[:, 0], mixture.roots[:, 0, 0]                                       # (K,)

    def denoise(x: Tensor, t: int | Tensor) -> Tensor:
        signal, noise = schedule.at(t, x.double())                                           # (B or 1, 1) each
        variance, offset = signal**2 * s**2 + noise**2, x.double() - signal * m              # (B, K)
        kind = (mixture.weights.log() - variance.log() / 2 - offset**2 / (2 * variance)).softmax(1)
        return (kind * (m + signal * s**2 / variance * offset)).sum(1, keepdim=True).to(x.dtype)

    return denoise


def evenly_likely(line: Tensor, density: Tensor, n: int) -> Tensor:
    r"""n numbers (n,), rising, each of which stands for as much of the probability: quantiles at (i + 1/2) / n.

    line     evenly spaced numbers (N,)      density  there (N,), up to a constant
    """
    mass = torch.cumulative_trapezoid(density, line)
    share = (torch.arange(n, dtype=density.dtype) + 0.5) / n * mass[-1]
    i = torch.searchsorted(mass, share).clamp(max=len(mass) - 1)
    before = torch.where(i > 0, mass[i - 1], 0.0)
    return line[i] + (share - before) / (mass[i] - before) * (line[1] - line[0])


def true_quantiles(mixture: Mixture, n: int) -> Tensor:
    r"""`evenly_likely` numbers (n,) of a mixture over one number."""
    reach = 6 * mixture.roots.amax()
    line = torch.linspace(mixture.means.min() - reach, mixture.means.max() + reach, 20_001, dtype=torch.float64)
    return evenly_likely(line, mixture.log_density(line[:, None]).exp(), n)


def wasserstein(x: Tensor, y: Tensor) -> float:
    r"""How far numbers must move, on average, for n numbers x to become n numbers y: their distance Wasserstein-1."""
    return (x.flatten().sort().values - y.flatten().sort().values).abs().mean().item()


# -- trajectories ----------------------------------------------------------------------------------


class Paths(NamedTuple):
    r"""Where a sampler went: t (steps + 1) from T down to 0, and x (steps + 1, B, D) there."""

    t: list[int]
    x: Tensor


@torch.no_grad()
def follow(denoise, schedule: Schedule, n: int, steps: int, eta: float = 0.0, seed: int = 0, size: int = 1) -> Paths:
    r"""The paths of n numbers (size 1) or points (size 2) from noise: the start, and what `sample` yields."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, size, generator=generator) * schedule.noise[-1].float()
    visited = [(schedule.last, x), *((t, x) for t, x, _ in sample(denoise, x, schedule, steps, eta,
                                                                  generator=generator))]
    return Paths([t for t, _ in visited], torch.stack([x for _, x in visited]))


# -- points of a letter ----------------------------------------------------------------------------

FONT_PIXELS = 100  # the letter is drawn this high, and its inked pixels are what there is
WAVELENGTHS = (4.0, 2.0, 1.0, 0.5)  # in which a point is told to the network, besides its x and y: Tancik et al. 2020
TIME = 32  # numbers that tell it the time

# Strokes are a tenth as wide as the letter, and the 200 points lie closer still: a path for them spends its time in
# little noise, where one for pictures spends it in much.
LETTER_SCHEDULE = flow_schedule(shift=0.25)


@lru_cache(maxsize=4)
def ink(letter: str = "한") -> tuple[Tensor, float]:
    r"""The inked pixels of a letter, their centres (N, 2) with y upwards, and half the side of one.

    Scaled so that the longer side of the letter goes from -1 to 1.
    """
    dark = np.argwhere(draw_text(letter, FONT_PIXELS, "#000000")[..., 0] < 128)              # (N, 2): row, column
    if not len(dark):
        raise ValueError(f"{letter!r} has no ink: choose a letter that the course's font can draw")
    low, high = dark.min(0), dark.max(0) + 1
    scale = 2 / (high - low).max()
    centres = (dark + 0.5 - (low + high) / 2) * scale
    return torch.tensor(centres[:, ::-1] * [1, -1], dtype=torch.float32), scale / 2


def letter_points(n: int, generator: torch.Generator | None = None, letter: str = "한") -> Tensor:
    r"""n points (n, 2), uniform on the ink of a letter."""
    centres, half = ink(letter)
    chosen = centres[torch.randint(len(centres), (n,), generator=generator)]
    return chosen + half * (2 * torch.rand(n, 2, generator=generator) - 1)


def off_the_ink(points: Tensor, letter: str = "한") -> Tensor:
    r"""The distance of each point (n, 2) to the ink, 0 on it: (n,). The letter is 2 wide or high."""
    centres, half = ink(letter)
    return ((points[:, None] - centres).abs() - half).clamp(min=0).square().sum(-1).min(1).values.sqrt()


def to_nearest_point(points: Tensor, others: Tensor) -> Tensor:
    r"""The distance of each point (n, 2) to the nearest of others (m, 2): (n,)."""
    return (points[:, None] - others).square().sum(-1).min(1).values.sqrt()


class PointNet(nn.Module):
    r"""model(x, t): three hidden layers that read a point (B, 2) and the time t (B,), and answer (B, 2)."""

    def __init__(self, hidden: int = 128, last: int = 1000):
        super().__init__()
        self.config = {"hidden": hidden, "last": last}
        sides = [2 + 4 * len(WAVELENGTHS) + TIME, hidden, hidden, hidden]
        layers = [f for a, b in zip(sides, sides[1:], strict=False) for f in (nn.Linear(a, b), nn.SiLU())]
        self.net = nn.Sequential(*layers, nn.Linear(hidden, 2))

    def forward(self, x, t):
        angles = (2 * math.pi * x[:, :, None] / torch.tensor(WAVELENGTHS)).flatten(1)         # (B, 2 W)
        time = timestep_embedding(t * (1000 / self.config["last"]), TIME)                     # (B, TIME)
        return self.net(torch.cat([x, angles.sin(), angles.cos(), time], 1))


def letter_distances(points: Tensor, known: Tensor, letter: str = "한", n: int = 400) -> dict[str, float]:
    r"""Three mean distances of points (B, 2), in units of which the letter is 2 wide or high.

    "off the letter"   from a point to the ink: 0 for points of the letter
    "to a known one"   from a point to the nearest of `known` (N, 2): 0 for what was learned by heart
    "holes"            from n new points of the letter to the nearest of the points: large where some of it is missing
    """
    new = letter_points(n, torch.Generator().manual_seed(NEW_SCENES_SEED), letter)
    means = off_the_ink(points, letter), to_nearest_point(points, known), to_nearest_point(new, points)
    return dict(zip(("off the letter", "to a known one", "holes"), (d.mean().item() for d in means), strict=True))
