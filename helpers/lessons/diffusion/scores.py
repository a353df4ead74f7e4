r"""The figures of notebook 12: what is drawn, in how many steps, how far the network is from the optimum, and holes."""

from __future__ import annotations

from functools import cache

import torch

from ...course.scores import Score
from ...data import scenes
from ...data.batches import NEW_SCENES_SEED
from ...diffusion.forward import SCHEDULES
from ...diffusion.samplers import FRESH
from ...diffusion.targets import on_schedule
from ...training.checkpoints import load
from ..denoising.experiments import QUOTED_LEVELS, denoisers, mean_psnr, new_pictures, with_noise
from . import experiments as diffusion
from . import gap
from .recipes import last_pictures

NETWORK = "diffusion-scenes"
DRAWS, SOME = 1000, 300
COUNTS = (1, 2, 4, 8, 16, 50)  # steps
TIMES = (300, 500, 700, 800, 900)


@cache
def network():
    return load(NETWORK)


@cache
def pictures():
    return diffusion.draw_new(diffusion.denoiser(network()[0]), DRAWS)


def drawn():
    r"""1,000 pictures, beside as many real ones."""
    parsed = scenes.parse(pictures())
    real = scenes.parse(scenes.make_scenes(DRAWS, NEW_SCENES_SEED)[0])
    for name, found in parsed.shares().items():
        yield Score(f"diffusion.drawn.{name}", f"{name} of {DRAWS:,} drawn scenes", found,
                    ".1%", real.shares()[name])
    failed = [word for word in parsed.words if word]
    yield Score("diffusion.drawn.no_such_shape", "of those that are not valid: the judge says 'no such shape'",
                failed.count("no such shape") / len(failed), ".0%")
    found = diffusion.spread(parsed)
    yield Score("diffusion.drawn.kinds", "kinds among the valid ones; 84 were taught", found["kinds"], ".0f",
                diffusion.spread(real)["kinds"], ">= 80")
    yield Score("diffusion.drawn.most", "share of the most frequent kind, times 84", found["most"], ".1f",
                diffusion.spread(real)["most"], "<= 3")
    loose = scenes.parse(diffusion.draw_new(diffusion.denoiser(network()[0], None), SOME))
    yield Score("diffusion.drawn.loose", f"valid of {SOME} with guesses that are not clamped (baseline: clamped)",
                loose.shares()["valid"], ".0%", parsed.valid[:SOME].float().mean().item())


def steps():
    r"""The share of valid pictures by the number of steps."""
    denoise = diffusion.denoiser(network()[0])
    for eta, name in ((0.0, "ddim"), (1.0, "ddpm"), (FRESH, "fresh"), (diffusion.fresh_late, "late")):
        for count in COUNTS:
            shares = scenes.parse(diffusion.draw_new(denoise, SOME, count, eta)).shares()
            yield Score(f"diffusion.steps.{name}.{count}", f"valid of {SOME}, {count} steps, {name}",
                        shares["valid"], ".0%", bar="<= 0.05" if count == 1 else "")
            yield Score(f"diffusion.steps.{name}.{count}.nameable", "nameable ones", shares["nameable"], ".0%")


def variety():
    r"""What fresh noise costs: pictures that are valid, and how many kinds of scenes are among them."""
    denoise = diffusion.denoiser(network()[0])
    for name, eta in (("ddpm", 1.0), ("fresh", FRESH)):
        parsed = scenes.parse(diffusion.draw_new(denoise, DRAWS, eta=eta))
        found = {"valid": parsed.shares()["valid"]} | diffusion.spread(parsed)
        for kind, form in (("valid", ".0%"), ("kinds", ".0f"), ("most", ".1f")):
            yield Score(f"diffusion.variety.{name}.{kind}", f"{kind} of {DRAWS:,}, 50 steps, {name}", found[kind], form)


def schedules():
    r"""The same network on other paths, with few steps."""
    own = diffusion.denoiser(network()[0])
    for name, make in SCHEDULES.items():
        other = make()
        pictures = diffusion.draw_new(on_schedule(own, diffusion.SCHEDULE, other), SOME, 8, 0.0, schedule=other)
        yield Score(f"diffusion.schedules.{name}", f"valid of {SOME}, 8 steps along {name}",
                    scenes.parse(pictures).shares()["valid"], ".0%")


def memory():
    r"""How near drawn pictures are to scenes of the training, and to as many that it never saw."""
    seen = last_pictures()
    for name, known in (("seen", seen), ("new", scenes.make_scenes(len(seen), 21)[0])):
        far = diffusion.nearest_of(pictures(), known)[0]
        yield Score(f"diffusion.memory.{name}", f"mean distance of {DRAWS:,} drawn scenes to the nearest of "
                    f"{len(seen):,}, {name}", far.mean().item(), ".4f")
        yield Score(f"diffusion.memory.{name}.error", "its standard error", (far.std() / DRAWS**0.5).item(), ".4f")


def distance():
    r"""The network beside the optimum."""
    found = gap.network_gap(diffusion.denoiser(network()[0]), diffusion.SCHEDULE, TIMES, n=100)
    for t, best, far in zip(TIMES, found["optimum"], found["distance"], strict=True):
        yield Score(f"diffusion.gap.{t}", f"error at t = {t} over the least possible one", 1 + far / best, ".1f", 1.0)


def once():
    r"""Noise of notebook 06, taken away in one step, beside its own network."""
    x, denoise = new_pictures("scenes"), diffusion.denoiser(network()[0])
    old = denoisers("scenes")["skips"]
    for sigma in QUOTED_LEVELS:
        y = with_noise(x, sigma)
        lead = mean_psnr(x, diffusion.in_one_step(denoise, y, sigma)) - mean_psnr(x, old(y, sigma))
        yield Score(f"diffusion.once.{sigma}", f"dB by which it is ahead of notebook 06's network, noise of {sigma}",
                    lead, ".1f", 0.0, "> 0")


def holes():
    r"""Four fillings of each of 30 scenes whose right part is hidden."""
    denoise = diffusion.denoiser(network()[0])
    cut, half = scenes.make_scenes(30, 31)[0], diffusion.right_part()
    found = [scenes.parse(diffusion.fillings(denoise, x, half, seed=i)) for i, x in enumerate(cut)]
    valid = torch.cat([parsed.valid for parsed in found]).float().mean().item()
    yield Score("diffusion.holes.valid", "valid fillings, of 120", valid, ".0%")
    once = torch.cat([scenes.parse(diffusion.fillings(denoise, x, half, seed=i, rounds=1)).valid
                      for i, x in enumerate(cut)]).float().mean().item()
    yield Score("diffusion.holes.once", "the same with every step made once", once, ".0%")


def size():
    model, card = network()
    minutes, count = card.metrics["training_seconds"] / 60, sum(p.numel() for p in model.parameters())
    yield Score("diffusion.network.minutes", "minutes of training on two cores", minutes, ".0f", bar="<= 60")
    yield Score("diffusion.network.parameters", "parameters", count, ",.0f")


def groups():
    r"""(what the names of its scores begin with, the function that yields them)."""
    yield "diffusion.drawn", drawn
    yield "diffusion.steps", steps
    yield "diffusion.schedules", schedules
    yield "diffusion.variety", variety
    yield "diffusion.memory", memory
    yield "diffusion.gap", distance
    yield "diffusion.once", once
    yield "diffusion.holes", holes
    yield "diffusion.network", size
