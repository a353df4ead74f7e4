r"""What notebook 10 measures: which shape and colour a network names, in new scenes and in pairings it never met.

A network answers both questions at once: 12 logits, the first four for the shape, the others for the colour.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data import scenes
from ...data.batches import NEW_SCENES_SEED, in_batches
from ...models.vit import patchify, unpatchify
from ...training import tuning
from ...training.checkpoints import load

QUESTIONS = ("shape", "colour")
ANSWERS = tuple(len(scenes.VALUES[question]) for question in QUESTIONS)  # 4 and 8
NOT_ASKED = -100  # a label that the loss leaves out
PATCHES = (4, 8, 16)  # pixels a side
LENGTHS = (125, 250, 500, 2000)  # steps of training
FEW_SCENES = (100, 1000, 10_000)  # scenes to train on


# -- questions and answers -------------------------------------------------------------------------------------------


def questions_loss(model, batch):
    r"""(loss, {"shape", "colour"}): the mean over both questions of the cross-entropy, in nats; the parts one each.

    batch: pictures (B, C, S, S) and labels (B, 2). A label of NOT_ASKED is left out.
    """
    x, labels = batch
    parts = [F.cross_entropy(logits, label, ignore_index=NOT_ASKED)
             for logits, label in zip(model(x).split(ANSWERS, 1), labels.unbind(1), strict=True)]
    return sum(parts) / len(parts), {name: part.detach() for name, part in zip(QUESTIONS, parts, strict=True)}


def answers_of(model, x: Tensor) -> Tensor:
    r"""What a network says of many pictures (N, C, S, S): the indices of shape and colour (N, 2)."""
    return torch.stack([part.argmax(1) for part in in_batches(model, x).split(ANSWERS, 1)], 1)


def new_scenes(n: int = 2000, split: str = "train") -> tuple[Tensor, Tensor]:
    r"""Scenes that no network was trained on (n, 3, 32, 32), and their shape and colour (n, 2)."""
    x, factors = scenes.make_scenes(n, NEW_SCENES_SEED, split)
    return x, factors[:, :2]


def share_right(model, x: Tensor, labels: Tensor) -> dict[str, float]:
    r"""{"shape": the share of pictures whose shape is named, "colour": the same}."""
    right = (answers_of(model, x) == labels).float().mean(0)
    return dict(zip(QUESTIONS, right.tolist(), strict=True))


def name_scenes(model) -> dict[str, float]:
    r"""Shares of right answers: new scenes, and 2,000 of the pairings that were held out."""
    seen, held_out = (share_right(model, *new_scenes(split=split)) for split in ("train", "held_out"))
    return seen | {f"held_out_{name}": share for name, share in held_out.items()}


# -- pictures to train on --------------------------------------------------------------------------------------------


def labelled_scenes(batch: int):
    r"""step -> (scenes, shape and colour), drawn anew at every step."""

    def batches(step):
        factors = scenes.sample_factors(batch, torch.default_generator)
        return scenes.draw(factors, torch.default_generator), factors[:, :2]

    return batches


def turned_hue(x: Tensor, angle: Tensor) -> Tensor:
    r"""Pictures (B, 3, S, S) with all colours turned about the axis of greys, each picture by its own angle (B,).

    A turn keeps the sum of red, green and blue, and how far a colour is from grey; greys stay. What leaves [-1, 1] is
    clamped.
    """
    u = torch.full((3,), 1 / math.sqrt(3))
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / math.sqrt(3)
    sin, cos = angle.sin()[:, None, None], angle.cos()[:, None, None]
    turn = cos * torch.eye(3) + sin * cross + (1 - cos) * torch.outer(u, u)       # Rodrigues' formula, (B, 3, 3)
    return torch.einsum("bij,bjhw->bihw", turn, x).clamp(-1, 1)


def comes_near(labels: Tensor, angle: Tensor) -> Tensor:
    r"""Whether the hue turned by angles (B,) brings shapes and colours (B, 2) near a pairing that is held out -> (B,).

    Near is less than half of the distance of the two most similar colours, red, green and blue in [-1, 1].
    """
    forbidden = scenes.PALETTE[[scenes.COLOURS.index(dict(scenes.HELD_OUT)[shape]) for shape in scenes.SHAPES]]
    turned = turned_hue(scenes.PALETTE[labels[:, 1], :, None, None], angle)[..., 0, 0]
    return (turned - forbidden[labels[:, 0]]).norm(dim=1) < torch.pdist(scenes.PALETTE).min() / 2


def recoloured_scenes(batch: int, share: float = 0.5):
    r"""The same, but of that share of the pictures the hue is turned at random, and the colour is not asked for.

    A turn that comes near a pairing held out is left out.
    """
    draw = labelled_scenes(batch)

    def batches(step):
        x, labels = draw(step)
        angle = 2 * math.pi * torch.rand(batch)
        chosen = (torch.rand(batch) < share) & ~comes_near(labels, angle)
        labels = torch.stack([labels[:, 0], torch.where(chosen, NOT_ASKED, labels[:, 1])], 1)
        return turned_hue(x, torch.where(chosen, angle, 0.0)), labels

    return batches


def few_scenes(n: int, batch: int, seed: int = 0):
    r"""step -> (scenes, labels) out of n that are drawn once, of that seed."""
    x, factors = scenes.make_scenes(n, seed)

    def batches(step):
        chosen = torch.randint(n, (batch,))
        return x[chosen], factors[chosen, :2]

    return batches


# -- what else is asked of a network ---------------------------------------------------------------------------------


def by_pairing(model, n: int = 2000) -> dict[str, Tensor]:
    r"""{"purple circle": how often each of the four shapes is named, shares (4,)}, for the pairings held out."""
    x, labels = new_scenes(n, "held_out")
    said = answers_of(model, x)[:, 0]
    return {f"{colour} {shape}": F.one_hot(said[labels[:, 0] == scenes.SHAPES.index(shape)], len(scenes.SHAPES))
            .float().mean(0) for shape, colour in scenes.HELD_OUT}


def shuffled(x: Tensor, patch: int, seed: int = 0) -> Tensor:
    r"""The pictures with their patches in another order, each picture in its own."""
    generator = torch.Generator().manual_seed(seed)
    patches = patchify(x, patch)
    order = torch.rand(patches.shape[:2], generator=generator).argsort(1)[:, :, None]
    return unpatchify(patches.gather(1, order.expand_as(patches)), patch)


def moved_by(x: Tensor, down: int, right: int) -> Tensor:
    r"""The pictures moved by whole pixels; what comes in at the border repeats the border."""
    reach = max(abs(down), abs(right))
    side, padded = x.shape[-1], F.pad(x, (reach,) * 4, mode="replicate")
    return padded[:, :, reach - down : reach - down + side, reach - right : reach - right + side]


def shifts(model, x: Tensor) -> dict[str, float]:
    r"""What moving a picture by one pixel does, over the four directions.

    "changed": the share of named shapes that change. "moved": how far the logits move, over how far those of two
    different scenes are apart, root mean squares both.
    """
    logits, said = in_batches(model, x), answers_of(model, x)[:, 0]
    near = [moved_by(x, *step) for step in ((1, 0), (-1, 0), (0, 1), (0, -1))]
    changed = torch.stack([(answers_of(model, other)[:, 0] != said).float() for other in near]).mean().item()
    distance = torch.stack([(in_batches(model, other) - logits).square().sum(1) for other in near]).mean().sqrt()
    apart = (logits - logits.roll(1, 0)).square().sum(1).mean().sqrt()
    return {"changed": changed, "moved": (distance / apart).item()}


def multiply_adds(model) -> int:
    r"""The multiplications, each with its addition, that one picture takes a Vision Transformer.

    Those of matrix products: embedding, the maps of each block, scores and weighted means, the head.
    """
    c = model.config
    patches = (c["size"] // c["patch"]) ** 2
    tokens, width = patches + 1, c["width"]
    block = 4 * tokens * width**2 + 2 * tokens**2 * width + 2 * tokens * width * c["hidden"]
    return patches * c["patch"] ** 2 * c["channels"] * width + c["depth"] * block + width * c["classes"]


# -- trials whose weights are not shipped ----------------------------------------------------------------------------


def few_trials(net: str, figure: str = "shape", seeds=(0, 1, 2)) -> Tensor:
    r"""A figure of the networks "vit" or "cnn" trained on few scenes, as recorded: (seeds, len(FEW_SCENES))."""
    return torch.tensor([[tuning.find(f"{net}-few-{n}", seed=seed)[figure] for n in FEW_SCENES] for seed in seeds])


def length_trials(figure: str = "held_out_shape") -> list[float]:
    r"""A figure of `vit-scenes-8` after each of LENGTHS, a training of its own each: as recorded, the last shipped."""
    shorter = [tuning.find("vit-scenes-8", steps=steps)[figure] for steps in LENGTHS[:-1]]
    return [*shorter, load("vit-scenes-8")[1].metrics[figure]]
