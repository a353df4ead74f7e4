r"""The weights of notebook 01: sentences about tiny scenes from Korean to English.

    seq2seq-fixed-48-3600      one context vector, 48 hidden units, 3,600 steps
    seq2seq-scaled-48-900      attention with that score function; also additive, dot, general
    seq2seq-*-short            trained on one to three objects only
    seq2seq-free-48-900        trained on its own words instead of the right ones
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F

from ...data.scenes import crowd
from ...models.decoding import greedy
from ...models.seq2seq import SCORES, Seq2Seq, free_running_loss, translation_loss
from ...training.recipes import Recipe, any_length
from . import real_language

HIDDEN = (16, 32, 48, 96)
STEPS = (900, 3600)
COUNTS = tuple(range(1, crowd.MOST + 1))  # objects in a sentence
SHORT = COUNTS[:3]
NEW_CROWDS_SEED = 1_000_003  # of the sentences that figures are measured on


def new_crowds(counts: Sequence[int] = COUNTS, batch: int = 64, **languages):
    r"""Sentences made anew at every step. languages: source and target of `crowd_batch`, Korean and English."""

    def batches(step):
        return crowd.crowd_batch(*crowd.sample_crowd(counts, batch, torch.default_generator), **languages)

    return batches


def exact(model, count: int, n: int = 400, split: str = "test", **languages) -> float:
    r"""Share of n new sentences about `count` objects that greedy search translates without one wrong word.

    split: of `sample_crowd`; "test" has sentences that no training shows, "held_out" the pairings of shape and
    colour that none shows.
    """
    generator = torch.Generator().manual_seed(NEW_CROWDS_SEED + count)
    src, tgt = crowd.crowd_batch(*crowd.sample_crowd(count, n, generator, split), **languages)
    limit = tgt.shape[1] - 1
    words = greedy(model, src.to(next(model.parameters()).device), limit).words.cpu()
    return (F.pad(words, (0, limit - words.shape[1])) == tgt[:, 1:]).all(1).float().mean().item()


def evaluate_crowds(model) -> dict[str, float]:
    return {f"exact_{count}": exact(model, count) for count in COUNTS}


def translator(score: str | None, hidden: int) -> Seq2Seq:
    r"""An untrained model from Korean to English for sentences about tiny scenes."""
    return Seq2Seq(list(crowd.KOREAN), list(crowd.ENGLISH), embedding=32, hidden=hidden, score=score)


def translation(name: str, score: str | None, hidden: int, steps: int, counts=COUNTS, loss=translation_loss) -> Recipe:
    many = f"one to {('three', 'five')[len(counts) == len(COUNTS)]} objects"
    return Recipe(
        name=f"seq2seq-{name}", build=partial(translator, score, hidden), batches=any_length(new_crowds, counts),
        loss=loss, evaluate=evaluate_crowds, steps=steps, lr=LR,
        data=f"Korean and English sentences about {many}, made anew at every step, batches of 64",
        sizes={"gpu": {"steps": 4 * steps}},
    )


LR = 8e-3  # at 3e-3 the fixed vector gets half of two objects right after 3,600 steps, not all


def recipes():
    r"""The recipes of this notebook."""
    for hidden in HIDDEN:
        for steps in STEPS:
            yield translation(f"fixed-{hidden}-{steps}", None, hidden, steps)
        yield translation(f"scaled-{hidden}-900", "scaled", hidden, 900)
    yield translation("fixed-48-7200", None, 48, 7200)
    for score in SCORES:
        if score != "scaled":
            yield translation(f"{score}-48-900", score, 48, 900)
    yield translation("free-48-900", "scaled", 48, 900, loss=free_running_loss)
    yield translation("fixed-48-short", None, 48, 3600, SHORT)
    yield translation("scaled-48-short", "scaled", 48, 900, SHORT)
    yield from real_language.recipes()
