"""The exercises of notebook 06."""

from __future__ import annotations

from functools import lru_cache

import torch

from ...course.checks import Exercise
from ...data.noise import add_noise
from ...metrics.pictures import psnr
from ...models.denoising import denoising_loss
from ...models.small_unet import SmallUNet
from ...training.loop import train

TAUGHT_STEPS, TAUGHT_WIDTHS = 100, (8, 8, 8, 8)  # of the two trainings that the first exercise compares: seconds each
SIGMA, GAP = 0.3, 3.0  # the noise on [0, 1], and dB


def taught(pair, pictures, sigma: float = SIGMA):
    """A tiny network, trained for seconds on the pairs (input, target) = pair(x, sigma). Trained once, then kept."""
    return _taught(getattr(pair, "__wrapped__", pair), pictures, sigma)  # a check wraps the answer


@lru_cache(maxsize=4)
def _taught(pair, pictures, sigma):
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        model = SmallUNet(widths=TAUGHT_WIDTHS, residual=False)
    train(model, lambda step: pair(pictures[torch.randint(len(pictures), (16,))], sigma), denoising_loss, TAUGHT_STEPS,
          lr=5e-3, label=None)
    return model


def clean_to_clean(x, sigma):
    """The pairs of a network that never sees noise."""
    return x, x


def psnr_after(model, x, sigma: float = SIGMA) -> float:
    """Mean PSNR of x with noise, after the model."""
    noisy = add_noise(x, sigma, torch.Generator().manual_seed(1))
    with torch.no_grad():
        return psnr(x, model(noisy).clamp(-1, 1)).mean().item()


def assert_independent_and_gaussian(noise, sigma: float) -> None:
    """Noise (B, 3, S, S) is no other picture's or channel's over again, and has a Gaussian's tails."""
    assert (noise[0] - noise[1]).abs().mean() > sigma, "all pictures get one noise; draw one for each"
    assert (noise[:, 0] - noise[:, 1]).abs().mean() > sigma, "all channels get one noise; draw one for each"
    tails = (noise / noise.std()).pow(4).mean().item()  # 3 for a Gaussian, 1.8 for a uniform distribution
    assert abs(tails - 3) < 0.15, "the noise has the right deviation but is not Gaussian; use torch.randn"


def training_pair(pictures, unseen, sigma: float = SIGMA) -> Exercise:
    """06.1: (clean pictures x (B, 3, S, S) in [-1, 1], sigma on [0, 1]) -> what goes in, and the target.

    The check trains a tiny network on `pictures` with it, and judges it on `unseen`.
    """
    x = pictures[:64]

    def asks_for_the_clean_picture(pair):
        _, target = pair(x.clone(), sigma)
        assert target.shape == x.shape, f"the target has shape {tuple(target.shape)}; expected {tuple(x.shape)}"
        assert torch.equal(target, x), "the target is not the clean picture x, untouched"

    def puts_noise_in(pair):
        noise = pair(x.clone(), sigma)[0] - x
        assert noise.any(), "the input is the clean picture: with nothing to remove, the network learns to copy"
        assert (x + noise).abs().max() > 1.001, "the input never leaves [-1, 1]; do not clamp it"
        spread = noise.std().item()
        assert abs(spread - sigma) > 0.01, "sigma is meant on [0, 1], and pictures in [-1, 1] are twice as wide"
        assert abs(spread - 2 * sigma) < 0.01, f"the noise has deviation {spread:.2f}; expected {2 * sigma:.2f}"
        assert abs(noise.mean()) < 0.01, f"the noise has mean {noise.mean():.2f}; use torch.randn, whose mean is 0"
        assert not torch.equal(noise, pair(x.clone(), sigma)[0] - x), "two calls give the same noise; draw it anew"

    def draws_every_number_anew(pair):
        assert_independent_and_gaussian(pair(x.clone(), sigma)[0] - x, sigma)

    def denoises(pair):
        nets = [taught(pairs, pictures, sigma) for pairs in (pair, clean_to_clean)]
        mine, copied = (psnr_after(model, unseen, sigma) for model in nets)
        assert mine > copied + GAP, (f"after {TAUGHT_STEPS} steps PSNR is {mine:.1f} dB; a network that was trained to "
                                     f"copy clean pictures has {copied:.1f}, and {GAP:g} more is expected")

    return Exercise("06.1", "noise in, clean out: against a network that was only shown clean pictures",
                    [asks_for_the_clean_picture, puts_noise_in, draws_every_number_anew, denoises])


def pointing(denoiser, points, sigma: float) -> Exercise:
    """06.2: (denoiser, y (B, 2), points (N, 2)) -> the mean cosine between residuals and ways to the nearest point.

    denoiser, points, sigma: the trained one that the answer is then asked about, its clean points and its noise.
    """
    some = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))
    few = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    way = few[torch.cdist(some, few).argmin(1)] - some

    def gives_one_number(agreement):
        shape = tuple(getattr(agreement(lambda y: y + way / 3, some, few), "shape", ()))
        assert shape in ((), (1,)), f"the answer has shape {shape}; take the mean, which is one number"

    def knows_right_from_wrong(agreement):
        found = float(agreement(lambda y: y + way / 3, some, few))
        assert abs(found - 1) < 1e-3, (f"a denoiser that goes a third of the way scores {found:.2f}; expected 1. Is it "
                                       "the residual r(y) - y that you compare, or r(y) itself?")
        found = float(agreement(lambda y: y - way, some, few))
        assert abs(found + 1) < 1e-3, f"a denoiser that runs away scores {found:.2f}; expected -1"

    def takes_the_mean(agreement):
        half = torch.where(torch.arange(50)[:, None] < 25, way, -way)
        found = float(agreement(lambda y: y + half, some, few))
        assert abs(found) < 1e-3, f"a denoiser that is right half the time scores {found:.2f}; expected 0"

    def finds_that_it_points_there(agreement):
        generator = torch.Generator().manual_seed(2)
        noise = sigma * torch.randn(points.shape, generator=generator)
        with torch.no_grad():
            found = float(agreement(denoiser, points + noise, points))
        assert found > 0.8, f"on the spiral it is {found:.2f}; expected more than 0.8"

    return Exercise("06.2", "residuals point to the spiral",
                    [gives_one_number, knows_right_from_wrong, takes_the_mean, finds_that_it_points_there])


def overtaking(sigmas, filtered, network) -> Exercise:
    """06.3: (noise levels, PSNR of a filter, PSNR of a network) -> the level from which on the network is ahead.

    The three lists are what was measured; levels rise, the filter is ahead at the first and the network at the last.
    """

    def is_exact_on_lines(level):
        found, expected = float(level([0.1, 0.2, 0.4], [30, 26, 20], [25, 25, 24])), 0.2 + 0.2 / 5
        assert found != 0.4, "that is the first level at which the network leads, and the lines cross before it"
        assert found != 0.2, "that is the last level at which the filter leads, and the lines cross after it"
        assert abs(found - expected) < 1e-6, f"expected {expected:.3f}, got {found:.3f}"

    def finds_ours(level):
        found = float(level(sigmas, filtered, network))
        lead = [n - f for f, n in zip(filtered, network, strict=True)]
        i = next(i for i, value in enumerate(lead) if value > 0)
        low, high = sigmas[i - 1], sigmas[i]
        expected = low - lead[i - 1] * (high - low) / (lead[i] - lead[i - 1])
        assert abs(found - expected) < 1e-4, f"for our networks it is not {found:.3f}"

    return Exercise("06.3", "the noise level from which on the network is ahead", [is_exact_on_lines, finds_ours])
