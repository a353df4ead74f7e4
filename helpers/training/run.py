r"""Train one recipe, from its data to weights in a file: `load_or_train` for notebooks, `train_recipe` for all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from .. import DATA
from ..data import manifest
from . import checkpoints, recipes
from .checkpoints import Card, CheckpointError
from .loop import train
from .progress import History
from .recipes import Recipe

TRAINED = DATA / "trained"


def places() -> list[Path]:
    r"""Where trained weights may go: the folder in COURSE_TRAINED, data/trained, the user's own cache folder."""
    cache = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    own = os.environ.get("COURSE_TRAINED")
    return [*([Path(own)] if own else []), TRAINED, Path(cache) / "generative-models-course" / "trained"]


def place(wanted: Path | None = None) -> Path:
    r"""`wanted`, or else the first of `places`, that can be written, made if need be. Ask before a training.

    CheckpointError, which says what to do, if none can.
    """
    asked = [wanted] if wanted else places()
    for folder in asked:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                return folder
        except OSError:
            continue
    tried = ", ".join(map(str, asked))
    raise CheckpointError(f"no folder can be written: {tried}. Set COURSE_TRAINED to one of yours, then train")


def file_of(name: str, size: str, changes: dict[str, int]) -> str:
    r"""NAME at full size, else NAME.smoke, NAME.steps-20: a trial never takes the place of a long training."""
    return ".".join([name, *([size] if size != "full" else []), *(f"{key}-{n}" for key, n in changes.items())])


def train_recipe(recipe: Recipe, size: str, out: Path, changes: dict[str, int] | None = None, restart: bool = False):
    r"""Train a recipe at a size, write the weights into the folder `out`, return the model, its Card and the History.

    changes: {"steps": ..., "seed": ...} in place of the recipe's own. The file is named by `file_of`.
    An unfinished training is continued from its snapshot beside it, unless `restart`. If this one is interrupted, the
    snapshot stays, no checkpoint is written, and the card has no metrics. Of several processes only the main one
    evaluates and writes. CheckpointError if the disk refuses the weights: its `trained` is (model, card, history).
    """
    from accelerate import PartialState  # not at the top: most pages only load weights

    changes = changes or {}
    recipe = replace(recipe.at(size), **changes)
    path = Path(out) / f"{file_of(recipe.name, size, changes)}.safetensors"
    snapshot = path.with_suffix(".snapshot")
    if os.environ.get("RANK", "0") == "0":  # not PartialState: before `train` it would settle on one process
        print(f"the weights will lie in {path}", flush=True)
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        model = recipe.build()
    history = train(model, recipe.batches(recipe.steps), recipe.loss, recipe.steps, lr=recipe.lr, ema=recipe.ema,
                    seed=recipe.seed, snapshot=snapshot, resume=not restart, label=recipe.name)
    provenance = dict(data=recipe.data, seed=recipe.seed, command=command_of(recipe.name, size, changes),
                      curve=history.curve(), recipe=recipe.digest())
    card = checkpoints.describe(model, metrics={}, **provenance)
    if not history.interrupted and PartialState().is_main_process:
        card = save_and_evaluate(recipe, path, model, history, provenance)
        snapshot.unlink(missing_ok=True)
    return model, card, history


def save_and_evaluate(recipe: Recipe, path: Path, model: nn.Module, history: History, provenance: dict) -> Card:
    r"""Write the weights first, without figures, for whatever an evaluation may meet; then again with them."""
    try:
        card = checkpoints.save(path, model, metrics={}, **provenance)
        metrics = {**recipe.evaluate(model), "training_seconds": round(history.seconds, 1)}
        card = checkpoints.save(path, model, metrics=metrics, **provenance)
        if path.parent.resolve() == checkpoints.WEIGHTS:
            manifest.add(path)
    except CheckpointError as error:
        error.trained = model, checkpoints.describe(model, metrics={}, **provenance), history
        raise
    return card


def command_of(name: str, size: str, changes: dict[str, int]) -> str:
    from accelerate import PartialState

    processes, precision = PartialState().num_processes, os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    launcher = ["accelerate launch"]
    launcher += [f"--num_processes {processes}"] * (processes > 1)
    launcher += [f"--mixed_precision {precision}"] * (precision != "no")
    words = launcher if len(launcher) > 1 else ["python"]
    return " ".join([*words, "-m helpers.train", name, "--size", size, *as_options(changes)])


def as_options(changes: dict[str, int]) -> list[str]:
    return [word for name, value in changes.items() for word in (f"--{name}", str(value))]


def load_or_train(name: str, size: str | None = None, restart: bool = False) -> tuple[nn.Module, Card]:
    r"""The shipped model of that name and its card; or, with a size, the model that is trained here.

    size     None: the weights in data/weights. "smoke", "full" or "gpu": what was trained here at that size, if it is
             whole and of this recipe; else train it now, or continue a training that was interrupted.
    restart  train anew in any case
    The weights lie in the first folder of `places` that can be written, which is said before the training. A disk that
    refuses them in the end is said too, and the model is returned all the same.
    """
    if size is None:
        return checkpoints.load(name)
    recipe = recipes.find(name)
    if not restart and (found := trained_before(recipe.at(size), f"{file_of(name, size, {})}.safetensors")):
        return found
    try:
        return train_recipe(recipe, size, place(), restart=restart)[:2]
    except CheckpointError as error:
        if not hasattr(error, "trained"):
            raise
        warnings.warn(f"{error}. The model is in memory, and nowhere else.", stacklevel=2)
        return error.trained[:2]


def trained_before(recipe: Recipe, file: str) -> tuple[nn.Module, Card] | None:
    r"""What lies under that name in one of `places`, if it is whole, of this very recipe, and has its figures."""
    for path in (folder / file for folder in places()):
        with contextlib.suppress(CheckpointError):
            model, card = checkpoints.load_file(path)
            if card.recipe == recipe.digest() and card.metrics:
                return model, card
    return None
