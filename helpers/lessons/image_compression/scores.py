"""The figures of notebook 05: bytes against error for codes, formats and the codec, and autoencoders that overfit."""

from __future__ import annotations

import itertools

import numpy as np
import torch

from ...course.scores import Score
from ...data import scenes
from ...data.batches import NEW_SCENES_SEED, in_batches
from ...data.emoji import drawn_by_all
from ...data.own_picture import own_picture
from ...metrics.pictures import reconstruct, scene_accuracy
from ...models.codec import rate_distortion_loss
from ...systems import range_coding
from ...systems.codec import QUALITIES, VectorCoder, as_tensor, compress, decompress, trained_codec
from ...training import tuning
from ...training.checkpoints import load
from . import experiments
from .experiments import OVERFIT_SEEDS, SHIPPED_COUNTS, SHIPPED_LATENTS, held_out_emoji, photograph
from .file_formats import bytes_for, file_bytes, frontier, mosaic, pictures_of, pixel_error, rate_curve, read_file
from .photographs import PHOTOGRAPHS, codec_trial, photograph_path

COUNT = 256  # pictures in a mosaic

# -- codes of d numbers --------------------------------------------------------------------------------------------


def codes_against_formats():
    x, factors = scenes.make_scenes(COUNT, NEW_SCENES_SEED)
    picture = mosaic(x)
    file = file_bytes(picture, "JPEG", quality=10, optimize=True)
    target, jpeg = pixel_error(picture, read_file(file)), len(file) / COUNT
    coders = experiments.vector_coders()
    points = {key: coder.measure(x) for key, coder in coders.items()}
    good = sorted((size, key) for key, (size, loss) in points.items() if loss <= target)
    ours, best = good[0]
    png = len(file_bytes(picture, "PNG", optimize=True)) / COUNT
    pca = frontier(experiments.pca_points(x))
    webp = [(size / COUNT, loss) for size, loss in rate_curve(picture, "WEBP")]
    for name, what, value, form, baseline, bar in (
        ("d", "numbers of the smallest code whose error is that of the JPEG of quality 10", best[0], ".0f", None, ""),
        ("bits", "its bits a number", best[1], ".0f", None, ""),
        ("ours", "its bytes a picture (baseline JPEG)", ours, ".1f", jpeg, ""),
        ("ratio", "JPEG's bytes over ours at that error", jpeg / ours, ".0f", None, ">= 3"),
        ("jpeg", "bytes a picture of that JPEG, in a mosaic of 256", jpeg, ".0f", None, ""),
        ("webp", "bytes a picture at that error: WebP", bytes_for(target, webp), ".0f", None, ""),
        ("pca", "bytes a picture at that error: PCA", bytes_for(target, pca), ".0f", None, ""),
        ("png", "bytes a picture as PNG, without loss, in the mosaic", png, ".0f", None, ""),
    ):
        yield Score(f"compression.vector.{name}", what, value, form, baseline, bar)
    yield from kept_factors([(size, coders[key]) for size, key in good], pictures_of(read_file(file)), x, factors)
    yield from paid_back(coders[best], ours, jpeg, x)
    yield from out_of_domain(coders[best])


def kept_factors(good: list[tuple[float, VectorCoder]], jpeg, x, factors):
    """Equal error is not equal use: how many scenes keep all six factors, and the bytes at which as many do.

    good: (bytes a picture, coder) of the codes whose error is not above the JPEG's, the fewest bytes first.
    """

    def kept(y):
        return scene_accuracy(y, factors)["all_six"]

    theirs = kept(jpeg)
    ours = ((size, kept(coder.decompress(coder.compress(x), COUNT))) for size, coder in good)
    first = next(ours)
    yield Score("compression.vector.six.ours", "scenes that keep all six factors, our best code (baseline JPEG)",
                first[1], ".0%", theirs, "<= 0.6")
    yield Score("compression.vector.six.jpeg", "scenes that keep all six factors, that JPEG", theirs, ".0%")
    size = next(size for size, share in itertools.chain([first], ours) if share >= theirs)
    yield Score("compression.vector.six.bytes", "bytes at which a code of ours keeps as many", size, ".0f")


def paid_back(coder: VectorCoder, ours: float, jpeg: float, x):
    """What the decoder of a code weighs, and how near its bytes are to the entropy."""
    decoder = 2 * sum(p.numel() for p in coder.model.decoder.parameters())  # in float16
    weight = decoder + 2 * coder.tables.size + 8 * len(coder.tables)  # and the tables, and where the steps begin
    yield Score("compression.vector.decoder", "the decoder and its tables, kilobytes in float16", weight / 1000, ".0f")
    yield Score("compression.vector.payback", "pictures after which it is paid back, to the nearest hundred",
                round(weight / (jpeg - ours), -2), ",.0f")
    needed = range_coding.bits(coder.quantiser.symbols(in_batches(coder.model.encode, x)), coder.tables) / 8 / len(x)
    yield Score("compression.vector.excess", "real bytes over -log2 p, in excess", ours / needed - 1, ".2%",
                bar="<= 0.02")


def out_of_domain(coder: VectorCoder):
    emoji = held_out_emoji(COUNT)
    picture = mosaic(emoji)
    jpeg = pixel_error(picture, read_file(file_bytes(picture, "JPEG", quality=2, optimize=True)))
    yield Score("compression.vector.emoji", "error on emoji by the scenes' code (baseline JPEG, quality 2)",
                coder.measure(emoji)[1], ".2f", jpeg, ">= 0.05")
    yield Score("compression.vector.emoji_jpeg", "error on emoji by a JPEG of quality 2", jpeg, ".3f")


# -- the learned codec ---------------------------------------------------------------------------------------------


def learned_codec():
    """The codec's files, header and all, against formats at the same error: where it wins, and where it loses."""
    emoji = mosaic(held_out_emoji(COUNT))
    tiny_scenes = mosaic(scenes.make_scenes(COUNT, NEW_SCENES_SEED)[0])
    for name, picture, bar in (("emoji", emoji, "> 1"), ("scenes", tiny_scenes, "< 1"), ("photo", photograph(), "< 1")):
        for quality in QUALITIES:
            for kind, ratio in experiments.bytes_over_codec(picture, quality).items():
                yield Score(f"compression.codec.{kind.lower()}.{name}.{quality}",
                            f"{kind}'s bytes over the codec's at the same error: {name}, {quality}",
                            ratio, ".2f", 1, bar)
    yield from price_of_bits(emoji)


def other_hands():
    """The codec, trained on Noto's emoji, on the same held-out emoji by others."""
    for hand, bar in (("twemoji", "> 1"), ("openmoji", "")):
        for kind, ratio in experiments.bytes_over_codec(mosaic(drawn_by_all()[hand][:COUNT]), "low").items():
            yield Score(f"compression.hands.{kind.lower()}.{hand}", f"{kind}'s bytes over the codec's, {hand}, low",
                        ratio, ".2f", 1, bar)


def photographs():
    """WebP and JPEG on five photographs at the error of the codec's low quality."""
    trials = [codec_trial(own_picture(photograph_path(name), 256).batch[0], "low") for name in PHOTOGRAPHS]
    webp, jpeg = ([trial.rivals[kind].size / trial.size for trial in trials] for kind in ("WebP", "JPEG"))
    yield Score("compression.photographs.webp", "most of WebP's bytes over the codec's, photographs, low", max(webp),
                ".2f", 1, "< 1")
    yield Score("compression.photographs.jpeg", "photographs of five on which JPEG takes fewer bytes, low",
                sum(ratio < 1 for ratio in jpeg), "d")


def price_of_bits(picture: np.ndarray):
    """Of files of the emoji: how near their bytes are to the loss, and what the network of one weighs beside it."""
    files = {quality: compress(picture, quality) for quality in QUALITIES}
    for quality, data in files.items():
        with torch.no_grad():
            bits = rate_distortion_loss(trained_codec(quality)[0], as_tensor(picture), 0.0)[1]["bits"].item()
        yield Score(f"compression.codec.excess.{quality}", f"real bytes over those in the loss: emoji, {quality}",
                    len(data) / (bits * picture[..., 0].size / 8) - 1, ".1%", bar="<= 0.03")
    model, data = trained_codec("low")[0], files["low"]
    weight = 2 * sum(p.numel() for part in (model.synthesis, model.tables) for p in part.parameters())
    jpeg = bytes_for(pixel_error(picture, decompress(data)), rate_curve(picture, "JPEG"))
    yield Score("compression.codec.decoder.low", "kilobytes of the synthesis and its tables in float16", weight / 1000,
                ".0f")
    yield Score("compression.codec.payback.low", "emoji after which they are paid back against JPEG",
                round(weight / ((jpeg - len(data)) / COUNT), -2), ",.0f")


# -- few pictures, many times --------------------------------------------------------------------------------------


def overfit_figures(latent: int, count: int, seed: int = 0) -> dict[str, float]:
    """Errors and gap of one training: of the shipped weights, else as they were recorded."""
    name = f"overfit-{latent}-{count}"
    if seed or latent not in SHIPPED_LATENTS or count not in SHIPPED_COUNTS:
        return tuning.find(name, seed=seed)
    return experiments.overfit_errors(load(name)[0], count)


def overfitting():
    """Errors on new scenes, their ratio to the training error ("gap"), and what holds for each of three seeds."""
    pairs = itertools.product(experiments.OVERFIT_LATENTS, experiments.OVERFIT_COUNTS)
    found = {(d, count): overfit_figures(d, count) for d, count in pairs}
    for (d, count), figures in found.items():
        what = f"d = {d}, {count:,} training pictures"
        yield Score(f"compression.overfit.test.{d}-{count}", f"error on new scenes: {what}", figures["test"], ".4f")
        yield Score(f"compression.overfit.gap.{d}-{count}", f"that over the training error: {what}", figures["gap"],
                    ".1f")
    for d, count in ((2, 200), (64, 12_000)):
        y = experiments.gaussian_draws(load(f"overfit-{d}-{count}")[0], experiments.training_scenes(count))
        yield Score(f"compression.overfit.nameable.{d}-{count}", f"nameable among draws: d = {d}, {count:,} pictures",
                    scenes.parse(y).shares()["nameable"], ".1%")
    seeds = [{d: overfit_figures(d, 200, seed) for d in SHIPPED_LATENTS} for seed in OVERFIT_SEEDS]
    tests = [run[256]["test"] / run[64]["test"] for run in seeds]
    yield Score("compression.overfit.gaps", "gap at d = 256 over gap at d = 2, 200 pictures",
                seeds[0][256]["gap"] / seeds[0][2]["gap"], ".1f", bar=">= 2")
    yield Score("compression.overfit.tests", "test error at d = 256 over that at d = 64, 200 pictures", tests[0], ".2f",
                bar="<= 1.2")
    series = {f"gap.{d}-200": (".1f", [run[d]["gap"] for run in seeds]) for d in SHIPPED_LATENTS}
    for name, (form, values) in (series | {"tests": (".2f", tests)}).items():
        yield Score(f"compression.overfit.{name}.least", f"{name}: the least of three seeds", min(values), form)
        yield Score(f"compression.overfit.{name}.most", f"{name}: the most of three seeds", max(values), form)


def random_draws():
    """Scenes from notebook 02's decoders: of new scenes' codes, and of draws from a Gaussian fitted to codes."""
    x, new = scenes.make_scenes(4000, seed=0)[0][:2000], scenes.make_scenes(COUNT, NEW_SCENES_SEED)[0]
    named = {}
    for d, word in itertools.product((4, 32, 128), ("drawn", "rebuilt")):
        model = load(f"autoencoder-scenes-{d}")[0]
        y = experiments.gaussian_draws(model, x) if word == "drawn" else reconstruct(model, new)
        for kind, share in scenes.parse(y).shares().items():
            named[word, kind, d] = share
            yield Score(f"compression.random.{word}.{kind}.{d}", f"{kind} among {word} scenes, d = {d}", share, ".1%")
    # A ratio of two small counts would jump with a single picture; the bar is that it is at most 0.3.
    yield Score("compression.random.margin", "0.3 times the nameable draws at d = 4, less those at d = 32",
                0.3 * named["drawn", "nameable", 4] - named["drawn", "nameable", 32], ".1%", bar=">= 0")


def groups():
    """(what the names of its scores begin with, the function that yields them)."""
    yield "compression.vector", codes_against_formats
    yield "compression.codec", learned_codec
    yield "compression.hands", other_hands
    yield "compression.photographs", photographs
    yield "compression.overfit", overfitting
    yield "compression.random", random_draws
