r"""The figures of notebook 10: a picture as a strip of patches, and the Vision Transformer with a picture in it."""

from __future__ import annotations

import torch

from ...data import scenes
from ...models.vit import patchify, unpatchify
from ...show.diagrams import Diagram, arrow, column, connect, enclose, grid, note, operation, picture, row, sign, vector
from ...show.raster import tile
from .experiments import ANSWERS
from .looking import attention_pictures, class_attention

NUMBERS_DRAWN = 7  # numbers of a token that a figure shows


def as_pictures(patches, patch: int):
    r"""Patches (N, P P C) as small pictures (N, C, P, P)."""
    return torch.cat([unpatchify(each[None, None], patch) for each in patches])


def strip_of_patches(x, patch: int = 8) -> Diagram:
    r"""A picture (1, 3, 32, 32), cut into patches, and these in a row, as a sentence has its words."""
    small = as_pictures(patchify(x, patch)[0], patch)
    cut = tile(small, 32 // patch, scale=2, gap=2)
    words = row(*(picture(each, str(i), 29) for i, each in enumerate(small, 1)), gap=5)
    whole = picture(cut, f"{len(small)} patches", 100)
    above = row(picture(x[0], "picture"), arrow("cut"), whole)
    return Diagram(column(above, words, gap=46), connect(whole, "bottom", words, "top", "row by row"),
                   title="A picture as a sentence",
                   description="A scene is cut into 16 patches of 8 by 8 pixels; they are laid in a row, numbered from "
                               "the upper left, row by row.")


def tokens_of(h):
    r"""Tokens (T, D) side by side, the first numbers of each; the class token in the colour of a code."""
    return row(*(vector(token[:NUMBERS_DRAWN], "", "hidden" if i else "code", cell=8, limit=2.5)
                 for i, token in enumerate(h)), gap=2)


@torch.no_grad()
def vision_transformer(model, x) -> Diagram:
    r"""The steps of `VisionTransformer.forward` on a picture (1, 3, 32, 32) that names shape and colour."""
    patch, h = model.config["patch"], model.tokens(x)
    cut = tile(as_pictures(patchify(x, patch)[0], patch), 32 // patch, scale=2, gap=2)
    entering, places = tokens_of(h[0] - model.positions), tokens_of(model.positions / model.positions.std())
    for block in model.blocks:
        h = block(h)
    looks = attention_pictures(class_attention(model, x)[:, -1].mean(1))
    read, plus = picture(looks[0], "what the class\ntoken reads", 70), sign("+")
    top = grid([picture(cut, "patches"), arrow("embed", 56), entering],
               [places, arrow("positions", 56), plus, read], gap=(8, 26))
    z, norm1, attention, add1 = note("z"), operation("norm1"), operation("attention", "attention"), sign("+")
    norm2, dense, add2 = operation("norm2"), operation("widen, GELU\nnarrow"), sign("+")
    parts = [z, norm1, attention, add1, norm2, dense, add2]
    middle = row(*[cell for part in parts for cell in (part, arrow(length=24))][:-1])
    leaving, logits = tokens_of(h[0]), model(x)[0]
    last = row(leaving, arrow("class token\nalone", 62), operation("norm, head"), arrow(length=24),
               vector(logits, f"{len(logits)} logits", "code", cell=11, upright=False), arrow(length=24),
               operation("\n".join(said_by(logits)), "words"))
    links = [connect(entering, "bottom", plus, "top"), connect(plus, "bottom", z, "top"),
             connect(attention, "top", read, "bottom", dashed=True),
             connect(add2, "bottom", leaving, "top", f"after {len(model.blocks)} such blocks"),
             connect(z, "bottom", add1, "bottom", detour=22), connect(add1, "top", add2, "top", detour=18)]
    return Diagram(column(top, middle, last, gap=60), enclose(*parts), *links,
                   title="A Vision Transformer",
                   description="Patches become tokens, and a class token stands before them. Positions are added. In "
                               "each block the tokens read one another, then each is changed for itself. The class "
                               "token alone gives the logits.")


def said_by(logits) -> list[str]:
    r"""The names of shape and colour that 12 logits give the most to."""
    names = (scenes.SHAPES, scenes.COLOURS)
    return [each[part.argmax()] for each, part in zip(names, logits.split(ANSWERS), strict=True)]
