r"""The figures of notebook 16: what survives as codes, what is written, what a choice among pictures brings."""

from __future__ import annotations

from functools import cache

from ...course.scores import Score
from ...data.scenes import FACTORS, LANGUAGES
from ...systems.zero_shot import ZeroShot
from ...training import recipes as known_recipes
from ...training import tuning
from ...training.checkpoints import load
from ..text_conditioned_diffusion import experiments as prompted
from ..text_conditioned_diffusion.batches import READER
from ..text_conditioned_diffusion.verdicts import Asked, shares_drawn
from . import experiments as own
from .recipes import TRIALS

WRITTEN, CHOSEN_FROM, HALVES = 300, 200, 200
FIRST_STAGES = {"first": own.CODE_STAGE, "tuned": own.TUNED_CODES}
CODES_BAR, WRITING_BAR, LANGUAGE_GAP, CHOICE_GAIN = 0.95, 0.7, 0.03, 0.05


@cache
def system():
    return own.shipped_dalle()


@cache
def written(kind: str, language: str):
    make = prompted.prompts_of_one if kind == "one" else prompted.prompts_of_two
    texts, asked = make(WRITTEN, language)
    return own.wrote(system(), [system().known(text)[0] for text in texts]), asked


def share(name: str, what: str, value: float, bar: str = "", baseline: float | None = None) -> Score:
    return Score(f"dalle.{name}", what, value, ".0%", baseline, bar)


def trips():
    r"""What comes back of new scenes that were made codes."""
    for label, name in FIRST_STAGES.items():
        found = own.judge_codes(load(name)[0])
        for kind in ("one", "two"):
            bar = f">= {CODES_BAR}" if (label, kind) == ("tuned", "one") else ""
            yield Score(f"dalle.trip.{label}.{kind}", f"right and valid of 1,000 round trips, {name}, {kind} object"
                        f"{'s' * (kind == 'two')}", found[f"{kind}.both"], ".1%", bar=bar)
        if label == "first":
            yield Score("dalle.trip.used", "codes that occur in 2,000 new scenes", found["used"], ".0f")
            yield Score("dalle.trip.perplexity", "perplexity of the codes of 2,000 new scenes", found["perplexity"],
                        ".0f")


def collapse():
    r"""How a codebook lives or dies, as `python -m helpers.training.tuning codebook-...` recorded it."""
    found = {trial: tuning.find(f"codebook-{trial}") for trial in TRIALS}
    for trial, figures in found.items():
        for name, what, form in (("used", "codes in use, of 256", ".0f"), ("perplexity", "perplexity", ".0f"),
                                 ("one.both", "right and valid of 1,000 round trips, one object", ".0%")):
            yield Score(f"dalle.collapse.{trial}.{name}", f"{what}: codebook-{trial}", figures[name], form)


def prompts(kind: str):
    for language in LANGUAGES:
        for name, value in shares_drawn(*written(kind, language)).items():
            bar = f">= {WRITING_BAR}" if (kind, name) == ("one", "both") else ""
            yield share(f"{kind}.{language}.{name}", f"{name}: {WRITTEN} whole prompts, {kind} object"
                        f"{'s' * (kind == 'two')}, {language}", value, bar)


def one():
    yield from prompts("one")
    shares = [shares_drawn(*written("one", language))["both"] for language in ("en", "ko")]
    yield share("one.gap", "right and valid, English less Korean", shares[0] - shares[1], f"<= {LANGUAGE_GAP}")


def two():
    yield from prompts("two")


def held():
    r"""Pairings of shape and colour that no training picture had."""
    texts, asked = prompted.prompts_of_one(WRITTEN, "en", "held_out")
    found = shares_drawn(own.wrote(system(), [system().known(text)[0] for text in texts]), asked)
    yield share("held.asked", f"asked: {WRITTEN} prompts for unseen pairings of shape and colour", found["asked"])


def temperatures():
    texts, asked = prompted.prompts_of_one(CHOSEN_FROM)
    rows = own.along_temperatures(system(), texts, asked)
    for name, values in rows.items():
        for temperature, value in zip(own.TEMPERATURES, values, strict=True):
            yield share(f"temperature.{temperature:g}.{name}", f"{name} of {CHOSEN_FROM}, temperature {temperature:g}",
                        value)


def chosen():
    r"""The best of N by notebook 11's CLIP, and by the judge itself."""
    texts, asked = prompted.prompts_of_one(CHOSEN_FROM)
    rows = own.choices(system(), ZeroShot(load(READER)[0]), texts, asked)
    for count, clip, oracle in zip(own.CANDIDATES_TRIED, rows["clip"], rows["oracle"], strict=True):
        yield share(f"choice.clip.{count}", f"right and valid of {CHOSEN_FROM}, CLIP's choice of {count}", clip,
                    baseline=oracle)
        yield share(f"choice.oracle.{count}", f"of {CHOSEN_FROM} prompts, one of {count} is right and valid", oracle)
    at = own.CANDIDATES_TRIED.index(8)
    yield share("choice.gain", "what CLIP's choice of 8 gains over the first", rows["clip"][at] - rows["clip"][0],
                f">= {CHOICE_GAIN}")


def halves():
    pictures = own.completed(system(), HALVES)
    asked = Asked(prompted.prompts_of_one(HALVES)[1].said)
    for name, value in shares_drawn(pictures, asked).items():
        yield share(f"half.{name}", f"{name} of {HALVES} scenes whose upper half was given", value)


def swaps():
    r"""The place whose code decides a factor most often."""
    found = own.swapped_codes(system().first_stage)
    for number, name in enumerate(FACTORS):
        yield share(f"swap.{name}", f"of pictures change their {name} with one code, at the place where most do",
                    found[:, number].max().item())


def writing_timed() -> str:
    r"""Under which `python -m tests.benchmarks.dalle` records seconds, beside the trials of the writer's recipe."""
    return f"{tuning.key(known_recipes.find(own.WRITER))} beside=writing cores=2"


def seconds():
    r"""As `python -m tests.benchmarks.dalle --record` timed them in one run."""
    found = tuning.read()[writing_timed()]
    for name, what, bar in (("cached", "with the cache", "<= 20"), ("anew", "without it", "")):
        yield Score(f"dalle.seconds.{name}", f"milliseconds a picture {what}, 16 at once, on two cores",
                    1000 * found[f"{name}_seconds"] / 16, ",.0f", bar=bar)
    yield Score("dalle.seconds.ratio", "times as long without the cache",
                found["anew_seconds"] / found["cached_seconds"], ".1f")


def size():
    for name, (model, card) in {"writer": load(own.WRITER), "codes": load(own.CODE_STAGE),
                                "tuned": load(own.TUNED_CODES)}.items():
        yield Score(f"dalle.{name}.minutes", "minutes of training on one core", card.metrics["training_seconds"] / 60,
                    ".0f")
        if name != "tuned":
            yield Score(f"dalle.{name}.parameters", "parameters", sum(p.numel() for p in model.parameters()), ",.0f")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    found = {"trip": trips, "collapse": collapse, "one": one, "two": two, "held": held, "temperature": temperatures,
             "choice": chosen, "half": halves, "swap": swaps, "seconds": seconds}
    yield from ((f"dalle.{name}", function) for name, function in found.items())
    for name in ("writer", "codes", "tuned"):
        yield f"dalle.{name}", lambda begins=f"dalle.{name}.": (each for each in size() if each.name.startswith(begins))
