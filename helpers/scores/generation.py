r"""The figures of notebook 09: what can be drawn from the codes of an autoencoder and of a VAE, and what else they do.

A rate is the share of n pictures that the parser takes for tiny scenes: by its own limit, or by the loose one. Two
seeds are the shipped weights and a training whose figures data/trials.json holds.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from .. import metrics, scenes, trials
from ..checkpoints import load
from ..recipes import generation as entries
from ..recipes.autoencoder import NEW_SCENES_SEED, reconstruct
from ..recipes.compared import distance
from ..recipes.generation import KINDS, LATENTS, SEEDS, SOURCES, weights_of
from ..recipes.vae import CHOSEN, beta_name
from . import Score, group

SHORT = dict(zip(SOURCES, ("normal", "gaussian", "mixture"), strict=True))
LARGE, DRAWS, FEWER = 32, 2000, 1000  # the table is of d = 32; draws for its cells, and for those of other d


def every_source(kind: str, d: int):
    r"""One model with every source, and half way between new scenes; at d = 32 with standard errors."""
    n = DRAWS if d == LARGE else FEWER
    for name, (strict, loose) in entries.measure(load(weights_of(kind, d))[0], n).items():
        place, what = f"{place_of(kind, d)}.{SHORT.get(name, name)}", f"valid scenes, {kind}, d = {d}, {name}"
        yield Score(place, what, strict, ".3f")
        yield Score(f"{place}.loose", f"{what}, loose limit", loose, ".3f")
        if d == LARGE:
            error = entries.standard_error(strict, n if name in SHORT else n // 2)
            yield Score(f"{place}.error", f"standard error: {what}", error, ".3f")


def place_of(kind: str, d: int) -> str:
    return f"generation.valid.{kind.lower()}.{d}"


for kind in KINDS:
    for d in LATENTS:
        group(place_of(kind, d))(partial(every_source, kind, d))


@group("generation.order")
def order():
    r"""What the notebook says of the table: who draws more scenes, by the loose limit and by the strict one."""
    ae, vae = (load(weights_of(kind, LARGE))[0] for kind in KINDS)
    normal = entries.standard_normal(LARGE)
    mixed = entries.rates(entries.draw(ae, entries.mixture(entries.training_codes(ae), entries.COMPONENTS), DRAWS))
    own, other = (entries.rates(entries.draw(model, normal, DRAWS)) for model in (vae, ae))
    yield Score("generation.order.strict", "of these draws, strictly valid ones of the VAE (baseline: the autoencoder)",
                own[0] * DRAWS, ".0f", other[0] * DRAWS)  # fmt: skip
    yield Score("generation.order.prior", "loosely valid from N(0, I), the VAE's share over the autoencoder's, d = 32",
                own[1] / max(other[1], 1 / DRAWS), ".0f", 1, ">= 4")  # fmt: skip
    for i, limit in enumerate(entries.LIMITS):
        what = f"autoencoder with a mixture over the VAE's prior, d = 32, {limit} limit"
        yield Score(f"generation.order.mixture.{limit}", what,
                    mixed[i] / max(own[i], 1 / DRAWS), ".1f", 1, ">= 1")  # fmt: skip


@group("generation.seeds")
def seeds():
    r"""The orderings that the notebook states, at d = 32 by the loose limit, on two seeds each."""
    found = {kind: over_seeds(kind, LARGE) for kind in KINDS}
    for kind in KINDS:
        for name in SOURCES:
            shares = [figures[f"{name} loose"] for figures in found[kind]]
            place, what = f"generation.seeds.{kind.lower()}.{SHORT[name]}", f"loosely valid, {kind}, d = 32, {name}"
            yield Score(f"{place}.least", f"{what}: the least of two seeds", min(shares), ".3f")
            yield Score(f"{place}.most", f"{what}: the most of two seeds", max(shares), ".3f")
    own, other = ([figures[f"{name} loose"] for figures in found[kind]] for kind, name in (
        ("VAE", "N(0, I)"), ("AE", "N(0, I)")))  # fmt: skip
    mixed = [figures["mixture loose"] for figures in found["AE"]]
    yield Score("generation.seeds.prior", "loosely valid from N(0, I): the worst VAE over the best autoencoder",
                min(own) / max(*other, 1 / DRAWS), ".0f", 1, ">= 4")  # fmt: skip
    yield Score("generation.seeds.with_mixture", "the worst autoencoder with a mixture over the best VAE from N(0, I)",
                min(mixed) / max(own), ".1f", 1, ">= 1")  # fmt: skip


def over_seeds(kind: str, d: int) -> list[dict[str, float]]:
    r"""Rates of the shipped weights, from their card or else measured, and of the other seeds, as recorded."""
    model, card = load(weights_of(kind, d))
    shipped = card.metrics if "mixture" in card.metrics else entries.named(entries.measure(model, DRAWS))
    return [shipped, *(trials.find(f"{kind.lower()}-scenes-{d}", seed=seed) for seed in SEEDS[1:])]


@group("generation.between")
def interpolation():
    r"""Half way between two new scenes, d = 32."""
    model = load(weights_of("VAE", LARGE))[0]
    round_ = entries.rates(entries.between(model, path=entries.slerp))
    yield Score("generation.between.slerp", "valid scenes, VAE, midpoints on the sphere", round_[0], ".3f")
    yield Score("generation.between.slerp.loose", "the same, loose limit", round_[1], ".2f")
    x, _ = scenes.make_scenes(2000, NEW_SCENES_SEED)
    pixels = entries.rates(torch.lerp(*x.chunk(2), 0.5))
    yield Score("generation.between.pixels", "valid scenes, half one picture and half another", pixels[0], ".3f")
    yield Score("generation.between.pixels.loose", "the same, loose limit", pixels[1], ".2f")
    for kind in KINDS:
        strict, loose = entries.rates(reconstruct(load(weights_of(kind, LARGE))[0], x))
        yield Score(f"generation.between.ends.{kind.lower()}", f"valid scenes, {kind}, reconstructions", strict, ".2f")
        yield Score(f"generation.between.ends.{kind.lower()}.loose", "the same, loose limit", loose, ".2f")


@group("generation.kinds")
def variety():
    r"""How many of the 84 kinds of scenes are among 200 loosely valid draws, where there are so many."""
    limit = entries.LIMITS["loose"]
    parsed = scenes.parse(scenes.make_scenes(300, NEW_SCENES_SEED)[0])
    real = entries.variety(parsed, entries.accepted(parsed, limit))
    yield Score("generation.kinds.real", "kinds among 200 scenes", real, ".0f")
    for d in LATENTS:
        for kind in KINDS:
            parsed = scenes.parse(entries.draw(load(weights_of(kind, d))[0], entries.standard_normal(d), DRAWS))
            found = entries.variety(parsed, entries.accepted(parsed, limit))
            if found is not None:
                yield Score(f"generation.kinds.{kind.lower()}.{d}", f"kinds among 200 draws, {kind}, d = {d}, N(0, I)",
                            found, ".0f", real)  # fmt: skip


@group("generation.memory")
def memory():
    r"""Is a draw from the mixture a training scene? Against what the decoder makes of the scenes it was fitted to."""
    model = load(weights_of("AE", LARGE))[0]
    train, _ = scenes.make_scenes(entries.CODES, seed=0)
    more, _ = scenes.make_scenes(2000, NEW_SCENES_SEED)
    z, restored = entries.training_codes(model), reconstruct(model, train)
    source = entries.mixture(z, entries.COMPONENTS)
    drawn = entries.draw(model, source, DRAWS)
    for name, what, x in (("drawn", "a valid draw from the mixture", drawn[entries.valid(drawn)]),
                          ("redrawn", "a restored new scene", reconstruct(model, more[:500]))):  # fmt: skip
        far = distance(x, restored)
        yield Score(f"generation.memory.{name}", f"squared error of {what} to the nearest restored training scene",
                    far.median().item(), ".4f")  # fmt: skip
        yield Score(f"generation.memory.{name}.least", "the same, the smallest", far.min().item(), ".4f")
    for name, codes in (("fitted", z), ("fresh", entries.encode_all(model, more))):
        yield Score(f"generation.memory.nats.{name}", f"mean log p(z) of {name} codes, AE, mixture",
                    source.log_density(codes).mean().item(), ".1f")  # fmt: skip


@group("generation.rival")
def rival():
    r"""The VAE of notebook 08 with the same dice: a smaller network, and the beta that it chose."""
    strict, loose = entries.rates(entries.draw(load(beta_name(CHOSEN))[0], entries.standard_normal(LARGE), DRAWS))
    yield Score("generation.rival", "valid scenes, notebook 08's VAE, beta = 10, d = 32, N(0, I)", strict, ".3f")
    yield Score("generation.rival.loose", "the same, loose limit", loose, ".3f")


@group("generation.use")
def uses():
    r"""Compression and features, d = 32."""
    x, factors = scenes.make_scenes(entries.CODES, seed=0)
    new, truth = scenes.make_scenes(2000, NEW_SCENES_SEED)
    curves = []
    for kind in KINDS:
        model, low = load(weights_of(kind, LARGE))[0], kind.lower()
        z, new_z = entries.encode_all(model, x), entries.encode_all(model, new)
        right = entries.probe(z, factors, new_z, truth)
        for name, share in right.items():
            yield Score(f"generation.use.probe.{low}.{name}", f"{name} read off the code by a linear map, {kind}",
                        share, ".0%")  # fmt: skip
        found = entries.rounded(model, z, new)
        curves.append(np.array(sorted(found.values())).T)
        for step, (bits, error) in found.items():
            what = f"code rounded to {step:g} standard deviations, {kind}"
            yield Score(f"generation.use.bits.{low}.{step:g}", f"bits a picture, {what}", bits, ".0f")
            yield Score(f"generation.use.mse.{low}.{step:g}", f"mean squared error, {what}", error, ".5f")
        yield Score(f"generation.use.mse.{low}", f"mean squared error, code in full, {kind}",
                    metrics.mse(new, reconstruct(model, new)).mean().item(), ".5f")  # fmt: skip
    rates = np.arange(max(curve[0, 0] for curve in curves), min(curve[0, -1] for curve in curves))
    ae, vae = (np.interp(rates, bits, np.log(error)) for bits, error in curves)
    yield Score("generation.use.crossing", "bits a picture from which the autoencoder has less error than the VAE",
                rates[ae < vae].min().item(), ".0f")  # fmt: skip


@group("generation.minutes")
def minutes():
    r"""Training times as the cards recorded them: the machine and its load on that day, not a property of the code."""
    seconds = [load(weights_of(kind, d))[1].metrics["training_seconds"] for kind in KINDS for d in LATENTS]
    yield Score("generation.minutes.longest", "the longest training of the notebook as recorded, on one core",
                max(seconds) / 60, ".1f", bar="<= 15")  # fmt: skip
