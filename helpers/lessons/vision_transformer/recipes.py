r"""The weights of notebook 10.

    vit-scenes-4, -8, -16    shape and colour of scenes, patches of that many pixels a side
    vit-scenes-unplaced      patches of 8, without position embeddings
    vit-scenes-recoloured    patches of 8; half of the training pictures have their hue turned at random
    cnn-scenes               convolutions of as many weights, trained for as long
    vit-mnist                digits, patches of 7
    vit-emoji-category       the categories of emoji: the task of notebook 00, patches of 8
    vit-few-N, cnn-few-N     N scenes and no more; their figures are in data/trials.json, weights are not shipped
"""

from __future__ import annotations

from functools import partial

from ...models.classifier import PictureClassifier
from ...models.mlp import classification_loss
from ...models.vit import VisionTransformer
from ...training.recipes import Recipe, any_length
from ..start_here.experiments import category_accuracy, category_batches
from . import experiments as own
from .digits import digit_accuracy, shifted_digits

VIT_BATCH, VIT_STEPS, FEW_STEPS = 64, 2000, 500
SLOWER = 1.25  # time of a step of the Vision Transformer over one of the convolutions, measured on one core
VIT_LR = 1e-3
LOGITS = sum(own.ANSWERS)
NAMING = {"loss": own.questions_loss, "evaluate": own.name_scenes, "lr": VIT_LR}


def naming_scenes(name: str, build, batches=own.labelled_scenes, steps: int = VIT_STEPS, data: str = "") -> Recipe:
    r"""A network that names shape and colour, trained on scenes that are drawn anew at every step."""
    data = f"tiny scenes with their shape and colour{data}, drawn anew at every step, batches of {VIT_BATCH}"
    return Recipe(name=name, build=build, batches=any_length(batches, VIT_BATCH), steps=steps, data=data, **NAMING,
                  sizes={"gpu": {"steps": 5 * steps}})


def on_few(name: str, build, n: int, steps: int) -> Recipe:
    r"""The same, trained on n scenes that are drawn once."""
    return Recipe(name=f"{name}-{n}", build=build, batches=any_length(own.few_scenes, n, VIT_BATCH), steps=steps,
                  data=f"{n:,} tiny scenes with their shape and colour, batches of {VIT_BATCH}", **NAMING)


def recipes():
    r"""The recipes of this notebook."""
    for patch in own.PATCHES:  # a step with patches of 4 takes four times as long, so they get a quarter of the steps
        yield naming_scenes(f"vit-scenes-{patch}", partial(VisionTransformer, LOGITS, patch),
                        steps=VIT_STEPS // 4 if patch == 4 else VIT_STEPS)
    yield naming_scenes("vit-scenes-unplaced", partial(VisionTransformer, LOGITS, positions=False))
    yield naming_scenes("vit-scenes-recoloured", partial(VisionTransformer, LOGITS), own.recoloured_scenes,
                    data=", half of them with another hue, not near a pairing held out, and no question about it")
    convolutions = partial(PictureClassifier, LOGITS, preset="as-vit")
    yield naming_scenes("cnn-scenes", convolutions, steps=round(SLOWER * VIT_STEPS))

    for n in own.FEW_SCENES:
        yield on_few("vit-few", partial(VisionTransformer, LOGITS), n, FEW_STEPS)
        yield on_few("cnn-few", convolutions, n, round(SLOWER * FEW_STEPS))

    yield Recipe(
        name="vit-mnist", build=partial(VisionTransformer, 10, 7, channels=1, size=28), lr=2e-3,
        batches=any_length(shifted_digits, 100), loss=classification_loss, evaluate=digit_accuracy, steps=3000,
        data="MNIST, 60,000 training pictures, moved by up to 2 pixels, batches of 100: five epochs",
        sizes={"gpu": {"steps": 60_000}},
    )
    yield Recipe(
        name="vit-emoji-category", build=partial(VisionTransformer, 9), lr=VIT_LR, steps=1500,
        batches=any_length(category_batches), loss=classification_loss, evaluate=category_accuracy,
        data="emoji by Noto, Twemoji, Fluent that no split holds out, mirrored, shifted, batches of 64",
    )
