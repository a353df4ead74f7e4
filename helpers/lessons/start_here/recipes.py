"""The weights of notebook 00: a small network that names the category of an emoji, from three seeds."""

from __future__ import annotations

from functools import partial

from ...models.classifier import PictureClassifier
from ...models.mlp import classification_loss
from ...training.recipes import Recipe, any_length
from .experiments import CATEGORY_SEEDS, category_accuracy, category_batches


def recipes():
    """The recipes of this notebook."""
    for seed in CATEGORY_SEEDS:
        yield Recipe(name=f"emoji-category-{seed}", build=partial(PictureClassifier, 9), seed=seed, steps=1500,
                     batches=any_length(category_batches), loss=classification_loss, evaluate=category_accuracy,
                     data="emoji by Noto, Twemoji, Fluent that no split holds out, mirrored, shifted, batches of 64")
