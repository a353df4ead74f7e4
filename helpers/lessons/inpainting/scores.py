"""The figures of notebook 07: errors inside the hole, of networks, plain fillings and the best possible answer."""

from __future__ import annotations

from functools import partial

import torch
from scipy.stats import spearmanr

from ...course.scores import Score
from ...data import masks, scenes
from ...data.batches import NEW_SCENES_SEED
from ...metrics.pictures import scene_accuracy
from ...models.inpainting import smooth_guess
from ...training import tuning
from ...training.checkpoints import load
from . import baselines
from .experiments import (
    HIDDEN_PATCHES,
    empty_scenes,
    errors_on_photographs,
    fill,
    new_emoji_with_holes,
    new_scenes_with_holes,
    new_scenes_with_patches,
    pooled,
    visible_share,
)

LEARNED = {"code": "through a code of 64 numbers", "unet": "U-Net"}
HIDDEN, SEEN = 0.15, 0.6  # an object counts as hidden below, as seen above, by the share of it that is visible
HOLES = {"box": masks.box, "pixels": partial(masks.pixels, share=0.5), "half": masks.half, "brush": masks.brush}
FEW = 100  # pictures for each kind of hole: the smoothest surface takes its time


def systems(world: str):
    """(name, what it is, (x, mask) -> filled) of all that fill holes."""
    yield "mean", "the mean of the known pixels", baselines.mean_fill
    yield "background", "the median of the border", baselines.background_fill
    yield "guess", "a smooth guess, by pull-push", smooth_guess
    yield "biharmonic", "the smoothest surface", baselines.biharmonic_fill
    for kind, what in LEARNED.items():
        yield kind, what, partial(fill, load(f"inpaint-{world}-{kind}")[0])


def on_scenes():
    x, factors, mask = new_scenes_with_holes()
    blank = scene_accuracy(x.masked_fill(mask, 0), factors)["all_six"]
    yield Score("inpainting.scenes.all_six.blank", "scenes with a grey hole that are read right", blank, ".0%")
    mean = pooled(x, baselines.mean_fill(x, mask), mask)
    for name, what, filling in systems("scenes"):
        y = filling(x, mask)
        error = pooled(x, y, mask)
        learned = name in LEARNED
        six = scene_accuracy(y, factors)["all_six"]
        yield Score(f"inpainting.scenes.inside.{name}", f"error in a 14x14 hole: {what}", error, ".4f", mean)
        if learned:
            yield Score(f"inpainting.scenes.ratio.{name}", f"error of the mean fill over that of {what}", mean / error,
                        ".1f", 1, ">= 2.5")
        yield Score(f"inpainting.scenes.all_six.{name}", f"filled scenes that are read right: {what}", six, ".0%",
                    blank, ">= 0.8" if learned else "")
    yield from as_recorded("scenes", "code-hole", "through a code, whose loss counts the hole alone", mean)
    yield from as_recorded("scenes", "unet-guess", "U-Net that starts from a smooth guess", mean)
    for kind in LEARNED:
        minutes = load(f"inpaint-scenes-{kind}")[1].metrics["training_seconds"] / 60
        yield Score(f"inpainting.scenes.minutes.{kind}", f"training as recorded, minutes on a shared core: {kind}",
                    minutes, ".0f")


def as_recorded(world: str, kind: str, what: str, mean: float):
    """The error of a training whose figures alone were kept."""
    tried = tuning.find(f"inpaint-{world}-{kind}")
    yield Score(f"inpainting.{world}.inside.{kind}", f"as recorded, error in a 14x14 hole: {what}", tried["inside"],
                ".4f", mean)


def by_visible_share():
    """The error where much and where little of the object is visible: as it is, and over that of an empty scene."""
    x, factors, mask = new_scenes_with_holes()
    visible = visible_share(x, factors, mask)
    hidden, seen, cut = visible < HIDDEN, (visible > SEEN) & (visible < 0.999), (visible > 0.001) & (visible < 0.999)
    wall = masks.error_inside(x, empty_scenes(x, factors), mask)
    for name, filling in (("mean", baselines.mean_fill), *((kind, partial(fill, load(f"inpaint-scenes-{kind}")[0]))
                                                          for kind in LEARNED)):
        error = masks.error_inside(x, filling(x, mask), mask)
        ratio = (error[hidden].mean() / error[seen].mean()).item()
        learned = name in LEARNED
        yield Score(f"inpainting.evidence.ratio.{name}", "error where less than 15 % of the object is seen over that "
                    f"where more than 60 % is, but not all: {name}", ratio, ".0f", 1, ">= 5" if learned else "")
        if learned:
            yield Score(f"inpainting.evidence.spearman.{name}", "rank correlation of visible share and error, of holes "
                        f"that cut an object: {name}", spearmanr(visible[cut], error[cut]).statistic, ".2f", 0,
                        "< -0.6")
        if name != "code":
            for part, rows in (("hidden", hidden), ("seen", seen)):
                yield Score(f"inpainting.evidence.relative.{part}.{name}", "error over that of an empty scene, objects "
                            f"{part}: {name}", (error[rows].sum() / wall[rows].sum()).item(), ".2f", 1)


def on_emoji():
    x, mask = new_emoji_with_holes()
    mean = pooled(x, baselines.mean_fill(x, mask), mask)
    for name, what, filling in systems("emoji"):
        error = pooled(x, filling(x, mask), mask)
        yield Score(f"inpainting.emoji.inside.{name}", f"error in a 14x14 hole, unseen families: {what}", error, ".4f",
                    mean)
        if name in ("biharmonic", "unet"):
            yield Score(f"inpainting.emoji.ratio.{name}", f"error of the mean fill over that of {what}", mean / error,
                        ".1f", 1, ">= 2.5" if name == "unet" else "")


def by_kind_of_mask():
    """Four kinds of hole: scattered ones ask for interpolation, large ones for knowledge."""
    emoji = new_emoji_with_holes()[0]
    for world, x in (("scenes", new_scenes_with_holes(FEW)[0]), ("emoji", emoji[:: len(emoji) // FEW][:FEW])):
        for kind, draw in HOLES.items():
            mask = draw(len(x), generator=torch.Generator().manual_seed(NEW_SCENES_SEED))
            keep = mask.flatten(1).any(1)  # a stroke may miss the picture
            for name, what, filling in systems(world):
                if name in ("biharmonic", "unet") or (name, kind) == ("mean", "half"):
                    error = pooled(x[keep], filling(x[keep], mask[keep]), mask[keep])
                    yield Score(f"inpainting.kinds.{world}.{kind}.{name}", f"error in the holes, {world}, {kind}: "
                                f"{what}", error, ".4f")


def hidden_objects():
    """A hole of 14x14 that hides a small object in the upper left: the drawing against the exact average."""
    mask, net = masks.box_at(2, 2), load("inpaint-scenes-unet")[0]
    for index, name in enumerate(scenes.BACKGROUNDS):
        x = scenes.draw(torch.tensor([[0, 0, 0, 0, 0, index]]))
        possible = baselines.possible_scenes(x, mask, index)
        cell = possible[:, :, mask[0, 0]].flatten(1) / 2  # the hidden values, on [0, 1] but for a constant
        mean, drawn = possible.mean(0, keepdim=True), fill(net, x, mask)
        variance, ours = ((cell - y[:, :, mask[0, 0]].flatten() / 2).square().mean().item() for y in (mean, drawn))
        apart = torch.cdist(cell, cell).square() / cell.shape[1]
        rows = (
            ("variance", "error of the average of the scenes that agree with what is known", variance, ".4f", ""),
            ("excess", "error of the U-Net's drawing over the average's", ours / variance, ".2f", "<= 1.1"),
            ("sharp", "error of the best single scene, over the average's", apart.mean(0).min().item() / variance,
             ".1f", ""),
        )
        for figure, what, value, form, bar in rows if name == "white" else rows[1:2]:  # the page shows a white ground
            yield Score(f"inpainting.possible.{figure}.{name}", f"{what}, on {name}", value, form, None, bar)


def masked_autoencoder():
    net = load("mae-scenes")[0]
    for share in (0.25, HIDDEN_PATCHES, 0.9):
        x, factors, hidden = new_scenes_with_patches(share)
        mean = pooled(x, baselines.mean_fill(x, hidden), hidden)
        y = fill(net, x, hidden)
        error = pooled(x, y, hidden)
        percent = round(100 * share)
        what = f"{percent} % of the patches hidden"
        yield Score(f"inpainting.mae.inside.{percent}", f"error in hidden patches, {what} (baseline: mean fill)", error,
                    ".4f", mean)
        if share == HIDDEN_PATCHES:
            yield Score(f"inpainting.mae.ratio.{percent}", f"error of the mean fill over ours, {what}", mean / error,
                        ".1f", 1, ">= 2.5")
            right = scene_accuracy(y, factors)
            for factor in ("background", "colour", "shape"):
                yield Score(f"inpainting.mae.factor.{factor}", f"scenes read right after filling, {what}: {factor}",
                            right[factor], ".0%")


def on_photographs():
    """Where the U-Nets have learned nothing: their error over that of the smoothest surface."""
    errors = errors_on_photographs()
    for world in ("emoji", "scenes"):
        what = f"error of the U-Net for {world} over that of the smoothest surface, photographs"
        yield Score(f"inpainting.photographs.{world}", what,
                    errors[f"U-Net, for {world}"] / errors["smoothest"], ".1f", 1, ">= 2")


def groups():
    """(what the names of its scores begin with, the function that yields them)."""
    yield "inpainting.scenes", on_scenes
    yield "inpainting.evidence", by_visible_share
    yield "inpainting.emoji", on_emoji
    yield "inpainting.kinds", by_kind_of_mask
    yield "inpainting.possible", hidden_objects
    yield "inpainting.mae", masked_autoencoder
    yield "inpainting.photographs", on_photographs
