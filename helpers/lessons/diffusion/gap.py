r"""How far a denoiser is from the best one, and what the best one knows, at every noise level.

Notebook 12. All figures are of new scenes, drawn and noised from a seed, and are means of squares in [-1, 1].
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...diffusion.forward import Schedule
from .optimum import SceneOptimum


def noised(schedule: Schedule, times, n: int, seed: int):
    r"""Yields (t, x0, x_t) for each of `times`: the same n new scenes (n, 3, 32, 32), each time under new noise."""
    x0, generator = scenes.make_scenes(n, seed)[0], torch.Generator().manual_seed(seed)
    for t in times:
        yield t, x0, schedule.add_noise(x0, t, torch.randn(x0.shape, generator=generator))


@torch.no_grad()
def network_gap(denoise, schedule: Schedule, times, n: int = 64, seed: int = NEW_SCENES_SEED) -> dict[str, list]:
    r"""Errors of a denoiser beside those of the optimum, on the same n scenes under the same noise at each of `times`.

    {"t",   "network": the mean of (denoise - x0)^2,   "optimum": of (optimum - x0)^2,
    "excess": the first less the second, "standard_error": of that,   "distance": the mean of (denoise - optimum)^2}
    Each is a list along the times. x0 - E[x0 | x_t] is uncorrelated with whatever one can compute from x_t, so excess
    and distance are two measurements of one number; the distance has far less noise.
    """
    optimum, rows = SceneOptimum(schedule), []
    for t, x0, x in noised(schedule, times, n, seed):
        answer, best = denoise(x, torch.full((n,), t)), optimum(x, t)
        network, least, distance = square(answer - x0), square(best - x0), square(answer - best)        # (n,) each
        excess = network - least
        values = (network.mean(), least.mean(), excess.mean(), excess.std() / n**0.5, distance.mean())
        rows.append((t, *(value.item() for value in values)))
    names = ("t", "network", "optimum", "excess", "standard_error", "distance")
    return {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}


def certainty(schedule: Schedule, times, n: int = 64, seed: int = NEW_SCENES_SEED) -> dict[str, list[float]]:
    r"""{factor: the probability of its most likely value given x_t, the mean over n scenes, at each of `times`}."""
    optimum = SceneOptimum(schedule)
    found = [optimum.factors(x, t) for t, _, x in noised(schedule, times, n, seed)]
    return {name: [each[name].amax(1).mean().item() for each in found] for name in scenes.FACTORS}


def square(difference: Tensor) -> Tensor:
    r"""The mean square of each picture, (n, ...) -> (n,)."""
    return difference.double().square().flatten(1).mean(1)
