"""The figures of notebook 11: what the course's CLIP finds and confuses, its losses compared, and SimCLR's features."""

from __future__ import annotations

import torch

from ...course.scores import Score
from ...data.scenes import COLOURS, LANGUAGES, SHAPES
from ...models.simclr import SimCLR
from ...training import tuning
from ...training.checkpoints import load
from . import experiments as clip
from .nearest import name_of_nearest
from .probes import kept_factors

CHANCE = 1 / (len(SHAPES) * len(COLOURS))
DRAWS = 8  # of wordings
LANGUAGE_NAMES = {"en": "English", "ko": "Korean"}


def minutes():
    yield Score("clip.minutes", "minutes that the training of the course's CLIP took, on one core of a busy machine",
                load("clip")[1].metrics["training_seconds"] / 60, ".0f")


def on_scenes():
    model = load("clip")[0]
    recalls = {language: clip.scene_recall(model, language) for language in LANGUAGES}
    for language, name in LANGUAGE_NAMES.items():
        yield Score(f"clip.scenes.recall.{language}", f"{name} captions as people type them: their scene first "
                    f"of {clip.CANDIDATES}", recalls[language], ".1%", 1 / clip.CANDIDATES, ">= 0.95")
        yield Score(f"clip.scenes.zero_shot.{language}", f"shape and colour named, 32 classes in {name}",
                    clip.zero_shot(model, "train", language), ".1%", CHANCE, ">= 0.95")
        yield Score(f"clip.scenes.held_out.{language}", "the same of pairings that were never taught",
                    clip.zero_shot(model, "held_out", language), ".1%", CHANCE, f"> {CHANCE:.3f}")
    yield Score("clip.scenes.languages", "by how much Korean recall lies below English",
                recalls["en"] - recalls["ko"], ".1%", 0, "<= 0.02")
    yield Score("clip.scenes.whole", "shape and colour named, of 32 captions that say all six factors",
                clip.zero_shot(model, whole=True, n=200), ".1%", CHANCE, "> 0.5")


def wordings():
    """One wording of each class against the mean of eight, as the wordings that are drawn differ."""
    model = load("clip")[0]
    for split, what in (("train", "shape and colour named"), ("held_out", "the same of pairings never taught")):
        for count, name in ((1, "one"), (8, "eight")):
            found = [clip.ensemble(model, split, count, seed=seed) for seed in range(DRAWS)]
            told = f"{what}, each class told in {count} of the wordings that people type"
            for which, choose in (("least", min), ("most", max)):
                yield Score(f"clip.wordings.{split}.{name}.{which}", f"{told}: {which} of {DRAWS} draws",
                            choose(found), ".0%", CHANCE)


def korean():
    """A Korean text tower on the frozen image tower, as recorded."""
    found, both = tuning.find("clip-korean", seed=0), load("clip")[1].metrics
    for figure, what in (("recall", "the scene found first of 256"), ("zero_shot", "shape and colour named")):
        yield Score(f"clip.korean.{figure}", f"Korean tower on the frozen pictures: {what} (baseline: both trained)",
                    found[f"{figure}_ko"], ".0%", both[f"{figure}_ko"], ">= 0.95")


def two_objects():
    model = load("clip")[0]
    for swap, bar in (("colours", "<= 0.75"), ("shapes", "<= 0.75"), ("relation", "<= 0.75")):
        yield Score(f"clip.two.{swap}", f"the true caption preferred to one with the {swap} swapped (chance: half)",
                    clip.kept_apart(model, swap), ".0%", 0.5, bar)


def on_emoji():
    model = load("clip")[0]
    for by, first, what in (("family", 10, "held-out families: the name among the first ten of all held-out names"),
                            ("hand", 1, "seen emoji in a hand that was held out: the name first of all of those")):
        for language, name in LANGUAGE_NAMES.items():
            nearest = name_of_nearest(by, first, language)
            yield Score(f"clip.emoji.{by}.{language}", f"{what}, {name} (baseline: the nearest picture in pixels)",
                        clip.emoji_recall(model, by, first, language), ".0%", nearest, "> 0.1")
            yield Score(f"clip.emoji.nearest.{by}.{language}", f"{what}, by the nearest picture in pixels, {name}",
                        nearest, ".0%")


def negatives():
    for name, drop in (("partial", 0.5), ("whole", 0.0)):
        yield Score(f"clip.negatives.{name}", f"other captions of a batch of 128 that fit a scene, {name} captions",
                    127 * clip.chance_of_fit(drop), ".2g")


def simclr():
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        untrained = SimCLR(**load("simclr-colours")[0].config).eval()
    kept = {name: kept_factors(load(f"simclr-{name}")[0].tower) for name in ("crops", "colours")}
    before = kept_factors(untrained.tower)
    yield Score("simclr.shape", "shape from the features by a linear probe, colours turned (baseline: untrained)",
                kept["colours"]["shape"], ".0%", before["shape"], ">= 0.85")
    other = [tuning.find("simclr-colours", seed=seed)["shape"] for seed in (1, 2)]
    yield Score("simclr.shape.least", "the least of three seeds", min(kept["colours"]["shape"], *other), ".0%",
                before["shape"])
    yield Score("simclr.shape.crops", "the same where the views were crops alone", kept["crops"]["shape"], ".0%",
                before["shape"])
    yield Score("simclr.shape.untrained", "the same of untrained features", before["shape"], ".0%", 0.25)
    for name, figures in kept.items():
        yield Score(f"simclr.colour.{name}", f"colour from the features, views: {name} (baseline: untrained)",
                    figures["colour"], ".0%", before["colour"])
    yield Score("simclr.colour.fall", "how much of the colour is lost where the colours of the views were turned",
                kept["crops"]["colour"] - kept["colours"]["colour"], ".0%", 0, ">= 0.2")


def groups():
    """(what the names of its scores begin with, the function that yields them)."""
    yield "clip.minutes", minutes
    yield "clip.scenes", on_scenes
    yield "clip.wordings", wordings
    yield "clip.korean", korean
    yield "clip.two", two_objects
    yield "clip.emoji", on_emoji
    yield "clip.negatives", negatives
    yield "simclr", simclr
