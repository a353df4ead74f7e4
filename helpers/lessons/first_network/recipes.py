"""The weights of notebook 00b: a network that names the shape in a tiny scene, after half a minute of training."""

from __future__ import annotations

from functools import partial

from ...data import scenes
from ...models.classifier import ConvClassifier
from ...models.mlp import classification_loss
from ...training.recipes import Recipe, any_length
from .experiments import shape_batches, shapes_named


def recipes():
    """The recipe of this notebook."""
    yield Recipe(name="shape-classifier", build=partial(ConvClassifier, len(scenes.SHAPES)), steps=1500, lr=4e-3,
                 batches=any_length(shape_batches), loss=classification_loss, evaluate=shapes_named,
                 data="tiny scenes, drawn anew at every step, batches of 64")
