r"""What notebook 16 measures: what survives as codes, what is written for prompts, and what the choice of one brings.

n pictures (n, 3, 32, 32) in [-1, 1] · P places · K codes · N candidates
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import torch
from torch import Tensor

from ...data import scenes
from ...data.batches import in_batches
from ...models.quantizers import perplexity
from ...models.vqvae import VQVAE
from ...systems.dalle import DallE, best_of
from ...systems.zero_shot import ZeroShot
from ...training.checkpoints import load
from ..stable_diffusion.experiments import round_trip, unseen_scenes
from ..text_conditioned_diffusion.experiments import PROMPTS_AT_ONCE, prompts_of_one, prompts_of_two
from ..text_conditioned_diffusion.verdicts import Asked, read_pictures, shares_drawn

CODE_STAGE, TUNED_CODES = "vqvae-scenes", "vqvae-scenes-tuned"  # of the second, the decoder learned on
WRITER = "dalle-scenes"
WRITING_TEMPERATURE = 0.7  # of drawings, unless a knob says otherwise
TEMPERATURES = (0.0, 0.3, 0.5, 0.7, 0.85, 1.0, 1.2)
CANDIDATES_TRIED = (1, 2, 4, 8, 16)


def shipped_dalle() -> DallE:
    r"""The course's two networks together."""
    return DallE(load(WRITER)[0], load(TUNED_CODES)[0])


# -- codes ---------------------------------------------------------------------------------------------------------


def codes_in_use(first_stage: VQVAE, n: int = 1000) -> dict[str, float]:
    r"""Of n unseen scenes of each kind: how many different codes occur ("used"), and their "perplexity"."""
    codes = torch.cat([in_batches(first_stage.encode, unseen_scenes(n, two)[0]) for two in (False, True)])
    return {"used": float(len(codes.unique())), "perplexity": perplexity(codes, first_stage.codes)}


def judge_codes(first_stage: VQVAE, n: int = 1000) -> dict[str, float]:
    return round_trip(first_stage, n) | codes_in_use(first_stage, n)


@torch.no_grad()
def swapped_codes(first_stage: VQVAE, n: int = 200) -> Tensor:
    r"""How often the change of one code changes a factor: (P, 6), for each place the shares of n scenes of one object.

    The code at a place becomes that of the same place in another scene; pictures in which it is the same are left out.
    """
    pictures, asked = unseen_scenes(n)
    codes = in_batches(first_stage.encode, pictures)                           # (n, side, side)
    before, others = read_pictures(first_stage.decode(codes).clamp(-1, 1), asked)[0].factors, codes.roll(1, 0)
    found = []
    for row in range(codes.shape[1]):
        for column in range(codes.shape[2]):
            changed = codes.clone()
            changed[:, row, column] = others[:, row, column]
            differs = changed[:, row, column] != codes[:, row, column]
            after = read_pictures(in_batches(first_stage.decode, changed).clamp(-1, 1), asked)[0].factors
            found.append((after != before)[differs].float().mean(0))
    return torch.stack(found)


# -- written pictures ----------------------------------------------------------------------------------------------


def wrote(system: DallE, texts: Sequence[str], temperature: float = WRITING_TEMPERATURE, top_k: int | None = None,
          seed: int = 0) -> Tensor:
    r"""A picture for each prompt (n, 3, 32, 32), `PROMPTS_AT_ONCE` at a time, each part with the next seed."""
    parts = range(0, len(texts), PROMPTS_AT_ONCE)
    return torch.cat([system.draw(texts[start:start + PROMPTS_AT_ONCE], temperature=temperature, top_k=top_k,
                                  seed=seed + number) for number, start in enumerate(parts)]).cpu()


def along_temperatures(system: DallE, texts: Sequence[str], asked: Asked, temperatures=TEMPERATURES,
                       top_k: int | None = None) -> dict[str, list]:
    r"""{"asked": the share of pictures with all that was asked for, "valid": ..., "both": ...}, a list each."""
    rows = [shares_drawn(wrote(system, texts, temperature, top_k), asked) for temperature in temperatures]
    return {name: [row[name] for row in rows] for name in rows[0]}


def choices(system: DallE, judge: ZeroShot, texts: Sequence[str], asked: Asked,
            counts: Sequence[int] = CANDIDATES_TRIED, temperature: float = 1.0, seed: int = 0) -> dict[str, list]:
    r"""Shares of prompts whose picture is as asked and valid, if one of N candidates is taken, a list along N each.

    "clip" takes the one that CLIP finds most alike to the prompt; "oracle" a right one wherever there is one, which no
    choice can beat.
    """
    pictures, scores = [], []
    for number, start in enumerate(range(0, len(texts), PROMPTS_AT_ONCE)):
        drawn, found = best_of(system, judge, texts[start:start + PROMPTS_AT_ONCE], max(counts), seed + number,
                               temperature=temperature)
        pictures, scores = [*pictures, drawn], [*scores, found]
    pictures, scores = torch.cat(pictures), torch.cat(scores)                  # (n, N, 3, S, S) and (n, N)
    each = Asked(asked.said.repeat_interleave(max(counts), 0), asked.two)
    read, right = read_pictures(pictures.flatten(0, 1), each)
    good = (right.all(1) & read.valid).view(scores.shape)                      # (n, N)
    taken = [scores[:, :count].argmax(1, keepdim=True) for count in counts]
    return {"clip": [good.gather(1, place).float().mean().item() for place in taken],
            "oracle": [good[:, :count].any(1).float().mean().item() for count in counts]}


def completed(system: DallE, n: int = 200, rows: int = 4, temperature: float = WRITING_TEMPERATURE) -> Tensor:
    r"""n unseen scenes of one object, all but their first rows of places written anew as a whole prompt says."""
    texts, asked = prompts_of_one(n)
    pictures = scenes.draw(asked.said, torch.Generator().manual_seed(0))
    return system.complete(texts, pictures, rows, temperature=temperature)


def writing_seconds(system: DallE, count: int = 16, repeats: int = 5) -> dict[str, float]:
    r"""Seconds that `count` pictures take with the cache and without, the median over repeats in turns."""
    texts, found = prompts_of_one(count)[0], {True: [], False: []}
    for repeat in range(repeats + 1):
        for cache, values in found.items():
            began = time.perf_counter()
            system.draw(texts, cache=cache)
            if repeat:  # what is slow the first time only
                values.append(time.perf_counter() - began)
    return {"cached": statistics.median(found[True]), "anew": statistics.median(found[False])}


# -- in the recipe -------------------------------------------------------------------------------------------------


def judge_writing(model, make_first_stage=None, n: int = 300) -> dict[str, float]:
    r"""Shares of `shares_drawn` for prompts in both languages, of one object and of two.

    make_first_stage: () -> what decodes; None: the shipped one
    """
    system = DallE(model, make_first_stage() if make_first_stage else load(TUNED_CODES)[0])
    found = {}
    for kind, make in (("one", prompts_of_one), ("two", prompts_of_two)):
        for language in scenes.LANGUAGES:
            texts, asked = make(n, language)
            shares = shares_drawn(wrote(system, [system.known(text)[0] for text in texts]), asked)
            found |= {f"{kind}.{language}.{name}": value for name, value in shares.items()}
    return found
