r"""Where a Vision Transformer looks, beside where the object is: attention maps, their scores, and pictures of them.

B pictures · L blocks · H heads · N patches · T = 1 + N tokens, the class token first
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...data.batches import in_batches
from ...models.vit import patchify, unpatchify
from ...show.heatmaps import FRAME, shade

ZOOM = 4  # pixels of a map for each of the picture
DARKEST = 6.0  # times the weight of an even look: there a map is darkest


# -- maps ------------------------------------------------------------------------------------------------------------


def class_attention(model, x: Tensor) -> Tensor:
    r"""What the class token reads of each patch, in every block and head: (B, L, H, N), each row 1 in sum.

    What it reads of itself is left out.
    """
    weights = in_batches(lambda part: model.attention(part)[..., 0, 1:].clone(), x)  # a view would keep all of it
    return weights / weights.sum(-1, keepdim=True)


def rollout(weights: Tensor) -> Tensor:
    r"""Attention followed through all blocks (Abnar & Zuidema 2020): weights (B, L, H, T, T) -> (B, T, T).

    A block passes on half of what a token was (its shortcut) and half of what its heads read, on average. Row i of the
    product says how much of each input token is in token i at the end. Each row is 1 in sum.
    """
    steps = (weights.mean(2) + torch.eye(weights.shape[-1])) / 2                  # (B, L, T, T)
    through = steps[:, 0]
    for step in steps.unbind(1)[1:]:
        through = step @ through
    return through


def rolled_out(model, x: Tensor) -> Tensor:
    r"""The class token's row of the rollout, patches alone: (B, N), each row 1 in sum."""
    row = in_batches(lambda part: rollout(model.attention(part))[:, 0, 1:], x)
    return row / row.sum(1, keepdim=True)


# -- their scores ----------------------------------------------------------------------------------------------------


def patch_cover(cover: Tensor, patch: int) -> Tensor:
    r"""The share of each patch that the object covers: (B, S, S) in [0, 1] -> (B, N)."""
    return patchify(cover[:, None], patch).mean(2)


def inside(weights: Tensor, cover: Tensor, patch: int) -> Tensor:
    r"""The share of the attention that lies on the object: weights (B, ..., N), cover (B, S, S) -> (B, ...).

    Within a patch it is spread evenly. A look that is spread over the whole picture gets the share of the area.
    """
    per_patch = patch_cover(cover, patch)
    return (weights * per_patch.view(len(weights), *[1] * (weights.ndim - 2), -1)).sum(-1)


def hidden(x: Tensor, weights: Tensor, patch: int, count: int) -> Tensor:
    r"""The pictures with the `count` patches of the largest weights (B, N) painted over with the upper left pixel.

    In a scene that is the background. Give random weights for random patches.
    """
    top = weights.topk(count, 1).indices
    chosen = torch.zeros_like(weights, dtype=torch.bool).scatter(1, top, True)    # (B, N)
    patches = patchify(x, patch)
    paint = x[:, :, 0, 0].repeat(1, patch * patch)[:, None]                       # (B, 1, P P C)
    return unpatchify(torch.where(chosen[:, :, None], paint, patches), patch)


# -- pictures --------------------------------------------------------------------------------------------------------


def attention_pictures(weights: Tensor, cover: Tensor | None = None) -> np.ndarray:
    r"""Maps of weights (B, N) as uint8 pictures (B, 128, 128, 3): white 0, dark blue six times an even look and more.

    cover: (B, 32, 32); the outline of the object is drawn in vermilion.
    """
    count, n = weights.shape
    side = round(n**0.5)
    maps = (weights * n / DARKEST).clamp(0, 1).view(count, 1, side, side)
    maps = F.interpolate(maps, size=32 * ZOOM)[:, 0].numpy()                      # nearest: patches stay squares
    pictures = shade(maps)
    if cover is not None:
        fine = F.interpolate(cover[:, None], scale_factor=ZOOM, mode="bilinear")
        solid = (fine > 0.5).float()
        edge = (F.max_pool2d(solid, 3, 1, 1) != solid)[:, 0].numpy()
        pictures[edge] = FRAME
    return pictures
