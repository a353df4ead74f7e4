"""Classical denoisers: what a network has to beat. None of them has learned anything from other pictures.

    median     the middle value of a window (Tukey 1977): keeps edges, drops what fills less than half the window
    gaussian   a weighted mean of the neighbourhood: no edge survives it sharp
    variation  the picture of small total variation near the noisy one (Rudin, Osher & Fatemi 1992; Chambolle 2004)
    nlm        a mean over places whose surroundings look alike: non-local means (Buades, Coll & Morel 2005)

Each has one strength, and gets the best one for every noise level: `tune` finds it, on training pictures. Patches of 5
pixels and a search window of 23 are fixed. All are told the level; the networks are not.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...data import scenes, sets
from ...data.noise import add_noise
from ...metrics.pictures import psnr


def median_filter(picture: np.ndarray, size: float, sigma: float) -> np.ndarray:
    """Each channel by itself, in windows of size x size pixels."""
    from scipy import ndimage  # here and below not at the top: recipes import this module, and few of them filter

    return ndimage.median_filter(picture, (int(size), int(size), 1), mode="nearest")


def gaussian_filter(picture: np.ndarray, width: float, sigma: float) -> np.ndarray:
    """width: the kernel's standard deviation in pixels."""
    from scipy import ndimage

    return ndimage.gaussian_filter(picture, (width, width, 0), mode="nearest")


def total_variation(picture: np.ndarray, weight: float, sigma: float) -> np.ndarray:
    """weight: of the total variation, in units of sigma."""
    from skimage import restoration

    return restoration.denoise_tv_chambolle(picture, weight * sigma, eps=0, max_num_iter=100, channel_axis=2)


def non_local_means(picture: np.ndarray, h: float, sigma: float, patch: int = 5) -> np.ndarray:
    """h: how unlike two surroundings of patch x patch pixels may be and still count, in units of sigma."""
    from skimage import restoration

    return restoration.denoise_nl_means(picture, patch, 11, h=h * sigma, sigma=sigma, fast_mode=True, channel_axis=2)


FILTERS = {"median": median_filter, "gaussian": gaussian_filter, "variation": total_variation, "nlm": non_local_means}
GRID = {
    "median": (1, 3, 5, 7, 9, 11), "gaussian": (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.4, 1.7, 2.0, 2.5, 3.0),
    "variation": (0.4, 0.55, 0.7, 0.85, 1.0, 1.2, 1.4, 1.7, 2.0),
    "nlm": (0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2),
}
LEVELS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5)

# What `tune` finds for `tuning_pictures` at each of the LEVELS.
STRENGTHS = {
    "scenes": {"median": (3, 3, 5, 7, 9, 9), "gaussian": (0.6, 0.9, 1.4, 1.7, 2.0, 2.5),
               "variation": (1.0, 1.0, 1.0, 1.0, 1.0, 1.2), "nlm": (1.0, 0.6, 0.4, 0.4, 0.3, 0.4)},
    "emoji": {"median": (1, 3, 3, 3, 5, 5), "gaussian": (0.4, 0.6, 0.8, 1.0, 1.2, 1.4),
              "variation": (0.55, 0.55, 0.7, 0.7, 0.85, 0.85), "nlm": (1.0, 0.7, 0.5, 0.4, 0.3, 0.3)},
}


def apply(name: str, x: Tensor, sigma: float, strength: float) -> Tensor:
    """Pictures (B, C, H, W) in [-1, 1] with noise of level sigma on [0, 1] -> denoised, clamped to [-1, 1].

    ValueError for an unknown filter, and for a level that is not above 0.
    """
    if name not in FILTERS:
        raise ValueError(f"no filter is named {name!r}: choose one of {', '.join(FILTERS)}")
    if not sigma > 0:
        raise ValueError(f"a filter is told the noise level, on [0, 1] and above 0; got {sigma}")
    pictures = ((x + 1) / 2).movedim(1, -1).double().numpy()
    cleaned = np.stack([FILTERS[name](picture, strength, sigma) for picture in pictures])
    return (torch.from_numpy(cleaned).movedim(-1, 1).to(x.dtype) * 2 - 1).clamp(-1, 1)


def tune(name: str, clean: Tensor, sigma: float, seed: int = 0) -> float:
    """The strength in GRID of the highest mean PSNR, for clean pictures (B, C, H, W) and noise of level sigma."""
    noisy = add_noise(clean, sigma, torch.Generator().manual_seed(seed))
    return max(GRID[name], key=lambda s: psnr(clean, apply(name, noisy, sigma, s)).mean().item())


def tuning_pictures(world: str, n: int = 60) -> Tensor:
    """The pictures that STRENGTHS was found on: "scenes" of a seed of their own, or "emoji" of training families."""
    if world == "scenes":
        return scenes.make_scenes(n, seed=77)[0]
    images = sets.load_emoji("train").images
    return images[:: len(images) // n][:n]


def denoise(name: str, world: str, x: Tensor, sigma: float) -> Tensor:
    """`apply` with the strength that `tune` found for these pictures, "scenes" or "emoji".

    Between the LEVELS the strength is interpolated, but for the median's: a window has a whole number of pixels.
    ValueError for a level above the highest.
    """
    if not sigma <= LEVELS[-1]:
        raise ValueError(f"filters are tuned up to a level of {LEVELS[-1]}; got {sigma}")
    found = STRENGTHS[world][name]
    nearest = int(np.abs(np.subtract(LEVELS, sigma)).argmin())
    strength = found[nearest] if name == "median" else float(np.interp(sigma, LEVELS, found))
    return apply(name, x, sigma, strength)
