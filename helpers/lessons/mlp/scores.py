r"""The figures of notebook 04: the grid of toy classifiers, and dense against convolutional autoencoders.

What other learning rates and seeds gave is read from data/trials.json, where `python -m helpers.training.tuning`
records it. All else is computed from the shipped weights.
"""

from __future__ import annotations

from statistics import mean

import torch

from ...course.scores import Score
from ...data import scenes, sets, two_classes
from ...data.batches import NEW_SCENES_SEED
from ...metrics.pca import PCA
from ...metrics.pictures import mse
from ...training import tuning
from ...training.checkpoints import load
from ...training.recipes import find
from ..autoencoder.experiments import scene_pca
from . import experiments as tried
from .experiments import DEPTHS, EMOJI_LATENT, SCENE_LATENT, TUNING_STEPS, WIDTHS

KINDS = {"dense": "MLP", "conv": "convolutional"}
WEIGHTS = ("mlp-spirals", "mlp-scenes-dense", "mlp-scenes-conv", "mlp-emoji-dense", "mlp-emoji-conv",
           "mlp-shuffled-conv")


def parameters(model) -> int:
    return sum(p.numel() for p in model.parameters())


def figures(name: str, **changes) -> dict[str, float]:
    r"""The held-out figures of a recipe with lr, steps or seed changed; unchanged, those on its weights' card."""
    recipe = find(name)
    shipped = name in WEIGHTS and all(getattr(recipe, field) == value for field, value in changes.items())
    return load(name)[1].metrics if shipped else tuning.find(name, **changes)


def over_seeds(name: str) -> list[float]:
    return [figures(name, seed=seed)["mse"] for seed in tried.SEEDS]


@torch.no_grad()
def spirals():
    grid = load("mlp-spirals")[0]
    right = tried.accuracies(grid)
    linear = max(right[f"none-{depth}-{width}"].max().item() for depth in DEPTHS for width in WIDTHS)
    yield Score("mlp.spirals.linear", "test points classified right, best net without an activation", linear, ".0%",
                0.5, "<= 0.75")
    yield Score("mlp.spirals.best", "the same, 2-32-32-2 with ReLU, the worst of five starts",
                right["relu-2-32"].min().item(), ".0%", linear, ">= 0.97")
    yield Score("mlp.spirals.small", "the same, one layer of 16 tanh units, the worst of five starts",
                right["tanh-1-16"].min().item(), ".0%", linear)
    for size, name in (("largest", "none-8-32"), ("small", "tanh-1-16")):
        count = parameters(grid.nets[name].copy(0))
        yield Score(f"mlp.spirals.parameters.{size}", f"parameters of {name}", count, ",.0f")
    for name in ("relu-1-32", "relu-2-8", "tanh-4-4", "tanh-8-4"):
        yield Score("mlp.spirals." + name.replace("-", "."), f"test points classified right, {name}, mean of five",
                    right[name].mean().item(), ".0%")
    rates = [figures("mlp-spirals", lr=lr) for lr in tried.TOY_RATES]
    least = min(found["tanh-4-4"] - found["tanh-8-4"] for found in rates)
    yield Score("mlp.spirals.deeper", "share of test points that 8 layers of 4 tanh units lose against 4, at each rate",
                least, ".0%", bar="> 0")
    narrow = {name: net for name, net in grid.nets.items() if name.startswith("relu") and name.endswith("-4")}
    yield Score("mlp.spirals.narrow", "test points classified right, the best of all ReLU nets of width 4",
                max(right[name].max().item() for name in narrow), ".0%")
    says = torch.cat([net(two_classes.plane()).argmax(2) for net in narrow.values()])
    yield Score("mlp.spirals.constant", "of these 20 nets, those that give one answer everywhere",
                (says == says[:, :1]).all(1).sum().item(), ".0f")


def compare(place: str, latent: int, x, pca: PCA):
    r"""The two kinds of autoencoder on held-out pictures x, and what was tried."""
    linear = mse(x, pca.reconstruct(x, latent).clamp(-1, 1)).mean().item()
    errors, sizes, form = {}, {}, ".5f" if place == "scenes" else ".4f"
    for kind, what in KINDS.items():
        model = load(f"mlp-{place}-{kind}")[0]
        errors[kind], sizes[kind] = find(f"mlp-{place}-{kind}").evaluate(model)["mse"], parameters(model)
        yield Score(f"mlp.{place}.{kind}", f"mean squared error, {what}, d = {latent} (baseline PCA)", errors[kind],
                    form, linear)
        for lr in tried.LEARNING_RATES:
            yield Score(f"mlp.{place}.tuning.{kind}.{lr:g}", f"mean squared error, {what}, tried at a rate of {lr:g}",
                        figures(f"mlp-{place}-{kind}", lr=lr, steps=TUNING_STEPS)["mse"], form)
    for shape in tried.SHAPES:
        yield Score(f"mlp.{place}.shape.{shape}", f"mean squared error, MLP, tried in the shape {shape}",
                    figures(f"mlp-{place}-dense-{shape}")["mse"], form)
    yield Score(f"mlp.{place}.share", "parameters of the convolutional one over the MLP's",
                sizes["conv"] / sizes["dense"], ".2f", bar="<= 0.2")
    yield Score(f"mlp.{place}.ratio", "error of the MLP over the convolutional one's", errors["dense"] / errors["conv"],
                ".2f", 1, "> 1")
    least = min(over_seeds(f"mlp-{place}-dense")) / max(over_seeds(f"mlp-{place}-conv"))
    yield Score(f"mlp.{place}.least_ratio", "the same, best MLP of three seeds over the worst convolutional", least,
                ".2f", 1, "> 1")


def on_scenes():
    yield from compare("scenes", SCENE_LATENT, scenes.make_scenes(2000, NEW_SCENES_SEED)[0], scene_pca(SCENE_LATENT))


def on_emoji():
    train, test = (sets.load_emoji(split).images for split in ("train", "test"))
    yield from compare("emoji", EMOJI_LATENT, test, PCA.fit(train, EMOJI_LATENT))


def shuffled():
    r"""Scenes whose pixels stand in a fixed random order."""
    for lr in tried.LEARNING_RATES:
        yield Score(f"mlp.shuffled.tuning.conv.{lr:g}", f"the same, tried at a rate of {lr:g}",
                    figures("mlp-shuffled-conv", lr=lr, steps=TUNING_STEPS)["mse"], ".4f")
    for kind, what in KINDS.items():
        times = mean(over_seeds(f"mlp-shuffled-{kind}")) / mean(over_seeds(f"mlp-scenes-{kind}"))
        yield Score(f"mlp.shuffled.times.{kind}", f"error with shuffled pixels over that in order, {what}, three seeds",
                    times, ".1f", 1, "<= 1.1" if kind == "dense" else ">= 2")
    yield Score("mlp.shuffled.ratio", "error of the convolutional one over the MLP's, shuffled pixels, three seeds",
                mean(over_seeds("mlp-shuffled-conv")) / mean(over_seeds("mlp-shuffled-dense")), ".1f", 1,
                "> 1")


def minutes():
    r"""Training times as the cards recorded them: the machine and its load on that day, not a property of the code."""
    seconds = [figures(name)["training_seconds"] for name in WEIGHTS]
    yield Score("mlp.minutes.longest", "the longest training of the notebook as recorded, on one core",
                max(seconds) / 60, ".1f", bar="<= 5")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "mlp.spirals", spirals
    yield "mlp.scenes", on_scenes
    yield "mlp.emoji", on_emoji
    yield "mlp.shuffled", shuffled
    yield "mlp.minutes", minutes
