"""An autoencoder with skip connections: a small U-Net, picture in, picture out.

Notebooks 06 and 07. Paper: Ronneberger, Fischer & Brox, "U-Net: convolutional networks for biomedical image
segmentation", MICCAI 2015; for cleaning pictures, Mao, Shen & Yang, NeurIPS 2016.
The encoder halves the side three times, so that its deepest layer sees the whole picture. At each resolution its
features also go straight to the decoder, which sees them beside what came up from below: no detail has to pass the
bottom, and nothing here is a code of the picture.

B batch · C channels of a picture · S its side in pixels · W0 ... W3 channels at S, S/2, S/4, S/8
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from .autoencoder import ResBlock, conv

UNET_WIDTHS = (16, 24, 32, 48)


class Up(nn.Module):
    """Double the side, and merge with the encoder's features there: (B, I, S, S), (B, W, 2S, 2S) -> (B, W, 2S, 2S)."""

    def __init__(self, inputs: int, width: int):
        super().__init__()
        self.grow, self.unfold = nn.Conv2d(inputs, 4 * width, 1), nn.PixelShuffle(2)
        self.merge, self.block = nn.Conv2d(2 * width, width, 1), ResBlock(width)

    def forward(self, x, skip):
        both = torch.cat([self.unfold(self.grow(x)), skip], 1)   # (B, 2W, 2S, 2S)
        return self.block(self.merge(both))


class SmallUNet(nn.Module):
    """(B, inputs, S, S) -> (B, outputs, S, S), S a multiple of 8. Clamp before drawing.

    inputs    channels that come in, such as 3 of a picture, or 4 of a picture and a mask
    outputs   channels that go out
    widths    channels at S, S/2, S/4 and S/8, each a multiple of 8
    residual  the network's answer is added to its first `outputs` input channels: it says what to *change* (Zhang
              et al. 2017, "DnCNN"), and an untrained one changes nothing
    """

    def __init__(self, inputs: int = 3, outputs: int = 3, widths=UNET_WIDTHS, residual: bool = True):
        super().__init__()
        if len(widths) != 4 or any(w < 8 or w % 8 for w in widths):
            raise ValueError(f"widths are four multiples of 8, such as {UNET_WIDTHS}; got {tuple(widths)}")
        if outputs < 1 or inputs < 1 or (residual and inputs < outputs):
            raise ValueError(f"a residual is added to the first `outputs` input channels, so inputs >= outputs >= 1; "
                             f"got inputs={inputs}, outputs={outputs}")
        self.config = {"inputs": inputs, "outputs": outputs, "widths": list(widths), "residual": residual}
        w0, w1, w2, w3 = widths
        self.stem, self.block0 = nn.Conv2d(inputs, w0, 3, padding=1), ResBlock(w0)
        self.down1, self.block1 = conv(w0, w1, stride=2), ResBlock(w1)
        self.down2, self.block2 = conv(w1, w2, stride=2), ResBlock(w2)
        self.down3, self.block3 = conv(w2, w3, stride=2), ResBlock(w3)
        self.up2, self.up1, self.up0 = Up(w3, w2), Up(w2, w1), Up(w1, w0)
        self.norm, self.picture = nn.GroupNorm(8, w0), nn.Conv2d(w0, outputs, 3, padding=1)
        if residual:
            nn.init.zeros_(self.picture.weight)
            nn.init.zeros_(self.picture.bias)

    def forward(self, x):
        inputs, outputs = self.config["inputs"], self.config["outputs"]
        if x.ndim != 4 or x.shape[1] != inputs or x.shape[2] % 8 or x.shape[3] % 8:
            raise ValueError(f"expected (B, {inputs}, S, S) with S a multiple of 8; got {tuple(x.shape)}")
        full = self.block0(self.stem(x))                   # (B, W0, S, S)
        half = self.block1(self.down1(full))               # (B, W1, S/2, S/2)
        quarter = self.block2(self.down2(half))            # (B, W2, S/4, S/4)
        h = self.block3(self.down3(quarter))               # (B, W3, S/8, S/8), the bottom
        h = self.up2(h, quarter)                           # (B, W2, S/4, S/4)
        h = self.up1(h, half)                              # (B, W1, S/2, S/2)
        h = self.up0(h, full)                              # (B, W0, S, S)
        y = self.picture(F.silu(self.norm(h)))             # (B, outputs, S, S)
        return x[:, :outputs] + y if self.config["residual"] else y
