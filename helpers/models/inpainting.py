"""Inpainting: networks that draw what a mask hides.

Notebook 07. Paper: Pathak, Krähenbühl, Donahue, Darrell & Efros, "Context encoders: feature learning by inpainting",
CVPR 2016. A network sees the picture with its hidden pixels blanked, and the mask as one channel more, for otherwise
it could not tell a hidden pixel from a grey one. `masked_loss` counts hidden pixels alone. Each model, also the masked
autoencoder of `mae`, is called in one way: model(x, mask) -> pictures, of which the caller takes the hidden part.

B batch · C channels of a picture · S its side in pixels
x pictures (B, C, S, S) in [-1, 1] · mask boolean (B, 1, S, S), True = hidden
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from .autoencoder import Decoder, Encoder
from .small_unet import UNET_WIDTHS, SmallUNet

BLANK = 0.0  # what hidden pixels are set to: mid-grey


def check_mask(x, mask):
    """ValueError unless the mask is boolean (B, 1, S, S) for pictures (B, C, S, S)."""
    if x.ndim != 4 or x.shape[2] != x.shape[3]:
        raise ValueError(f"expected pictures (B, C, S, S); got {tuple(x.shape)}")
    wanted = (len(x), 1, *x.shape[2:])
    if mask.dtype != torch.bool or mask.shape != wanted:
        raise ValueError(f"expected a boolean mask {wanted}, True = hidden; got {mask.dtype} {tuple(mask.shape)}")


def hide(x, mask):
    """What a network may see: (B, C, S, S), (B, 1, S, S) -> (B, C + 1, S, S), hidden pixels blank, the mask last."""
    check_mask(x, mask)
    return torch.cat([x.masked_fill(mask, BLANK), mask.to(x.dtype)], 1)


def paste(y, x, mask):
    """The drawing y where the mask hides, the picture x where it does not."""
    check_mask(x, mask)
    return torch.where(mask, y, x)


class BottleneckInpainter(nn.Module):
    """The autoencoder of notebook 02 with the mask as a channel more: all that it draws has passed d numbers.

    latent   d; the other arguments are those of `autoencoder.Autoencoder`
    """

    def __init__(self, latent: int, channels: int = 3, size: int = 32, width: int = 32, bottom: int = 16,
                 hidden: int = 96):
        super().__init__()
        sizes = {"size": size, "width": width, "bottom": bottom, "hidden": hidden}
        self.config = {"latent": latent, "channels": channels, **sizes}
        self.encoder, self.decoder = Encoder(latent, channels + 1, **sizes), Decoder(latent, channels, **sizes)

    def forward(self, x, mask):
        return self.decoder(self.encoder(hide(x, mask)))


def smooth_guess(x, mask):
    """Pictures whose hidden pixels hold a blurred continuation of the known ones: (B, C, S, S), as x; known ones stay.

    Pull-push (Gortler et al. 1996): means of the known pixels over blocks of 2, 4, 8, ... pixels; then, from the
    coarsest level on, what a block does not know of its pixels is filled in from the level above. All hidden: 0.
    """
    check_mask(x, mask)
    known = (~mask).to(x.dtype)
    levels = [(x.masked_fill(mask, 0.0), known)]  # sums of known pixels over the block's size, and the share known
    while levels[-1][1].shape[2] % 2 == 0:
        levels.append(tuple(F.avg_pool2d(part, 2) for part in levels[-1]))
    total, share = levels[-1]
    guess = (total.sum((2, 3), keepdim=True) / share.sum((2, 3), keepdim=True).clamp(min=1e-6)).expand_as(total)
    for i, (total, share) in enumerate(reversed(levels)):
        above = guess if i == 0 else F.interpolate(guess, scale_factor=2.0, mode="bilinear", align_corners=False)
        guess = total + (1 - share) * above
    return guess


class UNetInpainter(nn.Module):
    """The U-Net of `small_unet` with the mask as a channel more: what is known need not pass the bottom.

    widths   channels at S, S/2, S/4 and S/8, each a multiple of 8; S is a multiple of 8
    guess    it is given a smooth guess instead of a blank, and answers with what to change in it; so an untrained one
             draws the guess. Notebook 07 tries it: on scenes it did not pay.
    """

    def __init__(self, channels: int = 3, widths=UNET_WIDTHS, guess: bool = False):
        super().__init__()
        self.config = {"channels": channels, "widths": list(widths), "guess": guess}
        self.net = SmallUNet(channels + 1, channels, widths, residual=guess)

    def forward(self, x, mask):
        seen = hide(x, mask)                                               # (B, C + 1, S, S), the mask last
        if self.config["guess"]:
            seen = torch.cat([smooth_guess(x, mask), seen[:, -1:]], 1)     # (B, C + 1, S, S)
        return self.net(seen)                                              # (B, C, S, S)


def masked_loss(model, batch):
    """(loss, {"mse": ...}) of batch = (x, mask): the mean of (x - model(x, mask))^2 over hidden pixels and channels.

    Pathak et al. 2016, equation 1, as a mean. What the model draws where nothing is hidden costs nothing and gets no
    gradient. "mse" is the same error on [0, 1]: a quarter of it.
    """
    x, mask = batch
    check_mask(x, mask)
    squared = (x - model(x, mask)).square() * mask
    loss = squared.sum() / (mask.sum() * x.shape[1]).clamp(min=1)
    return loss, {"mse": loss.detach() / 4}


def whole_loss(model, batch):
    """(loss, {"mse": ..., "hole": ...}) of batch = (x, mask): the mean of (x - model(x, mask))^2 over all pixels.

    A denoising autoencoder with "masking noise" (Vincent et al. 2010), which is told where the noise is. A network that
    draws everything from a code has to learn what a picture looks like, and the known pixels teach it that, too.
    "hole" is `masked_loss`'s "mse".
    """
    x, mask = batch
    squared = (x - model(x, mask)).square()
    inside = (squared * mask).sum() / (mask.sum() * x.shape[1]).clamp(min=1)
    return squared.mean(), {"mse": squared.detach().mean() / 4, "hole": inside.detach() / 4}
