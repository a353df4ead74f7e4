r"""What notebook 09 measures: what is drawn from the codes of an autoencoder and of a VAE, and what else they do."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED, in_batches
from ...metrics.pictures import mse, reconstruct, scene_accuracy
from ...models.densities import Mixture, gaussian, mixture, standard_normal
from ...models.vae import VAE, reparameterize
from ...systems.range_coding import Quantiser
from ..vae.experiments import CHOSEN, beta_name, decode_all, drawn_from, posteriors

BOTH_SEEDS = (0, 1)  # 0 is the shipped one's; of the other the figures alone are kept, in data/trials.json
FAMILIES, CODE_SIZES = ("AE", "VAE"), (4, 8, 32)
SOURCES = ("N(0, I)", "Gaussian", "mixture")  # where codes are drawn from
COMPONENTS = 24  # of the mixture, where nothing else is said; SWEPT_COMPONENTS are the widget's
SWEPT_COMPONENTS = (1, 4, 8, 16, 24, 32)
FITTED = 5000  # training scenes whose codes a density is fitted to
ROUNDING = (1.5, 1.0, 0.7, 0.5, 0.35, 0.2)  # to which codes are rounded, in mean standard deviations of their numbers


def weights_of(family: str, d: int) -> str:
    r"""The name of the weights of an "AE" or a "VAE" of code size d: ("AE", 8) -> "autoencoder-scenes-8"."""
    return f"autoencoder-scenes-{d}" if family == "AE" else beta_name(CHOSEN, d)


# -- codes ---------------------------------------------------------------------------------------------------------


def latent_codes(model, x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    r"""Codes (N, d) of pictures x (N, C, S, S). A VAE has clouds instead: their means or, with a generator, a draw."""
    if not isinstance(model, VAE):
        return in_batches(model.encode, x)
    mu, logvar = posteriors(model, x)
    return mu if generator is None else reparameterize(mu, logvar, generator)


def training_codes(model, n: int = FITTED) -> Tensor:
    r"""Codes (n, d) of n training scenes, to fit a density to. Of a VAE they are draws, as its decoder knows them."""
    return latent_codes(model, scenes.make_scenes(n, seed=0)[0], torch.Generator().manual_seed(0))


def latent_source(name: str, z: Tensor, k: int = COMPONENTS) -> Mixture:
    r"""The latent source of that name for codes z (n, d): nothing fitted, one Gaussian, or a mixture of k."""
    if name == "mixture":
        return mixture(z, k)
    return gaussian(z) if name == "Gaussian" else standard_normal(z.shape[1])


# -- between two pictures ------------------------------------------------------------------------------------------


def between(model, t: float = 0.5, n: int = 1000, path=torch.lerp) -> Tensor:
    r"""n pictures at share t of the way from the code of one new scene to that of another; path: lerp or slerp."""
    x, _ = scenes.make_scenes(2 * n, NEW_SCENES_SEED)
    a, b = latent_codes(model, x).chunk(2)
    return decode_all(model, path(a, b, t))


# -- figures -------------------------------------------------------------------------------------------------------


def scene_kinds(parsed: scenes.Parsed) -> Tensor:
    r"""The kind of scene that the parser reads, of background, shape and colour: 0 to 95, int64 (n,)."""
    shape, colour, background = parsed.factors[:, [0, 1, 5]].unbind(1)
    return (background * len(scenes.SHAPES) + shape) * len(scenes.COLOURS) + colour


def variety(parsed: scenes.Parsed, counted: Tensor, n: int = 100) -> int | None:
    r"""How many kinds are among the first n pictures with `counted` (N,). Training scenes are of 84 kinds.

    None where fewer than n count, because more pictures show more kinds: 100 real scenes about 58 of the 84.
    """
    return len(scene_kinds(parsed)[counted][:n].unique()) if counted.sum() >= n else None


def standard_error(rate: float, n: int) -> float:
    r"""Of a rate measured on n independent draws: sqrt(p (1 - p) / n)."""
    return math.sqrt(rate * (1 - rate) / n)


def margin(rate: float, other: float, times: float = 1, n: int = 2000) -> float:
    r"""By how many standard errors a rate exceeds `times` another, each of n draws: chance gives more than 2 rarely.

    One draw more of either outcome is counted in both (Laplace's rule of succession): none of n is not never.
    """
    a, b = ((n * p + 1) / (n + 2) for p in (rate, other))
    return (a - times * b) / math.hypot(standard_error(a, n), times * standard_error(b, n))


def judge(model, n: int = 2000, k: int = COMPONENTS) -> dict[str, scenes.Parsed]:
    r"""{source: what the parser reads in n draws}, then in n / 2 "midpoints" of codes of new scenes."""
    z = training_codes(model)
    found = {name: scenes.parse(drawn_from(model, latent_source(name, z, k), n)) for name in SOURCES}
    return found | {"midpoints": scenes.parse(between(model, n=n // 2))}


def evaluate(model, n: int = 2000) -> dict[str, float]:
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    y = reconstruct(model, x)
    found = {"mse": mse(x, y).mean().item(), "all_six": scene_accuracy(y, factors)["all_six"]}
    return found | named(judge(model, n))


def named(judged: dict[str, scenes.Parsed]) -> dict[str, float]:
    r"""The shares of what `judge` reads with a name for each number, as cards and trials keep it: the valid ones under
    the source's own, the nameable ones under "..., nameable"."""
    shares = {name: parsed.shares() for name, parsed in judged.items()}
    return {f"{name}{end}": of[kind] for name, of in shares.items()
            for kind, end in (("valid", ""), ("nameable", ", nameable"))}


def reach(model, known: Tensor, x: Tensor) -> dict[str, float]:
    r"""Where N(0, I) falls among codes: medians over as many draws as there are new pictures x.

    known  codes (N, d) of training scenes
    "length" is the distance from zero; "nearest" is that to the nearest known code.
    """
    drawn = standard_normal(known.shape[1]).sample(len(x), torch.Generator().manual_seed(0))
    fresh = latent_codes(model, x, torch.Generator().manual_seed(1))
    found = {"length, code": known.norm(dim=1), "length, draw": drawn.norm(dim=1)}
    found |= {f"nearest, {name}": torch.cdist(z, known).amin(1) for name, z in (("code", fresh), ("draw", drawn))}
    return {name: distances.median().item() for name, distances in found.items()}


# -- other uses of a code ------------------------------------------------------------------------------------------


def probe(z: Tensor, factors: Tensor, new_z: Tensor, truth: Tensor) -> dict[str, float]:
    r"""How well a linear map reads each factor off a code: fitted on z (N, d), tried on new_z -> {factor: accuracy}.

    Least squares to one output for each value, and the largest wins. factors, truth: (N, 6), as scenes have them.
    """
    table, asked = (torch.cat([part, torch.ones(len(part), 1)], 1) for part in (z, new_z))
    right = {}
    for column, name in enumerate(scenes.FACTORS):
        wanted = torch.nn.functional.one_hot(factors[:, column]).float()
        guess = asked @ torch.linalg.lstsq(table, wanted).solution
        right[name] = (guess.argmax(1) == truth[:, column]).float().mean().item()
    return right


def rounded(model, known: Tensor, x: Tensor) -> dict[float, tuple[float, float]]:
    r"""{step: (bits a picture, mean squared error)} of pictures x whose codes are rounded, one step for all numbers.

    known  codes (N, d) of training scenes: they tell the range, and the unit of `ROUNDING`
    The bits are the entropies of the numbers, added up: what a coder reaches that treats each number alone.
    """
    z, unit, found = latent_codes(model, x), known.std(0).mean().item(), {}
    for step in ROUNDING:
        quantiser = Quantiser.of_step(known, step * unit)
        symbols = quantiser.symbols(z)
        shares = torch.nn.functional.one_hot(symbols, quantiser.levels).float().mean(0)             # (d, levels)
        y = decode_all(model, quantiser.values(symbols))
        found[step] = torch.special.entr(shares).sum().item() / math.log(2), mse(x, y).mean().item()
    return found
