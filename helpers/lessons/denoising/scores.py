r"""The figures of notebook 06: networks against filters, what the parser reads, and a defect that noise is not."""

from __future__ import annotations

from ...course.scores import Score
from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...data.masks import error_inside
from ...metrics.pictures import mse, psnr, reconstruct, scene_accuracy
from ...training.checkpoints import load
from ..seq2seq_vs_autoencoder.experiments import marked_scenes
from .experiments import (
    CLASSICAL,
    KINDS,
    NETWORKS,
    SIGMAS,
    again,
    denoise_and_renoise,
    denoisers,
    mean_psnr,
    new_pictures,
    pure_noise,
    with_noise,
)

PICTURES = {"scenes": 100, "emoji": 150}
SHORT = {"nothing": "noisy"} | CLASSICAL | NETWORKS
BARS = {"scenes": ">= 2", "emoji": ">= 1.5"}
CODE = "code of 64"
NAMED = {("scenes", 0.1): (CODE, "median"), ("scenes", 0.5): (CODE,), ("emoji", 0.1): (CODE,)}  # on the page
OVER_MEDIAN = {0.1: "< 0", 0.3: ">= 2.5", 0.5: ">= 5"}  # of the bottleneck on scenes: it loses first, then leads


def measured(kind: str, sigma: float) -> dict[str, float]:
    r"""{denoiser: mean PSNR in dB} on pictures that are new to all."""
    x = new_pictures(kind, PICTURES[kind])
    y = with_noise(x, sigma)
    return {name: mean_psnr(x, denoise(y, sigma)) for name, denoise in denoisers(kind).items()}


def against_filters():
    """The network with skips over the best filter at every level; of the single figures, those that the page names."""
    for kind in KINDS:
        for sigma in SIGMAS:
            found = measured(kind, sigma)
            best = max(found[name] for name in CLASSICAL)
            yield Score(f"denoising.psnr.{kind}.lead.{sigma}", f"skips over the best filter in dB, {kind}, {sigma}",
                        found["skips"] - best, ".1f", 0, BARS[kind])
            if kind == "scenes" and sigma in OVER_MEDIAN:
                yield Score(f"denoising.psnr.scenes.over_median.{sigma}", f"code of 64 over the median, {sigma}",
                            found["code of 64"] - found["median"], ".1f", 0, OVER_MEDIAN[sigma])
            for name in NAMED.get((kind, sigma), ()):
                yield Score(f"denoising.psnr.{kind}.{SHORT[name]}.{sigma}", f"PSNR in dB, {kind}, {sigma}: {name}",
                            found[name], ".1f", found["nothing"])
            if (kind, sigma) == ("scenes", 0.5):
                yield Score("denoising.psnr.scenes.code_lead.0.5", "code of 64 over the best filter in dB, scenes, 0.5",
                            found["code of 64"] - best, ".1f", 0)


def all_held_out_emoji():
    r"""The closest of the leads again, on every held-out emoji: over non-local means, the best filter there."""
    x, by = new_pictures("emoji", 1000), denoisers("emoji")
    y = with_noise(x, 0.1)
    lead = psnr(x, by["skips"](y, 0.1)) - psnr(x, by["non-local means"](y, 0.1))
    error = lead.std().item() / len(lead) ** 0.5
    yield Score("denoising.held_out.count", "held-out emoji", len(lead), ".0f")
    yield Score("denoising.held_out.lead", "skips over non-local means in dB, all held-out emoji, 0.1",
                lead.mean().item(), ".2f", 0, BARS["emoji"])
    yield Score("denoising.held_out.error", "the standard error of that", error, ".2f")


def clean_pictures():
    r"""PSNR of clean scenes after networks with a bottleneck: what their decoders can draw at best."""
    x = new_pictures("scenes", PICTURES["scenes"])
    for name in ("dae-scenes-code", "autoencoder-scenes-12", "autoencoder-scenes-32"):
        value = mean_psnr(x, reconstruct(load(name)[0], x))
        yield Score(f"denoising.clean.{name}", f"PSNR in dB of clean scenes, {name}", value, ".1f")


def applied_again():
    r"""What becomes of pictures that pass a network many times, from noisy scenes and from noise alone."""
    x, start, model = new_pictures("scenes", 60), pure_noise(40), load("dae-scenes-skip")[0]
    for times in (1, 2, 8, 32):
        y = again(model, with_noise(x, 0.5), times)
        what = f"PSNR in dB of the mean error, noise 0.5, skips {times} times"
        yield Score(f"denoising.again.psnr.{times}", what, -10 * mse(x, y).mean().log10().item(), ".1f")
    for word, y in (("repeated", again(model, start, 32)), ("renoised", denoise_and_renoise(model, start, 20))):
        what = f"share of valid scenes, from noise alone, skips, {word}"
        yield Score(f"denoising.again.valid.{word}", what, scenes.parse(y).valid.float().mean().item(), ".0%")


def read_by_the_parser():
    r"""Scenes of which all six factors are read right, at a noise of 0.3."""
    x, factors = scenes.make_scenes(500, NEW_SCENES_SEED)
    y = with_noise(x, 0.3)
    for name, denoise in denoisers("scenes").items():
        if SHORT[name] in ("noisy", "nlm", "code", "skip"):
            right = scene_accuracy(denoise(y, 0.3), factors)["all_six"]
            yield Score(f"denoising.parsed.{SHORT[name]}", f"scenes read right in all six, 0.3: {name}", right, ".1%")


def defects():
    r"""A magenta square: the error to the clean picture inside it, as a share of what the square itself makes."""
    clean, marked, mask = marked_scenes(300)
    raw = error_inside(clean, marked, mask).mean().item()
    levels = {"defect-0-64-6000": (0,), "dae-scenes-code": (0,), "dae-scenes-skip": (0, 0.1, 0.3)}
    for name, sigmas in levels.items():
        for sigma in sigmas:
            y = reconstruct(load(name)[0], with_noise(marked, sigma))
            left = error_inside(clean, y, mask).mean().item() / raw
            what = f"error left inside a square, noise {sigma}: {name}"
            yield Score(f"denoising.outlier.{name}.{sigma}", what, left, ".0%", 1)


def minutes():
    r"""Training time as the card recorded it: the machine and its load on that day, not a property of the code."""
    yield Score("denoising.minutes", "training of the network with skips on scenes as recorded, on one core",
                load("dae-scenes-skip")[1].metrics["training_seconds"] / 60, ".0f", bar="<= 15")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "denoising.psnr", against_filters
    yield "denoising.held_out", all_held_out_emoji
    yield "denoising.clean", clean_pictures
    yield "denoising.again", applied_again
    yield "denoising.parsed", read_by_the_parser
    yield "denoising.outlier", defects
    yield "denoising.minutes", minutes
