r"""The figures of notebook 15: what the seed decides, what chaos spreads, what buttons keep, and what it costs."""

from __future__ import annotations

from functools import cache

from ...course.scores import Score
from ...data import scenes
from ...training import recipes, tuning
from ..stable_diffusion.experiments import LATENT_NETWORK
from . import experiments as own

PROMPTS_DECIDED, SEEDS_DECIDED, GRIDS_TRIED, PICTURES_VARIED, ZOOMED_OUT = 12, 6, 24, 30, 24


def studio_timed() -> str:
    r"""Under which `python -m tests.benchmarks.studio` records seconds, beside the trials of the network's recipe."""
    return f"{tuning.key(recipes.find(LATENT_NETWORK))} beside=studio cores=2"


@cache
def studio():
    return own.shipped_studio()


def share(name: str, what: str, value: float, bar: str = "") -> Score:
    return Score(f"studio.{name}", what, value, ".0%", bar=bar)


def decides():
    r"""Of each factor's variance: the prompt's part, the noise's, and that of both together."""
    prompts = own.things(PROMPTS_DECIDED)
    for factor, shares in own.what_decides(studio(), prompts, range(SEEDS_DECIDED)).items():
        for who, value in shares._asdict().items():
            yield share(f"decides.{factor}.{who}", f"variance of the {factor}: {who}; {PROMPTS_DECIDED} prompts of "
                        f"colour and shape, {4 * SEEDS_DECIDED} noises", value)


def spread():
    r"""How unlike the four of a grid are, by chaos; each step up makes them more so."""
    found = {chaos: own.grid_variety(studio(), chaos, own.things(GRIDS_TRIED)) for chaos in own.CHAOS_TRIED}
    for chaos, value in found.items():
        yield Score(f"studio.chaos.{chaos}", f"factors of six in which two pictures of a grid differ, {GRIDS_TRIED} "
                    f"grids, chaos {chaos}", value, ".2f")
    steps = [found[b] - found[a] for a, b in zip(own.CHAOS_TRIED, own.CHAOS_TRIED[1:], strict=False)]
    yield Score("studio.chaos.rise", "the least rise from one chaos to the next", min(steps), ".2f", bar="> 0")


def varied():
    r"""What variations keep."""
    found = {how: own.varied_shares(studio(), how, own.things(PICTURES_VARIED)) for how in ("Subtle", "Strong")}
    for how, shares in found.items():
        for name, value in shares.items():
            bar = ">= 0.8" if (how, name) == ("Subtle", "kept") else ""
            yield share(f"vary.{how.lower()}.{name}", f"{name}: variations of {PICTURES_VARIED} pictures, {how}",
                        value, bar)
    lead = found["Subtle"]["kept"] - found["Strong"]["kept"]
    yield share("vary.lead", "kept by Subtle, less what Strong keeps", lead, "> 0")


def zoom():
    r"""What zooming out keeps."""
    found = own.zoom_measures(studio(), own.things(ZOOMED_OUT))
    yield Score("studio.zoom.centre", "largest error of the middle, in grey levels", found["centre"], ".1f",
                bar="<= 0.5")
    yield Score("studio.zoom.detail", "PSNR of the middle made larger again, in dB", found["detail"], ".1f")
    yield share("zoom.ground", f"of {4 * ZOOMED_OUT} pictures keep their background around them", found["ground"])


def negative():
    r"""Red objects, for prompts that leave the colour open."""
    prompts = [f"a {shape}" for shape in scenes.SHAPES] * 5
    for name, no in (("without", False), ("with", True)):
        yield share(f"no.{name}", f"red ones of {4 * len(prompts)} pictures of prompts without colour, {name} --no red",
                    own.coloured_share(studio(), "red", no, prompts))


def again():
    r"""Whether a line is all that it takes."""
    yield share("again.same", "of the jobs of a sitting drawn again byte for byte by another studio",
                own.same_again(studio(), own.shipped_studio()), ">= 1")
    yield share("again.equal", "of pairs of 12 seeds give the same grid", own.equal_grids(studio(), 12), "<= 0")


def seconds():
    r"""As `python -m tests.benchmarks.studio --record` timed them in one run."""
    found = tuning.read()[studio_timed()]
    for name, what, bar in (("grid", "a grid of four scenes", "<= 1"), ("upscale", "U of one of them", "<= 1"),
                            ("emoji", "a grid of four emoji", ""), ("zoom", "Zoom Out 2x, four of it", "")):
        yield Score(f"studio.seconds.{name}", f"milliseconds for {what}, on two cores",
                    1000 * found[f"{name}_seconds"], ",.0f", bar=bar.replace("1", "1000"))


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    found = {"decides": decides, "chaos": spread, "vary": varied, "zoom": zoom, "no": negative, "again": again,
             "seconds": seconds}
    yield from ((f"studio.{name}", function) for name, function in found.items())
