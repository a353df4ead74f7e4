r"""Notebook 00: parser, judge and caption reader against the truth, and what drawings of emoji have to beat."""

from __future__ import annotations

from collections import Counter

import torch

from ...course.scores import Score
from ...data import scenes
from ...data.emoji import HANDS, HELD_OUT_BY, load_emoji
from ...data.scenes.__main__ import all_six, read_back
from ...data.scenes.blurring import blur
from ...training.checkpoints import load
from .experiments import CATEGORY_SEEDS, TAUGHT, category_accuracy, nearest_seen, seen_emoji
from .false_pairs import PAIR_KINDS, pairs_apart
from .false_scenes import BIG, KINDS, SMALL
from .outlines import drawn_apart


def parser():
    yield Score("scenes.parser.clean", "pictures with all six factors read right", all_six(4000), ".2%", bar=">= 1")
    yield Score("scenes.parser.noisy", "the same under noise of 0.05 on [0, 1]", all_six(4000, noise=0.05), ".2%",
                bar=">= 0.995")
    yield Score("scenes.parser.pairs", "two-object scenes read right", all_six(2000, pairs=True), ".2%", bar=">= 0.99")


def single(n: int = 1000):
    r"""What the judge takes for scenes: true ones by two drawers, noisy, blurred ones, and all kinds of false ones."""
    ours = scenes.make_scenes(n, 11, "all")[0]
    theirs, generator = drawn_apart(None, n, seeded()), seeded(1)
    for name, images, bar in (("draw", ours, 0.995), ("apart", theirs, 0.995), ("blurred", blur(ours, 0.7), 0.95),
                              ("noisy", ours + 0.06 * torch.randn(ours.shape, generator=generator), 0.95)):
        yield Score(f"scenes.judge.true.{name}", f"true scenes accepted: {name}", valid(images), ".1%", bar=f">= {bar}")
    for word, size, bar in (("big", BIG, 0.02), ("small", SMALL, 0.10)):
        shares = {name: valid(kind(size, n, seeded())) for name, kind in KINDS.items()}
        worst = max(shares, key=shares.get)
        yield Score(f"scenes.judge.false.{word}", f"accepted of the worst of {len(KINDS)} kinds of false scenes, "
                    f"{word} objects: {worst}", shares[worst], ".1%", bar=f"<= {bar}")


def judge_of_pairs(n: int = 1000):
    r"""The same of two objects with a relation."""
    for name, images in (("draw", scenes.make_pairs(n, 11, "all")[0]), ("apart", pairs_apart(n, seeded()))):
        yield Score(f"scenes.pairs.true.{name}", f"true scenes of two objects accepted: {name}",
                    valid(images, scenes.parse_pairs), ".1%", bar=">= 0.99")
    shares = {name: valid(kind(n, seeded()), scenes.parse_pairs) for name, kind in PAIR_KINDS.items()}
    worst = max(shares, key=shares.get)
    yield Score("scenes.pairs.false", f"accepted of the worst of {len(PAIR_KINDS)} kinds of false pairs: {worst}",
                shares[worst], ".1%", bar="<= 0.03")


def valid(images, read=scenes.parse) -> float:
    r"""The share of pictures that are valid."""
    return read(images).shares()["valid"]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def nearest():
    seen = seen_emoji().images
    for by in HELD_OUT_BY:
        x = load_emoji("test", HANDS, by).images
        white = ((1 - x) / 2).square().flatten(1).mean(1).sqrt().mean().item()
        yield Score(f"emoji.nearest.{by}", f"error of the nearest seen picture, by {by} (baseline: a white page)",
                    nearest_seen(x, seen)[0].mean().item(), ".3f", white)


def categories():
    most, _ = Counter(load_emoji("train", TAUGHT, HELD_OUT_BY, dtype=torch.uint8).categories).most_common(1)[0]
    test = load_emoji("test", TAUGHT, dtype=torch.uint8).categories
    majority = test.count(most) / len(test)
    found = [category_accuracy(load(f"emoji-category-{seed}")[0]) for seed in CATEGORY_SEEDS]
    shares, means = ([figures[name] for figures in found] for name in ("accuracy", "mean_over_categories"))
    yield Score("emoji.category.mean", "category named, held-out families, mean of three seeds (baseline: majority)",
                sum(shares) / len(shares), ".0%", majority)
    yield Score("emoji.category.least", "the worst of three seeds", min(shares), ".0%", majority,
                f"> {majority:.2f}")
    yield Score("emoji.category.majority", "the commonest category, always", majority, ".0%")
    yield Score("emoji.category.balanced", "mean over the categories, of three seeds (baseline: majority)",
                sum(means) / len(means), ".0%", 1 / len(set(test)))


def captions():
    for language, name in (("en", "English"), ("ko", "Korean")):
        for kind in ("one", "pairs", "crowds"):
            yield Score(f"scenes.captions.{language}.{kind}", f"{name} captions ({kind}), as people type them, read "
                        "as they were written, of 20,000", read_back(kind, language), ".2%", bar=">= 1")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "scenes.parser", parser
    yield "scenes.judge", single
    yield "scenes.pairs", judge_of_pairs
    yield "emoji.nearest", nearest
    yield "emoji.category", categories
    yield "scenes.captions", captions
