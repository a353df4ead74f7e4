r"""The weights of notebook 07: inpainters and masked autoencoders, on scenes and on emoji.

    inpaint-scenes-skip        a U-Net: what is known reaches the drawing directly
    inpaint-scenes-skip-guess  the same, which starts from a smooth guess; only its figures are kept, in
                               data/trials.json
    inpaint-scenes-code        all that is drawn has passed a code of 64 numbers; the loss counts the whole picture
    inpaint-scenes-code-hole   the same, and the loss counts the hole alone: it learns so slowly that only its figures
                               are kept, in data/trials.json
    mae-scenes                 a masked autoencoder, three quarters of the patches hidden

A batch is (pictures, masks).
"""

from __future__ import annotations

from functools import partial

from ...data import masks
from ...data.batches import BATCH, emoji_batches, scene_batches
from ...models.inpainting import BottleneckInpainter, SkipInpainter, masked_loss, whole_loss
from ...models.mae import MAE
from ...training.recipes import Recipe
from .experiments import LATENT, PATCH, evaluate_emoji, evaluate_patches, evaluate_scenes, masked, patch_masks

CODE = partial(BottleneckInpainter, LATENT)
NETS = {"code": (CODE, whole_loss, 5000), "skip": (SkipInpainter, masked_loss, 5000)}
PICTURES = {
    "scenes": (scene_batches, evaluate_scenes, "tiny scenes, drawn anew at every step"),
    "emoji": (emoji_batches, evaluate_emoji, "emoji of the training families, half of them mirrored"),
}


def inpainter(dataset: str, kind: str, build, loss, steps: int) -> Recipe:
    r"""The recipe inpaint-DATASET-KIND: all of one data set see the same pictures with the same holes."""
    pictures, evaluate, words = PICTURES[dataset]
    return Recipe(
        name=f"inpaint-{dataset}-{kind}", build=build, batches=masked(pictures, masks.mixed), loss=loss,
        evaluate=evaluate, data=f"{words}; boxes, pixels, halves and strokes hidden, batches of {BATCH}",
        steps=steps, sizes={"gpu": {"steps": 4 * steps}},
    )


def recipes():
    r"""The recipes of this notebook."""
    for dataset in PICTURES:
        for kind, (build, loss, steps) in NETS.items():
            yield inpainter(dataset, kind, build, loss, steps)
    yield inpainter("scenes", "code-hole", CODE, masked_loss, 5000)
    yield inpainter("scenes", "skip-guess", partial(SkipInpainter, guess=True), masked_loss, 5000)

    yield Recipe(
        name="mae-scenes", build=partial(MAE, PATCH), batches=masked(scene_batches, patch_masks), loss=masked_loss,
        evaluate=evaluate_patches, steps=6000, sizes={"gpu": {"steps": 40_000}},
        data=f"tiny scenes, drawn anew at every step; 75 % of the 4x4 patches hidden, batches of {BATCH}",
    )
