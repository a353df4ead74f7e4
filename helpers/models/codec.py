"""A learned codec for pictures of any size: transforms, and a table of probabilities for every channel between them.

Notebook 05. Papers: Ballé, Laparra & Simoncelli, "End-to-end optimized image compression", ICLR 2017 (the transforms
with their normalisation, the noise that stands in for rounding, the loss); Johnston et al. 2019 (its simpler form).
The analysis turns a picture into a grid of numbers, eight times smaller on each side. Rounded, these are the symbols
that a range coder writes; the tables give each symbol's probability, and with it the bits that it costs. The
synthesis draws the picture from the symbols. There is no dense layer, so every size of picture fits.

B batch · C channels of a picture · H, W its sides in pixels · M channels of the grid · L symbols in a table
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

STRIDE = 8  # pixels of the picture, along a side, to one place of the grid
REACH = 24  # symbols run from -REACH to REACH
FINE = 4  # bins of the learned histogram to a symbol
# Named sizes: "small" trains on one core in a few minutes, "large" is for a GPU.
PRESETS = {"small": {"width": 48, "grid": 40}, "large": {"width": 128, "grid": 128}}


class GDN(nn.Module):
    """Divisive normalisation at each place: x_i / (beta_i + sum_j gamma_ij |x_j|); `inverse` multiplies instead.

    Ballé, Laparra & Simoncelli 2016 with the exponents of Johnston et al. 2019. beta, gamma >= 0 are kept as squares.
    Unlike group normalisation it looks at one place alone, so what surrounds a picture does not change its code.
    """

    def __init__(self, width: int, inverse: bool = False):
        super().__init__()
        self.inverse = inverse
        self.beta = nn.Parameter(torch.ones(width))
        self.gamma = nn.Parameter(0.1 * torch.eye(width) + 0.01)

    def forward(self, x):
        norm = F.conv2d(x.abs(), self.gamma.square()[:, :, None, None], self.beta.square() + 1e-3)
        return x * norm if self.inverse else x / norm


class Tables(nn.Module):
    """How the numbers of each channel are distributed, by itself: a factorised prior, and the tables made of it.

    The density of channel m is a histogram, FINE bins to a symbol: bin b has the share r_mb^2 / sum_c r_mc^2. Squares
    rather than exponentials, because squares of the stored weights are exact: every machine makes the same integers
    of them, and a file that is written on one can be read on another.
    """

    def __init__(self, channels: int, reach: int = REACH):
        super().__init__()
        self.reach = reach
        centres = (torch.arange(FINE * (2 * reach + 1)) + 0.5) / FINE - reach - 0.5
        self.root = nn.Parameter(torch.exp(-centres.abs() / 4).expand(channels, -1) + 0.02)

    @torch.no_grad()
    def integers(self):
        """The shares of the symbols -REACH to REACH as integers (M, L): an int64 NumPy array, exact."""
        squares = (self.root.double() * 2**12).round().long().square()
        return squares.unflatten(1, (-1, FINE)).sum(2).numpy()

    def forward(self, y):
        """Bits -log2 p(y) of each number: (B, M, h, w) in [-REACH, REACH] -> (B, M, h, w).

        p is the density of the channel's numbers with noise of U(-1/2, 1/2) added: the histogram's mass within 1/2 of
        y (Ballé et al. 2017, section 3). At a symbol it is that symbol's share.
        """
        squares = self.root.square().unfold(1, FINE, 1).sum(2)                # (M, places): mass that begins at a bin
        mass = squares / self.root.square().sum(1, keepdim=True)
        place = ((y.movedim(1, 0).flatten(1) + self.reach) * FINE).clamp(0, mass.shape[1] - 1)        # (M, B h w)
        low = place.detach().floor().clamp(max=mass.shape[1] - 2)
        index, share = low.long(), place - low
        density = mass.gather(1, index) * (1 - share) + mass.gather(1, index + 1) * share
        return -density.clamp(min=1e-9).log2().unflatten(1, (len(y), *y.shape[2:])).movedim(0, 1)


def up(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the side: a 3x3 convolution, then four channels become 2x2 places."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.Conv2d(outputs, 4 * outputs, 1),
                         nn.PixelShuffle(2))


class Codec(nn.Module):
    """Analysis, tables and synthesis, for pictures (B, C, H, W) with H and W multiples of 8.

    width   channels inside the transforms
    grid    M, the channels of symbols
    """

    def __init__(self, width: int = 48, grid: int = 40, channels: int = 3, reach: int = REACH):
        super().__init__()
        self.config = {"width": width, "grid": grid, "channels": channels, "reach": reach}
        self.analysis = nn.Sequential(
            nn.PixelUnshuffle(2), nn.Conv2d(4 * channels, width, 3, padding=1), GDN(width),
            nn.Conv2d(width, width, 3, 2, padding=1), GDN(width), nn.Conv2d(width, grid, 3, 2, padding=1),
        )
        self.synthesis = nn.Sequential(
            up(grid, width), GDN(width, inverse=True), up(width, width), GDN(width, inverse=True),
            nn.Conv2d(width, 4 * channels, 3, padding=1), nn.PixelShuffle(2),
        )
        self.tables = Tables(grid, reach)

    def encode(self, x):
        """Pictures (B, C, H, W) in [-1, 1] -> numbers (B, M, H/8, W/8) within the reach of the tables, not rounded."""
        if x.ndim != 4 or x.shape[1] != self.config["channels"] or x.shape[2] % STRIDE or x.shape[3] % STRIDE:
            raise ValueError(f"expected pictures (B, {self.config['channels']}, H, W), H and W multiples of {STRIDE}; "
                             f"got {tuple(x.shape)}")
        reach = self.config["reach"]
        return reach * torch.tanh(self.analysis(x) / reach)

    def decode(self, symbols):
        """Symbols (B, M, h, w) -> pictures (B, C, 8h, 8w). Clamp before drawing."""
        return self.synthesis(symbols)

    def forward(self, x):
        """The picture from rounded numbers."""
        return self.decode(self.encode(x).round())


def rate_distortion_loss(model, x, price: float):
    """(D + price R, {"mse": D, "bits": R}): D on [0, 1], R in bits a pixel. Ballé et al. 2017, section 3.

    In training mode, numbers get uniform noise in place of rounding, which has no gradient; in eval mode they
    are rounded, and R is what a perfect coder would need.
    """
    y = model.encode(x)
    y = y + torch.rand_like(y) - 0.5 if model.training else y.round()
    bits = model.tables(y).sum() / x[:, 0].numel()
    distortion = F.mse_loss(model.decode(y), x) / 4
    return distortion + price * bits, {"mse": distortion.detach(), "bits": bits.detach()}
