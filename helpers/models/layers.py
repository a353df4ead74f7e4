r"""Layers that several models share.

Attention is defined here once. Notebook 01 reads the words of a sentence with it; later ones read patches of a
picture (07, 10) and the words of a prompt (13). Bahdanau et al. 2015, eq. 5 and 6; the transformer's parts are
Vaswani et al. 2017's, in the order of Dosovitskiy et al. 2021, eq. 2 and 3: each branch is normalised where it begins.

B batch · N tokens · D width, the numbers of a token · H heads
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn


def attend(scores, values, mask=None):
    r"""The weighted mean of `values`, each query with its own weights: softmax(scores) @ values.

    scores  (..., T, S)  how well each of S values answers each of T queries
    values  (..., S, D)
    mask    boolean, broadcast to (..., T, S); True where a value may be seen. Each query must see one at least.
            None: all may be seen.
    Returns the means (..., T, D) and the weights (..., T, S): not negative, 1 in sum, exactly 0 where masked.
    """
    if mask is not None:
        scores = scores.masked_fill(~mask, float("-inf"))
    weights = scores.softmax(-1)
    return weights @ values, weights


class SelfAttention(nn.Module):
    r"""Tokens that read one another: (B, N, D) -> (B, N, D). Vaswani et al. 2017, section 3.2.

    Each head has its own queries, keys and values of D / H numbers, and scores q.k / sqrt(D / H).
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"the width must be a multiple of the heads; got {width} and {heads}")
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def read(self, x, mask=None, past=None):
        r"""What each head of each token reads (B, H, N, D / H), and with which weights (B, H, N, N)."""
        q, k, v = self.qkv(x).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if past is not None:
            k, v = past.add(k, v)
        return attend(q @ k.mT / math.sqrt(q.shape[-1]), v, mask)

    def forward(self, x, mask=None, past=None):
        r"""mask: boolean, broadcast to (B, H, N, N), True where the token of the row may read that of the column.

        past: a `Past`, to which keys and values of x are added; then the tokens before can be read too, and the
        columns of the mask are all of them.
        """
        heads, _ = self.read(x, mask, past)                # (B, H, N, D / H)
        return self.out(heads.transpose(1, 2).flatten(2))  # (B, N, D)


class Past:
    r"""Keys and values (B, H, N, D / H) of the tokens so far, for a model that writes one token after another.

    What a token offers to be read never changes where no token reads a later one, so it is kept: a key-value cache.
    """

    def __init__(self):
        self.keys = self.values = None

    def add(self, keys, values):
        r"""Those of more tokens, behind the ones so far; returns all of them."""
        if self.keys is not None:
            keys, values = torch.cat([self.keys, keys], 2), torch.cat([self.values, values], 2)
        self.keys, self.values = keys, values
        return keys, values


class CrossAttention(nn.Module):
    r"""Places that read the tokens of something else: (B, N, D), (B, M, C) -> (B, N, D). Queries are the places'.

    What a decoder did in notebook 01, one word at a time: keys and values come from the text, a query from who reads.
    context  C, the numbers of a token that is read
    """

    def __init__(self, width: int, context: int, heads: int):
        super().__init__()
        if heads < 1 or width % heads:
            raise ValueError(f"the width must be a multiple of the heads; got {width} and {heads}")
        self.heads = heads
        self.query, self.key_value = nn.Linear(width, width), nn.Linear(context, 2 * width)
        self.out = nn.Linear(width, width)

    def read(self, x, context, mask=None):
        r"""What each head of each place reads (B, H, N, D / H), and with which weights (B, H, N, M)."""
        q = self.query(x).unflatten(2, (self.heads, -1)).transpose(1, 2)
        k, v = self.key_value(context).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        return attend(q @ k.mT / math.sqrt(q.shape[-1]), v, None if mask is None else mask[:, None, None])

    def forward(self, x, context, mask=None):
        r"""mask: boolean (B, M), True where a token may be read; each row has one at least."""
        heads, _ = self.read(x, context, mask)             # (B, H, N, D / H)
        return self.out(heads.transpose(1, 2).flatten(2))  # (B, N, D)


class Block(nn.Module):
    r"""A transformer block: tokens read one another, then each is changed for itself: (B, N, D) -> (B, N, D).

    hidden   units of the two-layer perceptron between its maps; None takes the usual 4 D
    """

    def __init__(self, width: int, heads: int, hidden: int | None = None):
        super().__init__()
        hidden = 4 * width if hidden is None else hidden
        self.norm1, self.attention = nn.LayerNorm(width), SelfAttention(width, heads)
        self.norm2, self.widen, self.narrow = nn.LayerNorm(width), nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x, mask=None, past=None):
        x = x + self.attention(self.norm1(x), mask, past)              # (B, N, D)
        return x + self.narrow(F.gelu(self.widen(self.norm2(x))))      # (B, N, D)


def grid_positions(rows: int, columns: int, width: int) -> torch.Tensor:
    r"""Sine and cosine position embeddings of a grid, row by row: (rows * columns, width), values in [-1, 1].

    The first half of the numbers tells the row, the second the column, each as sin and cos of the position times
    10000^(-i / (width / 4)): Vaswani et al. 2017, section 3.5, along two axes as in He et al. 2022.
    ValueError unless width is a multiple of 4.
    """
    if width % 4:
        raise ValueError(f"the width must be a multiple of 4, for the sine and cosine of two axes; got {width}")
    frequencies = 10_000.0 ** (-torch.arange(width // 4) / (width // 4))
    place = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).view(rows * columns, 2)
    angles = place[:, :, None] * frequencies                           # (N, 2, width / 4)
    return torch.cat([angles.sin(), angles.cos()], 2).flatten(1)       # (N, width)
