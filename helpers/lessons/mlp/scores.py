"""The figures of notebook 04: the grid of toy classifiers, and dense against convolutional autoencoders.

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
from .experiments import accuracies
from .recipes import CODE_LENGTHS, LEARNING_RATES, MLP_SHAPES, SPIRALS_RATES, TUNING_SEEDS, TUNING_STEPS

LAYERS = {"dense": "MLP", "conv": "convolutional"}
SHIPPED = ("mlp-spirals", "dense-scenes", "conv-scenes", "dense-emoji", "conv-emoji", "conv-shuffled")


def parameters(model) -> int:
    return sum(p.numel() for p in model.parameters())


def figures(name: str, **changes) -> dict[str, float]:
    """The held-out figures of a recipe with lr, steps or seed changed; unchanged, those on its weights' card."""
    recipe = find(name)
    shipped = name in SHIPPED and all(getattr(recipe, field) == value for field, value in changes.items())
    return load(name)[1].metrics if shipped else tuning.find(name, **changes)


def over_seeds(name: str) -> list[float]:
    return [figures(name, seed=seed)["mse"] for seed in TUNING_SEEDS]


@torch.no_grad()
def spirals():
    grid = load("mlp-spirals")[0]
    right = accuracies(grid)
    linear = max(share.max().item() for name, share in right.items() if name.startswith("none"))
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
    rates = [figures("mlp-spirals", lr=lr) for lr in SPIRALS_RATES]
    least = min(found["tanh-4-4"] - found["tanh-8-4"] for found in rates)
    yield Score("mlp.spirals.deeper", "share of test points that 8 layers of 4 tanh units lose against 4, at each rate",
                least, ".0%", bar="> 0")
    narrow = {name: net for name, net in grid.nets.items() if name.startswith("relu") and name.endswith("-4")}
    yield Score("mlp.spirals.narrow", "test points classified right, the best of all ReLU nets of width 4",
                max(right[name].max().item() for name in narrow), ".0%")
    says = torch.cat([net(two_classes.plane()).argmax(2) for net in narrow.values()])
    yield Score("mlp.spirals.constant", "of these 20 nets, those that give one answer everywhere",
                (says == says[:, :1]).all(1).sum().item(), ".0f")


def compare(place: str, x, pca: PCA):
    """The two kinds of autoencoder on held-out pictures x, and what was tried."""
    latent = CODE_LENGTHS[place]
    linear = mse(x, pca.reconstruct(x, latent).clamp(-1, 1)).mean().item()
    errors, sizes, form = {}, {}, ".5f" if place == "scenes" else ".4f"
    for kind, what in LAYERS.items():
        model = load(f"{kind}-{place}")[0]
        errors[kind], sizes[kind] = find(f"{kind}-{place}").evaluate(model)["mse"], parameters(model)
        yield Score(f"mlp.{place}.{kind}", f"mean squared error, {what}, d = {latent} (baseline PCA)", errors[kind],
                    form, linear)
        for lr in LEARNING_RATES:
            yield Score(f"mlp.{place}.tuning.{kind}.{lr:g}", f"mean squared error, {what}, tried at a rate of {lr:g}",
                        figures(f"{kind}-{place}", lr=lr, steps=TUNING_STEPS)["mse"], form)
    for shape in MLP_SHAPES:
        yield Score(f"mlp.{place}.shape.{shape}", f"mean squared error, MLP, tried in the shape {shape}",
                    figures(f"dense-{place}-{shape}")["mse"], form)
    yield Score(f"mlp.{place}.share", "parameters of the convolutional one over the MLP's",
                sizes["conv"] / sizes["dense"], ".2f", bar="<= 0.2")
    yield Score(f"mlp.{place}.ratio", "error of the MLP over the convolutional one's", errors["dense"] / errors["conv"],
                ".2f", 1, "> 1")
    least = min(over_seeds(f"dense-{place}")) / max(over_seeds(f"conv-{place}"))
    yield Score(f"mlp.{place}.least_ratio", "the same, best MLP of three seeds over the worst convolutional", least,
                ".2f", 1, "> 1")


def on_scenes():
    yield from compare("scenes", scenes.make_scenes(2000, NEW_SCENES_SEED)[0], scene_pca(CODE_LENGTHS["scenes"]))


def on_emoji():
    train, test = (sets.load_emoji(split).images for split in ("train", "test"))
    yield from compare("emoji", test, PCA.fit(train, CODE_LENGTHS["emoji"]))


def shuffled():
    """Scenes whose pixels stand in a fixed random order."""
    for lr in LEARNING_RATES:
        yield Score(f"mlp.shuffled.tuning.conv.{lr:g}", f"the same, tried at a rate of {lr:g}",
                    figures("conv-shuffled", lr=lr, steps=TUNING_STEPS)["mse"], ".4f")
    for kind, what in LAYERS.items():
        times = mean(over_seeds(f"{kind}-shuffled")) / mean(over_seeds(f"{kind}-scenes"))
        yield Score(f"mlp.shuffled.times.{kind}", f"error with shuffled pixels over that in order, {what}, three seeds",
                    times, ".1f", 1, "<= 1.1" if kind == "dense" else ">= 2")
    yield Score("mlp.shuffled.ratio", "error of the convolutional one over the MLP's, shuffled pixels, three seeds",
                mean(over_seeds("conv-shuffled")) / mean(over_seeds("dense-shuffled")), ".1f", 1,
                "> 1")


def minutes():
    """Training times as the cards recorded them: the machine and its load on that day, not a property of the code."""
    seconds = [figures(name)["training_seconds"] for name in SHIPPED]
    yield Score("mlp.minutes.longest", "the longest training of the notebook as recorded, on one core",
                max(seconds) / 60, ".1f", bar="<= 5")


def groups():
    """(what the names of its scores begin with, the function that yields them)."""
    yield "mlp.spirals", spirals
    yield "mlp.scenes", on_scenes
    yield "mlp.emoji", on_emoji
    yield "mlp.shuffled", shuffled
    yield "mlp.minutes", minutes
