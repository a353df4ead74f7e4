r"""What notebook 15 measures of its studio: what the seed decides, what chaos spreads, what each button keeps.

P prompts · S noises · n pictures (n, 3, 32, 32) in [-1, 1] · six factors of a scene, as the judge reads them
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data import scenes
from ...data.scenes import FACTORS, VALUES
from ...metrics.pictures import psnr
from ...systems import edits
from ...systems.studio import Job, Session, Studio, World, read_line
from ...systems.studio.drawing import bicubic_twice
from ...systems.studio.lines import PICTURE_SIDE
from ..stable_diffusion.experiments import LATENT_ETA, LATENT_SCALE, shipped_in_latents
from ..text_conditioned_diffusion.batches import language_of
from ..text_conditioned_diffusion.experiments import PROMPT_STEPS
from ..text_conditioned_diffusion.named_emoji.batches import by_artist
from ..text_conditioned_diffusion.named_emoji.experiments import EMOJI_SCALE, NAME_STEPS, emoji_system
from ..text_conditioned_diffusion.verdicts import understood

CHAOS_TRIED = (0, 25, 50, 75, 100)
KEPT_FACTORS = 5  # of six: so many the same, and a variation counts as the same scene
COLOUR_PLACE = FACTORS.index("colour")


# -- the studio ----------------------------------------------------------------------------------------------------


def not_understood(prompt: str) -> str:
    r"""Which words of a prompt mean nothing in a world of scenes; "" for none."""
    problems = [word.text for word in understood(prompt)[1].words if word.problem]
    return f"not understood: {', '.join(problems)}" if problems else ""


def scene_world() -> World:
    r"""Notebook 14's network: scenes, drawn in latents."""
    return World(shipped_in_latents(), LATENT_SCALE, PROMPT_STEPS, LATENT_ETA, remark=not_understood)


def emoji_world() -> World:
    r"""Notebook 13's network for emoji, with the hands of three artists."""
    return World(emoji_system(), EMOJI_SCALE, NAME_STEPS, LATENT_ETA,
                 sign=lambda prompt, hand: by_artist(prompt, hand, language_of(prompt)))


def shipped_studio() -> Studio:
    r"""The course's networks as a studio."""
    return Studio(scene_world(), emoji_world())


def seen_in(job: Job) -> str:
    r"""What the judge sees in the pictures of a job, in words; "" for emoji and for wide canvases, which it cannot
    read."""
    canvases = job.drawing.canvases
    if job.line.asked.emoji or canvases.shape[2:] != (PICTURE_SIDE, PICTURE_SIDE):
        return ""
    parsed = scenes.parse(canvases)
    told = [scenes.caption(row) if not fault else f"no clean scene ({fault})"
            for row, fault in zip(parsed.factors, parsed.words, strict=True)]
    return told[0] if len(told) == 1 else "; ".join(f"{i}: {text}" for i, text in enumerate(told, 1))


def drawn_line(studio: Studio, text: str) -> Tensor:
    r"""The canvases (n, 3, H, W) of a line."""
    return studio.draw(read_line(text)).canvases


# -- what decides --------------------------------------------------------------------------------------------------


def things(n: int) -> list[str]:
    r"""n prompts that name a colour and a shape, and nothing else; no two are the same."""
    pairs = [f"a {colour} {shape}" for shape in scenes.SHAPES for colour in scenes.COLOURS]
    if n > len(pairs):
        raise ValueError(f"there are {len(pairs)} such prompts; got {n}")
    return [pairs[i] for i in torch.linspace(0, len(pairs) - 1, n).round().int().tolist()]


class Shares(NamedTuple):
    r"""Of the variance of a factor over prompts and noises: what the prompt explains, the noise, and neither alone."""

    prompt: float
    noise: float
    rest: float


def decided(values: Tensor) -> Shares:
    r"""A two-way analysis of variance of a factor's values (P, S), whole numbers: who decides it?

    With y the value as one-hot, y_p its mean over noises, y_s over prompts, m over all:

        total = mean |y - m|^2     prompt = mean |y_p - m|^2 / total     noise = mean |y_s - m|^2 / total

    The rest is what the two decide together. With few of either, chance alone gives 1 / P of it to the noise and 1 / S
    to the prompt. A factor that never changes has shares of 0.
    """
    y = F.one_hot(values.long()).double()                                      # (P, S, V)
    total = (y - y.mean((0, 1))).square().sum(2).mean()
    if total == 0:
        return Shares(0.0, 0.0, 0.0)
    prompt, noise = ((y.mean(over) - y.mean((0, 1))).square().sum(1).mean() / total for over in (1, 0))
    return Shares(prompt.item(), noise.item(), (1 - prompt - noise).item())


def what_decides(studio: Studio, prompts: Sequence[str], seeds: Sequence[int]) -> dict[str, Shares]:
    r"""{factor: who decides it}, of grids for each prompt with each seed: S is four times the seeds."""
    rows = [torch.cat([scenes.parse(drawn_line(studio, f"/imagine prompt: {prompt} --seed {seed}")).factors
                       for seed in seeds]) for prompt in prompts]
    found = torch.stack(rows)                                                  # (P, S, 6)
    return {name: decided(found[..., i]) for i, name in enumerate(FACTORS)}


# -- chaos ---------------------------------------------------------------------------------------------------------


def unlike(factors: Tensor) -> float:
    r"""In how many of the six factors two pictures of a grid (4, 6) differ, the mean over its pairs."""
    return sum((factors[a] != factors[b]).sum().item() for a, b in combinations(range(len(factors)), 2)) / 6


def grid_variety(studio: Studio, chaos: int, prompts: Sequence[str], seed: int = 0) -> float:
    r"""`unlike`, the mean over grids of prompts, each with the next seed."""
    grids = [drawn_line(studio, f"/imagine prompt: {prompt} --seed {seed + i} --chaos {chaos}")
             for i, prompt in enumerate(prompts)]
    return sum(unlike(scenes.parse(grid).factors) for grid in grids) / len(grids)


# -- what buttons keep ---------------------------------------------------------------------------------------------


def varied_shares(studio: Studio, how: str, prompts: Sequence[str], seed: int = 0) -> dict[str, float]:
    r"""Of variations, "Subtle" or "Strong", of the first picture of each prompt's grid: "kept", the share with at
    least `KEPT_FACTORS` factors as they were; "same", the mean share of factors; "valid".

    Only first pictures that the judge calls valid are varied: of others it cannot say what they show.
    """
    kept, same, valid = [], [], []
    for i, prompt in enumerate(prompts):
        text = f"/imagine prompt: {prompt} --seed {seed + i} > U1"
        before = scenes.parse(drawn_line(studio, text))
        if before.valid.all():
            after = scenes.parse(drawn_line(studio, f"{text} > Vary {how} --seed {seed + i}"))
            right = (after.factors == before.factors).sum(1)
            kept.append(right >= KEPT_FACTORS)
            same.append(right / len(FACTORS))
            valid.append(after.valid)
    if not kept:
        raise ValueError("no first picture is valid, so there is nothing to vary: give more prompts")
    return {name: torch.cat(values).float().mean().item()
            for name, values in {"kept": kept, "same": same, "valid": valid}.items()}


def zoom_measures(studio: Studio, prompts: Sequence[str], seed: int = 0) -> dict[str, float]:
    r"""Of pictures zoomed out twice.

    "centre"  the largest error of the middle in grey levels of 255, beside the picture made smaller
    "detail"  the PSNR of the middle made larger again, beside the picture as it was
    "ground"  the share whose surroundings keep to the background of the picture in at least half of their pixels
    """
    centre, detail, ground = [], [], []
    for i, prompt in enumerate(prompts):
        text = f"/imagine prompt: {prompt} --seed {seed + i} > U1"
        before, after = drawn_line(studio, text), drawn_line(studio, f"{text} > Zoom Out 2x --seed {seed + i}")
        small, hidden = edits.zoomed(before, 2)
        middle = ~hidden.expand_as(after[:1])
        centre.append(max((255 / 2 * (x - small[0]).abs()[middle[0]]).max().item() for x in after))
        inside = small[:, :, 8:24, 8:24]
        detail.append(psnr(bicubic_twice(inside), before).item())
        far = (after - before[:, :, :1, :1]).abs().amax(1, keepdim=True) > 0.25
        ground += (far & hidden).flatten(1).sum(1).div(hidden.sum()).le(0.5).tolist()
    return {"centre": max(centre), "detail": sum(detail) / len(detail), "ground": sum(ground) / len(ground)}


def coloured_share(studio: Studio, colour: str, no: bool, prompts: Sequence[str], seed: int = 0) -> float:
    r"""The share of pictures whose object has this colour; no: where --no keeps away from it."""
    wanted = VALUES["colour"].index(colour)
    grids = [drawn_line(studio, f"/imagine prompt: {prompt} --seed {seed + i} --chaos 100" + f" --no {colour}" * no)
             for i, prompt in enumerate(prompts)]
    return (scenes.parse(torch.cat(grids)).factors[:, COLOUR_PLACE] == wanted).float().mean().item()


# -- the same again ------------------------------------------------------------------------------------------------


def a_session(studio: Studio, seed: int = 0) -> Session:
    r"""A sitting in which every button was pressed once; its seeds are seed, seed + 1, ..."""
    seeds = iter(range(seed, seed + 1000))
    session = Session(studio, seeds.__next__)
    for text in ("/imagine prompt: a big red circle", "U2", "Vary Subtle", "#2 Vary Strong",
                 "#2 Region 0,0-3,3: a blue star", "#2 Zoom Out 1.5x", "#2 Zoom Out 2x", "#2 Pan right", "#1 V3",
                 "#1 Reroll",
                 "/imagine prompt: #1.2 초록 별 --iw 1.5", "/imagine prompt: tiger --emoji --stylize 600 --ar 3:2"):
        session.say(text)
    return session


def same_again(studio: Studio, again: Studio) -> float:
    r"""The share of jobs of a sitting that another studio draws again byte for byte from their lines alone."""
    jobs, other = a_session(studio).jobs, Session(again)
    return sum(other.say(job.text).png() == job.png() for job in jobs) / len(jobs)


def equal_grids(studio: Studio, count: int) -> float:
    r"""Of this many seeds, the share of pairs whose grids are equal: 0 where every seed draws another one."""
    grids = [drawn_line(studio, f"/imagine prompt: a star --seed {seed}") for seed in range(count)]
    pairs = list(combinations(grids, 2))
    return sum(torch.equal(a, b) for a, b in pairs) / len(pairs)
