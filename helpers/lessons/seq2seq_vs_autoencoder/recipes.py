r"""The pictures of notebook 03: autoencoders that meet defects, or only two of the four shapes.

    defect-100-64-6000       all training pictures have a defect; a code of 64 numbers, 6,000 steps
    shapes-16                trained on circles and squares only; a code of 16 numbers

What an autoencoder here does with a defect is decided by `batches` and `build`: all of them have one loss.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ...data import scenes
from ...data.batches import BATCH, NEW_SCENES_SEED
from ...metrics.pictures import mse, reconstruct
from ...models.autoencoder import Autoencoder, reconstruction_loss
from ...training.recipes import Recipe, any_length
from . import sentences

SHARES = (0, 30, 100)  # percent of the training pictures that have a defect
CODES, LENGTHS = (4, 64), (1200, 6000)
SHAPE_CODES = (4, 16, 128)
SEEDS = (0, 1, 2)  # 0 is the shipped one's; of the others only the figures are kept, in data/trials.json
# About the smallest that draws the defect at d = 64, and the smallest that raises the alarm; twelve of the first ship.
SMALL = {"width": 32, "bottom": 32, "hidden": 176}
SMALLER = {"width": 32, "bottom": 16, "hidden": 128}
MAGENTA = (1.0, -1.0, 1.0)  # of no scene
SIDE = 3  # pixels of a defect


# -- pictures with a defect ----------------------------------------------------------------------------------------


def with_defect(x: Tensor, share: float = 1.0, side: int = SIDE, colour=MAGENTA) -> tuple[Tensor, Tensor]:
    r"""Pictures x (B, 3, S, S) with a square of `colour` at a random place of each, and where it is (B, 1, S, S).

    share   the probability that a picture gets one; the mask is False all over where it got none
    side    of the square in pixels, 1 to S; it lies inside the picture
    Random numbers come from torch's generator. ValueError for another side.
    """
    if not 1 <= side <= x.shape[-1]:
        raise ValueError(f"the side of a defect is 1 to {x.shape[-1]} pixels, not {side}")
    corner = torch.randint(x.shape[-1] - side + 1, (len(x), 2, 1))
    along = torch.arange(x.shape[-1])
    rows, columns = ((along >= corner) & (along < corner + side)).unbind(1)                   # (B, S) each
    mask = (rows[:, :, None] & columns[:, None, :])[:, None] & (torch.rand(len(x), 1, 1, 1) < share)
    mask = mask.to(x.device)
    return torch.where(mask, x.new_tensor(colour)[:, None, None], x), mask


def error_inside(mask: Tensor, x: Tensor, y: Tensor) -> float:
    r"""Mean squared error of y (B, 3, S, S) to x on [0, 1], over the pixels of a mask (B, 1, S, S) alone."""
    return (((x - y) / 2).square().mean(1, keepdim=True)[mask]).mean().item()


def auroc(normal: Tensor, odd: Tensor) -> float:
    r"""The probability that an odd one scores higher than a normal one, ties counted half: scores (N,), (M,).

    It is the area under the curve of hits against false alarms (Hanley & McNeil 1982). 0.5 is chance, 1 perfect.
    """
    difference = odd[:, None] - normal
    return ((difference > 0).float() + (difference == 0).float() / 2).mean().item()


def scores(model, x: Tensor) -> Tensor:
    r"""s(x) = |x - model(x)|^2 of each picture, per pixel and channel on [0, 1]: (B, 3, S, S) -> (B,)."""
    return mse(x, reconstruct(model, x))


def defective_scenes(share: float, batch: int = BATCH):
    r"""Scenes drawn anew at every step, a share of them with a defect."""

    def batches(step):
        x = scenes.draw(scenes.sample_factors(batch, torch.default_generator), torch.default_generator)
        return with_defect(x, share)[0]

    return batches


def new_defects(n: int = 1000) -> tuple[Tensor, Tensor, Tensor]:
    r"""n new scenes, the same with a defect each, and the masks."""
    x, _ = scenes.make_scenes(n, NEW_SCENES_SEED)
    with torch.random.fork_rng([]):
        torch.manual_seed(NEW_SCENES_SEED)
        return x, *with_defect(x)


def evaluate_defects(model) -> dict[str, float]:
    x, marked, mask = new_defects()
    y = reconstruct(model, marked)
    return {"to_clean": error_inside(mask, x, y), "to_defect": error_inside(mask, marked, y),
            "mse": scores(model, x).mean().item()}


# -- unseen shapes -------------------------------------------------------------------------------------------------


def of_shapes(known: bool, n: int, generator: torch.Generator) -> Tensor:
    r"""n scenes of circles and squares or, where not `known`, of triangles and stars."""
    factors = scenes.sample_factors(4 * n, generator)  # about twice as many as are wanted
    return scenes.draw(factors[(factors[:, 0] < 2) == known][:n], generator)


def two_shapes(batch: int = BATCH):
    return lambda step: of_shapes(True, batch, torch.default_generator)


def new_shapes(n: int = 1000) -> tuple[Tensor, Tensor, Tensor]:
    r"""n new scenes of the shapes that `shapes-*` know, the same with a defect each, and n of the other shapes."""
    generator = torch.Generator().manual_seed(NEW_SCENES_SEED)
    known, odd = of_shapes(True, n, generator), of_shapes(False, n, generator)
    with torch.random.fork_rng([]):
        torch.manual_seed(NEW_SCENES_SEED)
        return known, with_defect(known)[0], odd


def distance(x: Tensor, train: Tensor) -> Tensor:
    r"""The mean squared error on [0, 1] of each picture x (B, 3, S, S) to the nearest of `train` (N, 3, S, S) -> (B,).

    A score as `scores` is, of a memory instead of a network.
    """
    nearest = torch.cdist(x.flatten(1), train.flatten(1)).min(1).values
    return (nearest / 2).square() / x[0].numel()


def evaluate_shapes(model) -> dict[str, float]:
    known, marked, odd = new_shapes()
    usual = scores(model, known)
    return {"auroc_shapes": auroc(usual, scores(model, odd)), "auroc_defects": auroc(usual, scores(model, marked))}


# -- the recipes ---------------------------------------------------------------------------------------------------


def recipes():
    r"""The recipes of this notebook."""
    for share in SHARES:
        for code in CODES:
            for steps in LENGTHS:
                yield Recipe(
                    name=f"defect-{share}-{code}-{steps}", build=partial(Autoencoder, code, **SMALL),
                    batches=any_length(defective_scenes, share / 100), loss=reconstruction_loss,
                    evaluate=evaluate_defects, steps=steps,
                    data=f"tiny scenes, drawn anew at every step, {share} % with a defect, batches of 32",
                    sizes={"gpu": {"steps": 4 * steps}},
                )

    for code in SHAPE_CODES:
        yield Recipe(
            name=f"shapes-{code}", build=partial(Autoencoder, code, **SMALLER), batches=any_length(two_shapes),
            loss=reconstruction_loss, evaluate=evaluate_shapes, steps=3000,
            data="tiny scenes of circles and squares, drawn anew at every step, batches of 32",
            sizes={"gpu": {"steps": 12_000}},
        )
    yield from sentences.recipes()
