r"""Trainings whose figures are kept and whose weights are not: the learning rates and seeds that were tried.

    python -m helpers.training.tuning conv-scenes --lr 1e-3 2e-3 4e-3 --steps 2000
    python -m helpers.training.tuning conv-scenes dense-scenes --seed 0 1 2

Each combination is trained once, and its figures on held-out data go to data/trials.json. What is recorded there
already is not trained again, unless --again is given. `python -m helpers.course.scores` reads the record.
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import replace
from pathlib import Path

import torch
from filelock import FileLock

from .. import DATA
from ..data.files import print_anywhere, read_json, write_json
from . import recipes
from .loop import train
from .recipes import Recipe

PATH = DATA / "trials.json"


def key(recipe: Recipe) -> str:
    r"""What a trial is recorded under: all that was varied."""
    return f"{recipe.name} lr={recipe.lr:g} steps={recipe.steps} seed={recipe.seed}"


def run(recipe: Recipe) -> dict[str, float]:
    r"""Train the recipe as it stands; its figures on held-out data, and the seconds that the training took."""
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        model = recipe.build()
    history = train(model, recipe.batches(recipe.steps), recipe.loss, recipe.steps, lr=recipe.lr, ema=recipe.ema,
                    seed=recipe.seed, label=key(recipe))
    if history.interrupted:
        raise KeyboardInterrupt
    return {**recipe.evaluate(model), "training_seconds": round(history.seconds, 1), "of": recipe.digest()}


def read(path: Path = PATH) -> dict[str, dict[str, float]]:
    r"""{key: figures} of all recorded trials; empty where there is no record."""
    return read_json(path, absent={})


def find(name: str, path: Path = PATH, **changes) -> dict[str, float]:
    r"""The recorded figures of a recipe with these changes: lr, steps, seed. LookupError, with the command, if none."""
    recipe = replace(recipes.find(name), **changes)
    wanted, found = key(recipe), read(path)
    if not recorded(recipe, found):
        options = " ".join(f"--{option} {value}" for option, value in changes.items())
        run = f"python -m helpers.training.tuning {name} {options}"
        raise LookupError(f"no trial {wanted!r} is recorded of that network, data and average. Run: {run}")
    return {figure: value for figure, value in found[wanted].items() if figure != "of"}


def recorded(recipe: Recipe, found: dict) -> bool:
    r"""Whether figures are recorded of this very recipe: its key does not name network, data and average."""
    return found.get(key(recipe), {}).get("of") == recipe.digest()


def record(name: str, figures: dict[str, float], path: Path = PATH) -> None:
    r"""Add one trial to the record. Several processes may do so at once."""
    with FileLock(path.with_suffix(".lock")):
        entries = dict(sorted((read(path) | {name: figures}).items()))
        write_json(path, entries)


def main(argv: list[str] | None = None, path: Path = PATH) -> None:
    parser = argparse.ArgumentParser(prog="python -m helpers.training.tuning", description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="+", metavar="NAME", help="a recipe, such as conv-scenes")
    parser.add_argument("--lr", type=float, nargs="+", help="instead of the recipe's own")
    parser.add_argument("--seed", type=int, nargs="+", help="the same")
    parser.add_argument("--steps", type=int, nargs="+", help="the same")
    parser.add_argument("--again", action="store_true", help="also train what is recorded already")
    options = parser.parse_args(argv)
    print_anywhere()
    varied = {name: values for name in ("lr", "seed", "steps") if (values := getattr(options, name))}
    for name, values in itertools.product(options.names, itertools.product(*varied.values())):
        try:
            recipe = replace(recipes.find(name), **dict(zip(varied, values, strict=True)))
        except ValueError as error:
            parser.error(str(error))
        if options.again or not recorded(recipe, read(path)):
            record(key(recipe), run(recipe), path)


if __name__ == "__main__":
    main()
