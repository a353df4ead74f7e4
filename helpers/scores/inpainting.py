r"""The figures of notebook 07: errors inside the hole, of networks, plain fillings and the best possible answer."""

from __future__ import annotations

from functools import partial

import torch

from .. import fillings, masks, metrics, scenes, trials
from ..checkpoints import load
from ..recipes.autoencoder import NEW_SCENES_SEED
from ..recipes.inpainting import (
    NETS,
    PATCH,
    SHARE,
    fill,
    new_emoji_with_holes,
    new_scenes_with_holes,
    pooled,
    visible_share,
)
from . import Score, group

HIDDEN, SEEN = 0.15, 0.6  # an object counts as hidden below, as seen above, by the share of it that is visible
SHARES = (0.25, 0.5, 0.75, 0.9)  # of the patches, at test time


def systems(dataset: str):
    r"""(name, what it is, (x, mask) -> filled) of all that fill holes."""
    yield "mean", "the mean of the known pixels", fillings.mean_fill
    yield "background", "the median of the border", fillings.background_fill
    yield "biharmonic", "the smoothest surface", fillings.biharmonic_fill
    words = {"code": "through a code of 64 numbers", "skip": "U-Net"}
    for kind in NETS:
        yield kind, words[kind], partial(fill, load(f"inpaint-{dataset}-{kind}")[0])


@group("inpainting.scenes")
def on_scenes():
    x, factors, mask = new_scenes_with_holes()
    blank = metrics.scene_accuracy(x.masked_fill(mask, 0), factors)["all_six"]
    yield Score("inpainting.scenes.all_six.blank", "scenes with a grey hole that are read right", blank, ".0%")
    mean = pooled(x, fillings.mean_fill(x, mask), mask)
    for name, what, filling in systems("scenes"):
        y = filling(x, mask)
        error = pooled(x, y, mask)
        learned = name in NETS
        six = metrics.scene_accuracy(y, factors)["all_six"]
        yield Score(f"inpainting.scenes.inside.{name}", f"error in a 14x14 hole: {what}", error, ".4f", mean)
        yield Score(f"inpainting.scenes.ratio.{name}", f"error of the mean fill over that of {what}", mean / error,
                    ".1f", 1, ">= 2.5" if learned else "")  # fmt: skip
        yield Score(f"inpainting.scenes.all_six.{name}", f"filled scenes that are read right: {what}", six, ".0%",
                    blank, ">= 0.8" if learned else "")  # fmt: skip
    tried = trials.find("inpaint-scenes-code-hole")
    yield Score("inpainting.scenes.inside.code_hole", "as recorded: error through a code whose loss counts the hole "
                "alone", tried["inside"], ".4f", mean)  # fmt: skip


@group("inpainting.evidence")
def by_visible_share():
    x, factors, mask = new_scenes_with_holes()
    visible = visible_share(x, factors, mask)
    cut = (visible > 0.001) & (visible < 0.999)
    for kind in NETS:
        error = masks.error_inside(x, fill(load(f"inpaint-scenes-{kind}")[0], x, mask), mask)
        hidden, seen = error[visible < HIDDEN].mean().item(), error[visible > SEEN].mean().item()
        yield Score(f"inpainting.evidence.hidden.{kind}", "error where less than 15 % of the object is visible", hidden,
                    ".3f")  # fmt: skip
        yield Score(f"inpainting.evidence.seen.{kind}", "error where more than 60 % is visible", seen, ".4f")
        yield Score(f"inpainting.evidence.ratio.{kind}", "the first over the second", hidden / seen, ".0f", 1, ">= 5")
        yield Score(f"inpainting.evidence.spearman.{kind}", "rank correlation of visible share and error, of holes "
                    "that cut an object", spearman(visible[cut], error[cut]), ".2f", 0, "< -0.6")  # fmt: skip


def spearman(a: torch.Tensor, b: torch.Tensor) -> float:
    r"""Spearman's rank correlation of two (N,) without ties."""
    return torch.corrcoef(torch.stack([a.argsort().argsort(), b.argsort().argsort()]).double())[0, 1].item()


@group("inpainting.emoji")
def on_emoji():
    x, mask = new_emoji_with_holes()
    mean = pooled(x, fillings.mean_fill(x, mask), mask)
    for name, what, filling in systems("emoji"):
        error = pooled(x, filling(x, mask), mask)
        yield Score(f"inpainting.emoji.inside.{name}", f"error in a 14x14 hole, unseen families: {what}", error, ".4f",
                    mean)  # fmt: skip
        yield Score(f"inpainting.emoji.ratio.{name}", f"error of the mean fill over that of {what}", mean / error,
                    ".1f", 1, ">= 2.5" if name in NETS else "")  # fmt: skip


@group("inpainting.possible")
def hidden_objects():
    r"""A hole of 14x14 that hides a small object in the upper left: the drawing against the exact average."""
    mask = masks.box_at(2, 2)
    net = load("inpaint-scenes-skip")[0]
    for index, name in enumerate(scenes.BACKGROUNDS):
        x = scenes.draw(torch.tensor([[0, 0, 0, 0, 0, index]]))
        possible = fillings.possible_scenes(x, mask, index)
        everywhere = mask.expand(len(possible), -1, -1, -1)
        mean, drawn = possible.mean(0, keepdim=True), fill(net, x, mask)
        least, ours = (pooled(possible, y.expand_as(possible), everywhere) for y in (mean, drawn))
        yield Score(f"inpainting.possible.count.{name}", f"scenes on {name} that agree with what is known",
                    len(possible), ",")  # fmt: skip
        yield Score(f"inpainting.possible.variance.{name}", f"error of their average, on {name}", least, ".4f")
        yield Score(f"inpainting.possible.net.{name}", f"error of the U-Net's drawing, on {name}", ours, ".4f", least)
        yield Score(f"inpainting.possible.excess.{name}", f"the second over the first, on {name}", ours / least, ".3f",
                    1, "<= 1.1")  # fmt: skip
        yield Score(f"inpainting.possible.draw.{name}", f"error of a possible scene drawn at random, on {name}",
                    pooled(possible, possible.roll(1, 0), everywhere), ".4f", least)  # fmt: skip
        yield Score(f"inpainting.possible.valid.{name}", f"the average, read as a scene, on {name}: what it leaves "
                    "unexplained (a scene: below 0.16)", scenes.parse(mean).residual.item(), ".2f")  # fmt: skip


@group("inpainting.mae")
def masked_autoencoder():
    x, factors = scenes.make_scenes(1000, NEW_SCENES_SEED)
    net = load("mae-scenes")[0]
    for share in SHARES:
        hidden = masks.patches(len(x), share, PATCH, generator=torch.Generator().manual_seed(NEW_SCENES_SEED))
        mean = pooled(x, fillings.mean_fill(x, hidden), hidden)
        y = fill(net, x, hidden)
        error = pooled(x, y, hidden)
        what = f"{share:.0%} of the patches hidden"
        yield Score(f"inpainting.mae.inside.{share:.0%}", f"error in hidden patches, {what} (baseline: mean fill)",
                    error, ".4f", mean)  # fmt: skip
        yield Score(f"inpainting.mae.ratio.{share:.0%}", f"error of the mean fill over ours, {what}", mean / error,
                    ".1f", 1, ">= 2.5" if share == SHARE else "")  # fmt: skip
        if share == SHARE:
            for factor, right in metrics.scene_accuracy(y, factors).items():
                yield Score(f"inpainting.mae.factor.{factor}", f"scenes read right after filling, {what}: {factor}",
                            right, ".0%")  # fmt: skip
