r"""The reverse process: from noise to a picture, a guess of the clean one at every step.

Notebook 12. Papers: Song, Meng & Ermon, "Denoising diffusion implicit models" (DDIM), 2021; Ho, Jain & Abbeel (DDPM),
2020; Lugmayr et al. (RePaint), 2022, for the parts that are known; Meng et al. (SDEdit), 2022, for other starts.
A sampler sees a function denoise(x, t) -> x0 and nothing else: `targets.as_denoiser` makes one of a network,
`guidance.guided` of two calls of one, `ideal.posterior_mean` of a data set.

x (B, ...) at time t · s < t the time stepped to · x0 the guess at t of what is under the noise
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from itertools import pairwise
from math import inf

import torch
from torch import Tensor

from .forward import Schedule
from .targets import find_eps

FRESH = 3.0  # an eta with which, in 20 steps on the flow schedule, all noise is drawn anew at each step


@torch.no_grad()
def sample(denoise, x: Tensor, schedule: Schedule, steps: int = 50, eta: float | Callable[[int], float] = 0.0,
           paste=None, generator: torch.Generator | None = None, rounds: int = 1, start: int | None = None):
    r"""A generator that yields (t, x, x0) after every step: x (B, ...) at time t, and the guess x0 it was made from.

    denoise    denoise(x, t) -> x0, (B, ...), t (B,) whole numbers
    x          noise to start from at T: torch.randn(B, ...) (times schedule.noise[-1], 1 or nearly)
    steps      1 to T: how often denoise is called. The first call is at T, the last yields t = 0
    start      the time of x, and of the first call, if that is not T: something that is known, under noise (SDEdit)
    eta        how much of DDPM's noise is added at a step: 0 none (DDIM, the path is fixed by x), 1 all of it (DDPM);
               more replaces more of what x_t holds of noise by new one, up to all of it (Karras et al.'s churn).
               Or a function of t, the time stepped from, that says so for each step
    paste      paste(x, t) -> x, after every step: see `keep_known`
    generator  of the noise where eta > 0 or rounds > 1: torch's own without it; or a function shape -> noise
    rounds     how often each step is made, with new noise between: what is pasted and what is drawn come to agree
               (RePaint, algorithm 1, with jumps of one step). Each is a call; the last one is yielded
    ValueError, on the first step, for steps, start, eta or rounds out of range and for answers of another shape.
    """
    if rounds < 1:
        raise ValueError(f"each step is made once or more often; got {rounds} rounds")
    for t, s in pairwise(timesteps(schedule, steps, start)):
        for again in range(rounds):
            if again:
                x = forward_step(x, schedule, s, t, generator)
            x0 = denoise(x, torch.full((len(x),), t, device=x.device))
            if x0.shape != x.shape:
                raise ValueError(f"denoise answers in the shape of x, {tuple(x.shape)}; got {tuple(x0.shape)}")
            x, std = reverse_step(x, x0, schedule, t, s, eta(t) if callable(eta) else eta)
            if std > 0:
                x = x + std * noise_like(x, generator)
            if paste is not None:
                x = paste(x, s)
        yield s, x, x0


@torch.no_grad()
def finished(path, decode=None) -> Tensor:
    r"""The picture x (B, ...) that a path of `sample` ends with, clamped to [-1, 1]; no other step is kept.

    decode  what makes a picture of x, where x is a latent
    """
    (_, x, _), = deque(path, maxlen=1)
    return (decode(x) if decode else x).clamp(-1, 1)


@torch.no_grad()
def inverted(denoise, x: Tensor, schedule: Schedule, steps: int = 50) -> Tensor:
    r"""The noise x_T (B, ...) from which DDIM (eta 0, as many steps) draws the picture x, nearly: its steps backwards.

        x_t = signal_t x0 + noise_t eps, with x0 and eps as they are guessed at x_s, s < t

    Song, Meng & Ermon 2021, section 4.3, the differential equation (14) followed from t = 0 on. It is exact as steps
    become small: a guess at s stands for one at t. ValueError for steps out of range.
    """
    for s, t in pairwise(timesteps(schedule, steps)[::-1]):
        at = max(s, 1)  # at 0 there is no noise to be guessed
        x0 = denoise(x, torch.full((len(x),), at, device=x.device))
        eps = find_eps(x, x0, schedule.signal[at].item(), schedule.noise[at].item())
        x = schedule.signal[t].item() * x0 + schedule.noise[t].item() * eps
    return x


def within(denoise, limit: float | None = 1.0):
    r"""denoise(x, t) with its guess clamped to [-limit, limit]; None: as it is.

    DDPM's code clamps, and its Algorithm 2 does not show it. The mean of pictures in [-1, 1] lies there, too.
    """
    return denoise if limit is None else lambda x, t: denoise(x, t).clamp(-limit, limit)


def timesteps(schedule: Schedule, steps: int, start: int | None = None) -> list[int]:
    r"""start = t_0 > ... > t_steps = 0, as evenly as whole numbers can; start None: T.

    ValueError unless 1 <= steps <= start <= T.
    """
    start = schedule.last if start is None else start
    if not isinstance(start, int) or not 1 <= start <= schedule.last:
        raise ValueError(f"a path starts at a whole t from 1 to {schedule.last}; got {start}")
    if not isinstance(steps, int) or not 1 <= steps <= start:
        raise ValueError(f"steps is a whole number from 1 to {start}, the timesteps that there are; got {steps}")
    return torch.linspace(start, 0, steps + 1, dtype=torch.float64).round().long().tolist()


def reverse_step(x: Tensor, x0: Tensor, schedule: Schedule, t: int, s: int, eta: float) -> tuple[Tensor, float]:
    r"""x_s ~ N(mean, std^2 I), from x_t (B, ...) and the guess x0, s < t: (mean (B, ...), std).

        mean = signal_s x0 + sqrt(noise_s^2 - std^2) eps          std = min(noise_s, eta noise_s sqrt(1 - rho^2))

    DDIM, equations 12 and 16 (its alpha is DDPM's alpha_bar). rho = (signal_t noise_s) / (signal_s noise_t) is the
    root of a ratio of two SNRs, so the equations hold on every schedule. At eta = 1 this is DDPM's posterior,
    equations 6 and 7; at s = 0 there is no noise, so std is 0. ValueError for an eta below 0.
    """
    if not 0 <= eta < inf:
        raise ValueError(f"eta is a number from 0 (DDIM) upwards, 1 is DDPM; got {eta}")
    signal, noise = schedule.signal[t].item(), schedule.noise[t].item()
    signal_s, noise_s = schedule.signal[s].item(), schedule.noise[s].item()
    rho = signal * noise_s / (signal_s * noise)
    std = min(noise_s, eta * noise_s * (1 - rho**2) ** 0.5)
    eps = find_eps(x, x0, signal, noise)
    return signal_s * x0 + (noise_s**2 - std**2) ** 0.5 * eps, std


def forward_step(x: Tensor, schedule: Schedule, s: int, t: int, generator: torch.Generator | None = None) -> Tensor:
    r"""x_t ~ q(x_t | x_s), from x_s (B, ...) at an earlier time s < t: the forward process, from where one is."""
    shrunk = schedule.signal[t].item() / schedule.signal[s].item()
    std = (schedule.noise[t].item() ** 2 - (shrunk * schedule.noise[s].item()) ** 2) ** 0.5
    return shrunk * x + std * noise_like(x, generator)


def noise_like(x: Tensor, generator: torch.Generator | Callable | None) -> Tensor:
    r"""eps ~ N(0, I) of the shape of x, drawn where the generator is: a CPU's gives every device the same noise."""
    if callable(generator):
        return generator(x.shape).to(x)
    device = generator.device if generator else x.device
    return torch.randn(x.shape, generator=generator, device=device, dtype=x.dtype).to(x.device)


def keep_known(x0: Tensor, mask: Tensor, schedule: Schedule, generator: torch.Generator | None = None):
    r"""paste(x, t) -> x with its known part replaced by that of x0 under fresh noise of time t: inpainting.

    RePaint, equation 8; its repeated steps are `rounds` of `sample`. At t = 0 the known part is that of x0, exactly.
    x0    what is partly known, (B, ...), or (1, ...) for many fillings of one; its hidden part is never read
    mask  boolean, True = hidden, as everywhere; of a shape that expands to that of x0, such as (B, 1, S, S)
    ValueError for a mask that is not boolean or does not fit x0, and for an x that x0 does not fit.
    """
    if mask.dtype != torch.bool:
        raise ValueError(f"a mask is boolean, True = hidden; got {mask.dtype}")
    check_expands("a mask", mask, x0)

    def paste(x: Tensor, t: int) -> Tensor:
        check_expands("what is known", x0, x)
        return torch.where(mask, x, schedule.add_noise(x0.expand_as(x), t, noise_like(x, generator)))

    return paste


def check_expands(what: str, small: Tensor, large: Tensor) -> None:
    r"""ValueError unless `small` expands to the shape of `large`."""
    try:
        small.expand_as(large)
    except RuntimeError:
        raise ValueError(f"{what} of shape {tuple(small.shape)} does not fit {tuple(large.shape)}") from None
