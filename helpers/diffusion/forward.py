r"""The forward process: a picture drowns in noise.

Notebook 12. Papers: Ho, Jain & Abbeel, "Denoising diffusion probabilistic models" (DDPM), 2020; Nichol & Dhariwal 2021
(cosine); Liu, Gong & Liu 2022 and Lipman et al. 2022 (the straight path of flow matching).
Every path of the course is one line: x_t = signal_t x0 + noise_t eps, eps ~ N(0, I). A schedule is the two columns of
numbers; nothing else in this room asks which schedule it is.

B batch · ... the shape of one picture, a latent or a point · T the last timestep
t whole numbers, 0 (clean) to T (noise). Lipman et al. let time run the other way: there, t = 0 is noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Schedule:
    r"""x_t = signal_t x0 + noise_t eps, for t = 0 (clean: signal 1, noise 0) to T.

    signal  (T + 1,) float64; alpha_t of Kingma et al. 2021, which is the root of DDPM's alpha_bar_t
    noise   (T + 1,) float64; sigma_t there, the root of 1 - alpha_bar_t
    ValueError unless both start clean and the share of noise rises at every t.
    """

    signal: Tensor
    noise: Tensor

    def __post_init__(self):
        if self.signal.ndim != 1 or self.signal.shape != self.noise.shape or len(self.signal) < 2:
            shapes = f"{tuple(self.signal.shape)} and {tuple(self.noise.shape)}"
            raise ValueError(f"expected signal and noise (T + 1,), T at least 1; got {shapes}")
        if self.signal[0] != 1 or self.noise[0] != 0:
            raise ValueError("t = 0 is the clean picture: signal[0] is 1 and noise[0] is 0")
        if not (min(self.signal.min(), self.noise.min()) >= 0 and (self.alpha_bar.diff() < 0).all()):  # NaN, too
            raise ValueError("signal and noise are not negative, and alpha_bar falls at every step")

    @property
    def last(self) -> int:
        r"""T, the timestep of most noise."""
        return len(self.signal) - 1

    @property
    def alpha_bar(self) -> Tensor:
        r"""The share of the signal in the variance, (T + 1,), from 1 down: signal^2 / (signal^2 + noise^2).

        DDPM's, where the two squares sum to 1. A path where they do not, such as flow matching's, is that of this
        alpha_bar with every x_t stretched.
        """
        return self.signal**2 / (self.signal**2 + self.noise**2)

    @property
    def snr(self) -> Tensor:
        r"""The signal-to-noise ratio, (T + 1,), from infinity down: signal^2 / noise^2 (Kingma et al. 2021, eq. 2)."""
        return self.signal**2 / self.noise**2

    def at(self, t: int | Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""signal_t and noise_t, as numbers that multiply x (B, ...): t, one or (B,) -> (B or 1, 1, ...) each.

        ValueError for a t that is not a whole number from 0 to T, for another count of them, and for an x of integers.
        """
        if not x.is_floating_point():
            raise ValueError(f"pictures are floats in [-1, 1]; got {x.dtype}")
        t = torch.as_tensor(t, device=x.device)
        if t.is_floating_point() or t.dtype == torch.bool or ((t < 0) | (t > self.last)).any():
            raise ValueError(f"t is a whole number from 0 (clean) to {self.last} (noise); got {t.tolist()}")
        if t.ndim > 1 or (t.ndim == 1 and len(t) != len(x)):
            raise ValueError(f"t is one number or one for each of {len(x)} pictures; got shape {tuple(t.shape)}")
        levels = torch.stack([self.signal, self.noise]).to(x.dtype).to(x.device)[:, t.long()]  # (2,) or (2, B)
        return tuple(levels.reshape(2, -1, *[1] * (x.ndim - 1)))

    def add_noise(self, x0: Tensor, t: int | Tensor, eps: Tensor) -> Tensor:
        r"""x_t, a draw from q(x_t | x0) where eps is one from N(0, I): (B, ...), t, (B, ...) -> (B, ...).

        DDPM, equation 4: mean sqrt(alpha_bar) x0, *variance* (1 - alpha_bar) I. At t = 0 it is x0 itself.
        """
        if eps.shape != x0.shape:
            raise ValueError(f"noise has the shape of what it is added to, {tuple(x0.shape)}; got {tuple(eps.shape)}")
        signal, noise = self.at(t, x0)
        return signal * x0 + noise * eps


def from_betas(beta: Tensor) -> Schedule:
    r"""The schedule of x_t = sqrt(1 - beta_t) x_{t-1} + sqrt(beta_t) eps_t, where beta (T,) is in (0, 1).

    alpha_bar_t is the product of 1 - beta over the steps up to t: DDPM, above equation 4.
    """
    alpha_bar = torch.cat([torch.ones(1, dtype=torch.float64), (1 - beta.double()).cumprod(0)])
    return Schedule(alpha_bar.sqrt(), (1 - alpha_bar).sqrt())


def linear_schedule(T: int = 1000) -> Schedule:
    r"""beta from 1e-4 to 0.02 along a line: DDPM, section 4, where T = 1000.

    For another T, both ends times 1000 / T (Nichol & Dhariwal's code). ValueError for T <= 20: a beta would reach 1.
    """
    if T <= 20:
        raise ValueError(f"the linear schedule needs more than 20 timesteps; got {T}. The cosine one takes fewer")
    return from_betas(torch.linspace(1e-4, 0.02, T, dtype=torch.float64) * 1000 / T)


def cosine_schedule(T: int = 1000, s: float = 0.008, highest: float = 0.999) -> Schedule:
    r"""alpha_bar_t = f(t) / f(0), f(t) = cos^2((t / T + s) / (1 + s) pi / 2): Nichol & Dhariwal 2021, equation 17.

    highest  of the betas: without it alpha_bar_T would be 0, and no answer eps could be turned into x0 there
    """
    f = torch.cos((torch.linspace(0, 1, T + 1, dtype=torch.float64) + s) / (1 + s) * torch.pi / 2) ** 2
    return from_betas((1 - f[1:] / f[:-1]).clamp(max=highest))


def flow_schedule(T: int = 1000, shift: float = 1.0) -> Schedule:
    r"""x_t = (1 - u) x0 + u eps, the straight path of rectified flow: Liu et al. 2022, with t = 0 the picture.

    The variance is not preserved, and at T no signal is left.
    shift  1: u = t / T. Above 1 the path spends more of its time in heavy noise, u = shift t / (T + (shift - 1) t):
           Esser et al. 2024, equation 23. A picture whose neighbouring pixels agree shows through such noise
    """
    share = torch.linspace(0, 1, T + 1, dtype=torch.float64)
    share = (shift * share / (1 + (shift - 1) * share)).clamp(max=1)  # rounding may lift the last one above 1
    return Schedule(1 - share, share)


SCHEDULES = {"linear": linear_schedule, "cosine": cosine_schedule, "flow": flow_schedule}
