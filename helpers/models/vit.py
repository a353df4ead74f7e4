r"""The Vision Transformer: a picture is a sequence of patches, one token for each, and a transformer reads them.

Notebook 10; notebook 07 uses the patches alone. Paper: Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021,
section 3.1. One token more, the class token, has no patch of its own: what it has read in the end is the answer.
Nothing here knows that two patches are neighbours, but the position embeddings, and these are learned. The loss that
trains it is `mlp.classification_loss`, or the lesson's for two questions at once.

B batch · C channels · S side of a picture · P side of a patch, both in pixels · N = (S / P)^2 patches · D width
L blocks · H heads · K classes
"""

from __future__ import annotations

import math

import torch
from torch import nn

from .layers import Block


def patchify(x, patch: int):
    r"""Pictures (B, C, S, S) -> patches (B, N, P P C), row by row from the upper left; P must divide S.

    A patch holds its pixels row by row, the channels of a pixel side by side.
    """
    if x.ndim != 4 or x.shape[2] != x.shape[3] or x.shape[2] % patch:
        raise ValueError(f"expected pictures (B, C, S, S) with S a multiple of {patch}; got {tuple(x.shape)}")
    grid = x.unflatten(3, (-1, patch)).unflatten(2, (-1, patch))       # (B, C, rows, P, columns, P)
    return grid.permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)     # (B, N, P P C)


def unpatchify(tokens, patch: int):
    r"""The inverse of `patchify`: patches (B, N, P P C) of a square picture -> (B, C, S, S)."""
    side = math.isqrt(tokens.shape[1]) if tokens.ndim == 3 else 0
    if tokens.ndim != 3 or side * side != tokens.shape[1] or tokens.shape[2] % patch**2:
        raise ValueError(f"expected (B, N, {patch * patch} C), N a square number; got {tuple(tokens.shape)}")
    grid = tokens.unflatten(2, (patch, patch, -1)).unflatten(1, (side, side))      # (B, rows, columns, P, P, C)
    return grid.permute(0, 5, 1, 3, 2, 4).flatten(4).flatten(2, 3)                 # (B, C, S, S)


class VisionTransformer(nn.Module):
    r"""Pictures -> logits: (B, C, S, S) in [-1, 1] -> (B, K). ValueError for pictures of another shape.

    classes        K, the numbers that come out
    patch          P, its side in pixels
    width, depth, heads   D, L, H
    hidden         units of the perceptron in a block; None takes 2 D
    channels, size   of the pictures
    positions      False leaves the position embeddings out: then the order of the patches changes nothing
    """

    def __init__(self, classes: int, patch: int = 8, width: int = 96, depth: int = 4, heads: int = 4,
                 hidden: int | None = None, channels: int = 3, size: int = 32, positions: bool = True):
        super().__init__()
        if patch < 1 or size % patch:
            raise ValueError(f"a picture of {size} pixels has no whole number of patches of {patch}")
        hidden = 2 * width if hidden is None else hidden
        self.config = {"classes": classes, "patch": patch, "width": width, "depth": depth, "heads": heads,
                       "hidden": hidden, "channels": channels, "size": size, "positions": positions}
        self.embed = nn.Linear(patch * patch * channels, width)
        self.class_token = nn.Parameter(0.02 * torch.randn(width))
        self.positions = nn.Parameter(0.02 * torch.randn((size // patch) ** 2 + 1, width)) if positions else None
        self.blocks = nn.ModuleList(Block(width, heads, hidden) for _ in range(depth))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, classes)

    def tokens(self, x):
        r"""What enters the first block: the class token, then a token for each patch (B, 1 + N, D). Equation 1."""
        channels, size = self.config["channels"], self.config["size"]
        if x.shape[1:] != (channels, size, size):
            raise ValueError(f"expected pictures (B, {channels}, {size}, {size}); got {tuple(x.shape)}")
        patches = self.embed(patchify(x, self.config["patch"]))        # (B, N, D)
        first = self.class_token.expand(len(x), 1, -1)                 # (B, 1, D)
        h = torch.cat([first, patches], 1)                             # (B, 1 + N, D)
        return h if self.positions is None else h + self.positions

    def forward(self, x):
        h = self.tokens(x)                                             # (B, 1 + N, D)
        for block in self.blocks:
            h = block(h)                                               # (B, 1 + N, D), equations 2 and 3
        return self.head(self.norm(h[:, 0]))                           # (B, K), equation 4

    def attention(self, x):
        r"""Who reads whom: the weights of every block and head (B, L, H, 1 + N, 1 + N), each row 1 in sum.

        Row i holds what token i reads; token 0 is the class token, and 1 to N are the patches.
        """
        h, weights = self.tokens(x), []
        for block in self.blocks:
            weights.append(block.attention.read(block.norm1(h))[1])    # (B, H, 1 + N, 1 + N)
            h = block(h)
        return torch.stack(weights, 1)
