"""What a CLIP has to beat on emoji: the name of the nearest picture in pixels, and the words that it shares."""

from __future__ import annotations

from collections.abc import Sequence

from ...data.emoji import load_emoji
from ..start_here.experiments import TAUGHT, nearest_seen
from .batches import taught_emoji


def shared_words(a: str, b: str) -> float:
    """How many of the words of two names are in both, of those that are in either."""
    a, b = set(a.split()), set(b.split())
    return len(a & b) / len(a | b)


def name_of_nearest(by: str, first: int, language: str = "en", hands: Sequence[str] = TAUGHT) -> float:
    """R@first of the right name if names are ordered by the words that they share with that of the nearest picture.

    The nearest of the taught pictures, by the squared error of their pixels. Names that tie come in a random order,
    whose mean is taken.
    """
    emoji, taught = load_emoji("test", hands, by), taught_emoji()
    names, known = ((each.names_en if language == "en" else each.names_ko) for each in (emoji, taught))
    candidates, found = sorted(set(names)), 0.0
    for name, place in zip(names, nearest_seen(emoji.images, taught.images)[1].tolist(), strict=True):
        shares = [shared_words(candidate, known[place]) for candidate in candidates]
        own = shared_words(name, known[place])
        ahead, level = sum(share > own for share in shares), sum(share == own for share in shares)
        found += min(max((first - ahead) / level, 0.0), 1.0)
    return found / len(names)
