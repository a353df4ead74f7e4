r"""What a "guidance scale" means in different places: one operation, written in several ways, and two meanings of 0.

`CONVENTIONS` holds a row a place; `convention_table` is the table for the page. Notebook 13.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor


class Convention(NamedTuple):
    r"""How one place writes guidance. `answer` takes those with and without the prompt, and the place's number."""

    place: str
    formula: str
    number: Callable[[float], float]                     # our scale -> the number that means the same there
    answer: Callable[[Tensor, Tensor, float], Tensor]
    zero: str                                            # what its number 0 gives


def from_outside(cond, uncond, s):
    return uncond + s * (cond - uncond)


def from_inside(cond, uncond, w):
    return (1 + w) * cond - w * uncond


def weighted(cond, uncond, w):
    return (1 - w) * uncond + w * cond


CONVENTIONS = (
    Convention("this course, GLIDE", "uncond + s (cond − uncond)", lambda s: s, from_outside, "no prompt"),
    Convention("Stable Diffusion in diffusers", "uncond + s (cond − uncond) for s > 1", lambda s: s,
               lambda cond, uncond, s: from_outside(cond, uncond, s) if s > 1 else cond, "the prompt, unguided"),
    Convention("MIT 6.S184", "(1 − w) uncond + w cond", lambda s: s, weighted, "no prompt"),
    Convention("Ho & Salimans 2022, CS231n", "(1 + w) cond − w uncond", lambda s: s - 1, from_inside,
               "the prompt, unguided"),
    Convention("KAIST's assignment", "the paper's; 0 = off", lambda s: s - 1,
               lambda cond, uncond, w: from_inside(cond, uncond, w) if w > 0 else cond, "the prompt, unguided"),
)


def convention_table(scale: float) -> str:
    r"""Markdown: for each place its formula, its number where ours is `scale`, and what its number 0 gives."""
    rows = [f"| {row.place} | {row.formula} | {row.number(scale):g} | {row.zero} |" for row in CONVENTIONS]
    return "\n".join([f"| where | formula | our s = {scale:g} is | 0 gives |", "|---|---|---|---|", *rows])
