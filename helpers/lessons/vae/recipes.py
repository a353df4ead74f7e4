r"""The weights of notebook 08: the sweep of beta on scenes, a code of two numbers, and emoji.

    vae-beta-10       a code of 32 numbers; beta = 10 once the KL is warmed up
    vae-plane         a code of 2 numbers, to walk in
    vae-emoji         emoji, a code of 32 numbers
    vae-cure-free     the last beta, but half a nat of each number is free
    vae-cold-10       no warm-up; its figures are recorded by helpers.training.tuning, its weights are not shipped

The decoder's pixels have a standard deviation of s = 0.1 on [0, 1], so the reconstruction costs |x - y|^2 / 0.02. Only
beta s^2 shapes the optimum: (beta, s^2) = (10, 0.01) and (1, 0.1) are one model under two names.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ...data import scenes, sets
from ...data.batches import BATCH, NEW_SCENES_SEED, emoji_batches, scene_batches
from ...data.scenes.parser import MAX_PALETTE_DISTANCE, MAX_RESIDUAL
from ...metrics.pictures import mse, reconstruct, scene_accuracy
from ...models.vae import PRESETS, VAE, active_units, elbo_loss, gaussian_kl, reparameterize, warmed_up
from ...training.recipes import Recipe
from . import mnist

LIMITS = {"strict": MAX_RESIDUAL, "loose": 0.30}  # residual of a valid scene; scenes drawn well stay below 0.06
S = 0.1  # standard deviation of a pixel on [0, 1]
BETAS = (0.1, 1, 10, 100, 300, 38_400)
CHOSEN = 10  # of the betas: a balance. At 100, draws show a scene more often, and reconstructions lose more
# The last beta is a usual mistake: the mean over the 3,072 numbers of a picture in [-1, 1] instead of their sum. That
# is 3072 / (4 * 2 s^2) times too little weight for the reconstruction, so as much too much for the KL.
MEAN_BETA = BETAS[-1]
FREE = 0.5  # nats that each number of the code may say for nothing, in `vae-cure-free`
STEPS, WARMUP = 18_000, 0.3  # the weight of the KL rises over this share of the steps
EMOJI_STEPS = 6000
TINY, LATENT = PRESETS["tiny"], 32
LARGER = {"width": 32, "bottom": 32, "hidden": 176}  # for emoji, whose details are many


def beta_name(beta: float) -> str:
    r"""vae-beta-10; a point would be read as the suffix of a file, so 0.1 is written 0p1."""
    return f"vae-beta-{beta:g}".replace(".", "p")


# -- training ------------------------------------------------------------------------------------------------------


def with_beta(pictures, beta: float, warmup: float = WARMUP):
    r"""steps -> step -> (pictures, the weight of the KL at that step). pictures: () -> step -> (B, C, S, S)."""

    def make(steps):
        draw = pictures()
        return lambda step: (draw(step), torch.tensor(warmed_up(step, round(warmup * steps), beta)))

    return make


def weighted_loss(model, batch, free: float = 0.0):
    r"""`elbo_loss` of (pictures, beta)."""
    x, beta = batch
    return elbo_loss(model, x, beta, free)


# -- figures -------------------------------------------------------------------------------------------------------


@torch.no_grad()
def encode_all(model, x: Tensor, batch: int = 500) -> tuple[Tensor, Tensor]:
    r"""mu and logvar, (N, d) each, of many pictures (N, C, S, S)."""
    mu, logvar = zip(*(model.encode(part) for part in x.split(batch)), strict=True)
    return torch.cat(mu), torch.cat(logvar)


@torch.no_grad()
def decode_all(model, z: Tensor, batch: int = 500) -> Tensor:
    r"""The pictures at codes (N, d), clamped to [-1, 1]."""
    return torch.cat([model.decode(part).clamp(-1, 1) for part in z.split(batch)])


def seeded(shape, seed: int = 0) -> Tensor:
    r"""Standard normal numbers of that shape, always the same ones for a seed."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def describe_codes(mu: Tensor, logvar: Tensor) -> dict[str, float]:
    r"""KL in nats a picture; units that are active; mean and standard deviation of drawn codes, all numbers together.

    mu, logvar (N, d) of N pictures. The last two belong to the aggregated posterior, the mixture of all q(z|x): the
    prior's are 0 and 1.
    """
    z = reparameterize(mu, logvar, torch.Generator().manual_seed(0))
    return {"kl": gaussian_kl(mu, logvar).sum(1).mean().item(), "active": active_units(mu).sum().item(),
            "code_mean": z.mean().item(), "code_std": z.std().item()}


def accepted(parsed: scenes.Parsed, limit: float = MAX_RESIDUAL) -> Tensor:
    r"""Which pictures the parser takes for tiny scenes, bool (n,): residual below `limit`, colours near named ones."""
    return (parsed.residual < limit) & (parsed.palette_distance < MAX_PALETTE_DISTANCE)


def valid_rate(model, n: int = 2000) -> float:
    r"""Share of n draws from the prior, z ~ N(0, I), that are scenes by the strict limit."""
    pictures = decode_all(model, seeded((n, model.config["latent"])))
    return accepted(scenes.parse(pictures)).float().mean().item()


def evaluate_scenes(model, n: int = 2000) -> dict[str, float]:
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    mu, logvar = encode_all(model, x)
    y = decode_all(model, mu)
    return {"mse": mse(x, y).mean().item(), "all_six": scene_accuracy(y, factors)["all_six"],
            **describe_codes(mu, logvar), "valid": valid_rate(model, n)}


def evaluate_emoji(model) -> dict[str, float]:
    x = sets.load_emoji("test").images
    return {"mse": mse(x, reconstruct(model, x)).mean().item(), **describe_codes(*encode_all(model, x))}


# -- the recipes ---------------------------------------------------------------------------------------------------

ON_SCENES = {"loss": weighted_loss, "evaluate": evaluate_scenes, "steps": STEPS,
             "data": f"tiny scenes, drawn anew at every step, batches of {BATCH}"}
GPU = {"steps": 4 * STEPS}


def on_scenes(name: str, latent: int, beta: float, warmup: float = WARMUP, **changes) -> Recipe:
    r"""A VAE of scenes in the size of the sweep; `changes` are fields of the Recipe."""
    settings = ON_SCENES | changes
    return Recipe(name=name, build=partial(VAE, latent, s=S, **TINY), batches=with_beta(scene_batches, beta, warmup),
                  **settings, sizes={"gpu": GPU})


def recipes():
    r"""The recipes of this notebook."""
    for beta in BETAS:
        yield on_scenes(beta_name(beta), LATENT, beta)

    yield on_scenes("vae-plane", 2, CHOSEN)

    # Against the collapse: half a nat free for each number. And, at the chosen beta, no warm-up.
    yield on_scenes("vae-cure-free", LATENT, MEAN_BETA, loss=partial(weighted_loss, free=FREE))
    yield on_scenes("vae-cold-10", LATENT, CHOSEN, warmup=0.0)

    yield Recipe(
        name="vae-emoji", build=partial(VAE, LATENT, s=S, **LARGER), batches=with_beta(emoji_batches, 1),
        loss=weighted_loss, evaluate=evaluate_emoji, steps=EMOJI_STEPS,
        data="emoji of the training families, half of them mirrored, batches of 32",
        sizes={"gpu": {"steps": 16_000, "build": partial(VAE, LATENT, s=S, **PRESETS["large"])}},
    )
    yield from mnist.recipes()
