r"""Train one recipe, from its data to weights in a file: `load_or_train` for notebooks, `train_recipe` for all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from ..data import manifest
from . import checkpoints, recipes
from .checkpoints import Card
from .loop import train
from .recipes import Recipe


def train_recipe(recipe: Recipe, size: str, out: Path, changes: dict[str, int] | None = None, restart: bool = False):
    r"""Train a recipe at a size, write out/NAME.safetensors, return the model, its Card and the History.

    changes: {"steps": ..., "seed": ...} in place of the recipe's own.
    An unfinished training is continued from out/NAME.SIZE.snapshot, unless `restart`. If this one is
    interrupted, the snapshot stays, no checkpoint is written, and the card has no metrics. Of several
    processes only the main one evaluates and writes.
    """
    from accelerate import PartialState  # not at the top: most pages only load weights

    changes = changes or {}
    recipe = replace(recipe.at(size), **changes)
    snapshot = Path(out) / f"{recipe.name}.{size}.snapshot"
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        model = recipe.build()
    history = train(model, recipe.batches(recipe.steps), recipe.loss, recipe.steps, lr=recipe.lr, ema=recipe.ema,
                    seed=recipe.seed, snapshot=snapshot, resume=not restart, label=recipe.name)
    processes = PartialState().num_processes
    launcher = "python" if processes == 1 else f"accelerate launch --num_processes {processes}"
    words = [launcher, "-m helpers.train", recipe.name, "--size", size, *as_options(changes)]
    provenance = dict(data=recipe.data, seed=recipe.seed, command=" ".join(words), curve=history.curve())
    if history.interrupted or not PartialState().is_main_process:
        return model, checkpoints.describe(model, metrics={}, **provenance), history
    metrics = {**recipe.evaluate(model), "training_seconds": round(history.seconds, 1)}
    path = Path(out) / f"{recipe.name}.safetensors"
    card = checkpoints.save(path, model, metrics=metrics, **provenance)
    if path.parent.resolve() == checkpoints.WEIGHTS:
        manifest.add(path)
    snapshot.unlink()
    return model, card, history


def as_options(changes: dict[str, int]) -> list[str]:
    return [word for name, value in changes.items() for word in (f"--{name}", str(value))]


def load_or_train(name: str, size: str | None = None) -> tuple[nn.Module, Card]:
    r"""The shipped model of that name and its card; or, with a size, the model trained here and now.

    size  None: the weights in data/weights. "smoke", "full" or "gpu": train its recipe at that size, continue
          an interrupted training of it, and leave data/trained/NAME.safetensors.
    """
    if size is None:
        return checkpoints.load(name)
    return train_recipe(recipes.find(name), size, checkpoints.TRAINED)[:2]
