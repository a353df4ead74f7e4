"""A masked autoencoder: hide most patches of a picture, read the rest, draw what was hidden.

Notebook 07. Paper: He, Chen, Xie, Li, Dollár & Girshick, "Masked autoencoders are scalable vision learners",
CVPR 2022 (arXiv 2021), figure 1. The encoder is a transformer that never meets a hidden patch: with 75 % hidden it
reads a quarter of the tokens. A small decoder gets what it made of them, one learned "mask token" for each gap, and
the positions of all. The loss is `inpainting.masked_loss`: hidden patches alone.

B batch · S side of a picture · N patches · V visible ones · D, E widths of encoder and decoder
"""

from __future__ import annotations

import torch
from torch import nn

from .inpainting import check_mask
from .layers import Block, grid_positions
from .vit import patchify, unpatchify


class MAE(nn.Module):
    """model(x, mask): pictures (B, C, S, S) and masks (B, 1, S, S), True = hidden -> pictures (B, C, S, S).

    A patch with a hidden pixel counts as hidden. All pictures of a batch have equally many visible patches, one at
    least; else ValueError. The drawing of visible patches is not trained, so paste the known pixels over it.

    patch          P, its side in pixels
    width, depth   of the encoder;  narrow, shallow  the same for the decoder;  heads  of both
    """

    def __init__(self, patch: int = 4, channels: int = 3, size: int = 32, width: int = 56, depth: int = 3,
                 narrow: int = 40, shallow: int = 2, heads: int = 4):
        super().__init__()
        if patch < 1 or size % patch:
            raise ValueError(f"a picture of {size} pixels has no whole number of patches of {patch}")
        self.config = {"patch": patch, "channels": channels, "size": size, "width": width, "depth": depth,
                       "narrow": narrow, "shallow": shallow, "heads": heads}
        numbers, side = patch * patch * channels, size // patch
        self.embed = nn.Linear(numbers, width)
        self.encoder = nn.ModuleList(Block(width, heads) for _ in range(depth))
        self.norm, self.bridge = nn.LayerNorm(width), nn.Linear(width, narrow)
        self.mask_token = nn.Parameter(0.02 * torch.randn(narrow))
        self.decoder = nn.ModuleList(Block(narrow, heads) for _ in range(shallow))
        self.last_norm, self.pixels = nn.LayerNorm(narrow), nn.Linear(narrow, numbers)
        self.register_buffer("positions", grid_positions(side, side, width), persistent=False)
        self.register_buffer("narrow_positions", grid_positions(side, side, narrow), persistent=False)

    def visible(self, mask):
        """The indices of the visible patches (B, V), in the order of the picture."""
        hidden = patchify(mask, self.config["patch"]).any(2)                   # (B, N)
        count = (~hidden).sum(1)
        if count.min() != count.max() or count.min() == 0:
            raise ValueError(f"every mask of a batch must leave equally many whole patches visible, one at least; "
                             f"these leave {int(count.min())} to {int(count.max())}")
        return hidden.byte().argsort(dim=1, stable=True)[:, : int(count[0])]

    def encode(self, x, seen):
        """Pictures and the indices of visible patches (B, V) -> one token for each (B, V, D)."""
        patches = select(patchify(x, self.config["patch"]), seen)              # (B, V, P P C)
        h = self.embed(patches) + self.positions[seen]                         # (B, V, D)
        for block in self.encoder:
            h = block(h)
        return self.norm(h)

    def decode(self, h, seen):
        """Tokens of visible patches (B, V, D) and their indices (B, V) -> patches, all of them (B, N, P P C)."""
        gaps = self.mask_token.expand(len(h), len(self.positions), -1)         # (B, N, E)
        index = seen[:, :, None].expand(-1, -1, gaps.shape[2])                 # (B, V, E)
        h = gaps.scatter(1, index, self.bridge(h)) + self.narrow_positions     # (B, N, E)
        for block in self.decoder:
            h = block(h)
        return self.pixels(self.last_norm(h))

    def forward(self, x, mask):
        check_mask(x, mask)
        channels, size = self.config["channels"], self.config["size"]
        if x.shape[1:] != (channels, size, size):
            raise ValueError(f"expected pictures (B, {channels}, {size}, {size}); got {tuple(x.shape)}")
        seen = self.visible(mask)                                              # (B, V)
        return unpatchify(self.decode(self.encode(x, seen), seen), self.config["patch"])


def select(tokens, index):
    """The tokens of (B, N, D) at indices (B, V) -> (B, V, D)."""
    return tokens.gather(1, index[:, :, None].expand(-1, -1, tokens.shape[2]))
