"""What notebook 07 measures: new pictures with holes, what a network draws there, and how much of an object is seen."""

from __future__ import annotations

import torch
from torch import Tensor

from ...data import masks, scenes, sets
from ...data.batches import NEW_SCENES_SEED, in_batches
from ...data.own_picture import own_picture
from ...metrics.pictures import scene_accuracy
from ...models.inpainting import check_mask, paste
from ...training.checkpoints import load
from ..image_compression.photographs import PHOTOGRAPHS, photograph_path
from .baselines import biharmonic_fill, mean_fill

PATCH_SIDE, HIDDEN_PATCHES = 4, 0.75  # pixels, and a share: of the masked autoencoder


def fill(model, x: Tensor, mask: Tensor) -> Tensor:
    """Pictures x with their hidden pixels drawn by the model, clamped to [-1, 1]; the known ones as they were."""
    return in_batches(lambda x, mask: paste(model(x, mask).clamp(-1, 1), x, mask), x, mask, size=100)


def new_scenes_with_holes(n: int = 1000) -> tuple[Tensor, Tensor, Tensor]:
    """n new scenes, their factors, and a 14x14 hole at a random place of each."""
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    return x, factors, masks.box(n, generator=torch.Generator().manual_seed(NEW_SCENES_SEED))


def new_emoji_with_holes() -> tuple[Tensor, Tensor]:
    """The emoji of the held-out families, and a 14x14 hole at a random place of each."""
    x = sets.load_emoji("test").images
    return x, masks.box(len(x), generator=torch.Generator().manual_seed(NEW_SCENES_SEED))


def new_scenes_with_patches(share: float = HIDDEN_PATCHES, n: int = 1000) -> tuple[Tensor, Tensor, Tensor]:
    """n new scenes, their factors, and a share of the 4x4 patches of each hidden at random."""
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED)
    generator = torch.Generator().manual_seed(NEW_SCENES_SEED)
    return x, factors, masks.patches(n, share, PATCH_SIDE, generator=generator)


def object_cover(x: Tensor, factors: Tensor) -> Tensor:
    """The part of each pixel that a scene's object covers: scenes (B, 3, S, S), factors (B, 6) -> (B, S, S) in [0, 1].

    A scene is drawn as background + coverage * (colour - background), so its coverage can be read off exactly.
    """
    colour, ground = scenes.PALETTE[factors[:, 1]], scenes.drawing.BACKGROUND_PALETTE[factors[:, 5]]
    contrast = (colour - ground)[:, :, None, None]
    return ((x - ground[:, :, None, None]) * contrast).sum(1) / contrast.square().sum(1)


def visible_share(x: Tensor, factors: Tensor, mask: Tensor) -> Tensor:
    """The share of each scene's object that is not hidden: scenes (B, 3, S, S), factors (B, 6) -> (B,) in [0, 1]."""
    check_mask(x, mask)
    cover = object_cover(x, factors)                                                               # (B, S, S)
    return (cover * ~mask[:, 0]).sum((1, 2)) / cover.sum((1, 2))


def empty_scenes(x: Tensor, factors: Tensor) -> Tensor:
    """The scenes without their objects: the background alone, as x (B, 3, S, S)."""
    return scenes.drawing.BACKGROUND_PALETTE[factors[:, 5], :, None, None].expand_as(x)


def pooled(x: Tensor, y: Tensor, mask: Tensor) -> float:
    """The mean error inside the holes of all pictures, each picture counting the same."""
    return masks.error_inside(x, y, mask).mean().item()


def judge_on_scenes(model) -> dict[str, float]:
    x, factors, mask = new_scenes_with_holes()
    y = fill(model, x, mask)
    return {"inside": pooled(x, y, mask), "all_six": scene_accuracy(y, factors)["all_six"]}


def judge_on_emoji(model) -> dict[str, float]:
    x, mask = new_emoji_with_holes()
    return {"inside": pooled(x, fill(model, x, mask), mask)}


def judge_on_patches(model) -> dict[str, float]:
    x, _, mask = new_scenes_with_patches()
    return {"inside": pooled(x, fill(model, x, mask), mask)}


# -- photographs: what no network here has seen --------------------------------------------------------------------


def fill_own(x: Tensor, mask: Tensor) -> dict[str, Tensor]:
    """{what: pictures as x}: holes filled by the mean, by the smoothest surface, and by the two U-Nets.

    x     (B, 3, S, S) in [-1, 1], S a multiple of 8, such as `own_picture(..., side=64).batch`
    mask  (B, 1, S, S), True = hidden, such as `masks.box_at(25, 25, 14, size=64)`
    """
    nets = {f"U-Net, for {world}": load(f"inpaint-{world}-unet")[0] for world in ("emoji", "scenes")}
    return {"mean": mean_fill(x, mask), "smoothest": biharmonic_fill(x, mask),
            **{name: fill(net, x, mask) for name, net in nets.items()}}


def errors_on_photographs(side: int = 64) -> dict[str, float]:
    """{filling of `fill_own`: error inside a hole of 14 x 14}, the mean of nine places in each of PHOTOGRAPHS."""
    corners = (2, (side - masks.HOLE_SIDE) // 2, side - masks.HOLE_SIDE - 2)
    mask = torch.cat([masks.box_at(row, column, size=side) for row in corners for column in corners])
    errors: dict[str, list[float]] = {}
    for name in PHOTOGRAPHS:
        x = own_picture(photograph_path(name), side).batch.expand(len(mask), -1, -1, -1)
        for what, y in fill_own(x, mask).items():
            errors.setdefault(what, []).append(pooled(x, y, mask))
    return {what: sum(found) / len(found) for what, found in errors.items()}
