"""The weights of notebook 03. Autoencoders that meet defects, or only two of the four shapes:

    defect-100-64-6000       all training pictures have a defect; a code of 64 numbers, 6,000 steps
    shapes-16                trained on circles and squares only; a code of 16 numbers

What an autoencoder here does with a defect is decided by `batches` and `build`: all of them have one loss.
And the translator's network of notebook 01, where only the data differs (Dai & Le 2015; Vincent et al. 2008):

    copy-fixed-48-3600       as seq2seq-fixed-48-3600, from English to the same English: an autoencoder of sentences
    denoise-scaled-48-900    as seq2seq-scaled-48-900, from English with hidden words to whole English
"""

from __future__ import annotations

from functools import partial
from itertools import product

import torch

from ...data.batches import BATCH, scene_batches
from ...data.scenes import crowd
from ...models.autoencoder import Autoencoder, reconstruction_loss
from ...models.seq2seq import Seq2Seq, translation_loss
from ...training.recipes import Recipe, any_length
from ..seq2seq_attention.experiments import exact_by_count
from ..seq2seq_attention.recipes import LR, crowd_batches
from .experiments import (
    COPY,
    DEFECT_CODES,
    DEFECT_SHARES,
    DEFECT_STEPS,
    WATCHER_CODES,
    evaluate_alarm,
    evaluate_defects,
    evaluate_repairs,
    hide_words,
    of_shapes,
    with_defect,
)

# About the smallest that draws the defect at d = 64, and the smallest that raises the alarm; twelve of the first ship.
DEFECT_SIZES = {"width": 32, "bottom": 32, "hidden": 176}
WATCHER_SIZES = {"width": 32, "bottom": 16, "hidden": 128}


def scenes_with_defects(share: float):
    """Scenes drawn anew at every step, a share of them with a defect."""
    clean = scene_batches()
    return lambda step: with_defect(clean(step), share)[0]


def scenes_of_two_shapes():
    return lambda step: of_shapes(True, BATCH, torch.default_generator)


def damaged_sentences():
    """Sentences with hidden words, and the same whole."""
    whole = crowd_batches(**COPY)

    def batches(step):
        src, tgt = whole(step)
        return hide_words(src), tgt

    return batches


def on_sentences(task: str, score: str | None, steps: int, batches, what: str, evaluate) -> Recipe:
    build = partial(Seq2Seq, list(crowd.ENGLISH), list(crowd.ENGLISH), embedding=32, hidden=48, score=score)
    return Recipe(
        name=f"{task}-{score or 'fixed'}-48-{steps}", build=build, batches=batches, loss=translation_loss,
        evaluate=evaluate, steps=steps, lr=LR, sizes={"gpu": {"steps": 4 * steps}},
        data=f"English sentences about one to five objects, made anew at every step, batches of 64; {what}",
    )


def recipes():
    """The recipes of this notebook."""
    for share, code, steps in product(DEFECT_SHARES, DEFECT_CODES, DEFECT_STEPS):
        yield Recipe(
            name=f"defect-{share}-{code}-{steps}", build=partial(Autoencoder, code, **DEFECT_SIZES),
            batches=any_length(scenes_with_defects, share / 100), loss=reconstruction_loss, evaluate=evaluate_defects,
            data=f"tiny scenes, drawn anew at every step, {share} % with a defect, batches of 32", steps=steps,
            sizes={"gpu": {"steps": 4 * steps}},
        )
    for code in WATCHER_CODES:
        yield Recipe(
            name=f"shapes-{code}", build=partial(Autoencoder, code, **WATCHER_SIZES),
            batches=any_length(scenes_of_two_shapes), loss=reconstruction_loss, evaluate=evaluate_alarm, steps=3000,
            data="tiny scenes of circles and squares, drawn anew at every step, batches of 32",
            sizes={"gpu": {"steps": 12_000}},
        )
    copies = any_length(crowd_batches, **COPY), "the target is the source", partial(exact_by_count, **COPY)
    for score, steps in ((None, 900), (None, 3600), ("scaled", 900)):
        yield on_sentences("copy", score, steps, *copies)
    yield on_sentences("denoise", "scaled", 900, any_length(damaged_sentences),
                       "15 % of the source's words are hidden, the target is whole", evaluate_repairs)
