r"""The first stage of latent diffusion: an autoencoder whose code keeps the places of the picture.

Notebook 14. Papers: Rombach et al., "High-resolution image synthesis with latent diffusion models", CVPR 2022, section
3.1 and equation 25; Kingma & Welling 2013, for the KL.
The code is a small picture again: each place of it holds a few numbers for f x f pixels, as a mean and a variance, like
notebook 08's. No dense layer mixes places, so a network that knows pictures can work on codes. The KL weighs little: it
keeps codes near 0 and a little noisy, but one drawn from N(0, I) shows nothing, which is left to diffusion. Rombach et
al. also ask a network of features and a critic whether the picture looks right (LPIPS, and a patch discriminator from
step 50,001 on); there is neither here, so what the squared error does not see is not learned.

B batch · C channels of a latent · S side of a picture · f pixels along a side are one place of the code · W width
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .autoencoder import ResBlock
from .vae import LOGVAR_RANGE, gaussian_kl, reparameterize

# Named sizes, by what each side of a picture is divided by. f = 1 would be the pixels themselves.
PRESETS = {
    "f2": {"latent": 2, "widths": [56]},
    "f4": {"latent": 4, "widths": [32, 64]},
    "f8": {"latent": 16, "widths": [32, 48, 56]},
}
KL_WEIGHT = 3e-3  # of `first_stage_loss`. Rombach et al.'s 1e-6 stands beside sums of absolute errors and LPIPS
DECODER_NOISE = 0.3  # the most that `decoder_loss` adds to latents, which have standard deviation 1
FOLLOWED = 0.05  # how far the scale moves towards that of each batch


class Encoder(nn.Module):
    r"""Pictures (B, 3, S, S) in [-1, 1] -> (B, 2C, S/f, S/f): means, then log-variances, C each."""

    def __init__(self, latent: int, channels: int, widths):
        super().__init__()
        self.fold = nn.PixelUnshuffle(2)  # 2x2 pixels become channels: the same numbers in a quarter of the places
        self.stem = nn.Conv2d(4 * channels, widths[0], 3, padding=1)
        self.down = nn.ModuleList(nn.Sequential(ResBlock(wide), nn.Conv2d(wide, next_wide, 3, 2, padding=1))
                                  for wide, next_wide in pairwise(widths))
        self.bottom = nn.Sequential(ResBlock(widths[-1]), ResBlock(widths[-1]), nn.GroupNorm(8, widths[-1]), nn.SiLU())
        self.code = nn.Conv2d(widths[-1], 2 * latent, 1)

    def forward(self, x):
        h = self.stem(self.fold(x))           # (B, W, S/2, S/2)
        for level in self.down:
            h = level(h)                      # (B, W, side, side), halved each time
        return self.code(self.bottom(h))      # (B, 2C, S/f, S/f)


class Decoder(nn.Module):
    r"""Codes (B, C, S/f, S/f) -> pictures (B, 3, S, S), the encoder's steps in reverse. Clamp before drawing."""

    def __init__(self, latent: int, channels: int, widths):
        super().__init__()
        self.code = nn.Conv2d(latent, widths[-1], 3, padding=1)
        self.bottom = nn.Sequential(ResBlock(widths[-1]), ResBlock(widths[-1]))
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(wide, 4 * next_wide, 1), nn.PixelShuffle(2), ResBlock(next_wide))
            for wide, next_wide in pairwise(reversed(widths)))
        self.norm, self.picture = nn.GroupNorm(8, widths[0]), nn.Conv2d(widths[0], 4 * channels, 3, padding=1)
        self.unfold = nn.PixelShuffle(2)      # the inverse of the encoder's fold

    def forward(self, z):
        h = self.bottom(self.code(z))         # (B, W, S/f, S/f)
        for level in self.up:
            h = level(h)                      # (B, W, side, side), doubled each time
        h = F.silu(self.norm(h))              # (B, W, S/2, S/2)
        return self.unfold(self.picture(h))   # (B, 3, S, S)


class KLAutoencoder(nn.Module):
    r"""Pictures <-> latents (B, C, S/f, S/f) of standard deviation 1, for pictures of every size that f divides.

    latent   C, the numbers at each place
    widths   channels at S/2, S/4, ..., S/f, each a multiple of 8; see PRESETS
    What the encoder makes of pictures has some standard deviation. `scale` is 1 over it, as `first_stage_loss` measured
    it in training; it lies in the checkpoint with the weights. Stable Diffusion's is 0.18215.
    """

    optimizer = "muon"  # of `training.loop`

    def __init__(self, latent: int = 4, channels: int = 3, widths=(32, 64)):
        super().__init__()
        if latent < 1 or not len(widths) or any(width < 8 or width % 8 for width in widths):
            raise ValueError(f"latent must be positive, and widths multiples of 8; got {latent} and {list(widths)}")
        self.config = {"latent": latent, "channels": channels, "widths": list(widths)}
        self.factor = 2 ** len(widths)
        self.encoder, self.decoder = Encoder(**self.config), Decoder(**self.config)
        self.register_buffer("scale", torch.ones(()))

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Pictures (B, 3, S, S) in [-1, 1] -> mu, logvar of q(z|x), (B, C, S/f, S/f) each, not scaled yet."""
        channels, f = self.config["channels"], self.factor
        if x.ndim != 4 or x.shape[1] != channels or x.shape[2] % f or x.shape[3] % f:
            raise ValueError(f"expected pictures (B, {channels}, S, S), S a multiple of {f}; got {tuple(x.shape)}")
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar.clamp(*LOGVAR_RANGE)

    def encode(self, x: Tensor, drawn: bool = False) -> Tensor:
        r"""Pictures (B, 3, S, S) in [-1, 1] -> latents (B, C, S/f, S/f): the means, or a draw from q(z|x), scaled."""
        mu, logvar = self.posterior(x)
        return self.scale * (reparameterize(mu, logvar) if drawn else mu)

    def decode(self, z: Tensor) -> Tensor:
        r"""Latents (B, C, S/f, S/f) of standard deviation 1 -> pictures (B, 3, S, S); clamp to draw them."""
        if z.ndim != 4 or z.shape[1] != self.config["latent"]:
            raise ValueError(f"expected latents (B, {self.config['latent']}, S, S); got {tuple(z.shape)}")
        return self.decoder(z / self.scale)

    @torch.no_grad()
    def measure(self, z: Tensor, followed: float = FOLLOWED) -> None:
        r"""Move `scale` towards 1 / std of these codes, which are not scaled. followed: 1 takes theirs alone."""
        self.scale.lerp_(1 / z.std(), followed)

    def forward(self, x: Tensor) -> Tensor:
        r"""The picture at the mean code, as one shows it. Training decodes a drawn code: see `first_stage_loss`."""
        return self.decode(self.encode(x))


def first_stage_loss(model: KLAutoencoder, x: Tensor, weight: float = KL_WEIGHT):
    r"""(recon + weight KL, {"recon": ..., "kl": ...}): x (B, 3, S, S) in [-1, 1].

    recon = |x - decode(z)|^2 at one z drawn from q(z|x), summed over the numbers of the picture; KL(q(z|x) || N(0, I)),
    in nats, summed over those of the code; both averaged over the batch. It is minus notebook 08's ELBO, but for a
    constant and a factor, for pixels of variance weight / 2 on [-1, 1].
    In training, `model.scale` follows the codes.
    """
    mu, logvar = model.posterior(x)
    z = reparameterize(mu, logvar)
    if model.training:
        model.measure(z)
    recon = (x - model.decoder(z)).square().flatten(1).sum(1).mean()
    kl = gaussian_kl(mu, logvar).flatten(1).sum(1).mean()
    return recon + weight * kl, {"recon": recon.detach(), "kl": kl.detach()}


def decoder_loss(model: KLAutoencoder, x: Tensor, noise: float = DECODER_NOISE):
    r"""(recon, {"recon": ...}) for a decoder that learns on while its encoder, and so the latents, stay as they are.

    recon = |x - decode(z + sigma eps)|^2, summed over the numbers of a picture and averaged over the batch; sigma is
    even on [0, noise], one for each picture. A denoiser's latents are never quite right: their errors lie in all
    directions, those of q(z|x) only where the decoder can bear them.
    """
    with torch.no_grad():
        z = model.encode(x)
    sigma = noise * torch.rand(len(x), 1, 1, 1, device=x.device)
    recon = (x - model.decode(z + sigma * torch.randn_like(z))).square().flatten(1).sum(1).mean()
    return recon, {"recon": recon.detach()}
