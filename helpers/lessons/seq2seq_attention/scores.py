r"""The figures of notebook 01: sentences about tiny scenes, emoji names, and two real languages."""

from __future__ import annotations

import re
from itertools import product

import torch

from ...course.scores import Score
from ...data import sets
from ...data.scenes import crowd
from ...data.text import Tokenizer
from ...metrics.sentences import bleu, chrf, exact_match
from ...models import decoding
from ...models.seq2seq import SCORES, free_running_loss, translation_loss
from ...systems.translator import Translator
from ...training.checkpoints import load
from .real_language import emoji_names, translate
from .recipes import COUNTS, HIDDEN, NEW_CROWDS_SEED, STEPS, exact

TUTORIAL = 28.3  # BLEU of bentrevett/pytorch-seq2seq's attention model on the same 1,000 test sentences
EQUAL = 900  # steps at which the two kinds of model are compared


def new_crowd(count: int, n: int = 400):
    r"""src, tgt and the true alignment of sentences that no training shows."""
    generator = torch.Generator().manual_seed(NEW_CROWDS_SEED + count)
    objects, background = crowd.sample_crowd(count, n, generator, "test")
    return *crowd.crowd_batch(objects, background), crowd.alignments(objects, background)


def without_attention():
    bars = {(48, steps, count): bar for steps in (3600, 7200) for count, bar in ((2, ">= 0.9"), (5, "<= 0.3"))}
    for hidden, steps in (*product(HIDDEN, STEPS), (48, 7200)):
        model, _ = load(f"seq2seq-fixed-{hidden}-{steps}")
        for count in COUNTS:
            yield Score(f"seq2seq.fixed.{hidden}.{steps}.{count}", f"sentences about {count} objects translated "
                        f"exactly, without attention, hidden size {hidden}, {steps:,} steps", exact(model, count),
                        ".0%", bar=bars.get((hidden, steps, count), ""))


def attributes():
    r"""Five objects again, by attribute: shape, colour, size, column and row of each, and the background."""
    for steps in (3600, 7200):
        model, _ = load(f"seq2seq-fixed-48-{steps}")
        src, tgt, _ = new_crowd(5)
        right = attributes_right(model, src, tgt).mean().item()
        yield Score(f"seq2seq.attributes.{steps}", f"attributes of five objects that are right, one vector, hidden "
                    f"size 48, {steps:,} steps", right, ".0%")


def attributes_right(model, src, tgt):
    r"""The share of attributes of each sentence (n,) that its translation states rightly; 0 where it cannot be read."""
    en, shares = Tokenizer(crowd.ENGLISH), []
    for mine, right in zip(decoding.greedy(model, src, tgt.shape[1]).words, tgt, strict=True):
        (objects, background), shares_here = crowd.read_crowd_caption(en.decode(right)), 0.0
        try:
            found, ground = crowd.read_crowd_caption(en.decode(mine))
        except ValueError:  # an unfinished object: not a sentence of this language
            found = torch.empty(0, 5)
        if len(found) == len(objects):
            shares_here = ((found == objects).sum().item() + (ground == background)) / (objects.numel() + 1)
        shares.append(shares_here)
    return torch.tensor(shares)


def unseen_pairings():
    r"""Sentences whose objects are all of pairings of shape and colour that no training shows."""
    for name in ("fixed-48-3600", "fixed-48-7200", "scaled-48-900"):
        model, _ = load(f"seq2seq-{name}")
        for count in (1, 2, 5):
            yield Score(f"seq2seq.held_out.{name}.{count}", f"exact translations of {count} objects with unseen "
                        f"pairings of shape and colour, {name}", exact(model, count, split="held_out"),
                        ".0%")


def with_attention():
    for score in SCORES:
        for hidden in HIDDEN if score == "scaled" else (48,):
            model, _ = load(f"seq2seq-{score}-{hidden}-{EQUAL}")
            for count in COUNTS:
                yield Score(f"seq2seq.attention.{score}.{hidden}.{count}", f"sentences about {count} objects "
                            f"translated exactly, {score} attention, hidden size {hidden}, {EQUAL} steps",
                            exact(model, count), ".0%",
                            bar=">= 0.98" if hidden == 48 and score != "dot" else "")


def longer_than_trained_on():
    for kind in ("fixed", "scaled"):
        model, _ = load(f"seq2seq-{kind}-48-short")
        translator = Translator(model)
        for count in COUNTS:
            src, tgt, _ = new_crowd(count)
            written = [translator.target.decode(row) for row in decoding.greedy(model, src).words]
            right = [translator.target.decode(row) for row in tgt]
            what = f"{kind}, trained on one to three objects, {count} objects"
            yield Score(f"seq2seq.short.{kind}.exact.{count}", f"exact translations: {what}",
                        exact_match(written, right), ".0%")
            yield Score(f"seq2seq.short.{kind}.bleu.{count}", f"BLEU: {what}", bleu(written, right), ".0f")


@torch.no_grad()
def teacher_forcing():
    for name, what in (("scaled-48-900", "teacher forcing"), ("free-48-900", "its own words")):
        model, _ = load(f"seq2seq-{name}")
        for count in (1, 5):
            yield Score(f"seq2seq.forcing.{name}.exact.{count}", f"exact translations, {count} objects, trained with "
                        f"{what}", exact(model, count), ".0%")
    model, _ = load("seq2seq-fixed-48-3600")
    src, tgt, _ = new_crowd(5)
    for name, loss in (("right", translation_loss), ("own", free_running_loss)):
        share = loss(model, (src, tgt))[1]["accuracy"].item()
        yield Score(f"seq2seq.forcing.words.{name}", f"words that are right, given the {name} ones before, five "
                    "objects, one vector, 3,600 steps", share, ".0%")


def alignments():
    for score in SCORES:
        model, _ = load(f"seq2seq-{score}-48-{EQUAL}")
        src, tgt, truth = new_crowd(3)
        weights = decoding.alignment(model, src, tgt[:, 1:])
        for name, what, value in alignment_figures(weights, truth):
            bar = {"near": ">= 0.85", "mass": ">= 0.8"}.get(name, "") if score == "scaled" else ""
            yield Score(f"seq2seq.alignment.{score}.{name}", f"{what}, {score}, three objects", value, ".0%", bar=bar)


def alignment_figures(weights, truth):
    r"""Weights (n, T, S) against the true source token (n, T), -1 where there is none: (name, in words, share).

    Only words that have a counterpart count.
    """
    weights, truth = weights[truth >= 0], truth[truth >= 0]                        # (m, S), (m,)
    distance = (torch.arange(weights.shape[1]) - truth[:, None]).abs()
    off = distance.gather(1, weights.argmax(1, keepdim=True))
    yield "exact", "largest weight on the word that is translated", (off == 0).float().mean().item()
    yield "near", "largest weight on it or a neighbour", (off <= 1).float().mean().item()
    yield "mass", "weight on it and its neighbours together", (weights * (distance <= 1)).sum(1).mean().item()


def emoji():
    model, _ = load("seq2seq-emoji")
    pairs, known = emoji_names("test"), {name for _, name in emoji_names("train")}
    written, right = translate(model, pairs), [target for _, target in pairs]
    yield Score("seq2seq.emoji.exact", "names of held-out families translated exactly", exact_match(written, right),
                ".0%")
    yield Score("seq2seq.emoji.bleu", "BLEU of these names", bleu(written, right), ".1f")
    yield Score("seq2seq.emoji.chrf", "chrF of these names", chrf(written, right), ".1f")
    plain = [[re.sub(r"(light|medium-light|medium|medium-dark|dark) skin tone", "", text) for text in texts]
             for texts in (written, right)]
    yield Score("seq2seq.emoji.bleu_without_tone", "BLEU of the names without their skin tones", bleu(*plain), ".1f")
    wrong = [text for text, target in zip(written, right, strict=True) if text != target]
    yield Score("seq2seq.emoji.memory", "of the wrong ones, those that are a training name word for word",
                sum(text in known for text in wrong) / len(wrong), ".0%")
    pairs = emoji_names("train")
    yield Score("seq2seq.emoji.train", "training names translated exactly, every eighth",
                exact_match(translate(model, pairs[::8]), [target for _, target in pairs[::8]]), ".0%")


def multi30k():
    pairs = sets.multi30k("test")
    right, found = [target for _, target in pairs], {}
    for kind, bar in (("scaled", f">= {TUTORIAL}"), ("fixed", "")):
        model, _ = load(f"seq2seq-multi30k-{kind}")
        what = "with attention" if kind == "scaled" else "without attention"
        for beam in (1, 5):
            written = translate(model, pairs, beam)
            found[kind] = bleu(written, right)
            yield Score(f"seq2seq.multi30k.{kind}.beam_{beam}", f"BLEU on test_2016_flickr, {what}, beam {beam}",
                        found[kind], ".1f", TUTORIAL, bar if beam == 5 else "")
        yield Score(f"seq2seq.multi30k.{kind}.chrf", f"chrF, {what}, beam 5", chrf(written, right), ".1f")
    yield Score("seq2seq.multi30k.gain", "BLEU that attention adds, beam 5", found["scaled"] - found["fixed"], ".1f",
                bar=">= 5")


def tatoeba():
    pairs = sets.tatoeba("test")
    written, right = translate(load("seq2seq-tatoeba")[0], pairs), [target for _, target in pairs]
    yield Score("seq2seq.tatoeba.bleu", "BLEU on held-out sentences, beam 5", bleu(written, right), ".1f")
    yield Score("seq2seq.tatoeba.chrf", "chrF on held-out sentences, beam 5", chrf(written, right), ".1f")
    yield Score("seq2seq.tatoeba.exact", "exact translations", exact_match(written, right), ".1%")


def minutes():
    r"""Training times as the cards recorded them: the machine and its load on that day, not a property of the code."""
    for name, limit in (("scaled-48-900", 5), ("fixed-48-3600", 5), ("multi30k-scaled", 45), ("multi30k-fixed", 45)):
        seconds = load(f"seq2seq-{name}")[1].metrics["training_seconds"]
        yield Score(f"seq2seq.minutes.{name}", f"minutes of training seq2seq-{name} as recorded, on one core of two",
                    seconds / 60, ".1f", bar=f"<= {limit}")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "seq2seq.fixed", without_attention
    yield "seq2seq.attributes", attributes
    yield "seq2seq.held_out", unseen_pairings
    yield "seq2seq.attention", with_attention
    yield "seq2seq.short", longer_than_trained_on
    yield "seq2seq.forcing", teacher_forcing
    yield "seq2seq.alignment", alignments
    yield "seq2seq.emoji", emoji
    yield "seq2seq.multi30k", multi30k
    yield "seq2seq.tatoeba", tatoeba
    yield "seq2seq.minutes", minutes
