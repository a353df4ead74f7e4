r"""The figures of notebook 05: bytes against error for codes, formats and the codec, and autoencoders that overfit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from ...course.scores import Score
from ...data import scenes
from ...metrics.pca import PCA
from ...metrics.pictures import scene_accuracy
from ...models.codec import rate_distortion_loss
from ...systems import range_coding
from ...systems.codec import QUALITIES, VectorCoder, as_tensor, codes_of, compress, decompress, trained_codec
from ...training import tuning
from ...training.checkpoints import load
from . import recipes as recipe
from .file_formats import bytes_for, error, file_bytes, frontier, mosaic, pictures_of, read_file, sweep

CODES = (3, 4, 6, 8, 12, 32)  # those of 2 and of 128 numbers do not come near the target
DRAWS = 400  # random codes
TRAINED = 4000  # training scenes that ranges and frequencies are counted on
FAITHFUL = ((12, 6), (32, 4), (32, 5), (32, 6))  # codes, as (d, bits), that keep more of a scene


def autoencoder_points(x, codes=CODES, bits=(5, 6, 8)):
    r"""{(d, bits): (bytes a picture, error)} of notebook 02's autoencoders."""
    found, train = {}, scenes.make_scenes(TRAINED, seed=0)[0]
    for d in codes:
        model = load(f"autoencoder-scenes-{d}")[0]
        seen = codes_of(model, train)
        found |= {(d, b): VectorCoder.fit(model, seen, bits=b).measure(x) for b in bits}
    return found


def pca_points(x, codes=(32, 64, 128), steps=(6, 4, 3, 2, 1.4, 1)):
    r"""The same for PCA, quantised with one step for all components, as is best at high rates: {(d, step): ...}."""
    train, found = scenes.make_scenes(TRAINED, seed=0)[0], {}
    pca = PCA.fit(train, max(codes))
    for d in codes:
        part = replace(pca, components=pca.components[:d])
        seen = codes_of(part, train)
        found |= {(d, step): VectorCoder.fit(part, seen, step=step).measure(x) for step in steps}
    return found


def decoder_bytes(model, coder: VectorCoder) -> int:
    r"""What a reader must have before the first picture: weights in float16, tables, and where the steps begin."""
    return 2 * sum(p.numel() for p in model.decoder.parameters()) + 2 * coder.tables.size + 8 * len(coder.tables)


def codes_against_formats():
    x = recipe.new_scenes()
    picture = mosaic(x)
    formats = {kind: [(size / len(x), loss) for size, loss in sweep(picture, kind)] for kind in ("JPEG", "WEBP")}
    data = file_bytes(picture, "JPEG", quality=10, optimize=True)
    target = error(picture, read_file(data))
    jpeg = len(data) / len(x)
    yield Score("compression.vector.target", "error of the JPEG of quality 10", target, ".4f")
    yield Score("compression.vector.jpeg", "bytes a picture of that JPEG, in a mosaic of 256", jpeg, ".0f")
    alone = [len(file_bytes(mosaic(one, 1), "JPEG", quality=10, optimize=True)) for one in x[:32].split(1)]
    yield Score("compression.vector.alone", "bytes of one scene as a JPEG by itself, quality 10", np.mean(alone), ".0f")
    png = len(file_bytes(picture, "PNG", optimize=True)) / len(x)
    yield Score("compression.vector.png", "bytes a picture as PNG, without loss, in the mosaic", png, ".0f")
    found = autoencoder_points(x)
    good = {key: size for key, (size, loss) in found.items() if loss <= target}
    (d, bits), ours = min(good.items(), key=lambda item: item[1])
    yield Score("compression.vector.d", "the size of the code that gets there with the fewest bytes", d, ".0f")
    yield Score("compression.vector.bits", "and its bits a number", bits, ".0f")
    yield Score("compression.vector.ours", "its bytes a picture (baseline JPEG)", ours, ".1f", jpeg)
    yield Score("compression.vector.mse", "its error (baseline JPEG)", found[d, bits][1], ".4f", target)
    yield Score("compression.vector.ratio", "JPEG's bytes over ours at that error", jpeg / ours, ".0f", bar=">= 3")
    for name, points in (("webp", formats["WEBP"]), ("jpeg_best", formats["JPEG"]),
                         ("pca", frontier(pca_points(x).values()))):
        yield Score(f"compression.vector.{name}", f"bytes a picture at that error: {name}", bytes_for(target, points),
                    ".0f")
    yield from kept_factors((d, bits), read_file(data))
    yield from paid_back(d, bits, ours, jpeg, x)


def kept_factors(best: tuple[int, int], jpeg: np.ndarray):
    r"""Equal error is not equal use: how many scenes keep all six factors, and the bytes at which as many do."""
    x, factors = scenes.make_scenes(256, recipe.NEW_SCENES_SEED)
    train, found = scenes.make_scenes(TRAINED, seed=0)[0], {}
    for d, bits in (best, *FAITHFUL):
        model = load(f"autoencoder-scenes-{d}")[0]
        coder = VectorCoder.fit(model, codes_of(model, train), bits=bits)
        file = coder.compress(x)
        found[d, bits] = len(file) / len(x), scene_accuracy(coder.decompress(file, len(x)), factors)["all_six"]
    theirs = scene_accuracy(pictures_of(jpeg), factors)["all_six"]
    yield Score("compression.vector.six.ours", "scenes that keep all six factors, our best code (baseline JPEG)",
                found[best][1], ".0%", theirs, "<= 0.6")
    yield Score("compression.vector.six.jpeg", "the same, the JPEG of quality 10", theirs, ".0%")
    size = min(size for size, kept in found.values() if kept >= theirs)
    yield Score("compression.vector.six.bytes", "bytes at which a code of ours keeps as many", size, ".0f")


def paid_back(d: int, bits: int, ours: float, jpeg: float, x):
    r"""What the best code's decoder weighs, how near its bytes are to the entropy, and where it fails."""
    model = load(f"autoencoder-scenes-{d}")[0]
    coder = VectorCoder.fit(model, codes_of(model, scenes.make_scenes(TRAINED, seed=0)[0]), bits=bits)
    weight = decoder_bytes(model, coder)
    yield Score("compression.vector.decoder", "the decoder and its tables, kilobytes in float16", weight / 1000, ".0f")
    yield Score("compression.vector.payback", "pictures after which it is paid back, to the nearest hundred",
                round(weight / (jpeg - ours), -2), ",.0f")
    with torch.no_grad():
        symbols = coder.quantiser.symbols(model.encode(x))
    needed = range_coding.bits(symbols, coder.tables) / 8 / len(x)
    yield Score("compression.vector.excess", "real bytes over -log2 p, in excess", ours / needed - 1, ".2%",
                bar="<= 0.02")
    emoji = recipe.held_out_emoji()
    picture = mosaic(emoji)
    small = file_bytes(picture, "JPEG", quality=2, optimize=True)
    theirs = error(picture, read_file(small))
    yield Score("compression.vector.emoji", "error on emoji by the scenes' code (baseline JPEG, quality 2)",
                coder.measure(emoji)[1], ".2f", theirs, ">= 0.05")
    yield Score("compression.vector.emoji_jpeg", "error on emoji by a JPEG of quality 2", theirs, ".3f")


def photograph() -> np.ndarray:
    r"""A piece of a photograph, uint8 (256, 384, 3): Eileen Collins, NASA, public domain, as scikit-image ships it."""
    from skimage.data import astronaut  # not at the top: it takes a while

    return astronaut()[:256, 64:448]


def learned_codec():
    r"""The codec's files, header and all, against formats at the same error: where it wins, and where it loses."""
    subjects = {"emoji": mosaic(recipe.held_out_emoji()), "scenes": mosaic(recipe.new_scenes()), "photo": photograph()}
    wins = {("emoji", "JPEG"), ("emoji", "WEBP")}
    for name, picture in subjects.items():
        formats, count = {kind: sweep(picture, kind) for kind in ("JPEG", "WEBP")}, picture[..., 0].size / 1024
        for quality in QUALITIES:
            data = compress(picture, quality)
            loss, key, what = error(picture, decompress(data)), f"{name}.{quality}", f"{name}, {quality}"
            yield Score(f"compression.codec.bytes.{key}", f"bytes for 32x32 pixels: {what}", len(data) / count, ".0f")
            yield Score(f"compression.codec.psnr.{key}", f"PSNR in dB: {what}", -10 * np.log10(loss), ".1f")
            for kind, points in formats.items():
                yield Score(f"compression.codec.{kind.lower()}.{key}",
                            f"{kind}'s bytes over the codec's at the same error: {what}",
                            bytes_for(loss, points) / len(data), ".2f", 1,
                            "> 1" if (name, kind) in wins else "< 1")
            if name == "emoji":
                yield from its_price(quality, picture, data, bytes_for(loss, formats["JPEG"]))


def its_price(quality: str, picture: np.ndarray, data: bytes, jpeg: float):
    r"""Of a file of the emoji: how near its bytes are to the loss, and what the network weighs beside it."""
    model = trained_codec(quality)[0]
    with torch.no_grad():
        predicted = rate_distortion_loss(model, as_tensor(picture), 0.0)[1]["bits"].item()
    excess = len(data) / (predicted * picture[..., 0].size / 8) - 1
    yield Score(f"compression.codec.excess.{quality}", f"real bytes over those in the loss: emoji, {quality}", excess,
                ".1%", bar="<= 0.03")
    weight = 2 * sum(p.numel() for part in (model.synthesis, model.tables) for p in part.parameters())
    yield Score(f"compression.codec.decoder.{quality}", "kilobytes of the synthesis and its tables in float16",
                weight / 1000, ".0f")
    yield Score(f"compression.codec.payback.{quality}", "emoji after which they are paid back against JPEG",
                round(weight / ((jpeg - len(data)) / 256), -2), ",.0f")


def overfitting():
    r"""Test error over training error; the shipped weights, and where two more seeds were trained, their range."""
    figures = {}
    for code in recipe.CODES:
        for count in recipe.COUNTS:
            name = f"{code}-{count}"
            if (code, count) in recipe.SHIPPED:
                model, card = load(f"overfit-{name}")
                found = figures[name] = card.metrics | recipe.errors_of(model, count)
            else:
                found = figures[name] = tuning.find(f"overfit-{name}")
            what = f"d = {code}, {count:,} training pictures"
            for part, form in (("train", ".4f"), ("test", ".4f"), ("gap", ".1f"), ("valid", ".1%")):
                yield Score(f"compression.overfit.{part}.{name}", f"{PARTS[part]}: {what}", found[part], form)
    wide, middle, narrow = (figures[f"{code}-200"] for code in SEEDED)
    yield Score("compression.overfit.gaps", "gap at d = 256 over gap at d = 2, 200 pictures",
                wide["gap"] / narrow["gap"], ".1f", bar=">= 2")
    yield Score("compression.overfit.tests", "test error at d = 256 over that at d = 64, 200 pictures",
                wide["test"] / middle["test"], ".2f", bar="<= 1.2")
    yield from seeds(figures)


PARTS = {"train": "training error", "test": "error on new scenes", "gap": "the second over the first",
         "valid": "valid scenes among random draws"}
SEEDED = (256, 64, 2)  # codes of which two more seeds were trained, on 200 pictures


def seeds(figures: dict[str, dict[str, float]]):
    r"""The least and the most of three seeds, of each gap and of the two ratios that have a bar."""
    runs = [{code: tuning.find(f"overfit-{code}-200", seed=seed) for code in SEEDED} for seed in recipe.SEEDS[1:]]
    runs.append({code: figures[f"{code}-200"] for code in SEEDED})
    series = {f"gap.{code}-200": (".1f", [run[code]["gap"] for run in runs]) for code in SEEDED}
    series["gaps"] = ".1f", [run[256]["gap"] / run[2]["gap"] for run in runs]
    series["tests"] = ".2f", [run[256]["test"] / run[64]["test"] for run in runs]
    for name, (form, values) in series.items():
        yield Score(f"compression.overfit.{name}.least", f"{name}: the least of three seeds", min(values), form)
        yield Score(f"compression.overfit.{name}.most", f"{name}: the most of three seeds", max(values), form)


def random_draws():
    r"""Scenes from notebook 02's decoders: of new scenes' codes, and of draws from a Gaussian fitted to codes."""
    x, new, valid = scenes.make_scenes(TRAINED, seed=0)[0][:2000], recipe.new_scenes(), {}
    for d in (3, 4, 6, 8, 32, 128):
        model = load(f"autoencoder-scenes-{d}")[0]
        valid[d] = recipe.valid_rate(model, x, DRAWS)
        rebuilt = scenes.parse(recipe.reconstruct(model, new)).valid.float().mean().item()
        yield Score(f"compression.random.valid.{d}", f"valid scenes among random draws, d = {d} (baseline: rebuilt)",
                    valid[d], ".1%", rebuilt)
        yield Score(f"compression.random.rebuilt.{d}", f"valid scenes among reconstructions, d = {d}", rebuilt, ".0%")
    # A ratio of two small counts would jump with a single picture; the bar is that it is at most 0.3.
    yield Score("compression.random.margin", "0.3 times the valid draws at d = 6, less those at d = 32",
                0.3 * valid[6] - valid[32], ".1%", bar=">= 0")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "compression.vector", codes_against_formats
    yield "compression.codec", learned_codec
    yield "compression.overfit", overfitting
    yield "compression.random", random_draws
