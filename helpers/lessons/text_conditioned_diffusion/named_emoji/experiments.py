r"""What notebook 13 measures of emoji drawn from their names: what they show, and how near they come to the true ones.

B pictures · s the scale of guidance · errors are root mean squares over a picture, on [0, 1]
"""

from __future__ import annotations

import torch
from torch import Tensor

from ....data.emoji import EmojiSet, to_range
from ....data.scenes import LANGUAGES
from ....metrics.pictures import mse
from ....systems.text_to_image import TextToImage
from ....training.checkpoints import load
from ...start_here.experiments import nearest_seen
from ..experiments import as_system, drawn, laid_out
from .batches import by_artist
from .chosen import NOT_SAID, drawn_emoji, held_emoji, joined_sets, part_of, trait_labels, without_tone
from .judges import names_by_clip, names_in_pixels, traits_right

NAMED_NETWORK = "prompted-emoji"
# Of drawings, with fresh noise at each step. On 96 learned names that no score takes, the nearest picture has the name
# in .60 (in .54 after 20 steps); with less fresh noise, eta 1 and 0, in .62 and .59: chance alone is +-.1, and the
# shapes are more ragged.
EMOJI_SCALE, NAME_STEPS = 2.5, 12
FIRST = (1, 5)  # names that count as found


def emoji_system() -> TextToImage:
    r"""The course's network that draws emoji from their names."""
    return as_system(laid_out(load(NAMED_NETWORK)[0]))


def prompts_of(emoji: EmojiSet, language: str = "en", artist: bool = True) -> list[str]:
    r"""The names of a set as prompts; artist: whether they say whose drawing is wanted."""
    names = emoji.names_en if language == "en" else emoji.names_ko
    return [by_artist(name, hand if artist else None, language) for name, hand in zip(names, emoji.hand, strict=True)]


def evenly(emoji: EmojiSet, n: int) -> EmojiSet:
    r"""n emoji of a set, evenly over its order: hand by hand, kind by kind."""
    return part_of(emoji, torch.linspace(0, len(emoji.hand) - 1, min(n, len(emoji.hand))).round().int().tolist())


def of_a_colour(emoji: EmojiSet) -> EmojiSet:
    r"""Those of a set whose names say a colour."""
    return part_of(emoji, (trait_labels(emoji)["colour"] != NOT_SAID).nonzero()[:, 0].tolist())


def draw_emoji(system: TextToImage, emoji: EmojiSet, language: str = "en", scale: float = EMOJI_SCALE, seed: int = 0,
               artist: bool = True) -> Tensor:
    r"""A picture for the name of each emoji of a set, (B, 3, 32, 32) in [-1, 1]."""
    return drawn(system, prompts_of(emoji, language, artist), scale, NAME_STEPS, seed=seed)


def emoji_shares(pictures: Tensor, wanted: EmojiSet) -> dict[str, float]:
    r"""{"kind": the share of pictures that show the kind asked for, ..., "name.1", "name.5", "clip.1", "clip.5"}."""
    found = traits_right(pictures, wanted)
    for way, rank in (("name", names_in_pixels), ("clip", names_by_clip)):
        places = rank(pictures, wanted.names_en)
        found |= {f"{way}.{first}": (places < first).float().mean().item() for first in FIRST}
    return found


# -- held out ------------------------------------------------------------------------------------------------------


def error_to(x: Tensor, y: Tensor) -> Tensor:
    r"""The error of each picture, (B,)."""
    return mse(x, y).sqrt()


def relatives(of: EmojiSet, by: str) -> list[list[int]]:
    r"""For each held-out emoji the places in `drawn_emoji` of the same in other hands, or of its other tones."""
    emoji = drawn_emoji()

    def key(name: str, hand: str):
        return name if by == "hand" else (without_tone(name), hand)

    seen = [key(*pair) for pair in zip(emoji.names_en, emoji.hand, strict=True)]
    return [[i for i, other in enumerate(seen) if other == key(*pair)]
            for pair in zip(of.names_en, of.hand, strict=True)]


def held_errors(system: TextToImage, by: str, language: str = "en", scale: float = EMOJI_SCALE, draws: int = 2,
                n: int | None = None) -> dict[str, float]:
    r"""Mean errors to the true pictures of what a split holds out, "hand" or "tone", and has relatives that were seen.

    "drawn"      of what is drawn for the name and the artist, mean over draws
    "nearest"    of the picture nearest to the truth, of all that were seen: whoever chose it knew the truth
    "relatives"  of the same emoji in another hand, or in another tone
    "names"      no error: the share of drawings whose nearest real picture has the right name
    """
    emoji = held_emoji(by)
    emoji = part_of(emoji, [i for i, kin in enumerate(relatives(emoji, by)) if kin])
    emoji = emoji if n is None else evenly(emoji, n)
    truth, seen = to_range(emoji.images), drawn_emoji().images
    tries = [draw_emoji(system, emoji, language, scale, seed) for seed in range(draws)]
    kin = torch.stack([error_to(to_range(seen[places]), x.expand(len(places), -1, -1, -1)).mean()
                       for places, x in zip(relatives(emoji, by), truth, strict=True)])
    errors = torch.stack([error_to(pictures, truth) for pictures in tries])
    named = torch.stack([names_in_pixels(x, emoji.names_en, joined_sets(drawn_emoji(), emoji)) for x in tries])
    return {"drawn": errors.mean().item(), "nearest": nearest_seen(truth, seen)[0].mean().item(),
            "relatives": kin.mean().item(), "names": (named < 1).float().mean().item()}


# -- in the recipe -------------------------------------------------------------------------------------------------


def judge_names(model, n: int = 240) -> dict[str, float]:
    r"""`emoji_shares` of n of the names that were learned, in both languages, and errors of held-out ones."""
    system, found = as_system(model), {}
    for language in LANGUAGES:
        wanted = evenly(drawn_emoji(), n)
        found |= {f"{language}.{name}": share
                  for name, share in emoji_shares(draw_emoji(system, wanted, language), wanted).items()}
    for by in ("hand", "tone"):
        found |= {f"held.{by}.{name}": error for name, error in held_errors(system, by, draws=1, n=n).items()}
    return found
