r"""What notebook 08 measures: codes and their KL, draws from the prior, and what the parser says of pictures.

The decoder's pixels have a standard deviation of s = 0.1 on [0, 1], so the reconstruction costs |x - y|^2 / 0.02. Only
beta s^2 shapes the optimum: (beta, s^2) = (10, 0.01) and (1, 0.1) are one model under two names.
"""

from __future__ import annotations

from collections import Counter

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data import scenes, sets
from ...data.batches import NEW_SCENES_SEED, in_batches
from ...metrics.pictures import mse, reconstruct, scene_accuracy
from ...models.vae import active_units, gaussian_kl, reparameterize

S = 0.1  # standard deviation of a pixel on [0, 1]
BETAS = (0.1, 1, 10, 100, 300, 38_400)
CHOSEN = 10  # of the betas: a balance. At 100, draws are nameable more often, and reconstructions lose more
# The last beta is a usual mistake: the mean over the 3,072 numbers of a picture in [-1, 1] instead of their sum. That
# is 3072 / (4 * 2 s^2) times too little weight for the reconstruction, so as much too much for the KL.
MEAN_BETA = BETAS[-1]
FREE = 0.5  # nats that each number of the code may say for nothing, against the collapse
KL_WARMUP = 0.3  # the weight of the KL rises over this share of the steps
LATENT = 32  # numbers in a code, where nothing else is said


def beta_name(beta: float, latent: int = LATENT) -> str:
    r"""The name of the weights at that beta, such as "vae-scenes-32-beta-0.1"."""
    return f"vae-scenes-{latent}-beta-{beta:g}"


# -- figures -------------------------------------------------------------------------------------------------------


def posteriors(model, x: Tensor) -> tuple[Tensor, Tensor]:
    r"""mu and logvar of q(z|x), (N, d) each, of many pictures (N, C, S, S)."""
    return in_batches(model.encode, x)


def decode_all(model, z: Tensor) -> Tensor:
    r"""The pictures at codes (N, d), clamped to [-1, 1]."""
    return in_batches(lambda part: model.decode(part).clamp(-1, 1), z)


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


def kept_captions(pictures: Tensor, factors: Tensor) -> tuple[float, float]:
    r"""The share of pictures that keep all six factors: among all, and among the nameable (0: none is)."""
    parsed = scenes.parse(pictures)
    right = (parsed.factors == factors).all(1).float()
    return right.mean().item(), (right[parsed.nameable].sum() / parsed.nameable.sum().clamp(min=1)).item()


def said_of(parsed: scenes.Parsed, most: int = 3) -> str:
    r"""How many pictures are nameable, and the words that the parser says most often, each with its count."""
    often = ", ".join(f"{word or 'valid'} {count}" for word, count in Counter(parsed.words).most_common(most))
    return f"nameable {int(parsed.nameable.sum())}; most often: {often}"


def by_word(pictures: Tensor, parsed: scenes.Parsed, most: int = 4, n: int = 8) -> dict[str, Tensor]:
    r"""{word: the first n pictures of which the parser says it}, the most frequent words, without nameable pictures."""
    words, nameable = parsed.words, parsed.nameable.tolist()
    return {word: pictures[[i for i, own in enumerate(words) if own == word and not nameable[i]][:n]]
            for word, _ in Counter(words).most_common(most)}


def drawn_from(model, source, n: int, seed: int = 0) -> Tensor:
    r"""n pictures (n, C, S, S) in [-1, 1], from codes of that source; of one seed the chance is the same for all."""
    return decode_all(model, source.sample(n, torch.Generator().manual_seed(seed)))


def evaluate_scenes(model, n: int = 2000) -> dict[str, float]:
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    mu, logvar = posteriors(model, x)
    y = decode_all(model, mu)
    return {"mse": mse(x, y).mean().item(), "all_six": scene_accuracy(y, factors)["all_six"],
            **describe_codes(mu, logvar)}


def evaluate_emoji(model) -> dict[str, float]:
    x = sets.load_emoji("test").images
    return {"mse": mse(x, reconstruct(model, x)).mean().item(), **describe_codes(*posteriors(model, x))}


def explained(means: Tensor, groups: Tensor) -> Tensor:
    r"""The share of the variance of each number, means (N, d), that lies between groups (N,) of pictures -> (d,)."""
    members = F.one_hot(groups).float()
    centres = (members.T @ means) / members.sum(0).clamp(min=1)[:, None]
    return (members @ centres).var(0) / means.var(0)


def steepest_edge(x: Tensor) -> float:
    r"""The largest step from a pixel to the next, on [0, 1], the mean over pictures (N, C, S, S)."""
    return torch.stack([x.diff(dim=axis).abs().amax((1, 2, 3)) for axis in (2, 3)]).amax(0).mean().item() / 2
