r"""The figures of notebook 05: bytes against error for codes, formats and the codec, and autoencoders that overfit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from .. import entropy_coding, scenes, trials
from ..checkpoints import load
from ..compression import QUALITIES, VectorCoder, as_tensor, codec, codes_of, compress, decompress
from ..formats import bytes_for, error, file_bytes, frontier, mosaic, pictures_of, read_file, sweep
from ..metrics import PCA, scene_accuracy
from ..models.compression import rate_distortion_loss
from ..recipes import compression as recipe
from . import Score, group

CODES = (3, 4, 6, 8, 12, 32)  # those of 2 and of 128 numbers do not come near the target
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


def pca_points(x, codes=(32, 64, 128), steps=(4, 2, 1)):
    r"""The same for PCA, quantised with one step for all components, the best for a linear code: {(d, step): ...}."""
    train, found = scenes.make_scenes(TRAINED, seed=0)[0], {}
    pca = PCA.fit(train, max(codes))
    for d in codes:
        part = replace(pca, components=pca.components[:d])
        seen = codes_of(part, train)
        found |= {(d, step): VectorCoder.fit(part, seen, step=step).measure(x) for step in steps}
    return found


def decoder_bytes(model, coder: VectorCoder) -> int:
    r"""What a reader must have before the first picture: the decoder's weights in float16, and the tables."""
    return 2 * sum(p.numel() for p in model.decoder.parameters()) + 2 * coder.tables.size


@group("compression.vector")
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
                         ("pca", frontier(pca_points(x).values()))):  # fmt: skip
        there = bytes_for(target, points) if points[0][1] >= target else points[0][0]  # WebP's least is better
        yield Score(f"compression.vector.{name}", f"bytes a picture at that error: {name}", there,
                    ".0f")  # fmt: skip
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
                found[best][1], ".0%", theirs)  # fmt: skip
    yield Score("compression.vector.six.jpeg", "the same, the JPEG of quality 10", theirs, ".0%")
    size = min(size for size, kept in found.values() if kept >= theirs)
    yield Score("compression.vector.six.bytes", "bytes at which a code of ours keeps as many", size, ".0f")


def paid_back(d: int, bits: int, ours: float, jpeg: float, x):
    r"""What the best code's decoder weighs, how near its bytes are to the entropy, and where it fails."""
    model = load(f"autoencoder-scenes-{d}")[0]
    coder = VectorCoder.fit(model, codes_of(model, scenes.make_scenes(TRAINED, seed=0)[0]), bits=bits)
    weight = decoder_bytes(model, coder)
    yield Score("compression.vector.decoder", "the decoder and its tables, kilobytes in float16", weight / 1000, ".0f")
    yield Score("compression.vector.payback", "pictures after which it is paid back", weight / (jpeg - ours), ",.0f")
    with torch.no_grad():
        symbols = coder.quantiser.symbols(model.encode(x))
    needed = entropy_coding.bits(symbols, coder.tables) / 8 / len(x)
    yield Score("compression.vector.excess", "real bytes over -log2 p, in excess", ours / needed - 1, ".2%",
                bar="<= 0.02")  # fmt: skip
    emoji = recipe.held_out_emoji()
    picture = mosaic(emoji)
    small = file_bytes(picture, "JPEG", quality=2, optimize=True)
    yield Score("compression.vector.emoji", "error on emoji by the scenes' code", coder.measure(emoji)[1], ".2f")
    yield Score("compression.vector.emoji_jpeg", "error on emoji by a JPEG of quality 2",
                error(picture, read_file(small)), ".3f")  # fmt: skip


@group("compression.codec")
def learned_codec():
    r"""The codec on held-out emoji and new scenes: whole files, header and all, against formats at the same error."""
    for name, x in (("emoji", recipe.held_out_emoji()), ("scenes", recipe.new_scenes())):
        picture = mosaic(x)
        formats = {kind: sweep(picture, kind) for kind in ("JPEG", "WEBP")}
        for quality in QUALITIES:
            data = compress(picture, quality)
            loss, what = error(picture, decompress(data)), f"{name}, {quality}"
            key = f"{name}.{quality}"
            yield Score(f"compression.codec.bytes.{key}", f"bytes a picture: {what}", len(data) / len(x), ".0f")
            yield Score(f"compression.codec.psnr.{key}", f"PSNR in dB: {what}", -10 * np.log10(loss), ".1f")
            for kind, points in formats.items():
                ratio = bytes_for(loss, points) / len(data)
                yield Score(f"compression.codec.{kind.lower()}.{key}",
                            f"{kind}'s bytes over the codec's at the same error: {what}", ratio, ".2f", 1,
                            "> 1" if name == "emoji" and kind == "JPEG" else "")  # fmt: skip
            if name == "emoji":
                with torch.no_grad():
                    predicted = rate_distortion_loss(codec(quality)[0], as_tensor(picture), 0.0)[1]["bits"].item()
                excess = len(data) / (predicted * picture[..., 0].size / 8) - 1
                yield Score(f"compression.codec.excess.{key}", f"real bytes over those in the loss: {what}", excess,
                            ".1%", bar="<= 0.03")  # fmt: skip
    yield Score("compression.codec.weights", "kilobytes of one quality's weights in float16",
                2 * sum(p.numel() for p in codec("high")[0].parameters()) / 1000, ".0f")  # fmt: skip


@group("compression.overfit")
def overfitting():
    r"""Test error over training error; the shipped weights, and where two more seeds were trained, their range."""
    figures = {}
    for code in recipe.CODES:
        for count in recipe.COUNTS:
            name = f"{code}-{count}"
            shipped = (code, count) in recipe.SHIPPED
            found = figures[name] = load(f"overfit-{name}")[1].metrics if shipped else trials.find(f"overfit-{name}")
            what = f"d = {code}, {count:,} training pictures"
            yield Score(f"compression.overfit.train.{name}", f"training error: {what}", found["train"], ".4f")
            yield Score(f"compression.overfit.test.{name}", f"error on new scenes: {what}", found["test"], ".4f")
            yield Score(f"compression.overfit.gap.{name}", f"the second over the first: {what}", found["gap"], ".1f")
    wide, middle, narrow = (figures[f"{code}-200"] for code in (256, 64, 2))
    yield Score("compression.overfit.gaps", "gap at d = 256 over gap at d = 2, 200 pictures",
                wide["gap"] / narrow["gap"], ".1f", bar=">= 2")  # fmt: skip
    yield Score("compression.overfit.tests", "test error at d = 256 over that at d = 64, 200 pictures",
                wide["test"] / middle["test"], ".2f", bar="<= 1.2")  # fmt: skip
    seeds = [{code: trials.find(f"overfit-{code}-200", seed=seed) for code in (2, 64, 256)}
             for seed in recipe.SEEDS[1:]] + [{2: narrow, 64: middle, 256: wide}]  # fmt: skip
    for name, form, values in (("gaps", ".1f", [s[256]["gap"] / s[2]["gap"] for s in seeds]),
                               ("tests", ".2f", [s[256]["test"] / s[64]["test"] for s in seeds])):  # fmt: skip
        yield Score(f"compression.overfit.{name}.least", "the least of three seeds", min(values), form)
        yield Score(f"compression.overfit.{name}.most", "the most of three seeds", max(values), form)


@group("compression.random")
def random_draws():
    r"""Scenes from notebook 02's decoders: of real codes, and of draws from a Gaussian fitted to the codes."""
    x = scenes.make_scenes(2000, seed=0)[0]
    valid = {}
    for d in (3, 4, 6, 8, 32, 128):
        model = load(f"autoencoder-scenes-{d}")[0]
        valid[d] = recipe.valid_rate(model, x, 600)
        rebuilt = scenes.parse(recipe.reconstruct(model, x[:300])).valid.float().mean().item()
        yield Score(f"compression.random.valid.{d}", f"valid scenes among random draws, d = {d} (baseline: rebuilt)",
                    valid[d], ".1%", rebuilt)  # fmt: skip
        yield Score(f"compression.random.rebuilt.{d}", f"valid scenes among reconstructions, d = {d}", rebuilt, ".0%")
    yield Score("compression.random.ratio", "valid draws at d = 32 over those at d = 6", valid[32] / valid[6], ".2f",
                bar="<= 0.3")  # fmt: skip
