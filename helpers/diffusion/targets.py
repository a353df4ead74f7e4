r"""What a network is asked for, and the loss: of a noisy picture and its noise level, what is noise and what picture?

Notebook 12. Papers: Ho, Jain & Abbeel 2020 (eps); Salimans & Ho 2022 (v); Karras, Aittala, Aila & Laine 2022 (edm,
which this course trains); Liu, Gong & Liu 2022 (flow).

B batch · ... the shape of one picture, a latent or a point · t whole numbers, 0 (clean) to T (noise)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from .forward import Schedule

VARIANCE = 0.64  # sigma_data^2, of the numbers of a tiny scene; Karras et al. 2022 take 0.25 for photographs


class Target(NamedTuple):
    r"""A quantity that a network may predict. x_t and any of them give x0, and with it all the others.

    of  (x0, eps, signal, noise) -> the quantity      x0  (x_t, the quantity, signal, noise) -> x0
    """

    of: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
    x0: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def edm_length(signal, noise):
    r"""sigma_data times the standard deviation of x_t."""
    return (VARIANCE * (VARIANCE * signal**2 + noise**2)) ** 0.5


TARGETS = {
    # DDPM, equations 11 and 14. Says nothing of x0 where no signal is left
    "eps": Target(lambda x0, eps, signal, noise: eps,
                  lambda x, eps, signal, noise: (x - noise * eps) / signal),
    "x0": Target(lambda x0, eps, signal, noise: x0,
                 lambda x, x0, signal, noise: x0),
    # Salimans & Ho 2022, section 4; the divisor is 1 where the variance is preserved
    "v": Target(lambda x0, eps, signal, noise: signal * eps - noise * x0,
                lambda x, v, signal, noise: (signal * x - noise * v) / (signal**2 + noise**2)),
    # Karras et al. 2022, table 1, up to the sign v for data that are not of variance 1: of variance 1 at every t
    "edm": Target(lambda x0, eps, signal, noise: (noise * x0 - VARIANCE * signal * eps) / edm_length(signal, noise),
                  lambda x, edm, signal, noise: (VARIANCE * signal * x + noise * edm_length(signal, noise) * edm)
                  / (VARIANCE * signal**2 + noise**2)),
    # Liu et al. 2022, equation 1: dx/dt of the straight path, where the divisor is 1
    "flow": Target(lambda x0, eps, signal, noise: eps - x0,
                   lambda x, flow, signal, noise: (x - noise * flow) / (signal + noise)),
}


def find_eps(x: Tensor, x0: Tensor, signal, noise) -> Tensor:
    r"""The noise in x_t beside x0: two (B, ...) -> (B, ...). There is none to find at t = 0."""
    return (x - signal * x0) / noise


def as_denoiser(model, schedule: Schedule, target: str = "eps"):
    r"""denoise(x, t, ...) -> the x0 that the model's answer at x_t stands for: what samplers and guidance understand.

    model   model(x, t, ...) -> its answer, of the shape of x; further arguments are passed on to it
    target  a row of `TARGETS`: what it was trained to say
    ValueError for a target that is not there, and for "eps" on a path that ends without signal.
    """
    check_target(target)
    if target == "eps" and schedule.signal[-1] == 0:
        raise ValueError("at T this path is noise alone, and eps says nothing of x0 there: predict another one")

    def denoise(x: Tensor, t: Tensor, *args, **kwargs) -> Tensor:
        return TARGETS[target].x0(x, model(x, t, *args, **kwargs), *schedule.at(t, x))

    return denoise


def on_schedule(denoise, own: Schedule, other: Schedule):
    r"""A denoiser of the path `own` as one of the path `other`: denoise(x, t) -> x0, t in the time of `other`.

    Each x_t of one path is one of the other at the time of the same SNR, made larger or smaller (Karras et al. 2022,
    section 3.1): nothing is trained anew. Times are whole numbers, so it is the nearest one.
    """
    def moved(x: Tensor, t: Tensor) -> Tensor:
        t = torch.as_tensor(t).expand(len(x))
        same = torch.searchsorted(-own.alpha_bar, -other.alpha_bar[t.cpu()]).clamp(1, own.last)        # (B,)
        length, new = ((s.signal**2 + s.noise**2).sqrt()[at] for s, at in ((other, t.cpu()), (own, same)))
        stretch = (new / length).to(x).reshape(-1, *[1] * (x.ndim - 1))
        return denoise(x * stretch, same.to(x.device))

    return moved


def check_target(target: str) -> None:
    if target not in TARGETS:
        raise ValueError(f"a network predicts one of {', '.join(TARGETS)}; got {target!r}")


# -- the loss ------------------------------------------------------------------------------------------------------


def uniform_times(schedule: Schedule, x0: Tensor) -> Tensor:
    r"""t from 1 to T, T included, each as likely: (B, ...) -> (B,)."""
    return torch.randint(1, schedule.last + 1, (len(x0),), device=x0.device)


def logit_normal_times(schedule: Schedule, x0: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    r"""t / T = sigmoid(mean + std n), n ~ N(0, 1), rounded up: the middle of the path is seen most. (B, ...) -> (B,).

    Esser et al. 2024 (Stable Diffusion 3), section 3.1.
    """
    share = torch.sigmoid(mean + std * torch.randn(len(x0), device=x0.device))
    return (share * schedule.last).ceil().long().clamp(1, schedule.last)


def diffusion_loss(model, x0: Tensor, schedule: Schedule, target: str = "eps", cond: dict | None = None,
                   times=uniform_times):
    r"""(loss, {"low_t": ..., "high_t": ...}): the mean of (target - model(x_t, t))^2 over numbers and batch.

    L_simple, DDPM, equation 14, for any row of `TARGETS`. The two parts sum to the loss: what the pictures with
    t <= T/2 and t > T/2 add to it.
    x0     (B, ...), in [-1, 1], or latents of standard deviation 1
    cond   arguments of the model by their names, such as context=(B, N, D)
    times  (schedule, x0) -> t (B,), drawn anew for each batch
    ValueError for a model whose answer has another shape, and for a target that is not in the table.
    """
    check_target(target)
    t, eps = times(schedule, x0), torch.randn_like(x0)
    answer = model(schedule.add_noise(x0, t, eps), t, **(cond or {}))
    if answer.shape != x0.shape:
        raise ValueError(f"the model answers in the shape of x0, {tuple(x0.shape)}; got {tuple(answer.shape)}")
    error = (answer - TARGETS[target].of(x0, eps, *schedule.at(t, x0))).square()        # (B, ...)
    share = error.flatten(1).mean(1) / len(x0)                                          # (B,)
    high = t > schedule.last / 2
    return share.sum(), {"low_t": share[~high].sum().detach(), "high_t": share[high].sum().detach()}
