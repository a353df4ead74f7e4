"""The figures of notebook 06: networks against filters, what the parser reads, and a defect that noise is not."""

from __future__ import annotations

from ...course.scores import Score
from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...data.emoji import drawn_by_all
from ...data.masks import error_inside
from ...metrics.pictures import mse, psnr, reconstruct, scene_accuracy
from ...training.checkpoints import load
from ..seq2seq_vs_autoencoder.experiments import marked_scenes
from .experiments import (
    CLASSICAL,
    QUOTED_LEVELS,
    WORLDS,
    again,
    denoise_and_renoise,
    denoisers,
    lead_on_photographs,
    mean_psnr,
    new_pictures,
    pure_noise,
    with_noise,
)

HOW_MANY = {"scenes": 100, "emoji": 150}  # pictures
LEAD_BARS = {"scenes": ">= 2", "emoji": ">= 1.5"}
OVER_MEDIAN = {0.1: "< 0", 0.3: ">= 2.5", 0.5: ">= 5"}  # of the bottleneck on scenes: it loses first, then leads


def measured(world: str, sigma: float) -> dict[str, float]:
    """{denoiser: mean PSNR in dB} on pictures that are new to all."""
    x = new_pictures(world, HOW_MANY[world])
    y = with_noise(x, sigma)
    return {name: mean_psnr(x, denoise(y, sigma)) for name, denoise in denoisers(world).items()}


def against_filters():
    """Both networks against the filters; of the single figures, those that the page names."""
    found = {(world, sigma): measured(world, sigma) for world in WORLDS for sigma in QUOTED_LEVELS}
    best = {place: max(by[name] for name in CLASSICAL) for place, by in found.items()}
    for (world, sigma), by in found.items():
        yield Score(f"denoising.psnr.{world}.lead.{sigma}", f"skips over the best filter in dB, {world}, {sigma}",
                    by["skips"] - best[world, sigma], ".1f", 0, LEAD_BARS[world])
    for sigma, bar in OVER_MEDIAN.items():
        lead = found["scenes", sigma]["code of 64"] - found["scenes", sigma]["median"]
        yield Score(f"denoising.psnr.scenes.over_median.{sigma}", f"code of 64 over the median, {sigma}", lead, ".1f",
                    0, bar)
    for world, sigma, name in (("scenes", 0.1, "code of 64"), ("scenes", 0.1, "median"), ("scenes", 0.5, "code of 64"),
                               ("emoji", 0.1, "code of 64")):
        by, short = found[world, sigma], "median" if name == "median" else "code"
        yield Score(f"denoising.psnr.{world}.{short}.{sigma}", f"PSNR in dB, {world}, {sigma}: {name}", by[name],
                    ".1f", by["nothing"])
    lead = found["scenes", 0.5]["code of 64"] - best["scenes", 0.5]
    yield Score("denoising.psnr.scenes.code_lead.0.5", "code of 64 over the best filter in dB, scenes, 0.5", lead,
                ".1f", 0)


def all_held_out_emoji():
    """The closest of the leads again, on every held-out emoji: over non-local means, the best filter there."""
    x, by = new_pictures("emoji", 1000), denoisers("emoji")
    y = with_noise(x, 0.1)
    lead = psnr(x, by["skips"](y, 0.1)) - psnr(x, by["non-local means"](y, 0.1))
    error = lead.std().item() / len(lead) ** 0.5
    yield Score("denoising.held_out.count", "held-out emoji", len(lead), ".0f")
    yield Score("denoising.held_out.lead", "skips over non-local means in dB, all held-out emoji, 0.1",
                lead.mean().item(), ".2f", 0, LEAD_BARS["emoji"])
    yield Score("denoising.held_out.error", "the standard error of that", error, ".2f")


def other_hands():
    """The lead again on the same held-out emoji as four artists draw them; the network has only seen Noto's."""
    for hand, x in drawn_by_all().items():
        y = with_noise(x, 0.1)
        by = {name: mean_psnr(x, denoise(y, 0.1)) for name, denoise in denoisers("emoji").items()}
        yield Score(f"denoising.hands.{hand}", f"skips over the best filter in dB, held-out emoji by {hand}, 0.1",
                    by["skips"] - max(by[name] for name in CLASSICAL), ".1f", 0)


def photographs():
    """Non-local means against the networks where these have learned nothing: five photographs, noise of 0.1."""
    for short, bar in (("emoji", ">= 4"), ("scenes", ">= 8")):
        leads = lead_on_photographs(f"skips, for {short}").values()
        yield Score(f"denoising.photographs.{short}", f"non-local means over skips for {short} in dB, photographs, 0.1",
                    sum(leads) / len(leads), ".1f", 0, bar)
        yield Score(f"denoising.photographs.{short}.least", f"the least of these leads, {short}", min(leads), ".1f", 0,
                    "> 0")


def clean_pictures():
    """PSNR of clean scenes after networks with a bottleneck: what their decoders can draw at best."""
    x = new_pictures("scenes", HOW_MANY["scenes"])
    for name in ("dae-scenes-code", "autoencoder-scenes-12", "autoencoder-scenes-32"):
        value = mean_psnr(x, reconstruct(load(name)[0], x))
        yield Score(f"denoising.clean.{name}", f"PSNR in dB of clean scenes, {name}", value, ".1f")


def applied_again():
    """What becomes of pictures that pass a network many times, from noisy scenes and from noise alone."""
    x, start, model = new_pictures("scenes", 60), pure_noise(40), load("dae-scenes-unet")[0]
    for times in (1, 2, 8, 32):
        y = again(model, with_noise(x, 0.5), times)
        what = f"PSNR in dB of the mean error, noise 0.5, skips {times} times"
        yield Score(f"denoising.again.psnr.{times}", what, -10 * mse(x, y).mean().log10().item(), ".1f")
    for word, y in (("repeated", again(model, start, 32)), ("renoised", denoise_and_renoise(model, start, 20))):
        for kind, share in scenes.parse(y).shares().items():
            yield Score(f"denoising.again.{kind}.{word}", f"share of {kind} pictures, from noise alone, skips, {word}",
                        share, ".0%")


def read_by_the_parser():
    """Scenes of which all six factors are read right, at a noise of 0.3."""
    x, factors = scenes.make_scenes(500, NEW_SCENES_SEED)
    y = with_noise(x, 0.3)
    by = denoisers("scenes")
    for short, name in {"noisy": "nothing", "nlm": "non-local means", "code": "code of 64", "unet": "skips"}.items():
        right = scene_accuracy(by[name](y, 0.3), factors)["all_six"]
        yield Score(f"denoising.parsed.{short}", f"scenes read right in all six, 0.3: {name}", right, ".1%")


def defects():
    """A magenta square: the error to the clean picture inside it, as a share of what the square itself makes."""
    clean, marked, mask = marked_scenes(300)
    raw = error_inside(clean, marked, mask).mean().item()
    levels = {"defect-0-64-6000": (0,), "dae-scenes-code": (0,), "dae-scenes-unet": (0, 0.1, 0.3)}
    for name, sigmas in levels.items():
        for sigma in sigmas:
            y = reconstruct(load(name)[0], with_noise(marked, sigma))
            left = error_inside(clean, y, mask).mean().item() / raw
            what = f"error left inside a square, noise {sigma}: {name}"
            yield Score(f"denoising.outlier.{name}.{sigma}", what, left, ".0%", 1)


def minutes():
    """Training time as the card recorded it: the machine and its load on that day, not a property of the code."""
    yield Score("denoising.minutes", "training of the network with skips on scenes as recorded, on one core",
                load("dae-scenes-unet")[1].metrics["training_seconds"] / 60, ".0f", bar="<= 15")


def groups():
    """(what the names of its scores begin with, the function that yields them)."""
    yield "denoising.psnr", against_filters
    yield "denoising.held_out", all_held_out_emoji
    yield "denoising.hands", other_hands
    yield "denoising.photographs", photographs
    yield "denoising.clean", clean_pictures
    yield "denoising.again", applied_again
    yield "denoising.parsed", read_by_the_parser
    yield "denoising.outlier", defects
    yield "denoising.minutes", minutes
