r"""What notebook 14 measures: what survives the way through the latents, and what is drawn there.

n pictures (n, 3, 32, 32) in [-1, 1] · latents (n, C, S, S) of standard deviation 1 · t 0 (clean) to T (noise)
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED, in_batches
from ...diffusion.samplers import FRESH
from ...metrics.pictures import mse, reconstruct
from ...models.kl_autoencoder import KLAutoencoder
from ...systems.text_to_image import TextToImage
from ...training.checkpoints import load
from ..diffusion.experiments import SCHEDULE
from ..text_conditioned_diffusion.experiments import PROMPT_STEPS, drawn, judge_prompts, prompts_of_one
from ..text_conditioned_diffusion.verdicts import Asked, shares_drawn

FIRST_STAGE, TUNED_STAGE = "first-stage-scenes", "first-stage-scenes-tuned"  # of the second, the decoder learned on
LATENT_NETWORK = "latent-diffusion-scenes"
LATENT_TARGET = "flow"
LATENT_TIMES = (100, 300, 500, 700, 850, 950)  # times at which errors are told
# Of drawings. Tried on 100 prompts of one object, seed 7001: eta 0, 1 and FRESH with the scales 1, 1.5, 2 and 3. Right
# and valid are .11, .26 and .41 of the pictures at scale 2, and .35, .36, .41 and .41 along the scales with FRESH.
LATENT_SCALE, LATENT_ETA = 2.0, FRESH


def in_latents(model, first_stage: KLAutoencoder) -> TextToImage:
    r"""Prompts -> pictures, by a denoiser of latents and the first stage that they are of."""
    return TextToImage(model, SCHEDULE, LATENT_TARGET, limit=None, first_stage=first_stage)


def shipped_in_latents() -> TextToImage:
    r"""The course's two networks together."""
    return in_latents(load(LATENT_NETWORK)[0], load(TUNED_STAGE)[0])


def drawn_in_latents(system: TextToImage, texts: Sequence[str], scale: float = LATENT_SCALE,
                     steps: int = PROMPT_STEPS, eta: float = LATENT_ETA, seed: int = 0) -> Tensor:
    r"""A picture for each prompt (n, 3, 32, 32): notebook 13's `drawn`, as one draws in latents."""
    return drawn(system, texts, scale, steps, eta, seed)


# -- the way through the latents -----------------------------------------------------------------------------------


def unseen_scenes(n: int, two: bool = False) -> tuple[Tensor, Asked]:
    r"""n scenes that no training saw, of one object or of two, and what is in them."""
    pictures, factors = (scenes.make_pairs if two else scenes.make_scenes)(n, NEW_SCENES_SEED)
    return pictures, Asked(factors, two)


def round_trip(first_stage: KLAutoencoder, n: int = 1000) -> dict[str, float]:
    r"""What is left of n pictures of each kind, encoded and decoded: shares of `shares_drawn`, and the error on [0, 1].

    It bounds what any model of these latents can draw.
    """
    found = {}
    for kind, two in (("one", False), ("two", True)):
        pictures, asked = unseen_scenes(n, two)
        again = reconstruct(first_stage, pictures)
        found |= {f"{kind}.{name}": share for name, share in shares_drawn(again, asked).items()}
        found[f"{kind}.mse"] = mse(pictures, again).mean().item()
    return found


@torch.no_grad()
def back_from_noise(first_stage: KLAutoencoder, noise: float, n: int = 1000) -> float:
    r"""Of n scenes of one object, decoded from latents under noise of this standard deviation: right and valid ones."""
    pictures, asked = unseen_scenes(n)
    z = in_batches(first_stage.encode, pictures)
    z = z + noise * torch.randn(z.shape, generator=torch.Generator().manual_seed(0))
    return shares_drawn(in_batches(first_stage.decode, z).clamp(-1, 1), asked)["both"]


def latents_of(first_stage: KLAutoencoder, n: int = 1000) -> Tensor:
    r"""The latents (2n, C, S, S) of n new pictures of one object and of n of two, at their means."""
    return torch.cat([in_batches(first_stage.encode, unseen_scenes(n, two)[0]) for two in (False, True)])


def judge_first_stage(first_stage: KLAutoencoder, n: int = 1000) -> dict[str, float]:
    return round_trip(first_stage, n) | {"latent_std": latents_of(first_stage, n).std().item()}


@torch.no_grad()
def interpolated(system: TextToImage, a: Tensor, b: Tensor, steps: int = 7) -> Tensor:
    r"""Pictures on the straight way from a to b (n, 3, 32, 32) in what the denoiser sees: (steps, n, 3, 32, 32).

    In pixels that is a double exposure.
    """
    ends = system.encode(a), system.encode(b)
    return torch.stack([system.decode(torch.lerp(*ends, share)).clamp(-1, 1)
                        for share in torch.linspace(0, 1, steps).tolist()])


# -- the path, decoded ---------------------------------------------------------------------------------------------


@torch.no_grad()
def decoded_path(system: TextToImage, prompts: Sequence[str], scale: float = LATENT_SCALE, steps: int = PROMPT_STEPS,
                 seed: int = 0, eta: float = LATENT_ETA) -> tuple[list[int], Tensor, Tensor]:
    r"""After each step the t reached, and x and the guess x0 there as pictures, (steps, n, 3, 32, 32) each."""
    times, noisy, guesses = zip(*system.path(prompts, scale, steps, seed, eta), strict=True)
    return list(times), *(torch.stack([system.decode(x).clamp(-1, 1) for x in part]) for part in (noisy, guesses))


@torch.no_grad()
def latent_errors(system: TextToImage, told: bool = True, n: int = 200) -> dict[str, float]:
    r"""{"100": the mean of (guess - x0)^2 at t = 100 over the latents of n new pictures, ...}.

    told: the prompts are given. A guess that knows nothing at all is the mean of all latents: its error is near 1.
    """
    prompts, asked = prompts_of_one(n)
    x0 = system.encode(scenes.draw(asked.said, torch.Generator().manual_seed(0)))
    cond, found = system.model.read(system.read(prompts if told else [""] * n)), {}
    for t in LATENT_TIMES:
        eps = torch.randn(x0.shape, generator=torch.Generator().manual_seed(t))
        guess = system.denoise(system.schedule.add_noise(x0, t, eps), torch.full((n,), t), **cond)
        found[str(t)] = (guess - x0).square().mean().item()
    return found


def judge_latents(model, make_first_stage=None, n: int = 300) -> dict[str, float]:
    r"""`judge_prompts` of a denoiser of latents. make_first_stage: () -> that of its latents; None: the shipped one."""
    first_stage = make_first_stage() if make_first_stage else load(TUNED_STAGE)[0]
    return judge_prompts(model, n, partial(in_latents, first_stage=first_stage))
