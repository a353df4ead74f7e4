r"""Inpainting: networks that draw what a mask hides.

Notebook 07. Paper: Pathak, Krähenbühl, Donahue, Darrell & Efros, "Context encoders: feature learning by inpainting",
CVPR 2016. A network sees the picture with its hidden pixels blanked, and the mask as one channel more, for otherwise
it could not tell a hidden pixel from a grey one. The loss counts hidden pixels alone. Every model here, and the masked
autoencoder of `mae`, is called in one way: model(x, mask) -> pictures, of which the caller takes the hidden part.

B batch · C channels of a picture · S its side in pixels
x pictures (B, C, S, S) in [-1, 1] · mask boolean (B, 1, S, S), True = hidden
"""

from __future__ import annotations

import torch
from torch import nn

from .autoencoder import Decoder, Encoder
from .skip import SkipAutoencoder

BLANK = 0.0  # what hidden pixels are set to: mid-grey


def hide(x, mask):
    r"""What a network may see: (B, C, S, S), (B, 1, S, S) -> (B, C + 1, S, S), hidden pixels blank, the mask last."""
    if mask.dtype != torch.bool or mask.shape != (len(x), 1, *x.shape[2:]):
        wanted = (len(x), 1, *x.shape[2:])
        raise ValueError(f"expected a boolean mask {wanted}; got {mask.dtype} {tuple(mask.shape)}")
    return torch.cat([x.masked_fill(mask, BLANK), mask.to(x.dtype)], 1)


def paste(y, x, mask):
    r"""The drawing y where the mask hides, the picture x where it does not."""
    return torch.where(mask, y, x)


class BottleneckInpainter(nn.Module):
    r"""The autoencoder of notebook 02 with the mask as a channel more: all that it draws has passed d numbers.

    latent   d; the other arguments are those of `autoencoder.Autoencoder`
    """

    def __init__(self, latent: int, channels: int = 3, size: int = 32, width: int = 32, bottom: int = 16,
                 hidden: int = 96):  # fmt: skip
        super().__init__()
        sizes = {"size": size, "width": width, "bottom": bottom, "hidden": hidden}
        self.config = {"latent": latent, "channels": channels, **sizes}
        self.encoder, self.decoder = Encoder(latent, channels + 1, **sizes), Decoder(latent, channels, **sizes)

    def forward(self, x, mask):
        return self.decoder(self.encoder(hide(x, mask)))


class SkipInpainter(nn.Module):
    r"""The U-Net of `skip` with the mask as a channel more: what is known need not pass the bottom.

    It works on 2x2 pixels folded into channels, as the autoencoder does: the same numbers in a quarter of the places,
    so that the bottom sees the whole picture in (S / 16)^2 places, at a third of the time.

    widths   channels at S/2, S/4, S/8 and S/16, each a multiple of 8; S is a multiple of 16
    """

    def __init__(self, channels: int = 3, widths=(24, 32, 40, 40)):
        super().__init__()
        self.config = {"channels": channels, "widths": list(widths)}
        self.fold, self.unfold = nn.PixelUnshuffle(2), nn.PixelShuffle(2)
        self.net = SkipAutoencoder(4 * (channels + 1), 4 * channels, widths, residual=False)

    def forward(self, x, mask):
        return self.unfold(self.net(self.fold(hide(x, mask))))


def masked_loss(model, batch):
    r"""(loss, {"mse": ...}) of batch = (x, mask): the mean of (x - model(x, mask))^2 over hidden pixels and channels.

    Pathak et al. 2016, equation 1, as a mean. What the model draws where nothing is hidden costs nothing and gets no
    gradient. "mse" is the same error on [0, 1]: a quarter of it.
    """
    x, mask = batch
    squared = (x - model(x, mask)).square() * mask
    loss = squared.sum() / (mask.sum() * x.shape[1]).clamp(min=1)
    return loss, {"mse": loss.detach() / 4}


def whole_loss(model, batch):
    r"""(loss, {"mse": ..., "hole": ...}) of batch = (x, mask): the mean of (x - model(x, mask))^2 over all pixels.

    Vincent et al. 2008 with "masking noise": a denoising autoencoder. A network that draws everything from a code has
    to learn what a picture looks like, and the known pixels teach it that, too. "hole" is `masked_loss`'s "mse".
    """
    x, mask = batch
    squared = (x - model(x, mask)).square()
    inside = (squared * mask).sum() / (mask.sum() * x.shape[1]).clamp(min=1)
    return squared.mean(), {"mse": squared.detach().mean() / 4, "hole": inside.detach() / 4}
