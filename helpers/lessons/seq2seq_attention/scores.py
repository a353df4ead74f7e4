"""The figures of notebook 01: sentences about tiny scenes, emoji names, and two real languages."""

from __future__ import annotations

import re

import torch

from ...course.scores import Score
from ...data import sets
from ...data.scenes import crowd
from ...data.text import Tokenizer
from ...metrics.sentences import bleu, chrf, exact_match
from ...models import decoding
from ...models.seq2seq import free_running_loss, translation_loss
from ...systems.translator import Translator
from ...training.checkpoints import load
from .experiments import (
    OBJECT_COUNTS,
    alignment_figures,
    emoji_names,
    exact,
    follows,
    fresh_sentences,
    noun_first,
    translate,
    typed_sentences,
    without_mistake,
)

TUTORIAL_BLEU = 28.3  # of bentrevett/pytorch-seq2seq's attention model on the same 1,000 test sentences


def without_attention():
    bars = {2: ">= 0.9", 5: "<= 0.3"}
    for steps, counts in ((900, (2, 5)), (3600, (2, 4, 5)), (7200, (2, 5))):
        model, _ = load(f"seq2seq-fixed-48-{steps}")
        for count in counts:
            yield Score(f"seq2seq.fixed.48.{steps}.{count}", f"sentences about {count} objects translated exactly, "
                        f"without attention, hidden size 48, {steps:,} steps", exact(model, count), ".0%",
                        bar=bars.get(count, "") if steps > 900 else "")


def attributes():
    """Five objects again, by attribute: shape, colour, size, column and row of each, and the background."""
    for steps in (3600, 7200):
        right = attributes_right(load(f"seq2seq-fixed-48-{steps}")[0], *fresh_sentences(5)[:2]).mean().item()
        yield Score(f"seq2seq.attributes.{steps}", f"attributes of five objects that are right, one vector, hidden "
                    f"size 48, {steps:,} steps", right, ".0%")


def attributes_right(model, src, tgt):
    """The share of attributes of each sentence (n,) that its translation states rightly; 0 where it cannot be read."""
    en, shares = Tokenizer(crowd.ENGLISH), []
    for mine, right in zip(decoding.greedy(model, src, tgt.shape[1]).words, tgt, strict=True):
        (objects, background), share = crowd.read_crowd_caption(en.decode(right)).factors(), 0.0
        try:
            found, ground = crowd.read_crowd_caption(en.decode(mine)).factors()
        except ValueError:  # an unfinished object: not a sentence of this language
            found = torch.empty(0, 5)
        if len(found) == len(objects):
            share = ((found == objects).sum().item() + (ground == background)) / (objects.numel() + 1)
        shares.append(share)
    return torch.tensor(shares)


def unseen_pairings():
    """Sentences whose objects are all of pairings of shape and colour that no training shows."""
    for name, count in (("fixed-48-3600", 1), ("fixed-48-7200", 1), ("scaled-48-900", 5)):
        yield Score(f"seq2seq.held_out.{name}.{count}", f"exact translations of {count} objects with unseen pairings "
                    f"of shape and colour, {name}", exact(load(f"seq2seq-{name}")[0], count, split="held_out"), ".0%")


def with_attention():
    for score in ("scaled", "additive", "general", "dot"):
        model, _ = load(f"seq2seq-{score}-48-900")
        for count in (5,) if score == "dot" else OBJECT_COUNTS:
            yield Score(f"seq2seq.attention.{score}.48.{count}", f"sentences about {count} objects translated exactly, "
                        f"{score} attention, hidden size 48, 900 steps", exact(model, count), ".0%",
                        bar="" if score == "dot" else ">= 0.98")


def as_people_type():
    """Korean as people type it: the network that has read one order, and the one that has read many."""
    one_order, many = Translator(load("seq2seq-scaled-48-900")[0]), load("seq2seq-typed")[0]
    for count in OBJECT_COUNTS:
        src, tgt = typed_sentences(count)
        yield Score(f"seq2seq.typed.many.{count}", f"sentences about {count} objects as people type them, exact, "
                    "trained on many orders", without_mistake(many, src, tgt).float().mean().item(), ".1%",
                    bar=">= 0.97")
        texts = [Tokenizer(crowd.KOREAN_AS_TYPED).decode(row) for row in src]
        right = [Tokenizer(crowd.ENGLISH).decode(row) for row in tgt]
        yield Score(f"seq2seq.typed.one.{count}", f"the same, {count} objects, trained on one order",
                    exact_match(one_order.translate(texts), right), ".1%", bar="<= 0.5")


def another_order():
    """The same words, the noun first: does attention follow the word, or the place where it stood in training?"""
    src, tgt, now, before = noun_first()
    model = load("seq2seq-scaled-48-900")[0]
    word, place = follows(decoding.alignment(model, src, tgt[:, 1:]), now, before)
    yield Score("seq2seq.order.exact", "exact, one object, the noun first, trained on one order",
                without_mistake(model, src, tgt).float().mean().item(), ".1%", bar="<= 0.1")
    yield Score("seq2seq.order.word", "largest weights next to the word that moved", word, ".0%", bar=">= 0.4")
    yield Score("seq2seq.order.place", "largest weights within one word of its old place", place, ".0%", bar="<= 0.2")


def longer_than_trained_on():
    src, tgt, _ = fresh_sentences(5)
    for kind in ("fixed", "scaled"):
        translator = Translator(load(f"seq2seq-{kind}-48-short")[0])
        written, right = ([translator.target.decode(row) for row in rows]
                          for rows in (decoding.greedy(translator.model, src).words, tgt))
        what = f"{kind}, trained on one to three objects, five objects"
        yield Score(f"seq2seq.short.{kind}.exact.5", f"exact translations: {what}", exact_match(written, right), ".0%")
        yield Score(f"seq2seq.short.{kind}.bleu.5", f"BLEU: {what}", bleu(written, right), ".0f")


@torch.no_grad()
def teacher_forcing():
    yield Score("seq2seq.forcing.free-48-900.exact.5", "exact translations, 5 objects, trained with its own words",
                exact(load("seq2seq-free-48-900")[0], 5), ".0%")
    model, batch = load("seq2seq-fixed-48-3600")[0], fresh_sentences(5)[:2]
    for name, loss in (("right", translation_loss), ("own", free_running_loss)):
        yield Score(f"seq2seq.forcing.words.{name}", f"words that are right, given the {name} ones before, five "
                    "objects, one vector, 3,600 steps", loss(model, batch)[1]["accuracy"].item(), ".0%")


def alignment():
    src, tgt, truth = fresh_sentences(3)
    weights = decoding.alignment(load("seq2seq-scaled-48-900")[0], src, tgt[:, 1:])
    for name, share in alignment_figures(weights, truth).items():
        yield Score(f"seq2seq.alignment.scaled.{name}", f"alignment_figures: {name}, scaled, three objects", share,
                    ".0%", bar={"near": ">= 0.85", "mass": ">= 0.8"}.get(name, ""))


def emoji():
    model, pairs = load("seq2seq-emoji")[0], emoji_names("test")
    written, right = translate(model, pairs), [target for _, target in pairs]
    yield Score("seq2seq.emoji.exact", "names of held-out families translated exactly", exact_match(written, right),
                ".0%")
    yield Score("seq2seq.emoji.bleu", "BLEU of these names", bleu(written, right), ".1f")
    plain = [[re.sub(r"(light|medium-light|medium|medium-dark|dark) skin tone", "", text) for text in texts]
             for texts in (written, right)]
    yield Score("seq2seq.emoji.bleu_without_tone", "BLEU of the names without their skin tones", bleu(*plain), ".1f")
    pairs = emoji_names("train")[::8]
    yield Score("seq2seq.emoji.train", "training names translated exactly, every eighth",
                exact_match(translate(model, pairs), [target for _, target in pairs]), ".0%")


def multi30k():
    pairs = sets.multi30k("test")
    right, found = [target for _, target in pairs], {}
    for kind, what in (("scaled", "with attention"), ("fixed", "without attention")):
        model, bar = load(f"seq2seq-multi30k-{kind}")[0], f">= {TUTORIAL_BLEU}" if kind == "scaled" else ""
        written = translate(model, pairs)
        found[kind] = bleu(written, right)
        yield Score(f"seq2seq.multi30k.{kind}.beam_5", f"BLEU on test_2016_flickr, {what}, beam 5", found[kind], ".1f",
                    TUTORIAL_BLEU, bar)
        yield Score(f"seq2seq.multi30k.{kind}.chrf", f"chrF, {what}, beam 5", chrf(written, right), ".1f")
    greedy = translate(load("seq2seq-multi30k-scaled")[0], pairs, beam=1)
    yield Score("seq2seq.multi30k.scaled.beam_1", "BLEU on test_2016_flickr, with attention, beam 1",
                bleu(greedy, right), ".1f", TUTORIAL_BLEU)
    gain = round(found["scaled"], 1) - round(found["fixed"], 1)  # of the figures that stand beside it
    yield Score("seq2seq.multi30k.gain", "BLEU that attention adds, beam 5", gain, ".1f", bar=">= 5")


def tatoeba():
    pairs = sets.tatoeba("test")
    written, right = translate(load("seq2seq-tatoeba")[0], pairs), [target for _, target in pairs]
    yield Score("seq2seq.tatoeba.bleu", "BLEU on held-out sentences, beam 5", bleu(written, right), ".1f")
    yield Score("seq2seq.tatoeba.chrf", "chrF on held-out sentences, beam 5", chrf(written, right), ".1f")
    yield Score("seq2seq.tatoeba.exact", "exact translations", exact_match(written, right), ".1%")


def minutes():
    """Training times as the cards recorded them: the machine and its load on that day, not a property of the code."""
    for name, limit in (("scaled-48-900", 15), ("fixed-48-3600", 15), ("typed", 15),
                        ("multi30k-scaled", 45), ("multi30k-fixed", 45)):
        seconds = load(f"seq2seq-{name}")[1].metrics["training_seconds"]
        yield Score(f"seq2seq.minutes.{name}", f"minutes of training seq2seq-{name} as recorded, on one core of two",
                    seconds / 60, ".1f", bar=f"<= {limit}")


def groups():
    """(what the names of its scores begin with, the function that yields them)."""
    yield "seq2seq.fixed", without_attention
    yield "seq2seq.attributes", attributes
    yield "seq2seq.held_out", unseen_pairings
    yield "seq2seq.attention", with_attention
    yield "seq2seq.typed", as_people_type
    yield "seq2seq.order", another_order
    yield "seq2seq.short", longer_than_trained_on
    yield "seq2seq.forcing", teacher_forcing
    yield "seq2seq.alignment", alignment
    yield "seq2seq.emoji", emoji
    yield "seq2seq.multi30k", multi30k
    yield "seq2seq.tatoeba", tatoeba
    yield "seq2seq.minutes", minutes
