r"""The sentences of notebook 03: the translator's network of notebook 01, made to copy and to repair.

    copy-fixed-48-3600       as seq2seq-fixed-48-3600, from English to the same English: an autoencoder of sentences
    denoise-scaled-48-900    as seq2seq-scaled-48-900, from English with hidden words to whole English

Only the data differs from notebook 01: Dai & Le 2015 for the copies, Vincent et al. 2008 for the repairs.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ...data.batches import NEW_SCENES_SEED
from ...data.scenes import COLUMNS, ROWS, VALUES, crowd
from ...data.text import EOS, MARK, PAD, SPECIALS, UNK
from ...models.seq2seq import Seq2Seq, translation_loss
from ...training.recipes import Recipe, any_length
from ..seq2seq_attention.recipes import COUNTS, LR, exact, new_crowds

COPY = {"source": "en", "target": "en"}
SHARE = 0.15  # of the words of a sentence that the denoiser must repair, as in Devlin et al. 2019

# What the best guess at a hidden word finds where nothing else in the sentence tells it. For shape and colour the other
# one of the two is seen, and only 28 of their 32 pairings occur.
GUESS = {"size": 1 / 2, "background": 1 / 3, "shape": 8 / 28, "colour": 4 / 28}


def hide_words(src: Tensor, share: float = SHARE) -> Tensor:
    r"""Sources (B, S) with each word hidden, as UNK, with probability `share`; end marks and padding stay."""
    hidden = (torch.rand(src.shape) < share).to(src.device) & (src != EOS) & (src != PAD)
    return src.masked_fill(hidden, UNK)


def hidden_crowds():
    r"""Sentences with hidden words, and the same whole."""
    whole = new_crowds(**COPY)

    def batches(step):
        src, tgt = whole(step)
        return hide_words(src), tgt

    return batches


def evaluate_copies(model) -> dict[str, float]:
    return {f"exact_{count}": exact(model, count, **COPY) for count in COUNTS}


def kinds_of_words() -> dict[str, list[int]]:
    r"""The words of the English sentences by what they say: {"colour": ids, ..., "grammar": the rest}."""
    names = {name: VALUES[name] for name in ("size", "colour", "shape", "background")} | {"place": ROWS + COLUMNS}
    number = {token.removeprefix(MARK): i for i, token in enumerate(crowd.ENGLISH) if i >= len(SPECIALS)}
    kinds = {kind: [number.pop(word) for word in dict.fromkeys(words)] for kind, words in names.items()}
    return {"grammar": list(number.values())} | kinds


@torch.no_grad()
def repairs(model, n: int = 2000) -> tuple[Tensor, Tensor]:
    r"""The words (m,) that were hidden in n new sentences, and which of them (m,) the model writes.

    It is given the right words before each, as in training.
    """
    with torch.random.fork_rng([]):
        torch.manual_seed(NEW_SCENES_SEED)
        src, tgt = crowd.crowd_batch(*crowd.sample_crowd(COUNTS, n, torch.default_generator, "test"), **COPY)
        seen = hide_words(src)
    written = model(seen, tgt[:, :-1]).argmax(2)
    return src[seen != src], (written == src)[seen != src]


def evaluate_repairs(model) -> dict[str, float]:
    return {"repaired": repairs(model)[1].float().mean().item()}


def copier(score: str | None) -> Seq2Seq:
    r"""An untrained network as `seq2seq.translator` builds it, with English on both sides."""
    return Seq2Seq(list(crowd.ENGLISH), list(crowd.ENGLISH), embedding=32, hidden=48, score=score)


ABOUT = "English sentences about one to five objects, made anew at every step, batches of 64"
ON_CROWDS = {"loss": translation_loss, "lr": LR}


def recipes():
    r"""The recipes of this file; those of `recipes.py` take them in."""
    for name, score, steps in (("fixed", None, 900), ("fixed", None, 3600), ("scaled", "scaled", 900)):
        yield Recipe(
            name=f"copy-{name}-48-{steps}", build=partial(copier, score), batches=any_length(new_crowds, **COPY),
            evaluate=evaluate_copies, data=f"{ABOUT}; the target is the source", steps=steps, **ON_CROWDS,
            sizes={"gpu": {"steps": 4 * steps}},
        )

    yield Recipe(
        name="denoise-scaled-48-900", build=partial(copier, "scaled"), batches=any_length(hidden_crowds),
        evaluate=evaluate_repairs, steps=900, **ON_CROWDS,
        data=f"{ABOUT}; 15 % of the source's words are hidden, the target is whole",
        sizes={"gpu": {"steps": 3600}},
    )
