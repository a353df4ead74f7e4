r"""The U-Net of diffusion: a noisy picture and its noise level go in, and the network says what is noise.

Notebooks 12 and 13. Papers: Ronneberger, Fischer & Brox 2015 (the shape of it); Ho, Jain & Abbeel 2020, appendix B
(it is told t); Dhariwal & Nichol 2021, section 3 (t scales and shifts normalised channels); Rombach et al. 2022,
section 3.3 (text is read by cross-attention). Three ports let anything else in:

    context  tokens that every place of the picture may read, such as the words of a prompt
    vector   one vector for the whole picture, added to the time; and a faint picture made of it, laid under the noise
    concat   more channels of the same size, such as a mask or a smaller picture, enlarged

B batch · C channels · S side · W width of a level · N tokens of the context · D width of a token · E of the time
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from .layers import CrossAttention, SelfAttention

WAVES, EMBEDDED = 64, 128  # numbers that a timestep is written with, and E, what the network makes of them
HEADS = 4  # of attention
FADING = 3  # what is told counts (t / T)^3: under little noise the picture says it all, and words would only disturb
LAYOUT = 8  # places along a side of the faint picture that the vector becomes


def timestep_embedding(t, width: int = WAVES):
    r"""t (B,) from 0 to 1000 as cosines and sines of falling frequency (B, width): Vaswani et al. 2017, section 3.5.

    ValueError unless width is even.
    """
    if width % 2:
        raise ValueError(f"a cosine and a sine for each frequency: width is even; got {width}")
    frequencies = torch.exp(-math.log(10_000) * torch.arange(width // 2, device=t.device) / (width // 2))
    angles = t[:, None] * frequencies                                          # (B, width / 2)
    return torch.cat([angles.cos(), angles.sin()], 1)


class TimedBlock(nn.Module):
    r"""Two convolutions around a skip; the time scales and shifts what lies between: (B, W, S, S) -> (B, W', S, S).

    The second begins at 0, so at first a block is its skip.
    """

    def __init__(self, width: int, out: int):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, width), nn.Conv2d(width, out, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(8, out), nn.Conv2d(out, out, 3, padding=1)
        self.time = nn.Linear(EMBEDDED, 2 * out)
        self.skip = nn.Identity() if width == out else nn.Conv2d(width, out, 1)
        start_at_zero(self.conv2)

    def forward(self, x, e):
        h = self.conv1(F.silu(self.norm1(x)))                                  # (B, W', S, S)
        scale, shift = self.time(F.silu(e))[:, :, None, None].chunk(2, 1)      # (B, W', 1, 1) each
        h = self.norm2(h) * (1 + scale) + shift
        return self.skip(x) + self.conv2(F.silu(h))


class Reader(nn.Module):
    r"""Each place reads all other places, then the tokens of the context: (B, W, S, S) -> (B, W, S, S).

    context  width D of its tokens; None: there is none to read
    `forward` takes a share (B, 1, 1), or one number, of what is read there.
    """

    def __init__(self, width: int, context: int | None = None):
        super().__init__()
        self.norm, self.places = nn.LayerNorm(width), SelfAttention(width, HEADS)
        start_at_zero(self.places.out)
        self.words = None
        if context is not None:
            self.norm_words, self.words = nn.LayerNorm(width), CrossAttention(width, context, HEADS)
            start_at_zero(self.words.out)

    def forward(self, x, context=None, mask=None, share=1.0):
        h = x.flatten(2).mT                                                    # (B, S * S, W)
        h = h + self.places(self.norm(h))
        if self.words is not None:
            h = h + share * self.words(self.norm_words(h), context, mask)
        return h.mT.unflatten(2, x.shape[2:])


class Level(nn.Module):
    r"""What happens at one resolution: `depth` times a TimedBlock, and a Reader where `reads`."""

    def __init__(self, width: int, out: int, depth: int, reads: bool, context: int | None):
        super().__init__()
        self.blocks = nn.ModuleList(TimedBlock(out if i else width, out) for i in range(depth))
        self.reads = nn.ModuleList(Reader(out, context) for _ in range(depth if reads else 0))

    def forward(self, h, e, context=None, mask=None, share=1.0):
        for i, block in enumerate(self.blocks):
            h = block(h, e)
            if self.reads:
                h = self.reads[i](h, context, mask, share)
        return h


class UNet(nn.Module):
    r"""model(x, t, context=None, mask=None, vector=None, concat=None): its answer at x_t, of the shape of x.

    widths    of the levels, the finest first; each level has half the side of the one before
    reads     at how many of the coarsest levels places read each other and the context
    context, vector, concat   D of a token, numbers of the vector, channels: what the three ports take; None: nothing.
              The first two count (t / T)^3
    last      T, the largest t it is asked at: t is told to it in thousandths of T
    The arguments of `forward`: x (B, C, S, S), t (B,) or one number, context (B, N, D), mask (B, N) bool, True where
    a token may be read, vector (B, V), concat (B, K, S, S).
    """

    optimizer = "muon"  # of `training.loop`

    def __init__(self, channels: int = 3, size: int = 32, widths=(16, 32, 64, 112), depth: int = 1,
                 reads: int = 2, context: int | None = None, vector: int | None = None, concat: int | None = None,
                 last: int = 1000):
        super().__init__()
        if size % 2 ** (len(widths) - 1):
            raise ValueError(f"{size} pixels cannot be halved {len(widths) - 1} times")
        self.config = {"channels": channels, "size": size, "widths": list(widths), "depth": depth, "reads": reads,
                       "context": context, "vector": vector, "concat": concat, "last": last}
        levels = range(len(widths))
        self.stem = nn.Conv2d(channels + (concat or 0), widths[0], 3, padding=1)
        self.positions = nn.Parameter(0.02 * torch.randn(widths[0], size, size))
        self.time = nn.Sequential(nn.Linear(WAVES, EMBEDDED), nn.SiLU(), nn.Linear(EMBEDDED, EMBEDDED))
        self.vector = self.layout = None
        if vector is not None:
            self.vector = nn.Linear(vector, EMBEDDED)
            self.layout = nn.Linear(vector, channels * min(LAYOUT, size) ** 2)
            start_at_zero(self.layout)

        def level(i, width):
            return Level(width, widths[i], depth, i >= len(widths) - reads, context)

        self.down = nn.ModuleList(level(i, widths[max(i - 1, 0)]) for i in levels)
        self.middle = level(levels[-1], widths[-1])
        self.up = nn.ModuleList(level(i, widths[min(i + 1, levels[-1])] + widths[i]) for i in reversed(levels))
        self.norm, self.answer = nn.GroupNorm(8, widths[0]), nn.Conv2d(widths[0], channels, 3, padding=1)
        start_at_zero(self.answer)

    def embed_time(self, t):
        r"""t (B,) -> (B, E)."""
        return self.time(timestep_embedding(t * (1000 / self.config["last"])))

    def lay_under(self, x, vector, share):
        r"""x (B, C, S, S) on a share (B,) of what the vector makes of a picture: pure noise shows nothing else."""
        side, size = min(LAYOUT, self.config["size"]), self.config["size"]
        layout = self.layout(vector).unflatten(1, (-1, side, side))            # (B, C, side, side)
        return x + share[:, None, None, None] * F.interpolate(layout, (size, size), mode="bilinear")

    def forward(self, x, t, context=None, mask=None, vector=None, concat=None):
        check_ports(self.config, x, context, vector, concat)
        t = torch.as_tensor(t, device=x.device).expand(len(x))
        e, share = self.embed_time(t), (t / self.config["last"]) ** FADING     # (B, E), (B,)
        if vector is not None:
            e, x = e + share[:, None] * self.vector(vector), self.lay_under(x, vector, share)
        pixels = x if concat is None else torch.cat([x, concat], 1)            # (B, C + K, S, S)
        h = self.stem(pixels) + self.positions
        kept, told = [], (context, mask, share[:, None, None])
        for i, level in enumerate(self.down):
            h = level(F.avg_pool2d(h, 2) if i else h, e, *told)                # (B, W, side, side), halved each time
            kept.append(h)
        h = self.middle(h, e, *told)
        for i, level in enumerate(self.up):
            h = F.interpolate(h, scale_factor=2.0) if i else h
            h = level(torch.cat([h, kept.pop()], 1), e, *told)                 # (B, W, side, side), doubled each time
        return self.answer(F.silu(self.norm(h)))                               # (B, C, S, S)


def start_at_zero(layer) -> None:
    r"""Weights and bias 0: a branch that adds nothing until it has learned something (Ho et al. 2020's code)."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)


def check_ports(config: dict, x, context, vector, concat) -> None:
    r"""ValueError unless x has the size of the network, and each port gets what it was made for, or nothing."""
    wanted = (config["channels"], config["size"], config["size"])
    if x.shape[1:] != wanted:
        raise ValueError(f"expected pictures (B, {', '.join(map(str, wanted))}); got {tuple(x.shape)}")
    given = {"context": context, "vector": vector, "concat": concat}
    for name, axis in (("context", 2), ("vector", 1), ("concat", 1)):
        expected, value = config[name], given[name]
        if (expected is None) != (value is None):
            raise ValueError(f"this network {'takes no' if expected is None else 'needs a'} {name}")
        if value is not None and (len(value) != len(x) or value.shape[axis] != expected):
            raise ValueError(f"{name} has {expected} numbers on axis {axis}, for {len(x)} pictures; "
                             f"got {tuple(value.shape)}")
