r"""What a picture of an emoji shows, by judges that learned from real ones: its kind, colour, artist, skin tone, name.

A judge of a trait is a linear probe on how often each of 512 colours occurs in a picture: artists use other palettes.
That of the kind sees what notebook 11's image tower makes of it, too. The tower knows these emoji; the network that
draws begins with the text tower that learned beside it, and is never shown what this one sees.

B pictures (B, 3, 32, 32) in [-1, 1] · N real emoji · M names
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

from ....data.batches import in_batches
from ....data.emoji import EmojiSet, to_range
from ....data.text import Tokenizer, source_batch
from ....metrics.retrieval import ranks
from ....training.checkpoints import load
from ...clip.probes import linear_probe
from ..batches import READER
from .chosen import NOT_SAID, TRAITS, drawn_emoji, trait_labels

COLOUR_LEVELS = 8  # of red, of green and of blue
SPECKLE = 0.08  # of noise on the copies that judges also learn from, so that a little of it does not decide
LEAST_SPREAD = 0.005  # that a feature is divided by: a colour that hardly ever occurs is not to decide


class TraitJudge(nn.Module):
    r"""Features (B, D) -> logits (B, K); it learns from features (N, D) and labels (N,)."""

    def __init__(self, seen: Tensor, labels: Tensor):
        super().__init__()
        self.mean, self.spread = seen.mean(0), seen.std(0).clamp(min=LEAST_SPREAD)
        self.probe = linear_probe((seen - self.mean) / self.spread, labels, decay=1e-3)

    @torch.no_grad()
    def forward(self, seen):
        return self.probe((seen - self.mean) / self.spread)


def colour_shares(x: Tensor) -> Tensor:
    r"""How much of each picture has each of 512 colours: (B, 512), rows that sum to 1.

    A pixel between two levels of a channel counts for both, so that a little noise moves little.
    """
    level = (x.clamp(-1, 1) + 1) / 2 * (COLOUR_LEVELS - 1)
    grid = torch.arange(COLOUR_LEVELS, device=x.device)[:, None, None]
    near = (1 - (level[:, :, None] - grid).abs()).clamp(min=0).flatten(3)      # (B, 3, L, S * S)
    return torch.einsum("bip,bjp,bkp->bijk", *near.unbind(1)).flatten(1) / near.shape[3]


def look(x: Tensor) -> dict[str, Tensor]:
    r"""{trait: what its judge sees of pictures (B, D)}."""
    colours, shapes = in_batches(colour_shares, x), in_batches(load(READER)[0].image, x)
    return {trait: torch.cat([colours, shapes], 1) if trait == "kind" else colours for trait in TRAITS}


@cache
def trait_judges() -> dict[str, TraitJudge]:
    r"""{trait: its judge}, from the pictures that the network learns from, each clean and with noise: some seconds."""
    emoji, found = drawn_emoji(), {}
    x = to_range(emoji.images)
    noise = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    seen = look(torch.cat([x, x + SPECKLE * noise]))
    for trait, labels in trait_labels(emoji).items():
        has = (labels != NOT_SAID).repeat(2)
        found[trait] = TraitJudge(seen[trait][has], labels.repeat(2)[has])
    return found


def shown_traits(x: Tensor) -> dict[str, Tensor]:
    r"""{trait: the place of its value in `TRAITS`, (B,)}; of a tone or a colour also where there is none."""
    return {trait: trait_judges()[trait](seen).argmax(1) for trait, seen in look(x).items()}


def traits_right(x: Tensor, wanted: EmojiSet) -> dict[str, float]:
    r"""{trait: the share of pictures that show it as the emoji of the same place does, of those that have it}."""
    labels, found = trait_labels(wanted), {}
    for trait, shown in shown_traits(x).items():
        has = labels[trait] != NOT_SAID
        if has.any():
            found[trait] = (shown == labels[trait])[has].float().mean().item()
    return found


# -- names ---------------------------------------------------------------------------------------------------------


def names_in_pixels(x: Tensor, names: list[str], among: EmojiSet | None = None) -> Tensor:
    r"""The rank of each picture's English name (B,), 0 the first, if names come by their picture nearest in pixels.

    among: the pictures that count; None: those that the network learns from
    """
    among = drawn_emoji() if among is None else among
    known = sorted(set(among.names_en))
    places = torch.tensor([known.index(name) for name in among.names_en])
    distance = torch.cdist(x.flatten(1), to_range(among.images).flatten(1))    # (B, N)
    each = torch.full((len(x), len(known)), torch.inf)
    each = each.scatter_reduce(1, places.expand(len(x), -1), distance, "amin")  # (B, M)
    return ranks(-each, torch.tensor([known.index(name) for name in names]))


@torch.no_grad()
def names_by_clip(x: Tensor, names: list[str]) -> Tensor:
    r"""The rank of each picture's English name (B,) among those of `drawn_emoji`, by notebook 11's CLIP."""
    clip, known = load(READER)[0], sorted(set(drawn_emoji().names_en))
    texts = in_batches(clip.encode_text, source_batch(Tokenizer(clip.config["vocabulary"]), known))
    own = torch.tensor([known.index(name) for name in names])
    return ranks(in_batches(clip.encode_image, x) @ texts.T, own)
