r"""Autoencoders: a code of d numbers in the middle of a network that must return its input.

Notebook 02. Papers: Hinton & Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science
2006; for the linear case, which is PCA, Bourlard & Kamp 1988 and Baldi & Hornik 1989.
An encoder squeezes a picture through a bottleneck of d numbers, a decoder draws it again from them, and both are
trained for one aim: a small squared difference between the picture and the drawing.

B batch · C channels of a picture · S its side in pixels · W width, the channels inside · d size of the code z
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import nn

# Named sizes: "small" trains on one core in about two minutes, "medium" is for MNIST, "large" for a GPU.
PRESETS = {
    "tiny": {"width": 32, "bottom": 16, "hidden": 128},
    "small": {"width": 48, "bottom": 48, "hidden": 256},
    "medium": {"width": 64, "bottom": 64, "hidden": 256},
    "large": {"width": 128, "bottom": 128, "hidden": 512},
}


class ResBlock(nn.Module):
    r"""x + r(x), where r is twice (normalise, SiLU, 3x3 convolution): He et al. 2016b, figure 4(e).

    The last convolution starts at zero, so the block starts as the identity (after Goyal et al. 2017, section 5.1).
    """

    def __init__(self, width: int):
        super().__init__()
        self.norm1, self.conv1 = nn.GroupNorm(8, width), nn.Conv2d(width, width, 3, padding=1)
        self.norm2, self.conv2 = nn.GroupNorm(8, width), nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x):
        h = self.conv1(F.silu(self.norm1(x)))
        return x + self.conv2(F.silu(self.norm2(h)))


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    r"""A 3x3 convolution, group normalisation (Wu & He 2018) and SiLU. Stride 2 halves the side."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, padding=1), nn.GroupNorm(8, outputs), nn.SiLU())


class Encoder(nn.Module):
    r"""Pictures -> codes: (B, C, S, S) in [-1, 1] -> (B, d). S is a multiple of 8; width of 16, bottom of 8."""

    def __init__(self, latent: int, channels: int, size: int, width: int, bottom: int, hidden: int):
        super().__init__()
        self.fold = nn.PixelUnshuffle(2)  # 2x2 pixels become channels: the same numbers in a quarter of the places
        self.stem = conv(4 * channels, width // 2)
        self.down1 = conv(width // 2, width, stride=2)
        self.block = ResBlock(width)
        self.down2 = conv(width, bottom, stride=2)
        self.hidden = nn.Linear(bottom * (size // 8) ** 2, hidden)
        self.code = nn.Linear(hidden, latent)

    def forward(self, x):
        h = self.stem(self.fold(x))                # (B, W/2, S/2, S/2)
        h = self.block(self.down1(h))              # (B, W, S/4, S/4)
        h = self.down2(h).flatten(1)               # (B, bottom (S/8)^2)
        return self.code(F.silu(self.hidden(h)))   # (B, d)


class Decoder(nn.Module):
    r"""Codes -> pictures: (B, d) -> (B, C, S, S), the encoder's steps in reverse. Clamp before drawing."""

    def __init__(self, latent: int, channels: int, size: int, width: int, bottom: int, hidden: int):
        super().__init__()
        self.hidden = nn.Linear(latent, hidden)
        self.spread = nn.Linear(hidden, bottom * (size // 8) ** 2)
        self.grid = nn.Unflatten(1, (bottom, size // 8, size // 8))
        self.up1, self.block1 = nn.Conv2d(bottom, 4 * width, 1), ResBlock(width)
        self.up2, self.block2 = nn.Conv2d(width, 2 * width, 1), ResBlock(width // 2)
        self.norm1, self.norm2 = nn.GroupNorm(8, width), nn.GroupNorm(8, width // 2)
        self.picture = nn.Conv2d(width // 2, 4 * channels, 3, padding=1)
        self.unfold = nn.PixelShuffle(2)  # the inverse of the encoder's fold: four channels become 2x2 pixels

    def forward(self, z):
        h = F.silu(self.spread(F.silu(self.hidden(z))))   # (B, bottom (S/8)^2)
        h = self.unfold(self.up1(self.grid(h)))           # (B, W, S/4, S/4)
        h = F.silu(self.norm1(self.block1(h)))            # (B, W, S/4, S/4)
        h = self.unfold(self.up2(h))                      # (B, W/2, S/2, S/2)
        h = F.silu(self.norm2(self.block2(h)))            # (B, W/2, S/2, S/2)
        return self.unfold(self.picture(h))               # (B, C, S, S)


class Autoencoder(nn.Module):
    r"""The encoder and the decoder, with a code of `latent` numbers between them.

    latent   d, the numbers in the code
    channels, size   of the pictures; size is a multiple of 8
    width, bottom, hidden   channels at a quarter and at an eighth of the size, units of the dense layer; see PRESETS
    """

    def __init__(self, latent: int, channels: int = 3, size: int = 32, width: int = 48, bottom: int = 48,
                 hidden: int = 256):
        super().__init__()
        if latent < 1 or size % 8 or width % 16 or bottom % 8:
            raise ValueError(f"latent must be positive, size and bottom multiples of 8, width of 16; "
                             f"got latent={latent}, size={size}, bottom={bottom}, width={width}")
        self.config = {"latent": latent, "channels": channels, "size": size, "width": width, "bottom": bottom,
                       "hidden": hidden}
        self.encoder, self.decoder = Encoder(**self.config), Decoder(**self.config)

    def encode(self, x):
        r"""Pictures (B, C, S, S) in [-1, 1] -> codes (B, d). ValueError for pictures of another shape."""
        channels, size = self.config["channels"], self.config["size"]
        if x.shape[1:] != (channels, size, size):
            raise ValueError(f"expected pictures (B, {channels}, {size}, {size}); got {tuple(x.shape)}")
        return self.encoder(x)

    def decode(self, z):
        r"""Codes (B, d) -> pictures (B, C, S, S)."""
        return self.decoder(z)

    def forward(self, x):
        return self.decode(self.encode(x))


class PlainAutoencoder(nn.Module):
    r"""A plain autoencoder: three strided convolutions, one linear map to the code, and back by upsampling.

    It is here to be compared with. Two options add a part each: `normalise` puts group normalisation after every
    convolution but the last, `hidden` a dense layer of that many units on both sides of the code.
    """

    def __init__(self, latent: int, hidden: int | None = None, normalise: bool = False):
        super().__init__()
        self.config = {"latent": latent, "hidden": hidden, "normalise": normalise}

        def layer(inputs, outputs, stride):
            norm = [nn.GroupNorm(8, outputs)] * normalise
            return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, padding=1), *norm, nn.SiLU())

        sides = [64 * 4 * 4, hidden, latent] if hidden else [64 * 4 * 4, latent]
        squeeze = [f for a, b in zip(sides, sides[1:], strict=False) for f in (nn.Linear(a, b), nn.SiLU())][:-1]
        sides.reverse()
        spread = [f for a, b in zip(sides, sides[1:], strict=False) for f in (nn.Linear(a, b), nn.SiLU())]
        self.encoder = nn.Sequential(layer(3, 16, 2), layer(16, 32, 2), layer(32, 64, 2), nn.Flatten(), *squeeze)
        self.decoder = nn.Sequential(
            *spread, nn.Unflatten(1, (64, 4, 4)), nn.Upsample(scale_factor=2), layer(64, 32, 1),
            nn.Upsample(scale_factor=2), layer(32, 16, 1), nn.Upsample(scale_factor=2), nn.Conv2d(16, 3, 3, padding=1),
        )

    def forward(self, x):
        return self.decoder(self.encoder(x))


def reconstruction_loss(model, x):
    r"""(loss, {"mse": ...}): the mean over batch, channels and pixels of (x - model(x))^2, x in [-1, 1].

    Up to a factor and a constant this is the negative log-likelihood of a Gaussian of fixed variance
    around the reconstruction.
    "mse" is the same error on the [0, 1] scale, where the course quotes it: a quarter of the loss.
    """
    loss = F.mse_loss(model(x), x)
    return loss, {"mse": loss.detach() / 4}
