r"""What notebook 12 measures: what a denoiser draws, and how good that is.

n pictures · t 0 (clean) to T (noise) · all pictures in [-1, 1]
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...data import scenes
from ...diffusion.forward import Schedule, flow_schedule
from ...diffusion.samplers import keep_known, sample
from ...diffusion.targets import as_denoiser
from ..ae_vs_vae.experiments import scene_kinds

SCHEDULE = flow_schedule()
STEPS = 25  # of the sampler, unless a knob says otherwise
KINDS = 84  # of training scenes: 28 pairings of shape and colour on three grounds


def clipped(denoise):
    r"""denoise(x, t) with its guess kept in [-1, 1], as DDPM's code does and its Algorithm 2 does not show."""
    return lambda x, t: denoise(x, t).clamp(-1, 1)


def denoiser(model, schedule: Schedule = SCHEDULE, clip: bool = True):
    r"""denoise(x, t) -> x0 of a network of this course, which answers x0."""
    found = as_denoiser(model, schedule, "x0")
    return clipped(found) if clip else found


def draw(denoise, n: int, steps: int = STEPS, eta: float = 0.0, seed: int = 0, schedule: Schedule = SCHEDULE,
         at_once: int = 100, side: int = 32) -> Tensor:
    r"""n pictures (n, 3, S, S) from noise. The same seed gives the same noise to start from, whatever the rest."""
    chance = torch.Generator().manual_seed(seed)
    noise, later = torch.randn(n, 3, side, side, generator=chance), torch.Generator().manual_seed(seed + 1)
    drawn = []
    for x in noise.split(at_once):
        for _, x, _ in sample(denoise, x, schedule, steps, eta, generator=later):  # noqa: B007, B020, PLW2901
            pass
        drawn.append(x.clamp(-1, 1))
    return torch.cat(drawn)


def path(denoise, x: Tensor, steps: int = STEPS, eta: float = 0.0, schedule: Schedule = SCHEDULE, seed: int = 1,
         paste=None) -> tuple[list[int], Tensor, Tensor]:
    r"""All steps from x (B, ...) at T: the times t they reached, x there and the guesses x0, (steps, B, ...) each."""
    times, noisy, guesses = zip(*sample(denoise, x, schedule, steps, eta, paste,
                                        torch.Generator().manual_seed(seed)), strict=True)
    return list(times), torch.stack(noisy), torch.stack(guesses)


def settled(guesses: Tensor) -> dict[str, Tensor]:
    r"""{factor: (steps, B) bool}: whether each guess (steps, B, 3, S, S) reads as the last one does; and "valid"."""
    parsed = scenes.parse(guesses.flatten(0, 1).clamp(-1, 1))
    factors = parsed.factors.unflatten(0, guesses.shape[:2])                   # (steps, B, 6)
    found = dict(zip(scenes.FACTORS, (factors == factors[-1]).unbind(2), strict=True))
    return found | {"valid": parsed.valid.unflatten(0, guesses.shape[:2])}


def nearest(pictures: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    r"""The distance of each picture (n, ...) to the nearest of `known` (N, ...), root mean square, and which it is."""
    found = torch.cdist(pictures.flatten(1), known.flatten(1)).min(1)
    return found.values / pictures[0].numel() ** 0.5, found.indices


def fillings(denoise, picture: Tensor, mask: Tensor, n: int = 4, steps: int = 50, eta: float = 1.0,
             seed: int = 0) -> Tensor:
    r"""n fillings (n, 3, S, S) of the hidden part of one picture (3, S, S); mask (1, S, S) bool, True = hidden."""
    chance = torch.Generator().manual_seed(seed)
    noise = torch.randn(n, *picture.shape, generator=chance)
    paste = keep_known(picture[None], mask[None], SCHEDULE, chance)
    return path(denoise, noise, steps, eta, seed=seed, paste=paste)[1][-1].clamp(-1, 1)


def at_noise(sigma: float, schedule: Schedule = SCHEDULE) -> int:
    r"""The t where noise / signal is nearest to sigma, the standard deviation of noise that is added to a picture."""
    return int((schedule.noise[1:] / schedule.signal[1:] - sigma).abs().argmin()) + 1


def denoised(denoise, noisy: Tensor, sigma: float, schedule: Schedule = SCHEDULE) -> Tensor:
    r"""Pictures with noise of sigma added, as notebook 06 has them, (B, 3, S, S) -> what is under it, in one step."""
    t = at_noise(sigma, schedule)
    return denoise(noisy * schedule.signal[t].item(), torch.full((len(noisy),), t))


def spread(parsed: scenes.Parsed) -> dict[str, float]:
    r"""Of the valid pictures: how many of the 84 kinds occur, and the share of the most frequent one, times 84."""
    counts = scene_kinds(parsed)[parsed.valid].bincount()
    return {"kinds": int((counts > 0).sum()), "most": KINDS * (counts.max() / counts.sum()).item()}


def evaluate(model, n: int = 1000) -> dict[str, float]:
    parsed = scenes.parse(draw(denoiser(model), n))
    return parsed.shares() | spread(parsed)
