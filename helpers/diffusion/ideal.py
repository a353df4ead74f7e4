r"""The ideal denoiser of a finite data set: the exact optimum of the diffusion loss, with nothing trained.

Notebook 12. Papers: Karras et al. 2022 (EDM), appendix B.3; Miyasawa 1961 and Robbins 1956, as in notebook 06.
No network can have a smaller loss on these data, and at the end of a reverse process it draws them and nothing else:
samplers are tested against it, a network's distance from it is a number at every t, and what a network draws that
it does not is what the network made up.

N items of data · D numbers in one · B noisy ones · n items looked at together
"""

from __future__ import annotations

import torch
from torch import Tensor

from .forward import Schedule


def posterior_mean(data: Tensor, schedule: Schedule, at_once: int = 1024):
    r"""denoise(x, t) -> E[x0 | x_t = x], where x0 is any of `data` (N, ...) with the same probability.

        E[x0 | x] = sum_i w_i x_i,   w_i proportional to N(x; signal_t x_i, noise_t^2 I)

    Notebook 06's `ideal_denoiser(y, points, sigma)` is this one at y = x / signal, sigma = noise / signal, which here
    differs from picture to picture and is infinite where no signal is left.
    denoise takes x (B, ...) and t, one number or (B,), from 1 to T, like a model. It computes where the data are, in
    float64 (at small t the exponents are millions, and their differences decide), `at_once` items at a time.
    ValueError for data without items, an x of another shape, or t = 0, where nothing is hidden.
    """
    if data.ndim < 2 or not data.numel() or not data.isfinite().all():
        raise ValueError(f"expected finite data (N, ...), N at least 1; got {data.dtype} {tuple(data.shape)}")

    def denoise(x: Tensor, t: int | Tensor) -> Tensor:
        if x.shape[1:] != data.shape[1:]:
            raise ValueError(f"the data have the shape {tuple(data.shape[1:])}; got x of {tuple(x.shape[1:])}")
        y = x.flatten(1).to(data.device).double()                                  # (B, D)
        signal, noise = schedule.at(torch.as_tensor(t).to(data.device), y)         # (B, 1) each
        if (noise == 0).any():
            raise ValueError("at t = 0 no noise hides the picture: ask from t = 1 on")
        log_total = y.new_full((len(y), 1), -torch.inf)
        mean = torch.zeros_like(y)
        for part in data.flatten(1).split(at_once):
            part = part.double()                                                   # (n, D)
            # log N(x; signal x_i, noise^2 I), but for the terms that are the same for every i
            logits = (signal * y @ part.T - signal**2 / 2 * part.square().sum(1)) / noise**2     # (B, n)
            new_total = torch.logaddexp(log_total, logits.logsumexp(1, keepdim=True))            # (B, 1)
            mean = (log_total - new_total).exp() * mean + (logits - new_total).exp() @ part      # (B, D)
            log_total = new_total
        return mean.to(x.dtype).to(x.device).reshape(x.shape)

    return denoise
