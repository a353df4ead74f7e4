r"""The figures of notebook 13: whether what is drawn is what was asked for, and what guidance does to it."""

from __future__ import annotations

from functools import cache

import torch

from ...course.scores import Score
from ...data import scenes
from ...data.scenes import FACTORS, LANGUAGES
from ...systems.zero_shot import ZeroShot
from ...training.checkpoints import load
from . import experiments as own
from .named_emoji import scores as emoji_scores
from .verdicts import Asked, shares_drawn, understood

DRAWS, TRIED = 300, 200  # pictures
CLIP_WEIGHTS = (0.0, 0.1, 0.3, 1.0)
MIDDLE = (300, 850)  # times between which guidance is tried alone


@cache
def system():
    return own.shipped_system()


@cache
def drawn_one(language: str):
    texts, asked = own.prompts_of_one(DRAWS, language)
    return own.drawn(system(), texts), asked


@cache
def drawn_two(language: str):
    texts, asked = own.prompts_of_two(DRAWS, language)
    return own.drawn(system(), texts), asked


def share(name: str, what: str, value: float, bar: str = "", baseline: float | None = None) -> Score:
    return Score(f"prompted.{name}", what, value, ".0%", baseline, bar)


def one():
    r"""Whole prompts for scenes of one object."""
    for language in LANGUAGES:
        for name, value in shares_drawn(*drawn_one(language)).items():
            yield share(f"one.{language}.{name}", f"{name}: {DRAWS} whole prompts, one object, {language}", value)


def factors():
    r"""Each factor of them by itself, in English."""
    for name, value in own.factor_shares(*drawn_one("en")).items():
        yield share(f"factors.{name}", f"{name} as asked, one object", value)


def held():
    r"""Pairings of shape and colour that no training picture had."""
    texts, asked = own.prompts_of_one(DRAWS, "en", "held_out")
    found = shares_drawn(own.drawn(system(), texts), asked)
    for name in ("asked", "both"):
        yield share(f"held.{name}", f"{name}: prompts for unseen pairings of shape and colour", found[name],
                    baseline=shares_drawn(*drawn_one("en"))[name])


def less():
    r"""Prompts that say less."""
    for said in range(1, len(FACTORS) + 1):
        texts, asked = own.with_less(TRIED, said)
        found = shares_drawn(own.drawn(system(), texts), asked)
        yield share(f"less.{said}", f"all as asked, of {TRIED} prompts that name {said} of six factors", found["asked"])


def along_scales():
    r"""The same prompts under more and more guidance."""
    texts, asked = own.prompts_of_one(TRIED)
    found = own.guidance_frontier(system(), texts, asked)
    for name, values in found.items():
        for scale, value in zip(own.GUIDANCE_SCALES, values, strict=True):
            yield share(f"frontier.{scale:g}.{name}", f"{name} of {TRIED} at guidance scale {scale:g}", value)


def two():
    r"""Two objects and their relation."""
    for language in LANGUAGES:
        found = shares_drawn(*drawn_two(language))
        for name in ("asked", "both"):
            yield share(f"two.{language}.{name}", f"{name}: {DRAWS} whole prompts, two objects, {language}",
                        found[name])


def geneval():
    r"""Under the headings of GenEval."""
    found = own.as_in_geneval(*drawn_one("en"), *drawn_two("en"))
    for name, value in found.items():
        yield share(f"geneval.{name.split()[-1] if name != 'single object' else 'single'}", f"{name}, as asked", value)


def typed():
    r"""60 prompts by a writer who had not seen the grammar, four pictures each."""
    texts = [line.split(" => ")[0] for line in own.TYPED.read_text(encoding="utf-8").splitlines() if " => " in line]
    right, read = [], []
    for number, text in enumerate(texts):
        asked, reading = understood(text)
        pictures = system().draw([system().known(text)[0]] * 4, own.SCALE, own.PROMPT_STEPS, number).cpu()
        right.append(shares_drawn(pictures, asked)["asked"])
        read.append(not reading.problems)
    yield share("typed.asked", f"all that was understood is drawn, {len(texts)} typed prompts, four pictures each",
                sum(right) / len(right))
    yield share("typed.understood", "typed prompts in which every word was understood", sum(read) / len(read))


def clip():
    r"""Led by CLIP's slope in place of guidance: CLIP's own opinion, and the judge's."""
    texts, asked = own.prompts_of_one(TRIED // 2)
    judge = load("clip")[0]
    wanted = ZeroShot(judge).texts(scenes.write_captions(asked.said, torch.Generator().manual_seed(2)))
    for weight in CLIP_WEIGHTS:
        pictures, cosine = own.drawn_with_clip(system(), judge, texts, wanted, weight)
        found = shares_drawn(pictures, asked)
        yield Score(f"prompted.clip.{weight:g}.cosine", f"mean cosine by CLIP, led with weight {weight:g}", cosine,
                    ".2f")
        for name in ("asked", "valid"):
            yield share(f"clip.{weight:g}.{name}", f"{name} of {TRIED // 2}, led by CLIP with weight {weight:g}",
                        found[name])


def middle():
    r"""Guidance at all times, and in the middle alone (DDIM)."""
    texts, asked = own.prompts_of_one(TRIED)
    for name, (low, high) in (("all", (0, own.SCHEDULE.last)), ("some", MIDDLE)):
        found = shares_drawn(own.guided_in(system(), texts, 4.0, low, high), asked)
        for kind in ("asked", "valid"):
            yield share(f"middle.{name}.{kind}", f"{kind} of {TRIED}, scale 4 for {low} < t <= {high}", found[kind])


def negative():
    r"""How often a shape is red that nobody gave a colour, with and without a negative prompt."""
    red = scenes.COLOURS.index("red")
    for name, away in (("without", None), ("with", "a red shape")):
        pictures = own.drawn(system(), ["a shape"] * TRIED, keep_away=away)
        found = (scenes.parse(pictures).factors[:, 1] == red).float().mean().item()
        yield share(f"negative.{name}", f"red ones of {TRIED} drawn for 'a shape', {name} 'a red shape' to keep away",
                    found)


def together():
    r"""Half of the factors in one prompt and half in another, against all of them in one."""
    asked = own.prompts_of_one(TRIED)[1]
    generator = torch.Generator().manual_seed(3)
    halves = []
    for kept in ((0, 1, 2), (3, 4, 5)):
        said = torch.full_like(asked.said, scenes.UNSAID)
        said[:, list(kept)] = asked.said[:, list(kept)]
        halves.append(scenes.write_captions(said, generator))
    whole = scenes.write_captions(asked.said, generator)
    for name, pictures in (("one", own.drawn(system(), whole)),
                           ("two", own.drawn(system(), halves[0], 2 * own.SCALE, others=halves[1]))):
        yield share(f"together.{name}", f"all six as asked, of {TRIED}, from {name} prompt{'s' * (name == 'two')}",
                    shares_drawn(pictures, Asked(asked.said))["asked"])


def lifts():
    r"""How much more a word is read inside the object than outside."""
    for name, value in own.lifts(system(), own.prompts_of_one(60)[0]).items():
        yield Score(f"prompted.lifts.{name}", f"weight on words of {name}, inside the object over outside", value,
                    ".1f")


def size():
    model, card = load(own.PROMPTED_NETWORK)
    minutes, count = card.metrics["training_seconds"] / 60, sum(p.numel() for p in model.parameters())
    yield Score("prompted.network.minutes", "minutes of training on two cores", minutes, ".0f")
    yield Score("prompted.network.parameters", "parameters", count, ",.0f")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    found = {"one": one, "factors": factors, "held": held, "less": less, "frontier": along_scales, "two": two,
             "geneval": geneval, "typed": typed, "clip": clip, "middle": middle, "negative": negative,
             "together": together, "lifts": lifts, "network": size}
    yield from ((f"prompted.{name}", scores) for name, scores in found.items())
    yield from emoji_scores.groups()
