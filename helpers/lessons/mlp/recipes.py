"""The weights of notebook 04: a grid of toy classifiers, and autoencoders of dense and of convolutional layers.

    mlp-spirals                   300 small classifiers of points in the plane
    dense-scenes, dense-emoji     an autoencoder whose layers are dense
    conv-scenes, conv-emoji       one whose layers are convolutions, with a sixth of the parameters
    conv-shuffled                 the latter on scenes whose pixels were moved; of dense-shuffled only figures are kept
    dense-scenes-shallow-norm ... the shapes that were tried; only their figures are kept, in data/trials.json

The two kinds of autoencoder are trained on the same pictures in the same order, for the same number of steps, each at
the best of the same list of learning rates, chosen anew for each kind of data. Only of the MLP were several shapes
tried.
"""

from __future__ import annotations

from functools import partial

from ...data import two_classes
from ...data.batches import emoji_batches, scene_batches
from ...models.autoencoder import Autoencoder, reconstruction_loss
from ...models.mlp import Grid, MLPAutoencoder, classification_loss
from ...training.recipes import Recipe, any_length
from ..autoencoder.experiments import error_on_emoji, error_on_scenes
from .experiments import SPIRAL_NETS, SPIRALS_SEED, error_on_shuffled, mean_accuracies, shuffle_pixels

CODE_LENGTHS = {"scenes": 8, "emoji": 32}
MLP_SHAPES = {  # each has a million parameters
    "deep": {"hidden": (160, 128)}, "deep-norm": {"hidden": (160, 128), "normalise": True},
    "shallow": {"hidden": (160,)}, "shallow-norm": {"hidden": (160,), "normalise": True},
}
BEST_SHAPE = {"scenes": "deep", "emoji": "shallow-norm"}  # of four trained at SHAPE_RATE
CONV_SIZES = {"width": 32, "bottom": 24, "hidden": 128}  # a sixth of that

# What was tried, for TUNING_STEPS steps each, and for the best of it three seeds (data/trials.json).
SHAPE_RATE, TUNING_STEPS, TUNING_SEEDS = 2e-3, 2000, (0, 1, 2)
LEARNING_RATES = (1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2)
BEST_RATE = {"dense-scenes": 4e-3, "conv-scenes": 8e-3, "dense-emoji": 4e-3, "conv-emoji": 2e-3, "conv-shuffled": 2e-3}
BEST_RATE["dense-shuffled"] = BEST_RATE["dense-scenes"]  # a dense layer takes pixels in any order alike
SPIRALS_RATES = (3e-3, 1e-2, 3e-2)


def fixed_spirals(batch: int = 400):
    spirals = two_classes.spirals(batch, SPIRALS_SEED)
    return lambda step: spirals


def shuffled_scenes(batch: int = 32):
    draw = scene_batches(batch)
    return lambda step: shuffle_pixels(draw(step))


PICTURES_TO_LEARN = {
    "scenes": {"batches": any_length(scene_batches), "evaluate": error_on_scenes, "steps": 5000,
               "data": "tiny scenes, drawn anew at every step, batches of 32"},
    "emoji": {"batches": any_length(emoji_batches), "evaluate": error_on_emoji, "steps": 4000,
              "data": "emoji of the training families, half of them mirrored, batches of 32"},
    "shuffled": {"batches": any_length(shuffled_scenes), "evaluate": error_on_shuffled, "steps": 5000,
                 "data": "tiny scenes with their pixels in a fixed random order, drawn anew, batches of 32"},
}


def recipes():
    """The recipes of this notebook."""
    yield Recipe(
        name="mlp-spirals", build=partial(Grid, **SPIRAL_NETS), batches=any_length(fixed_spirals),
        loss=classification_loss, evaluate=mean_accuracies, steps=2000, lr=1e-2,
        data="400 points of two spirals, all of them at every step",
    )

    for place, settings in PICTURES_TO_LEARN.items():
        world = "scenes" if place == "shuffled" else place
        dense, conv = (partial(MLPAutoencoder, CODE_LENGTHS[world], **MLP_SHAPES[BEST_SHAPE[world]]),
                       partial(Autoencoder, CODE_LENGTHS[world], **CONV_SIZES))
        for name, build in ((f"dense-{place}", dense), (f"conv-{place}", conv)):
            yield Recipe(name=name, build=build, loss=reconstruction_loss, lr=BEST_RATE[name], **settings)

    for place, latent in CODE_LENGTHS.items():
        for shape, sizes in MLP_SHAPES.items():
            yield Recipe(name=f"dense-{place}-{shape}", build=partial(MLPAutoencoder, latent, **sizes), lr=SHAPE_RATE,
                         loss=reconstruction_loss, **PICTURES_TO_LEARN[place] | {"steps": TUNING_STEPS})
