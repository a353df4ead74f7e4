r"""What notebook 12 measures: what a denoiser draws, and how good that is.

n pictures · t 0 (clean) to T (noise) · all pictures in [-1, 1]
"""

from __future__ import annotations

import torch
from torch import Tensor

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...diffusion.forward import Schedule, flow_schedule
from ...diffusion.samplers import FRESH, finished, keep_known, sample, within
from ...diffusion.targets import TARGETS, as_denoiser
from ...training import tuning
from ..ae_vs_vae.experiments import scene_kinds
from .gap import noised

SCHEDULE = flow_schedule()
DRAWING_STEPS = 50
FRESH_BELOW = 700  # t; 500 and 850 were tried, too
ERROR_TIMES = (100, 300, 500, 700, 850, 950)  # noise levels at which errors are told
SCENE_KINDS = 84  # of training scenes: 28 pairings of shape and colour on three grounds


def denoiser(model, limit: float | None = 1.0):
    r"""denoise(x, t) -> x0 of this notebook's network, which answers edm; limit as in `samplers.within`."""
    return within(as_denoiser(model, SCHEDULE, "edm"), limit)


def fresh_late(t: int) -> float:
    r"""An eta for each step: DDPM's noise at first, and below `FRESH_BELOW` all of it fresh.

    The best of those tried on other noises than are scored: as many valid ones as with fresh noise throughout, and more
    kinds of scenes.
    """
    return FRESH if t <= FRESH_BELOW else 1.0


def draw_new(denoise, n: int, steps: int = DRAWING_STEPS, eta=fresh_late, seed: int = 0,
             schedule: Schedule = SCHEDULE, at_once: int = 100, side: int = 32) -> Tensor:
    r"""n pictures (n, 3, S, S) from noise. The same seed gives the same noise to start from, whatever the rest."""
    chance = torch.Generator().manual_seed(seed)
    noise, later = torch.randn(n, 3, side, side, generator=chance), torch.Generator().manual_seed(seed + 1)
    return torch.cat([finished(sample(denoise, x, schedule, steps, eta, generator=later))
                      for x in noise.split(at_once)])


def path(denoise, x: Tensor, steps: int = 25, eta: float = 0.0, schedule: Schedule = SCHEDULE, seed: int = 1,
         paste=None, rounds: int = 1) -> tuple[list[int], Tensor, Tensor]:
    r"""All steps from x (B, ...) at T: the times t they reached, x there and the guesses x0, (steps, B, ...) each."""
    times, noisy, guesses = zip(*sample(denoise, x, schedule, steps, eta, paste,
                                        torch.Generator().manual_seed(seed), rounds), strict=True)
    return list(times), torch.stack(noisy), torch.stack(guesses)


def settled(guesses: Tensor) -> dict[str, Tensor]:
    r"""{factor: (steps, B) bool}: whether each guess (steps, B, 3, S, S) reads as the last one does; and "valid"."""
    parsed = scenes.parse(guesses.flatten(0, 1).clamp(-1, 1))
    factors = parsed.factors.unflatten(0, guesses.shape[:2])                   # (steps, B, 6)
    found = dict(zip(scenes.FACTORS, (factors == factors[-1]).unbind(2), strict=True))
    return found | {"valid": parsed.valid.unflatten(0, guesses.shape[:2])}


def nearest_of(pictures: Tensor, known: Tensor) -> tuple[Tensor, Tensor]:
    r"""The distance of each picture (n, ...) to the nearest of `known` (N, ...), root mean square, and which it is."""
    found = torch.cdist(pictures.flatten(1), known.flatten(1)).min(1)
    return found.values / pictures[0].numel() ** 0.5, found.indices


def fillings(denoise, picture: Tensor, mask: Tensor, n: int = 4, steps: int = 25, eta: float = 1.0,
             seed: int = 0, rounds: int = 8) -> Tensor:
    r"""n fillings (n, 3, S, S) of the hidden part of one picture (3, S, S); mask (1, S, S) bool, True = hidden."""
    chance = torch.Generator().manual_seed(seed)
    noise = torch.randn(n, *picture.shape, generator=chance)
    paste = keep_known(picture[None], mask[None], SCHEDULE, chance)
    return path(denoise, noise, steps, eta, seed=seed, paste=paste, rounds=rounds)[1][-1].clamp(-1, 1)


def at_noise(sigma: float, schedule: Schedule = SCHEDULE) -> int:
    r"""The t whose noise / signal is nearest to noise of sigma on [0, 1], notebook 06's measure: 2 sigma on [-1, 1]."""
    return int((schedule.noise[1:] / schedule.signal[1:] - 2 * sigma).abs().argmin()) + 1


@torch.no_grad()
def in_one_step(denoise, noisy: Tensor, sigma: float, schedule: Schedule = SCHEDULE) -> Tensor:
    r"""Pictures under notebook 06's noise (B, 3, S, S) -> the guess of what is under it, by a denoiser of this one."""
    t = at_noise(sigma, schedule)
    return denoise(noisy * schedule.signal[t].item(), torch.full((len(noisy),), t))


def right_part(width: int = 18, side: int = 32) -> Tensor:
    r"""A mask (1, S, S) that hides the last `width` columns."""
    return (torch.arange(side) >= side - width).expand(1, side, side)


def spread(parsed: scenes.Parsed) -> dict[str, float]:
    r"""Of the valid pictures: how many of the 84 kinds occur, and the share of the most frequent one, times 84."""
    counts = scene_kinds(parsed)[parsed.valid].bincount()
    return {"kinds": int((counts > 0).sum()), "most": SCENE_KINDS * (counts.max() / counts.sum()).item()}


def untold(model):
    r"""The network as if every picture were of t = 0: it has to see for itself how much noise there is."""
    return lambda x, t: model(x, torch.zeros_like(t))


@torch.no_grad()
def errors(target: str, model, told: bool = True, n: int = 200) -> dict[str, float]:
    r"""{"100": the mean of (guess - x0)^2 on n new scenes at t = 100, ...} of a network that answers `target`."""
    net, found = model if told else untold(model), {}
    for level, x0, x in noised(SCHEDULE, ERROR_TIMES, n, NEW_SCENES_SEED):
        t = torch.full((n,), level)
        guess = TARGETS[target].x0(x, net(x, t), *SCHEDULE.at(t, x)).clamp(-1, 1)
        found[str(level)] = (guess - x0).square().mean().item()
    return found


def tried(names, seeds=(0, 1, 2)) -> dict[str, tuple[list[int], list[float]]]:
    r"""{name: (ERROR_TIMES, the mean over the seeds of the error there)} of brief trainings, as recorded."""
    found = {name: torch.tensor([[tuning.find(f"denoiser-{name}", seed=seed)[str(t)] for t in ERROR_TIMES]
                                 for seed in seeds]) for name in names}
    return {name: (list(ERROR_TIMES), values.mean(0).tolist()) for name, values in found.items()}


def judge_drawings(model, n: int = 1000) -> dict[str, float]:
    parsed = scenes.parse(draw_new(denoiser(model), n))
    return parsed.shares() | spread(parsed)
