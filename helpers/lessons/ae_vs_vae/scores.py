r"""The figures of notebook 09: what can be drawn from the codes of an autoencoder and of a VAE, and what else they do.

A rate is the share of n pictures that the judge of the tiny scenes calls nameable. Hardly any is valid. Two seeds are
the shipped weights and a training whose figures data/trials.json holds.
"""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import torch

from ...course.scores import Score
from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...metrics.pictures import mse, reconstruct
from ...models.vae import slerp
from ...training import tuning
from ...training.checkpoints import load
from ..seq2seq_vs_autoencoder.experiments import distance_to_nearest
from ..vae import experiments as vae
from . import experiments as entries
from .experiments import BOTH_SEEDS, CODE_SIZES, FAMILIES, SOURCES, weights_of

SHORT = dict(zip(SOURCES, ("normal", "gaussian", "mixture"), strict=True))
LARGE, DRAWS = 32, 2000  # the table is of d = 32; of the others the notebook counts what N(0, I) gives


@cache
def judged(kind: str, d: int) -> dict[str, scenes.Parsed]:
    r"""What the parser reads in one model's draws; kept, because several groups ask for it."""
    model = load(weights_of(kind, d))[0]
    if d == LARGE:
        return entries.judge(model, DRAWS)
    return {"N(0, I)": scenes.parse(vae.drawn_from(model, entries.standard_normal(d), DRAWS))}


COARSE_AND_FINE = {"AE": (1.5, 0.5), "VAE": (0.7, 0.2)}  # the steps of the rounding that the page compares


def every_source(kind: str, d: int):
    r"""One model: from N(0, I) and, at d = 32, from every source and half way between new scenes."""
    for name, parsed in judged(kind, d).items():
        share, n = parsed.shares()["nameable"], len(parsed.fault)
        place, what = f"{place_of(kind, d)}.{SHORT.get(name, name)}", f"nameable, {kind}, d = {d}, {name}"
        yield Score(place, what, share, ".3f")
        if d == LARGE and name == "midpoints":
            yield Score(f"{place}.error", f"standard error: {what}", entries.standard_error(share, n), ".3f")


def place_of(kind: str, d: int) -> str:
    return f"generation.nameable.{kind.lower()}.{d}"


def valid():
    r"""Of how many draws `draw` could have made one: the most, of either network and every source."""
    found = {(kind, name): parsed.shares()["valid"]
             for kind in FAMILIES for name, parsed in judged(kind, LARGE).items()}
    yield Score("generation.valid.most", "valid pictures, d = 32, the most of any source", max(found.values()), ".1%")


def order():
    r"""What the notebook says of the table: who draws more nameable pictures, in standard errors."""
    own, other = (judged(kind, LARGE)["N(0, I)"].shares()["nameable"] for kind in ("VAE", "AE"))
    mixed, both = (judged(kind, LARGE)["mixture"].shares()["nameable"] for kind in FAMILIES)
    for name, what, more, less, times in (
            ("prior", "the VAE exceeds 4 times the autoencoder, N(0, I)", own, other, 4),
            ("mixture", "the autoencoder with a mixture exceeds the VAE's prior", mixed, own, 1),
            ("both", "the VAE with a mixture exceeds the autoencoder with one", both, mixed, 1)):
        yield Score(f"generation.order.{name}", f"standard errors by which {what}, d = 32",
                    entries.margin(more, less, times, DRAWS), ".1f", 0, ">= 2")


def seeds():
    r"""The orderings again, on two trainings of each network: the worst of one against the best of the other."""
    found = {kind: over_seeds(kind) for kind in FAMILIES}
    rates = {(kind, name): [figures[f"{name}, nameable"] for figures in found[kind]]
             for kind in FAMILIES for name in SOURCES}
    for (kind, name), of_seeds in rates.items():
        place, what = f"generation.seeds.{kind.lower()}.{SHORT[name]}", f"nameable, {kind}, d = 32, {name}"
        yield Score(f"{place}.least", f"{what}: the least of two seeds", min(of_seeds), ".3f")
        yield Score(f"{place}.most", f"{what}: the most of two seeds", max(of_seeds), ".3f")
    own, other = rates["VAE", "N(0, I)"], rates["AE", "N(0, I)"]
    mixed, both = rates["AE", "mixture"], rates["VAE", "mixture"]
    for name, what, more, less, times, bar in (
            ("prior", "the worst VAE exceeds 4 times the best autoencoder, N(0, I)", own, other, 4, ">= 2"),
            ("mixture", "the worst autoencoder with a mixture exceeds the best VAE's prior", mixed, own, 1, ">= 2"),
            ("both", "the worst VAE with a mixture exceeds the best autoencoder with one", both, mixed, 1, ">= 2")):
        yield Score(f"generation.seeds.{name}", f"standard errors by which {what}, d = 32",
                    entries.margin(min(more), max(less), times, DRAWS), ".1f", 0, bar)


def over_seeds(kind: str) -> list[dict[str, float]]:
    r"""Shares at d = 32 of the shipped weights, and of the other seed as recorded."""
    shipped = entries.named(judged(kind, LARGE))
    return [shipped, *(tuning.find(f"{weights_of(kind, LARGE)}-judged", seed=seed) for seed in BOTH_SEEDS[1:])]


def interpolation():
    r"""Half way between two new scenes, d = 32: on the sphere, and in pixels; straight lines are in `every_source`."""
    middles = entries.between(load(weights_of("VAE", LARGE))[0], path=slerp)
    round_ = scenes.parse(middles).shares()["nameable"]
    yield Score("generation.between.slerp", "nameable, VAE, midpoints on the sphere", round_, ".3f")
    error = entries.standard_error(round_, 1000)  # of as many pairs as `between` makes
    yield Score("generation.between.slerp.error", "standard error: nameable, VAE, on the sphere", error, ".3f")
    x, _ = scenes.make_scenes(DRAWS, NEW_SCENES_SEED)
    pixels = scenes.parse(torch.lerp(*x.chunk(2), 0.5)).shares()["nameable"]
    yield Score("generation.between.pixels", "nameable, half one picture and half another", pixels, ".3f")


def variety():
    r"""How many of the 84 kinds of scenes are among 100 nameable draws, where there are so many."""
    parsed = scenes.parse(scenes.make_scenes(DRAWS, NEW_SCENES_SEED)[0])
    sets = parsed.nameable.nonzero()[:, 0].split(100)
    real = np.mean([len(entries.scene_kinds(parsed)[some].unique()) for some in sets if len(some) == 100])
    yield Score("generation.kinds.real", "kinds among 100 scenes, on average", float(real), ".0f")
    for d in CODE_SIZES:
        for kind in FAMILIES:
            parsed = judged(kind, d)["N(0, I)"]
            found = entries.variety(parsed, parsed.nameable)
            if found is not None:
                yield Score(f"generation.kinds.{kind.lower()}.{d}", f"kinds among 100 draws, {kind}, d = {d}, N(0, I)",
                            found, ".0f", float(real))


def memory():
    r"""Is a draw from the mixture a training scene? Against what the decoder makes of the scenes it was fitted to."""
    model = load(weights_of("AE", LARGE))[0]
    train, _ = scenes.make_scenes(entries.FITTED, seed=0)
    more, _ = scenes.make_scenes(2000, NEW_SCENES_SEED)
    z, restored = entries.training_codes(model), reconstruct(model, train)
    source = entries.mixture(z, entries.COMPONENTS)
    drawn = vae.drawn_from(model, source, DRAWS)
    for name, what, x in (("drawn", "a nameable draw from the mixture", drawn[judged("AE", LARGE)["mixture"].nameable]),
                          ("redrawn", "a restored new scene", reconstruct(model, more[:500]))):
        far = distance_to_nearest(x, restored)
        yield Score(f"generation.memory.{name}", f"squared error of {what} to the nearest restored training scene",
                    far.median().item(), ".4f")
    known, fresh = (source.log_density(codes).mean().item() for codes in (z, entries.latent_codes(model, more)))
    yield Score("generation.memory.nats", "mean log p(z), training codes less those of new scenes, AE, mixture",
                known - fresh, ".1f")


def reach():
    r"""How near the draws from N(0, I) come to codes, against the codes of new scenes."""
    x, _ = scenes.make_scenes(DRAWS, NEW_SCENES_SEED)
    for kind, d, figure in (("AE", 4, "length"), ("AE", 32, "length"), ("AE", 32, "nearest"),
                            ("VAE", 8, "nearest"), ("VAE", 32, "nearest")):
        model = load(weights_of(kind, d))[0]
        for name, value in entries.reach(model, entries.training_codes(model), x).items():
            if name.startswith(figure):
                place = f"generation.reach.{kind.lower()}.{d}.{name.replace(', ', '.')}"
                yield Score(place, f"{name}: median, {kind}, d = {d}", value, ".1f")


def uses():
    r"""Compression and features, d = 32."""
    x, factors = scenes.make_scenes(entries.FITTED, seed=0)
    new, truth = scenes.make_scenes(2000, NEW_SCENES_SEED)
    curves = []
    for kind in FAMILIES:
        model, low = load(weights_of(kind, LARGE))[0], kind.lower()
        z, new_z = entries.latent_codes(model, x), entries.latent_codes(model, new)
        right = entries.probe(z, factors, new_z, truth)
        for name in ("shape", "colour", "size", "column"):
            yield Score(f"generation.use.probe.{low}.{name}", f"{name} read off the code by a linear map, {kind}",
                        right[name], ".0%")
        found = entries.rounded(model, z, new)
        curves.append(np.array(sorted(found.values())).T)
        for step in COARSE_AND_FINE[kind]:
            bits, error = found[step]
            what = f"code rounded to {step:g} standard deviations, {kind}"
            yield Score(f"generation.use.bits.{low}.{step:g}", f"bits a picture, {what}", bits, ".0f")
            yield Score(f"generation.use.mse.{low}.{step:g}", f"mean squared error, {what}", error, ".5f")
        yield Score(f"generation.use.mse.{low}", f"mean squared error, code in full, {kind}",
                    mse(new, reconstruct(model, new)).mean().item(), ".5f")
    rates = np.arange(max(bits[0] for bits, _ in curves), max(bits[-1] for bits, _ in curves))
    ours, theirs = (np.interp(rates, bits, np.log(error)) for bits, error in curves)  # flat beyond its last point
    yield Score("generation.use.crossing", "bits a picture from which the autoencoder has less error than the VAE",
                rates[ours < theirs].min().item(), ".0f")


def minutes():
    r"""Training times as the cards recorded them: the machine and its load on that day, not a property of the code."""
    seconds = [load(weights_of(kind, d))[1].metrics["training_seconds"] for kind in FAMILIES for d in CODE_SIZES]
    yield Score("generation.minutes.longest", "the longest training of the notebook as recorded, on one core",
                max(seconds) / 60, ".1f", bar="<= 15")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    for kind in FAMILIES:
        for d in CODE_SIZES:
            yield place_of(kind, d), partial(every_source, kind, d)
    yield "generation.order", order
    yield "generation.seeds", seeds
    yield "generation.valid", valid
    yield "generation.between", interpolation
    yield "generation.kinds", variety
    yield "generation.memory", memory
    yield "generation.reach", reach
    yield "generation.use", uses
    yield "generation.minutes", minutes
