"""Was it drawn? Each factor that a prompt asked for, and no other, is compared with what the judge reads in a picture.

    understood("a big red circle")     what a text asks for: of one object, or of two
    verdicts(pictures, asked)          "✓ big ✓ red ✗ circle · valid", a text for each picture
    shares_drawn(pictures, asked)      how many show all that was asked for, how many are valid, and how many are both

A prompt that says little is easy to fulfil: two texts' shares can be compared only if they ask for the same factors.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ...data import scenes
from ...data.scenes import FACTORS, PAIR_FACTORS, PAIR_VALUES, UNSAID, VALUES, Parsed, Reading

# The factors in the order in which they are told.
_TOLD = {False: [FACTORS.index(name) for name in ("size", "colour", "shape", "row", "column", "background")],
         True: [PAIR_FACTORS.index(name) for name in ("colour", "shape", "relation", "other colour", "other shape",
                                                       "background")]}


class Asked(NamedTuple):
    """What pictures should show.

    said  (6,) or, one row a picture, (n, 6): factors or pair factors, UNSAID where nothing is asked for
    two   whether they are those of two objects
    """

    said: Tensor
    two: bool = False


def understood(text: str) -> tuple[Asked, Reading]:
    """What a text asks for as far as it was understood, and its reading, which says what was not.

    It is read as a caption of one object, and as one of two where that leaves fewer problems. ValueError for a text
    that `typed` refuses.
    """
    one = scenes.read_caption(text)
    pair = scenes.read_pair_caption(text) if one.problems else one
    two = len(pair.problems) < len(one.problems)
    reading = pair if two else one
    return Asked(reading.found, two), reading


def read_pictures(pictures: Tensor, asked: Asked) -> tuple[Parsed, Tensor]:
    """What the judge reads in pictures (n, 3, 32, 32), and which factors are as asked: bool (n, 6), True where UNSAID.

    Two objects can be told from either end: the one that agrees with more of what was asked counts.
    """
    read = (scenes.parse_pairs if asked.two else scenes.parse)(pictures)
    said = asked.said.to(read.factors.device).expand_as(read.factors)
    right = (read.factors == said) | (said == UNSAID)
    if asked.two:  # "left of" and "above" are read; from the other end each is the next one, "right of" and "below"
        turned = read.factors[:, [3, 4, 2, 0, 1, 5]] + torch.tensor([0, 0, 1, 0, 0, 0], device=said.device)
        other = (turned == said) | (said == UNSAID)
        right = torch.where((other.sum(1) > right.sum(1))[:, None], other, right)
    return read, right


def verdicts(pictures: Tensor, asked: Asked) -> list[str]:
    """For each picture the factors that were asked for, ✓ or ✗, then "valid" or what is wrong with it as a scene."""
    read, right = read_pictures(pictures, asked)
    names = list((PAIR_VALUES if asked.two else VALUES).values())
    lines = []
    for said, marks, fault in zip(asked.said.expand_as(right).tolist(), right.tolist(), read.words, strict=True):
        told = [f"{'✓' if marks[k] else '✗'} {names[k][said[k]]}" for k in _TOLD[asked.two] if said[k] != UNSAID]
        lines.append(" ".join(told) + " · " * bool(told) + (fault or "valid"))
    return lines


def shares_drawn(pictures: Tensor, asked: Asked) -> dict[str, float]:
    """The shares of pictures that show all that was asked for ("asked"), that are "valid", and that are "both"."""
    read, right = read_pictures(pictures, asked)
    shown = right.all(1)
    shares = {"asked": shown, "valid": read.valid, "both": shown & read.valid}
    return {name: values.float().mean().item() for name, values in shares.items()}
