r"""The figures of notebook 14: what the way through latents keeps and costs, what is drawn there, what breaks it."""

from __future__ import annotations

from functools import cache

from ...course.scores import Score
from ...data import scenes
from ...data.scenes import LANGUAGES
from ...training import tuning
from ...training.checkpoints import load
from ..text_conditioned_diffusion import experiments as prompted
from ..text_conditioned_diffusion.verdicts import shares_drawn
from . import experiments as own
from . import measures

PROMPTS_DRAWN, PICTURES_TRIED = 300, 200
STAGES = {2: f"{own.FIRST_STAGE}-f2", 4: own.FIRST_STAGE, 8: f"{own.FIRST_STAGE}-f8"}  # by f
TRIP_BAR = 0.97  # of the pictures that go through the latents that are drawn in: at least so many come back right
EDIT_STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)
TIMED = "16 drawings in latents and in pixels cores=1"  # under which `tests.benchmarks.latents` records seconds


@cache
def system():
    return own.shipped_in_latents()


@cache
def drawn(kind: str, language: str):
    make = prompted.prompts_of_one if kind == "one" else prompted.prompts_of_two
    texts, asked = make(PROMPTS_DRAWN, language)
    return prompted.drawn(system(), texts), asked


def share(name: str, what: str, value: float, bar: str = "", baseline: float | None = None) -> Score:
    return Score(f"latent.{name}", what, value, ".0%", baseline, bar)


def trips():
    r"""What comes back of new scenes, for each size of a latent."""
    for f, name in STAGES.items():
        found, bar = own.round_trip(load(name)[0]), f">= {TRIP_BAR}" if f == 4 else ""
        for kind in ("one", "two"):
            for right in ("asked", "valid", "both"):
                yield Score(f"latent.trip.{f}.{kind}.{right}", f"{right} of 1,000 round trips, f = {f}, {kind} object"
                            f"{'s' * (kind == 'two')}", found[f"{kind}.{right}"], ".1%", bar=bar)


def lines():
    for f, name in STAGES.items():
        yield share(f"line.{f}", f"of a line one pixel wide comes back, f = {f}", measures.line_kept(load(name)[0]),
                    "<= 0.9" if f == 4 else "")


def spread():
    r"""Whether latents have standard deviation 1, and what the scale is."""
    first_stage = load(own.FIRST_STAGE)[0]
    std = own.latents_of(first_stage).std().item()
    yield Score("latent.std", "standard deviation of latents of new scenes", std, ".2f")
    yield Score("latent.std.off", "how far it is from 1", abs(std - 1), ".2f", bar="<= 0.1")
    yield Score("latent.std.scale", "the scale in the checkpoint", first_stage.scale.item(), ".3f")


def prompts(kind: str):
    for language in LANGUAGES:
        for name, value in shares_drawn(*drawn(kind, language)).items():
            yield share(f"{kind}.{language}.{name}", f"{name}: {PROMPTS_DRAWN} whole prompts, {kind} object"
                        f"{'s' * (kind == 'two')}, {language}", value)


def one():
    yield from prompts("one")


def two():
    yield from prompts("two")


def factors():
    for name, value in prompted.factor_shares(*drawn("one", "en")).items():
        yield share(f"factors.{name}", f"{name} as asked, one object", value)


def errors():
    r"""Of the denoiser, with the prompt and without; 1 is that of a guess which knows nothing."""
    for name, told in (("told", True), ("untold", False)):
        for t, value in own.latent_errors(system(), told).items():
            yield Score(f"latent.errors.{name}.{t}", f"error of the guess at t = {t}, {name} the prompt", value, ".3f")


def edits():
    r"""Scenes drawn on in another colour, by strength."""
    for strength in EDIT_STRENGTHS:
        for name, value in measures.edit_shares(system(), strength, PICTURES_TRIED).items():
            yield share(f"edit.{strength:g}.{name}", f"{name} of {PICTURES_TRIED} recoloured, strength {strength:g}",
                        value)


def holes():
    for name, value in measures.repaint_shares(system()).items():
        yield share(f"repaint.{name}", f"{name} of 100 scenes whose right part is drawn anew as the prompt says", value)


def between():
    for name, pictures in measures.midway(system(), PICTURES_TRIED).items():
        yield share(f"between.{name}", f"valid of {PICTURES_TRIED} pictures half way between two, {name}",
                    scenes.parse(pictures).valid.float().mean().item())


def breaks():
    texts, asked = prompted.prompts_of_one(PICTURES_TRIED)
    for name, scale in (("forgotten", 1.0), ("copied", measures.THEIR_SCALE)):
        wrong = shares_drawn(prompted.drawn(measures.with_scale(system(), scale), texts), asked)
        yield share(f"breaks.{name}", f"asked and valid of {PICTURES_TRIED}, decoded with the scale {scale:g}",
                    wrong["both"], baseline=shares_drawn(*drawn("one", "en"))["both"])
    noise = scenes.parse(measures.decoded_noise(system(), PICTURES_TRIED)).valid.float().mean().item()
    yield share("breaks.noise", f"valid of {PICTURES_TRIED} draws from N(0, I), decoded", noise)


def work():
    latents, pixels = measures.step_multiply_adds(system()), measures.step_multiply_adds(prompted.shipped_system())
    calls = 2 * prompted.PROMPT_STEPS  # guided: two answers a step
    yield Score("latent.work.ratio", "multiply-adds of a picture in pixels over those of one in latents, decoded",
                calls * pixels / (calls * latents + measures.decoding_multiply_adds(system())), ".1f")


def seconds():
    r"""As `python -m tests.benchmarks.latents --record` timed them in one run."""
    found = tuning.read()[TIMED]
    for name in ("latents", "pixels"):
        yield Score(f"latent.seconds.{name}", f"seconds for 16 pictures of 20 steps on one core, {name}", found[name],
                    ".1f")
    yield Score("latent.seconds.ratio", "the second over the first", found["pixels"] / found["latents"], ".1f")


def size():
    for name, (model, card) in {"network": load(own.LATENT_NETWORK), "first": load(own.FIRST_STAGE)}.items():
        yield Score(f"latent.{name}.minutes", "minutes of training on two cores", card.metrics["training_seconds"] / 60,
                    ".0f")
        yield Score(f"latent.{name}.parameters", "parameters", sum(p.numel() for p in model.parameters()), ",.0f")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    found = {"trip": trips, "line": lines, "std": spread, "one": one, "two": two, "factors": factors, "errors": errors,
             "edit": edits, "repaint": holes, "between": between, "breaks": breaks, "work": work, "seconds": seconds}
    yield from ((f"latent.{name}", function) for name, function in found.items())
    yield "latent.network", lambda: (score for score in size() if score.name.startswith("latent.network"))
    yield "latent.first", lambda: (score for score in size() if score.name.startswith("latent.first"))
