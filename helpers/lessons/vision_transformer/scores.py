r"""The figures of notebook 10: two questions about scenes, pairings never met, order, attention, emoji, digits."""

from __future__ import annotations

import statistics
from collections import Counter

import torch

from ...course.scores import Score
from ...data import scenes, sets
from ...data.batches import NEW_SCENES_SEED, in_batches
from ...data.emoji import HELD_OUT_BY, load_emoji
from ...training import recipes, tuning
from ...training.checkpoints import load
from ..inpainting.experiments import object_cover
from ..start_here.experiments import CATEGORY_SEEDS, TAUGHT, category_accuracy, category_labels, nearest_seen
from . import experiments as vit
from . import looking
from .digits import digit_accuracy

NETS = {str(patch): f"vit-scenes-{patch}" for patch in vit.PATCHES} | {"cnn": "cnn-scenes"}
NETS |= {"recoloured": "vit-scenes-recoloured"}


def questions():
    r"""Shape and colour of new scenes."""
    for name, weights in NETS.items():
        found = vit.share_right(load(weights)[0], *vit.new_scenes())
        bars = {"shape": ">= 0.97", "colour": ">= 0.99"} if name == "8" else {}
        for question, share in found.items():
            if question == "shape" or name in ("8", "cnn"):
                yield Score(f"vit.scenes.{question}.{name}", f"{question} of new scenes named, {weights}", share, ".1%",
                            bar=bars.get(question, ""))


def pairings():
    r"""The same of pairings of shape and colour that training never had; chance is a quarter."""
    for name, weights in NETS.items():
        name = "plain" if name == "8" else name
        found = vit.share_right(load(weights)[0], *vit.new_scenes(split="held_out"))
        bar = ">= 0.9" if name == "recoloured" else ""
        yield Score(f"vit.held.shape.{name}", f"shape of pairings never met, {weights}", found["shape"], ".0%", 0.25,
                    bar)
        if name in ("plain", "recoloured"):
            yield Score(f"vit.held.colour.{name}", f"their colour, {weights}", found["colour"], ".0%", 0.125)
    circle = vit.by_pairing(load("vit-scenes-8")[0])["purple circle"][scenes.SHAPES.index("circle")].item()
    yield Score("vit.held.shape.purple", "purple circles that are named circles", circle, ".0%", 0.25)
    early = vit.length_trials()
    yield Score("vit.held.least", "shape of pairings never met, the least over lengths of training", min(early), ".0%",
                0.25, "< 0.25")


def few():
    r"""Trained on few scenes: ViT and convolutions, means and ranges of three seeds, as recorded."""
    for figure, word in (("shape", "seen"), ("held_out_shape", "held")):
        for n, ours, theirs in zip(vit.FEW_SCENES, *(vit.few_trials(net, figure).T.tolist() for net in ("vit", "cnn")),
                                   strict=True):
            for net, found in (("vit", ours), ("cnn", theirs)):
                yield Score(f"vit.few.{word}.{net}.{n}", f"{figure} named, {net}, {n} scenes, mean of three seeds",
                            statistics.mean(found), ".0%", 0.25)


def order():
    r"""Patches in another order, with and without positions."""
    x, labels = vit.new_scenes()
    mixed, (model, unplaced) = vit.shuffled(x, 8), (load(f"vit-scenes-{name}")[0] for name in ("8", "unplaced"))
    without = vit.share_right(unplaced, x, labels)["shape"]
    yield Score("vit.order.unplaced", "shape named without positions", without, ".1%")
    yield Score("vit.order.lost", "the same less that of shuffled patches, without its sign",
                abs(without - vit.share_right(unplaced, mixed, labels)["shape"]), ".2%", bar="<= 0.001")
    yield Score("vit.order.shuffled", "shape named with positions, patches shuffled",
                vit.share_right(model, mixed, labels)["shape"], ".1%", vit.share_right(model, x, labels)["shape"])
    emoji, namer = load_emoji("test", TAUGHT), load("vit-emoji-category")[0]
    said = in_batches(namer, vit.shuffled(emoji.images, 8)).argmax(1)
    yield Score("vit.order.emoji", "category of emoji named, patches shuffled",
                (said == category_labels(emoji)).float().mean().item(), ".0%")


def shifts():
    r"""Pictures moved by a pixel."""
    x, _ = vit.new_scenes()
    for name, weights in (("vit", "vit-scenes-8"), ("cnn", "cnn-scenes")):
        found = vit.shifts(load(weights)[0], x)
        yield Score(f"vit.shift.changed.{name}", "named shapes that a move by one pixel changes", found["changed"],
                    ".2%")
        yield Score(f"vit.shift.moved.{name}", "how far logits move, over the distance of two scenes", found["moved"],
                    ".2f")


def looked_at(n: int = 500):
    r"""n new scenes, their shape and colour, and what their objects cover (n, 32, 32)."""
    x, factors = scenes.make_scenes(2000, NEW_SCENES_SEED)
    return x[:n], factors[:n, :2], object_cover(x[:n], factors[:n])


def attention():
    r"""The share of the class token's attention that lies on the object, patches of 4 pixels."""
    (x, _, cover), model = looked_at(), load("vit-scenes-4")[0]
    on, area = looking.inside(looking.class_attention(model, x), cover, 4).mean(0), cover.mean().item()
    rolled = looking.inside(looking.rolled_out(model, x), cover, 4).mean()
    yield Score("vit.look.area", "the share of the picture that the object covers", area, ".0%")
    for name, value in (("best", on.max()), ("least", on.min()), ("mean", on.mean()), ("rollout", rolled)):
        yield Score(f"vit.look.{name}", f"attention on the object: {name} (baseline: area)", value.item(), ".0%", area)


def hiding():
    r"""Two patches of 16 painted over: which of them does the answer rest on?"""
    (x, labels, cover), model = looked_at(), load("vit-scenes-8")[0]
    guides = {"random": torch.rand(len(x), 16, generator=torch.Generator().manual_seed(0)),
              "read": looking.class_attention(model, x)[:, 3].mean(1), "rollout": looking.rolled_out(model, x),
              "object": looking.patch_cover(cover, 8)}
    for name, guide in guides.items():
        right = vit.share_right(model, looking.hidden(x, guide, 8, 2), labels)["shape"]
        yield Score(f"vit.hide.{name}", f"shape named, two patches hidden: {name}", right, ".0%")


def emoji():
    r"""Nine categories of emoji, families that were held out."""
    ours = category_accuracy(load("vit-emoji-category")[0])["accuracy"]
    cnn = [category_accuracy(load(f"emoji-category-{seed}")[0])["accuracy"] for seed in CATEGORY_SEEDS]
    seen, test = load_emoji("train", TAUGHT, HELD_OUT_BY, dtype=torch.uint8), load_emoji("test", TAUGHT)
    most, _ = Counter(seen.categories).most_common(1)[0]
    majority = test.categories.count(most) / len(test.categories)
    nearest = nearest_seen(test.images, seen.images)[1]
    same = (category_labels(seen)[nearest] == category_labels(test)).float().mean().item()
    yield Score("vit.emoji.majority", "the commonest category, always", majority, ".0%")
    yield Score("vit.emoji.nearest", "the category of the nearest training picture", same, ".0%", majority)
    yield Score("vit.emoji.vit", "the Vision Transformer (baseline: nearest)", ours, ".0%", same, f"> {same:.3f}")
    yield Score("vit.emoji.cnn", "small convolutions, mean of three seeds", statistics.mean(cnn), ".0%", same)


def on_one_core(recipe) -> str:
    r"""What the time of one core is recorded under, beside the trials."""
    return f"{tuning.key(recipe)} cores=1"


def core_minutes(name: str) -> float:
    r"""Minutes of one core for a recipe, from twenty steps that `tests.benchmarks.vit --minutes --record` timed."""
    return tuning.read()[on_one_core(recipes.find(name))]["training_seconds"] / 60


def minutes():
    yield Score("vit.minutes.scenes", "minutes of one core to train vit-scenes-8", core_minutes("vit-scenes-8"), ".1f",
                bar="<= 3")


def digits():
    model = load("vit-mnist")[0]
    yield Score("vit.mnist.accuracy", "test digits named, five epochs", digit_accuracy(model)["accuracy"], ".2%",
                bar=">= 0.985")
    pictures, truth = sets.mnist("test")
    said = in_batches(model, vit.shuffled(pictures, 7)).argmax(1)
    yield Score("vit.mnist.shuffled", "the same, patches shuffled", (said == truth).float().mean().item(), ".0%")
    yield Score("vit.mnist.minutes", "minutes of one core to train it", core_minutes("vit-mnist"), ".1f", bar="<= 5")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "vit.scenes", questions
    yield "vit.held", pairings
    yield "vit.few", few
    yield "vit.order", order
    yield "vit.shift", shifts
    yield "vit.look", attention
    yield "vit.hide", hiding
    yield "vit.emoji", emoji
    yield "vit.minutes", minutes
    yield "vit.mnist", digits
