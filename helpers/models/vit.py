r"""Pictures as sequences: a grid of patches, one token for each.

Notebooks 07 and 10. Paper: Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021, section 3.1.

B batch · C channels · S side of a picture · P side of a patch, both in pixels · N = (S / P)^2 patches
"""

from __future__ import annotations

import math


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
