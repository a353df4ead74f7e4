"""Scenes of two small objects, to test whether each attribute stays with its object, and relations.

The objects always differ in shape and in colour: to swap either one makes another picture. Their places never
overlap. The same scene can be told from either end, and `canonical` picks one way: left of, or above.
Sentences about them are in `pair_captions`.
"""

import torch
from torch import Tensor

from .drawing import BACKGROUNDS, COLOURS, SHAPES, SIZE, check_factors, draw_objects, pairings
from .judge import FAULTS
from .parser import Parsed, check_images, parse, two_colours

RELATIONS = ("left of", "right of", "above", "below")
PAIR_VALUES = {"shape": SHAPES, "colour": COLOURS, "relation": RELATIONS,
               "other shape": SHAPES, "other colour": COLOURS, "background": BACKGROUNDS}
PAIR_FACTORS = tuple(PAIR_VALUES)


def sample_pairs(n: int, generator: torch.Generator, split: str = "train") -> Tensor:
    """Draw n rows of pair factors (n, 6), uniformly over what the split allows, which holds for both objects.

    split: "train" (no held-out pairing of shape and colour), "held_out" (those only) or "all".
    """
    allowed = pairings(split)
    both = [(*a, *b) for a in allowed.tolist() for b in allowed.tolist() if a[0] != b[0] and a[1] != b[1]]
    both = torch.tensor(both)
    both = both[torch.randint(len(both), (n,), generator=generator)]
    relation = torch.randint(len(RELATIONS), (n, 1), generator=generator)
    background = torch.randint(len(BACKGROUNDS), (n, 1), generator=generator)
    return torch.cat([both[:, :2], relation, both[:, 2:], background], 1)


def draw_pairs(pairs: Tensor, generator: torch.Generator | None = None, side: int = SIZE) -> Tensor:
    """Draw pictures (n, 3, side, side) in [-1, 1] of pair factors (n, 6).

    generator: draws where the two stand together, and their radii and positions; None takes the middle.
    side: as in `draw`
    """
    return draw_objects(pair_objects(pairs, generator), pairs[:, 5], generator, side)


def pair_objects(pairs: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """The two objects (n, 2, 5) of pair factors (n, 6), both small. generator: as in `draw_pairs`."""
    check_factors(pairs, PAIR_VALUES)
    n, first = len(pairs), (pairs[:, 2] % 2) * 2                 # cell of the first object: 0 left of, above
    if generator is None:
        across = torch.ones(n, dtype=torch.long)
    else:
        across = torch.randint(3, (n,), generator=generator)
    along = torch.stack([first, 2 - first], 1)                   # (n, 2)
    across = across.to(pairs.device)[:, None].expand(n, 2)
    upright = (pairs[:, 2] >= 2)[:, None]
    place = torch.stack([torch.where(upright, across, along), torch.where(upright, along, across)], 2)
    looks = pairs[:, [0, 1, 3, 4]].view(n, 2, 2)                 # shape and colour of the two
    return torch.cat([looks, torch.zeros_like(looks[..., :1]), place], 2)


def make_pairs(n: int, seed: int, split: str = "train") -> tuple[Tensor, Tensor]:
    """n pictures of two objects and their pair factors (n, 6). The same seed gives the same bytes."""
    generator = torch.Generator().manual_seed(seed)
    pairs = sample_pairs(n, generator, split)
    return draw_pairs(pairs, generator), pairs


def canonical(pairs: Tensor) -> Tensor:
    """Scenes (n, 6) told with "left of" or "above" only: rows that mean the same become equal."""
    swapped = pairs[:, [3, 4, 2, 0, 1, 5]] - torch.tensor([0, 0, 1, 0, 0, 0], device=pairs.device)
    return torch.where((pairs[:, 2] % 2 == 1)[:, None], swapped, pairs)      # "right of" and "below" are odd


def parse_pairs(images: Tensor) -> Parsed:
    """Read the pair factors, in canonical form, of pictures (n, 3, 32, 32) in [-1, 1].

    A cut down the middle, or across, leaves each half a scene of one object: the cut that fewer colours cross, and
    that has an object on either side. A picture is valid if both halves are, and both objects are small and stand
    where `draw_pairs` puts them.
    """
    check_images(images)
    background = two_colours(images.float())[0][:, :, None, None]
    ink = (images - background).square().sum(1)                              # (n, 32, 32)
    half = SIZE // 2
    upright = _cut_quality(ink, 1, half) > _cut_quality(ink, 2, half)        # one above the other
    first = torch.arange(SIZE, device=images.device) < half
    part = torch.where(upright[:, None, None], first[:, None], first)[:, None]
    a, b = (parse(torch.where(kept, images, background)) for kept in (part, ~part))
    relation = torch.where(upright, 2, 0)[:, None]
    factors = torch.cat([a.factors[:, :2], relation, b.factors[:, :2], a.factors[:, 5:]], 1)
    along, across = (torch.stack([x.factors[:, [3, 4]].gather(1, axis[:, None])[:, 0] for x in (a, b)], 1)
                     for axis in (upright.long(), 1 - upright.long()))       # (n, 2) each
    apart = (along == along.new_tensor([0, 2])).all(1) & (across[:, 0] == across[:, 1])
    small = (a.factors[:, 2] == 0) & (b.factors[:, 2] == 0)
    fault = torch.where(a.fault > 0, a.fault, b.fault)
    fault = torch.where((fault == 0) & ~small, FAULTS.index("too big"), fault)
    fault = torch.where((fault == 0) & ~apart, FAULTS.index("no such relation"), fault)
    return Parsed(factors, fault, a.nameable & b.nameable & apart)


def _cut_quality(ink: Tensor, axis: int, half: int) -> Tensor:
    """How well a cut across an axis parts two objects (n,): the ink of the emptier side, less that on the cut."""
    lines = ink.sum(3 - axis)                                                # (n, 32)
    return torch.minimum(lines[:, :half].sum(1), lines[:, half:].sum(1)) - 8 * lines[:, half - 1:half + 1].sum(1)
