r"""The weights of notebook 04: a grid of toy classifiers, and autoencoders of dense and of convolutional layers.

The two kinds of autoencoder are trained on the same pictures in the same order, for the same number of steps, each at
the best of the same list of learning rates, chosen anew for each kind of data. Only of the MLP were several shapes
tried.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from ...data.batches import emoji_batches, scene_batches
from ...models.autoencoder import Autoencoder, reconstruction_loss
from ...models.mlp import Grid, MLPAutoencoder, classification_loss
from ...training.recipes import Recipe, any_length
from ..autoencoder.experiments import error_on_emoji, error_on_scenes
from .experiments import (
    ACTIVATIONS,
    BEST_RATE,
    BEST_SHAPE,
    CONV,
    COPIES,
    DEPTHS,
    EMOJI_LATENT,
    SCENE_LATENT,
    SHAPE_RATE,
    SHAPES,
    TUNING_STEPS,
    WIDTHS,
    evaluate_grid,
    evaluate_shuffled,
    points,
    shuffled_scenes,
)

ON_SCENES = {"loss": reconstruction_loss, "evaluate": error_on_scenes, "batches": any_length(scene_batches),
             "steps": 5000, "data": "tiny scenes, drawn anew at every step, batches of 32"}
ON_EMOJI = {"loss": reconstruction_loss, "evaluate": error_on_emoji, "batches": any_length(emoji_batches),
            "steps": 4000, "data": "emoji of the training families, half of them mirrored, batches of 32"}
SHUFFLED = {"batches": any_length(shuffled_scenes), "evaluate": evaluate_shuffled,
            "data": "tiny scenes with their pixels in a fixed random order, drawn anew, batches of 32"}


def recipes():
    r"""The recipes of this notebook."""
    yield Recipe(
        name="mlp-spirals", build=partial(Grid, DEPTHS, WIDTHS, ACTIVATIONS, COPIES), batches=any_length(points),
        loss=classification_loss, evaluate=evaluate_grid, steps=2000, lr=1e-2,
        data="400 points of two spirals, all of them at every step",
    )

    for place, latent, settings in (("scenes", SCENE_LATENT, ON_SCENES), ("emoji", EMOJI_LATENT, ON_EMOJI)):
        builds = {"dense": partial(MLPAutoencoder, latent, **SHAPES[BEST_SHAPE[place]]),
                  "conv": partial(Autoencoder, latent, **CONV)}
        for kind, build in builds.items():
            recipe = Recipe(name=f"mlp-{place}-{kind}", build=build, **settings)
            yield replace(recipe, lr=BEST_RATE[recipe.name])
            if place == "scenes":
                name = f"mlp-shuffled-{kind}"
                yield replace(recipe, name=name, lr=BEST_RATE[name], **SHUFFLED)
        for shape, sizes in SHAPES.items():
            yield Recipe(name=f"mlp-{place}-dense-{shape}", build=partial(MLPAutoencoder, latent, **sizes),
                         lr=SHAPE_RATE, **settings | {"steps": TUNING_STEPS})
