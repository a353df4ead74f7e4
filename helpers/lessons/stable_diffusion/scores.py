r"""The figures of notebook 14: what the way through latents keeps and costs, what is drawn there, what breaks it."""

from __future__ import annotations

from functools import cache, partial

from ...course.scores import Score
from ...data import scenes
from ...data.scenes import LANGUAGES
from ...training import recipes, tuning
from ...training.checkpoints import load
from ..text_conditioned_diffusion import experiments as prompted
from ..text_conditioned_diffusion.verdicts import shares_drawn
from . import experiments as own
from . import measures
from .facts import SCENE_READER, judge_reading
from .recipes import CLIP_ALONE

PROMPTS_DRAWN, PICTURES_TRIED = 300, 200
# By f, which is 4 of the tuned one, too.
STAGES = {"2": f"{own.FIRST_STAGE}-f2", "4": own.FIRST_STAGE, "tuned": own.TUNED_STAGE,
          "8": f"{own.FIRST_STAGE}-f8"}
TRIP_BAR = 0.97  # of the pictures that go through the latents that are drawn in: at least so many come back right
BORNE = (0, 0.1, 0.2, 0.3)  # noise in latents
EDIT_STRENGTHS = (0.0, 0.25, 0.5, 0.6, 0.7, 0.8, 1.0)


def timed() -> str:
    r"""Under which `python -m tests.benchmarks.latents` records seconds, beside the trials of the network's recipe."""
    return f"{tuning.key(recipes.find(own.LATENT_NETWORK))} beside=pixels cores=1"


@cache
def system():
    return own.shipped_in_latents()


@cache
def drawn(kind: str, language: str):
    make = prompted.prompts_of_one if kind == "one" else prompted.prompts_of_two
    texts, asked = make(PROMPTS_DRAWN, language)
    return own.drawn_in_latents(system(), texts), asked


def share(name: str, what: str, value: float, bar: str = "", baseline: float | None = None) -> Score:
    return Score(f"latent.{name}", what, value, ".0%", baseline, bar)


def trips():
    r"""What comes back of new scenes, for each size of a latent."""
    for f, name in STAGES.items():
        found = own.round_trip(load(name)[0])
        for kind in ("one", "two"):
            for right in ("asked", "valid", "both"):
                bar = f">= {TRIP_BAR}" if f == "tuned" else ""
                yield Score(f"latent.trip.{f}.{kind}.{right}", f"{right} of 1,000 round trips, {name}, {kind} object"
                            f"{'s' * (kind == 'two')}", found[f"{kind}.{right}"], ".1%", bar=bar)


def lines():
    for f, name in STAGES.items():
        yield share(f"line.{f}", f"of a line one pixel wide comes back, {name}", measures.line_kept(load(name)[0]),
                    "<= 0.9" if f == "tuned" else "")


def borne():
    r"""What comes back of latents under noise, by the decoder before and after it learned on."""
    for label, name in (("joint", own.FIRST_STAGE), ("tuned", own.TUNED_STAGE)):
        first_stage = load(name)[0]
        for noise in BORNE:
            yield share(f"borne.{label}.{noise:g}", f"right and valid of 1,000, noise of {noise:g}, {name}",
                        own.back_from_noise(first_stage, noise))


def spread():
    r"""Whether latents have standard deviation 1, and what the scale is."""
    first_stage = system().first_stage
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


def clip_alone():
    r"""The same denoiser, its prompts read by CLIP's tower as it was; as recorded."""
    found = tuning.find(CLIP_ALONE)
    for name, what in (("two.en.asked", "two objects, as asked"), ("one.en.both", "one object, as asked and valid")):
        yield share(f"clip.{name}", f"{what}: {PROMPTS_DRAWN} English prompts, read by CLIP's tower", found[name])


def reading():
    r"""How well the tower's facts are read off captions, and how long it learned."""
    reader, card = load(SCENE_READER)
    for name, value in judge_reading(reader).items():
        yield Score(f"reading.{name}", f"of 1,000 captions every fact is read, {name}", value, ".1%",
                    bar=">= 0.95" if name.endswith("train") else "")
    yield Score("reading.minutes", "minutes of training on one core", card.metrics["training_seconds"] / 60, ".0f")


def held():
    r"""Pairings of shape and colour that no training picture had."""
    texts, asked = prompted.prompts_of_one(PROMPTS_DRAWN, "en", "held_out")
    found = shares_drawn(own.drawn_in_latents(system(), texts), asked)
    yield share("held.asked", f"asked: {PROMPTS_DRAWN} prompts for unseen pairings of shape and colour", found["asked"])


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
    scales = {"own": system().first_stage.scale.item(), "forgotten": 1.0, "copied": measures.THEIR_SCALE}
    for name, scale in scales.items():
        found = shares_drawn(own.drawn_in_latents(measures.with_scale(system(), scale), texts), asked)
        yield share(f"breaks.{name}", f"asked and valid of {PICTURES_TRIED}, decoded with the scale {scale:.5g}",
                    found["both"])
    noise = scenes.parse(measures.decoded_noise(system(), PICTURES_TRIED)).valid.float().mean().item()
    yield share("breaks.noise", f"valid of {PICTURES_TRIED} draws from N(0, I), decoded", noise)


def work():
    latents, pixels = measures.step_multiply_adds(system()), measures.step_multiply_adds(prompted.shipped_system())
    calls = 2 * prompted.PROMPT_STEPS  # guided: two answers a step
    yield Score("latent.work.ratio", "multiply-adds of a picture in pixels over those of one in latents, decoded",
                calls * pixels / (calls * latents + measures.decoding_multiply_adds(system())), ".1f")


def seconds():
    r"""As `python -m tests.benchmarks.latents --record` timed them in one run."""
    found = {name: tuning.read()[timed()][f"{name}_seconds"] for name in ("latents", "pixels")}
    for name, value in found.items():
        yield Score(f"latent.seconds.{name}", f"seconds for 16 pictures of 20 steps on one core, {name}", value, ".1f")
    yield Score("latent.seconds.ratio", "the second over the first", found["pixels"] / found["latents"], ".1f")


def size():
    for name, (model, card) in {"network": load(own.LATENT_NETWORK), "first": load(own.FIRST_STAGE),
                                "tuned": load(own.TUNED_STAGE)}.items():
        yield Score(f"latent.{name}.minutes", "minutes of training on one core", card.metrics["training_seconds"] / 60,
                    ".0f")
        if name != "tuned":
            yield Score(f"latent.{name}.parameters", "parameters", sum(p.numel() for p in model.parameters()), ",.0f")


def size_of(begins: str):
    return (score for score in size() if score.name.startswith(begins))


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    found = {"trip": trips, "line": lines, "borne": borne, "std": spread, "one": one, "held": held, "two": two,
             "clip": clip_alone, "factors": factors, "errors": errors, "edit": edits, "repaint": holes,
             "between": between, "breaks": breaks, "work": work, "seconds": seconds}
    yield from ((f"latent.{name}", function) for name, function in found.items())
    yield "reading", reading
    for name in ("network", "first", "tuned"):
        yield f"latent.{name}", partial(size_of, f"latent.{name}.")
