"""The weights of notebook 11:

    clip                     the course's: scenes of one and two objects and emoji, English and Korean
    simclr-crops             no words: two crops of a scene
    simclr-colours           the same, and the colours of the crops turned

Not shipped:

    clip-korean              a Korean text tower on the frozen image tower of `clip`; figures in data/trials.json

To compare losses; not trained yet, and a first try of `clip-small` says that these steps do not suffice for shapes:

    clip-small               scenes alone, small; several positives, as `clip`
    clip-small-diagonal      the pairs alone, as in the paper: other captions that fit count as wrong
    clip-small-soft          the targets of a much copied notebook
    clip-small-sigmoid       SigLIP, b from the prior
"""

from __future__ import annotations

import math
from functools import partial

from ...models.clip import CLIP, pair_loss, pair_prior, siglip_loss, soft_target_loss
from ...models.simclr import SimCLR, two_views_loss
from ...training.checkpoints import load
from ...training.recipes import Recipe, any_length
from .batches import SHARES, pair_batches, tokenizer
from .experiments import course_figures, scene_figures
from .probes import kept_factors
from .views import VIEWS, view_batches

CLIP_STEPS = 4500
SMALL_TOWERS = {"image": {"width": 64, "depth": 2}, "text": {"width": 48, "depth": 2}, "embedding": 32}
SMALL_BATCH, SMALL_STEPS = 64, 1200
PARTLY = {"group": 4, "whole": 0.2}  # four scenes alike at a time; most captions leave something out
TURNED = "colours turned, half of them negatives, "
CAPTIONED_SCENES = "scenes of one object, four alike at a time, captions in English and Korean, most in part"


def untrained_clip(**sizes) -> CLIP:
    return CLIP(tokenizer().vocabulary, **sizes)


def on_frozen_pictures() -> CLIP:
    """The image tower of `clip`, which learns no more, and a new text tower."""
    taught = load("clip")[0]
    model = CLIP(**taught.config)
    for name in ("image", "from_image"):
        getattr(model, name).load_state_dict(getattr(taught, name).state_dict())
        getattr(model, name).requires_grad_(False)
    return model


def soft_loss(model, batch, temperature: float = 1.0):
    """`soft_target_loss` of a batch of pairs, on what the projections give, as its notebook has it."""
    image, text = model.from_image(model.image(batch["images"])), model.from_text(model.text(batch["texts"]))
    return soft_target_loss(image, text, temperature), {"length": image.detach().norm(dim=1).mean()}


def small_clip(name: str, batch: int = SMALL_BATCH, steps: int = SMALL_STEPS, diagonal: bool = True, loss=pair_loss,
          **model) -> Recipe:
    return Recipe(
        name=f"clip-small{name}", build=partial(untrained_clip, **SMALL_TOWERS, **model), loss=loss, steps=steps,
        batches=any_length(pair_batches, {"scenes": batch}, diagonal=diagonal, **PARTLY), evaluate=scene_figures,
        lr=1.5e-3, ema=0.99, data=f"{CAPTIONED_SCENES}, made anew at every step, batches of {batch}")


def recipes():
    """The recipes of this notebook."""
    yield Recipe(
        name="clip", build=untrained_clip, batches=any_length(pair_batches, SHARES, **PARTLY), loss=pair_loss,
        evaluate=course_figures, steps=CLIP_STEPS, lr=1.5e-3, ema=0.998,
        data="scenes of one object (112 of a batch, four alike at a time) and of two (16), emoji by Noto, Twemoji, "
             "Fluent that no split holds out (112); captions and names in English and Korean, in any word order, most "
             "in part. Good for: which caption fits a scene of one object, names of emoji. Not for photographs")
    yield Recipe(
        name="clip-korean", build=on_frozen_pictures, loss=pair_loss, steps=800, ema=0.99,
        batches=any_length(pair_batches, {"scenes": 128}, ("ko",), **PARTLY),
        evaluate=partial(scene_figures, languages=("ko",)),
        data="scenes of one object, captions in Korean, most in part, batches of 128, on the frozen pictures of `clip`")

    yield small_clip("", diagonal=False)
    yield small_clip("-diagonal")
    yield small_clip("-soft", loss=soft_loss)
    yield small_clip("-sigmoid", loss=partial(pair_loss, loss=siglip_loss), scale=math.log(10),
                bias=pair_prior(SMALL_BATCH))

    for name, colours in (("crops", False), ("colours", True)):
        yield Recipe(
            name=f"simclr-{name}", build=SimCLR, batches=any_length(view_batches, colours),
            loss=two_views_loss, evaluate=lambda model: kept_factors(model.tower), steps=1400, lr=4e-3,
            data=f"two crops of scenes drawn anew, {TURNED if colours else ''}batches of {VIEWS}")
