"""The weights of notebook 07: inpainters and masked autoencoders, on scenes and on emoji.

    inpaint-scenes-unet        what is known reaches the drawing directly
    inpaint-scenes-unet-guess  it starts from a smooth guess; only its figures are kept, in data/trials.json
    inpaint-scenes-code        all that is drawn has passed a code of 64 numbers; the loss counts the whole picture
    inpaint-scenes-code-hole   here the loss counts the hole alone: it learns so slowly that only its figures are kept,
                               in data/trials.json
    mae-scenes                 a masked autoencoder, three quarters of the patches hidden

A batch is (pictures, masks).
"""

from __future__ import annotations

from functools import partial

from ...data import masks
from ...data.batches import BATCH, emoji_batches, scene_batches
from ...models.inpainting import BottleneckInpainter, UNetInpainter, masked_loss, whole_loss
from ...models.mae import MAE
from ...training.recipes import Recipe, any_length
from .experiments import HIDDEN_PATCHES, PATCH_SIDE, judge_on_emoji, judge_on_patches, judge_on_scenes

BOTTLENECK = partial(BottleneckInpainter, 64)
MASKED_PICTURES = {
    "scenes": (scene_batches, judge_on_scenes, "tiny scenes, drawn anew at every step"),
    "emoji": (emoji_batches, judge_on_emoji, "emoji of the training families, half of them mirrored"),
}


def masked(pictures, hide):
    """step -> (x, masks). pictures: () -> (step -> x); hide: n -> masks (n, 1, S, S)."""
    draw = pictures()

    def batches(step):
        x = draw(step)
        return x, hide(len(x))

    return batches


def patch_masks(n: int):
    return masks.patches(n, HIDDEN_PATCHES, PATCH_SIDE)


def inpainter(world: str, kind: str, build, loss) -> Recipe:
    """The recipe inpaint-WORLD-KIND: all of one world see the same pictures with the same holes."""
    pictures, evaluate, what = MASKED_PICTURES[world]
    return Recipe(
        name=f"inpaint-{world}-{kind}", build=build, batches=any_length(masked, pictures, masks.mixed), loss=loss,
        evaluate=evaluate, data=f"{what}; boxes, pixels, halves and strokes hidden, batches of {BATCH}",
        steps=5000, sizes={"gpu": {"steps": 20_000}},
    )


def recipes():
    """The recipes of this notebook."""
    for world in MASKED_PICTURES:
        yield inpainter(world, "code", BOTTLENECK, whole_loss)
        yield inpainter(world, "unet", UNetInpainter, masked_loss)
    yield inpainter("scenes", "code-hole", BOTTLENECK, masked_loss)
    yield inpainter("scenes", "unet-guess", partial(UNetInpainter, guess=True), masked_loss)

    yield Recipe(
        name="mae-scenes", build=partial(MAE, PATCH_SIDE), batches=any_length(masked, scene_batches, patch_masks),
        loss=masked_loss, evaluate=judge_on_patches, steps=6000, sizes={"gpu": {"steps": 40_000}},
        data=f"tiny scenes, drawn anew at every step; 75 % of the 4x4 patches hidden, batches of {BATCH}",
    )
