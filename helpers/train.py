r"""Train models of the course from a terminal, by the names of their recipes.

    python -m helpers.train autoencoder-scenes-8                  one model, into data/trained/
    python -m helpers.train --group autoencoder --jobs 2          a family of models, two at a time
    accelerate launch -m helpers.train autoencoder-scenes-8       on several GPUs or machines

A training that was interrupted continues where it stopped when the same command is given again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from accelerate import PartialState

from .course import machine
from .data.downloads import DataUnavailable
from .data.files import DamagedFile, print_anywhere
from .training import checkpoints, recipes
from .training.loop import DivergenceError
from .training.recipes import Recipe
from .training.resume import SnapshotError
from .training.run import as_options, place, places, train_recipe

INTERRUPTED = 130  # what a shell reports after Ctrl-C


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m helpers.train", description="train models of the course")
    parser.add_argument("names", nargs="*", metavar="NAME", help="a recipe, such as autoencoder-scenes-8")
    parser.add_argument("--group", action="append", default=[], help="all recipes whose names begin so")
    parser.add_argument("--size", choices=recipes.SIZES, default="full", help="default: full")
    parser.add_argument("--out", type=Path, help="default: data/trained, or where COURSE_TRAINED says")
    parser.add_argument("--steps", type=int, help="instead of the recipe's own number")
    parser.add_argument("--seed", type=int, help="instead of the recipe's own")
    parser.add_argument("--jobs", type=int, default=1, help="models to train at a time, sharing the cores")
    parser.add_argument("--restart", action="store_true", help="do not continue an interrupted training")
    return parser


def changes_of(options: argparse.Namespace) -> dict[str, int]:
    return {name: value for name in ("steps", "seed") if (value := getattr(options, name)) is not None}


def train_side_by_side(names: list[str], out: Path, options: argparse.Namespace) -> int:
    r"""Train each name in a process of its own, `options.jobs` at a time; the exit status is the highest of theirs.

    Small models fill one core better than several: on two cores, two at a time take about half the time.
    """
    command = [sys.executable, "-m", "helpers.train", "--size", options.size, "--out", str(out)]
    command += [*as_options(changes_of(options)), *["--restart"] * options.restart]
    threads = str(max(1, int(machine.usable_cores() / options.jobs)))

    def run(name: str) -> int:
        print(f"training {name}\n", end="", flush=True)
        environment = os.environ | {"OMP_NUM_THREADS": threads, "PYTHONIOENCODING": "utf-8"}
        done = subprocess.run([*command, name], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        print(done.stdout.decode("utf-8", "replace").rstrip() + "\n", end="", flush=True)
        return done.returncode

    with ThreadPoolExecutor(options.jobs) as pool:
        return max(code if code >= 0 else 128 - code for code in pool.map(run, names))  # as shells do for signals


def chosen(parser: argparse.ArgumentParser, options: argparse.Namespace, known: dict[str, Recipe]) -> list[Recipe]:
    r"""The recipes that the arguments name, each once. Wrong arguments end the program with status 2."""
    try:
        found = [recipes.find(name, known) for name in options.names]
        found += [recipe for prefix in options.group for recipe in recipes.group(prefix, known)]
        for recipe in found:
            recipe.at(options.size)
    except ValueError as error:
        parser.error(str(error))
    if options.steps is not None and options.steps < 1:
        parser.error(f"--steps must be at least 1, not {options.steps}")
    if not found:
        parser.error(f"name what to train, or give --group. Known: {', '.join(known)}")
    return list({recipe.name: recipe for recipe in found}.values())


def main(argv: list[str] | None = None, known: dict[str, Recipe] | None = None) -> int:
    r"""The exit status: 0 trained, 1 failed, 130 interrupted. Wrong arguments end the program with 2."""
    parser = make_parser()
    options = parser.parse_args(argv)
    print_anywhere()
    todo = chosen(parser, options, recipes.known() if known is None else known)
    try:
        out = place(options.out)
        if options.jobs > 1 and len(todo) > 1:
            return train_side_by_side([recipe.name for recipe in todo], out, options)
        return max(train_one(recipe, out, options) for recipe in todo)
    except KeyboardInterrupt:
        print("stopped; give the same command again to continue", file=sys.stderr)
        return INTERRUPTED
    except checkpoints.CheckpointError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    finally:
        PartialState().destroy_process_group()


def train_one(recipe: Recipe, out: Path, options: argparse.Namespace) -> int:
    r"""The exit status of one recipe: 0 or 1. What it lacks is said, and the next may go on; Ctrl-C ends them all."""
    try:
        _, card, history = train_recipe(recipe, options.size, out, changes_of(options), options.restart)
    except checkpoints.CheckpointError as error:
        print(f"error: {error}. {rescue(error, recipe.name)}", file=sys.stderr)
        return 1
    except (DataUnavailable, DamagedFile, SnapshotError, DivergenceError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    PartialState().wait_for_everyone()  # the main process may still be evaluating
    if card.metrics:
        print(", ".join(f"{name} {value:.5g}" for name, value in card.metrics.items()))
    if history.interrupted:
        raise KeyboardInterrupt
    return 0


def rescue(error: checkpoints.CheckpointError, name: str) -> str:
    r"""Weights that were trained and found no room: write them to the first other folder that takes them; say where."""
    for folder in places() if hasattr(error, "trained") else ():
        model, card, _ = error.trained
        path = folder / f"{name}.rescued.safetensors"
        with contextlib.suppress(checkpoints.CheckpointError):
            checkpoints.save(path, model, metrics={}, data=card.data, seed=card.seed, command=card.command)
            return f"The weights are in {path}"
    return ""


if __name__ == "__main__":
    sys.exit(main())
