r"""The weights of notebook 01 that read real language: emoji names, Multi30k and Tatoeba.

    seq2seq-emoji             Korean names of emoji to English
    seq2seq-multi30k-scaled   German to English with attention; seq2seq-multi30k-fixed without
    seq2seq-tatoeba           Korean to English
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, lru_cache, partial

import torch

from ...data import sets
from ...data.text import BOS, EOS, Tokenizer, pad
from ...models.seq2seq import Seq2Seq, translation_loss
from ...systems.translator import Translator
from ...training.recipes import Recipe, any_length

Pairs = Sequence[tuple[str, str]]
BEAM = 5  # width of the search whose translations are scored


def emoji_names(split: str) -> Pairs:
    r"""(Korean, English) names; those of a held-out family are in "test"."""
    emoji = sets.load_emoji(split)
    return list(zip(emoji.names_ko, emoji.names_en, strict=True))


@cache
def tokenizers(load: Callable[[str], Pairs], size: int, least: int = 3) -> tuple[Tokenizer, Tokenizer]:
    r"""Of the source and the target, learned from the training sentences; size and least as in `Tokenizer.learn`."""
    sources, targets = zip(*load("train"), strict=True)
    return Tokenizer.learn(sources, size, least), Tokenizer.learn(targets, size, least)


def build(load: Callable[[str], Pairs], size: int, least: int = 3, **sizes) -> Seq2Seq:
    source, target = tokenizers(load, size, least)
    return Seq2Seq(source.vocabulary, target.vocabulary, **sizes)


def batches_of_pairs(load: Callable[[str], Pairs], size: int, batch: int, least: int = 3):
    r"""Sentences of about the same length in one batch, so that little of it is padding; each once an epoch."""
    source, target = tokenizers(load, size, least)
    pairs = [([*source.encode(x), EOS], [BOS, *target.encode(y), EOS]) for x, y in load("train")]
    lengths = torch.tensor([len(x) + len(y) for x, y in pairs])
    count = len(pairs) // batch

    @lru_cache(maxsize=1)
    def epoch(number):
        # A little noise on the lengths, so that each epoch puts other sentences together and leaves others out.
        generator = torch.Generator().manual_seed(number)
        order = (lengths + 6 * torch.rand(len(pairs), generator=generator)).argsort()
        start = int(torch.randint(len(pairs) - count * batch + 1, (1,), generator=generator))
        rows = order[start:start + count * batch].view(count, batch)
        return rows[torch.randperm(count, generator=generator)]

    def batches(step):
        sources, targets = zip(*(pairs[row] for row in epoch(step // count)[step % count]), strict=True)
        return pad(sources), pad(targets)

    return batches


def translate(model, pairs: Pairs, beam: int = BEAM) -> list[str]:
    r"""What the model makes of the sources of pairs."""
    return Translator(model).translate([source for source, _ in pairs], beam=beam)


def evaluate(load: Callable[[str], Pairs], model) -> dict[str, float]:
    from ...metrics.sentences import (  # not at the top: notebooks that don't translate save 10 MB
        bleu,
        chrf,
        exact_match,
    )

    pairs = load("test")
    written, right = translate(model, pairs), [target for _, target in pairs]
    return {"bleu": bleu(written, right), "chrf": chrf(written, right), "exact": exact_match(written, right)}


def translation(name: str, load: Callable[[str], Pairs], text: str, size: int, batch: int, gpu: dict, steps: int,
                least: int = 3, **sizes) -> Recipe:
    return Recipe(
        name=f"seq2seq-{name}", build=partial(build, load, size, least, **sizes),
        batches=any_length(batches_of_pairs, load, size, batch, least), loss=partial(translation_loss, smoothing=0.1),
        evaluate=partial(evaluate, load), data=f"{text}, batches of {batch}", steps=steps, lr=3e-3, ema=0.999,
        sizes={"gpu": {"build": partial(build, load, size, least, **sizes | gpu)}},
    )


LARGE = {"embedding": 256, "hidden": 512}


def recipes():
    r"""The recipes of this file; those of `recipes.py` take them in."""
    for name, score in (("scaled", "scaled"), ("fixed", None)):
        yield translation(f"multi30k-{name}", sets.multi30k, "Multi30k, German and English, 29,000 pairs", 2500, 128,
                          LARGE, 6000, score=score, embedding=128, hidden=192, dropout=0.25)
    # Korean writes with hundreds of syllables, many of them rare. With least=1, which keeps all that training shows,
    # and twice the steps, BLEU on Tatoeba's validation split is 8.5 instead of 6.3; emoji names gained nothing by it.
    yield translation("tatoeba", sets.tatoeba, "Tatoeba, Korean and English, 3,040 pairs", 2000, 64, LARGE, 3000,
                      least=1, embedding=96, hidden=128, dropout=0.4)
    yield translation("emoji", emoji_names, "names of the emoji of the training families, Korean and English", 1200, 64,
                      LARGE, 2000, embedding=96, hidden=128, dropout=0.4)
