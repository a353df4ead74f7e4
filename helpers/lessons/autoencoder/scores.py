r"""The figures of notebook 02: the sweep of the latent size against PCA, the ablation, and MNIST."""

from __future__ import annotations

from ...course.scores import Score
from ...data import scenes, sets
from ...data.batches import NEW_SCENES_SEED, padded_mnist
from ...metrics.pca import PCA
from ...metrics.pictures import mse, reconstruct, scene_accuracy, squared_error
from ...training.checkpoints import load
from .recipes import EMOJI_LATENTS, SCENE_LATENTS, evaluate_mnist

HINTON = 3.00  # Hinton & Salakhutdinov 2006, figure 2: their deep autoencoder, MNIST, 30 numbers
HINTON_PCA = 13.87  # the same, PCA


def scene_pca(d: int = 128) -> PCA:
    r"""PCA of 8,000 training scenes."""
    return PCA.fit(scenes.make_scenes(8000, seed=0)[0], d)


def errors(name: str, latents, x, pca: PCA):
    r"""(d, mean squared error of the autoencoder, of PCA, the autoencoder's reconstructions) of each size."""
    for d in latents:
        y = reconstruct(load(f"{name}-{d}")[0], x)
        linear = pca.reconstruct(x, d).clamp(-1, 1)
        yield d, mse(x, y).mean().item(), mse(x, linear).mean().item(), y


def sweep_on_scenes():
    x, factors = scenes.make_scenes(2000, NEW_SCENES_SEED)
    bars = {8: ">= 3.5", 32: ">= 1"}
    for d, ours, linear, y in errors("autoencoder-scenes", SCENE_LATENTS, x, scene_pca()):
        right = scene_accuracy(y, factors)
        yield Score(f"autoencoder.scenes.mse.{d}", f"mean squared error, d = {d} (baseline PCA)", ours, ".5f", linear)
        yield Score(f"autoencoder.scenes.ratio.{d}", f"PCA's error over ours, d = {d}", linear / ours, ".1f", 1,
                    bars.get(d, ""))
        yield Score(f"autoencoder.scenes.all_six.{d}", f"pictures that keep all six factors, d = {d}",
                    right["all_six"], ".0%", bar=">= 0.72" if d == 32 else "")
    x, factors = scenes.make_scenes(2000, NEW_SCENES_SEED, "held_out")
    for d in (8, 32):
        right = scene_accuracy(reconstruct(load(f"autoencoder-scenes-{d}")[0], x), factors)
        yield Score(f"autoencoder.scenes.held_out.{d}", f"the same for unseen pairings of shape and colour, d = {d}",
                    right["all_six"], ".0%")


def sweep_on_emoji():
    train, test = (sets.load_emoji(split).images for split in ("train", "test"))
    for d, ours, linear, _ in errors("autoencoder-emoji", EMOJI_LATENTS, test, PCA.fit(train, 128)):
        yield Score(f"autoencoder.emoji.mse.{d}", f"mean squared error, d = {d} (baseline PCA)", ours, ".4f", linear)
        yield Score(f"autoencoder.emoji.ratio.{d}", f"PCA's error over ours, d = {d}", linear / ours, ".2f", 1,
                    "> 1" if d <= 32 else "")


def ablation():
    x, _ = scenes.make_scenes(2000, NEW_SCENES_SEED)
    for name, what in (("bare", "the plain autoencoder"), ("hidden", "with a dense layer beside the code"),
                       ("norm", "with normalisation"), ("both", "with both")):
        error = mse(x, reconstruct(load(f"autoencoder-plain-{name}")[0], x)).mean().item()
        yield Score(f"autoencoder.plain.{name}", f"mean squared error, d = 8, 2,000 steps: {what}", error, ".4f")


def mnist():
    x = padded_mnist("test")
    pca = PCA.fit(padded_mnist("train"), 30)
    linear = pca.reconstruct(x)  # the published figure is of pixels that may leave their range
    yield Score("autoencoder.mnist.pca", "squared error a picture, PCA, 30 numbers (baseline: published)",
                squared_error(x, linear).mean().item(), ".2f", HINTON_PCA)
    yield Score("autoencoder.mnist.pca_clamped", "the same, its pixels clamped to their range",
                squared_error(x, linear.clamp(-1, 1)).mean().item(), ".2f")
    ours = evaluate_mnist(load("autoencoder-mnist-30")[0])["squared_error"]
    yield Score("autoencoder.mnist.ours", "squared error a picture, 30 numbers (baseline: Hinton's 3.00)", ours, ".2f",
                HINTON, f"<= {HINTON}")


def minutes():
    r"""Training times as the cards recorded them: the machine and its load on that day, not a property of the code."""
    names = [f"autoencoder-scenes-{d}" for d in SCENE_LATENTS] + [f"autoencoder-emoji-{d}" for d in EMOJI_LATENTS]
    seconds = [load(name)[1].metrics["training_seconds"] for name in names]
    yield Score("autoencoder.minutes.sweep", "training of the sweep as recorded, two models at a time on two cores",
                sum(seconds) / 2 / 60, ".0f", bar="<= 20")
    yield Score("autoencoder.minutes.one", "one model of the sweep on one core of the two, on average",
                sum(seconds) / len(seconds) / 60, ".1f")
    yield Score("autoencoder.minutes.mnist", "training of the MNIST model as recorded, on two cores",
                load("autoencoder-mnist-30")[1].metrics["training_seconds"] / 60, ".0f", bar="<= 10")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "autoencoder.scenes", sweep_on_scenes
    yield "autoencoder.emoji", sweep_on_emoji
    yield "autoencoder.plain", ablation
    yield "autoencoder.mnist", mnist
    yield "autoencoder.minutes", minutes
