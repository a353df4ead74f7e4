r"""Notebook 00: the parser of the tiny scenes against the truth, and what drawings of emoji have to beat."""

from __future__ import annotations

from collections import Counter

import torch

from ...course.scores import Score
from ...data.emoji import HANDS, HELD_OUT_BY, load_emoji
from ...data.scenes.__main__ import all_six
from ...training.checkpoints import load
from .experiments import CATEGORY_SEEDS, TAUGHT, category_accuracy, nearest_seen, seen_emoji


def parser():
    yield Score("scenes.parser.clean", "pictures with all six factors read right", all_six(4000), ".2%", bar=">= 1")
    yield Score("scenes.parser.noisy", "the same under noise of 0.05 on [0, 1]", all_six(4000, noise=0.05), ".2%",
                bar=">= 0.995")
    yield Score("scenes.parser.pairs", "two-object scenes read right", all_six(2000, pairs=True), ".2%", bar=">= 0.99")


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


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "scenes", parser
    yield "emoji.nearest", nearest
    yield "emoji.category", categories
