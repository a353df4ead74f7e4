"""The figures of notebook 02: the sweep of the latent size against PCA, the ablation, and MNIST."""

from __future__ import annotations

from ...course.scores import Score
from ...data import scenes, sets
from ...data.batches import NEW_SCENES_SEED, padded_mnist
from ...data.emoji import drawn_by_all
from ...metrics.pca import PCA
from ...metrics.pictures import mse, reconstruct, squared_error
from ...training.checkpoints import load
from .experiments import EMOJI_LATENTS, SCENE_LATENTS, error_on_mnist, scene_pca

HINTON = 3.00  # Hinton & Salakhutdinov 2006, figure 2: their deep autoencoder, MNIST, 30 numbers
HINTON_PCA = 13.87  # in the same figure, PCA


def errors(name: str, d: int, x, pca: PCA) -> tuple[float, float]:
    """The mean squared errors at d numbers: of the autoencoder name-d, and of PCA."""
    ours, linear = reconstruct(load(f"{name}-{d}")[0], x), pca.reconstruct(x, d).clamp(-1, 1)
    return mse(x, ours).mean().item(), mse(x, linear).mean().item()


def sweep_on_scenes():
    x, _ = scenes.make_scenes(2000, NEW_SCENES_SEED)
    pca = scene_pca()
    found = {d: errors("autoencoder-scenes", d, x, pca) for d in (8, 32, 128)}
    for d in (32, 128):
        ours, linear = found[d]
        yield Score(f"autoencoder.scenes.mse.{d}", f"mean squared error, d = {d} (baseline PCA)", ours, ".5f", linear)
    for d, bar in ((8, ">= 3.5"), (32, ">= 1")):
        ours, linear = found[d]
        yield Score(f"autoencoder.scenes.ratio.{d}", f"PCA's error over ours, d = {d}", linear / ours, ".1f", 1, bar)
    yield from kept("all_six", "train", {8: "", 32: ">= 0.72"})
    yield from kept("held_out", "held_out", {8: "", 32: ""})


def kept(name: str, split: str, bars: dict[int, str]):
    """How many scenes of a split keep all six factors, at the sizes in bars, and what the judge says of them."""
    x, factors = scenes.make_scenes(2000, NEW_SCENES_SEED, split)
    for d, bar in bars.items():
        read = scenes.parse(reconstruct(load(f"autoencoder-scenes-{d}")[0], x))
        right = (read.factors == factors).all(1)
        yield Score(f"autoencoder.scenes.{name}.{d}", f"scenes ({split}) that keep all six factors, d = {d}",
                    right.float().mean().item(), ".0%", bar=bar)
        if split == "train":
            shares = read.shares() | {"six_of_nameable": right[read.nameable].float().mean().item()}
            for kind, share in shares.items():
                what = f"reconstructions, d = {d}: {kind.replace('_', ' ')}"
                yield Score(f"autoencoder.scenes.{kind}.{d}", what, share, ".0%")


def sweep_on_emoji():
    train, test = (sets.load_emoji(split).images for split in ("train", "test"))
    pca = PCA.fit(train, 128)
    found = {d: errors("autoencoder-emoji", d, test, pca) for d in EMOJI_LATENTS if d <= 32}  # then PCA overtakes
    yield Score("autoencoder.emoji.mse.32", "mean squared error, d = 32 (baseline PCA)", found[32][0], ".4f",
                found[32][1])
    for d, (ours, linear) in found.items():
        yield Score(f"autoencoder.emoji.ratio.{d}", f"PCA's error over ours, d = {d}", linear / ours, ".2f", 1, "> 1")


def other_hands():
    """The same held-out emoji as others draw them, through what has only seen Noto's: harder, or only strange?"""
    emoji, pca = drawn_by_all(), PCA.fit(sets.load_emoji("train").images, 32)
    found = {hand: errors("autoencoder-emoji", 32, emoji[hand], pca) for hand in ("noto", "twemoji", "openmoji")}
    noto, linear = found["noto"]
    for hand in ("twemoji", "openmoji"):
        yield Score(f"autoencoder.hands.{hand}", f"error on emoji by {hand} over that on Noto's, d = 32 (baseline PCA)",
                    found[hand][0] / noto, ".1f", found[hand][1] / linear)
    own = PCA.fit(sets.load_emoji("train", ["openmoji"]).images, 32).reconstruct(emoji["openmoji"]).clamp(-1, 1)
    yield Score("autoencoder.hands.own", "error on OpenMoji's of a PCA of OpenMoji's, over Noto's of a PCA of Noto's",
                mse(emoji["openmoji"], own).mean().item() / linear, ".1f")


def ablation():
    x, _ = scenes.make_scenes(2000, NEW_SCENES_SEED)
    for name, what in (("bare", "the plain autoencoder"), ("hidden", "with a dense layer beside the code"),
                       ("norm", "with normalisation"), ("both", "with both")):
        error = mse(x, reconstruct(load(f"autoencoder-plain-{name}")[0], x)).mean().item()
        yield Score(f"autoencoder.plain.{name}", f"mean squared error, d = 8, 2,000 steps: {what}", error, ".4f")


def published_mnist():
    x = padded_mnist("test")
    pca = PCA.fit(padded_mnist("train"), 30)
    linear = pca.reconstruct(x)  # the published figure is of pixels that may leave their range
    yield Score("autoencoder.mnist.pca", "squared error a picture, PCA, 30 numbers (baseline: published)",
                squared_error(x, linear).mean().item(), ".2f", HINTON_PCA)
    yield Score("autoencoder.mnist.pca_clamped", "PCA's error, its pixels clamped to their range",
                squared_error(x, linear.clamp(-1, 1)).mean().item(), ".2f")
    ours = error_on_mnist(load("autoencoder-mnist-30")[0])["squared_error"]
    yield Score("autoencoder.mnist.ours", "squared error a picture, 30 numbers (baseline: Hinton's 3.00)", ours, ".2f",
                HINTON, f"<= {HINTON}")


def minutes():
    """Training times as the cards recorded them: the machine and its load on that day, not a property of the code."""
    names = [f"autoencoder-scenes-{d}" for d in SCENE_LATENTS] + [f"autoencoder-emoji-{d}" for d in EMOJI_LATENTS]
    seconds = [load(name)[1].metrics["training_seconds"] for name in names]
    yield Score("autoencoder.minutes.sweep", "training of the sweep as recorded, two models at a time on two cores",
                sum(seconds) / 2 / 60, ".0f")
    yield Score("autoencoder.minutes.one", "one model of the sweep on one core of the two, on average",
                sum(seconds) / len(seconds) / 60, ".1f")
    yield Score("autoencoder.minutes.mnist", "training of the MNIST model as recorded, on two cores",
                load("autoencoder-mnist-30")[1].metrics["training_seconds"] / 60, ".0f", bar="<= 10")


def groups():
    """(what the names of its scores begin with, the function that yields them)."""
    yield "autoencoder.scenes", sweep_on_scenes
    yield "autoencoder.emoji", sweep_on_emoji
    yield "autoencoder.hands", other_hands
    yield "autoencoder.plain", ablation
    yield "autoencoder.mnist", published_mnist
    yield "autoencoder.minutes", minutes
