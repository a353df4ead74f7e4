r"""What a recipe is, and where they are found: what is trained on what, for every set of weights of the course.

A recipe holds all that a training needs, so that one entry serves the terminal
(`python -m helpers.train NAME`), a notebook (`run.load_or_train(NAME)`) and the tests
(`--size smoke`). A family shares a prefix: `autoencoder-scenes-8` belongs to the groups `autoencoder` and
`autoencoder-scenes`.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import importlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import nn

SIZES = ("smoke", "full", "gpu")


@dataclass(frozen=True)
class Recipe:
    r"""How one model is trained.

    name      the file name of the weights, e.g. "autoencoder-scenes-8"
    build     () -> the untrained model; called under the recipe's seed
    batches   steps -> a function of the step number that returns the batch. It is told the length of the training, for
              what depends on it, and loads the data; `any_length` is for those that do not depend on it
    loss      (model, batch) -> (loss, {"part": value, ...})
    evaluate  model -> {"name of the figure": number}, on held-out data
    data      what it is trained on, in one line; stored with the weights
    sizes     what changes for "smoke" (a few seconds, for the tests) and "gpu", e.g. {"smoke": {"steps": 20}}
    """

    name: str
    build: Callable[[], nn.Module]
    batches: Callable[[int], Callable]
    loss: Callable
    evaluate: Callable[[nn.Module], dict[str, float]]
    data: str
    steps: int
    lr: float = 2e-3
    ema: float | None = None
    seed: int = 0
    sizes: dict[str, dict] = field(default_factory=dict)

    def __post_init__(self):
        if unknown := self.sizes.keys() - SIZES:
            raise ValueError(f"{self.name} has the sizes {sorted(unknown)}: choose from {', '.join(SIZES)}")

    def at(self, size: str) -> Recipe:
        r"""The recipe at a size: "full" as written, "smoke" and "gpu" with their changes.

        ValueError for another size, and for "gpu" where the recipe does not say what that is.
        """
        if size not in SIZES:
            raise ValueError(f"unknown size {size!r}: choose one of {', '.join(SIZES)}")
        if size == "gpu" and size not in self.sizes:
            raise ValueError(f"{self.name} has no size 'gpu': train it at 'full', on whatever device there is")
        changes = {"steps": 20} if size == "smoke" else {}
        return replace(self, **changes | self.sizes.get(size, {}))

    def digest(self) -> str:
        r"""Eight digits for the network, the data and the settings, not the name: other digits, other weights."""
        with torch.random.fork_rng():
            model = self.build()
        parts = type(model).__name__, model.config, self.data, self.steps, self.lr, self.ema, self.seed
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:8]


def any_length(make: Callable, *arguments, **options) -> Callable[[int], Callable]:
    r"""`batches` of a Recipe that do not depend on the length of the training: steps -> make(*arguments, **options)."""
    return lambda steps: make(*arguments, **options)


LESSONS = Path(__file__).resolve().parents[1] / "lessons"


@functools.cache
def known() -> dict[str, Recipe]:
    r"""All recipes by their names: what `recipes()` yields in the file recipes.py of each folder of helpers/lessons/.

    Two of one name are a mistake: ValueError.
    """
    found = {}
    for lesson in sorted(path.parent.name for path in LESSONS.glob("*/recipes.py")):
        for recipe in importlib.import_module(f"helpers.lessons.{lesson}.recipes").recipes():
            if recipe.name in found:
                raise ValueError(f"two recipes are named {recipe.name!r}")
            found[recipe.name] = recipe
    return found


def find(name: str, recipes: dict[str, Recipe] | None = None) -> Recipe:
    r"""The recipe of that name. Unknown: ValueError with the nearest names and all known ones."""
    recipes = known() if recipes is None else recipes
    if name in recipes:
        return recipes[name]
    near = difflib.get_close_matches(name, recipes)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise ValueError(f"no recipe is named {name!r}.{hint} Known: {', '.join(recipes) or 'none'}")


def group(prefix: str, recipes: dict[str, Recipe] | None = None) -> list[Recipe]:
    r"""All recipes of a family, in their order: those named `prefix` or `prefix-...`. None: ValueError."""
    recipes = known() if recipes is None else recipes
    members = [r for name, r in recipes.items() if name == prefix or name.startswith(prefix + "-")]
    if not members:
        raise ValueError(f"no recipe belongs to the group {prefix!r}. Known: {', '.join(recipes) or 'none'}")
    return members
