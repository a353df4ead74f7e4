r"""Variational autoencoders: the code is a distribution, and the loss a bound on the likelihood.

Notebook 08. Papers: Kingma & Welling, "Auto-encoding variational Bayes", 2013; Rezende, Mohamed & Wierstra, 2014.
The encoder says where in code space a picture may lie, as a mean and a standard deviation for each number; a code is
drawn from there and decoded. The loss asks that the drawing is likely under the decoder, and that all these clouds
stay near N(0, I), from which new codes can then be drawn.

B batch · C channels · S side in pixels · d size of the code z · k samples of z for one picture
mu, logvar: mean and log sigma^2 of q(z|x), (B, d). All likelihoods and divergences are in nats.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .autoencoder import Decoder, Encoder

# Named sizes: "tiny" trains on one core in about six minutes, "large" is for a GPU.
PRESETS = {
    "tiny": {"width": 32, "bottom": 16, "hidden": 128},
    "large": {"width": 128, "bottom": 128, "hidden": 512},
}
LOGVAR_RANGE = (-10.0, 6.0)  # sigma from 0.007 to 20: beyond it exp() only makes trouble


# -- the three new parts -------------------------------------------------------------------------------------------


def reparameterize(mu: Tensor, logvar: Tensor, generator: torch.Generator | None = None) -> Tensor:
    r"""One draw z = mu + sigma * eps, eps ~ N(0, I), of each code: two (..., d) -> (..., d).

    Kingma & Welling 2013, section 2.4. All chance is in eps, so gradients reach mu and sigma.
    """
    eps = torch.randn(mu.shape, generator=generator, device=mu.device, dtype=mu.dtype)
    return mu + torch.exp(0.5 * logvar) * eps


def gaussian_kl(mu: Tensor, logvar: Tensor) -> Tensor:
    r"""KL(N(mu, sigma^2) || N(0, 1)) of every number of the code, in nats: two (..., d) -> (..., d).

    1/2 (mu^2 + sigma^2 - 1 - log sigma^2): Kingma & Welling 2013, appendix B. The KL of a picture is the sum over d.
    """
    return 0.5 * (mu.square() + logvar.exp() - 1 - logvar)


def elbo_loss(model, x: Tensor, beta: float | Tensor = 1.0, free: float = 0.0):
    r"""(recon + beta * KL, {"recon": ..., "kl": ...}), in nats a picture: x (B, C, S, S) in [-1, 1].

    recon = -log p(x|z) at one z drawn from q(z|x), summed over pixels; KL(q(z|x) || N(0, I)), summed over d; both
    averaged over the batch. At beta = 1 the loss is minus the evidence lower bound (ELBO) of Kingma & Welling 2013,
    equation 3; other beta: Higgins et al. 2017.
    free   nats that each number of the code has for nothing: less KL than that (batch mean) is not rewarded (Kingma et
           al. 2016, "free bits"). "kl" is the true KL all the same.
    """
    mu, logvar = model.encode(x)
    recon = -model.log_likelihood(x, reparameterize(mu, logvar)).mean()
    kl = gaussian_kl(mu, logvar).mean(0)
    loss = recon + beta * (kl.clamp(min=free) if free else kl).sum()
    return loss, {"recon": recon.detach(), "kl": kl.sum().detach()}


def warmed_up(step: int, steps: int, beta: float = 1.0) -> float:
    r"""beta * min(1, (step + 1) / steps): the weight of the KL rises along a line.

    Sønderby et al. 2016 (ladder VAEs); Bowman et al. 2016 let it rise along a sigmoid.
    """
    return beta * min(1.0, (step + 1) / max(1, steps))


# -- the model -----------------------------------------------------------------------------------------------------


class VAE(nn.Module):
    r"""An encoder of notebook 02 with 2d outputs, its decoder, and what the decoder's picture means.

    latent   d
    s        a Gaussian decoder, p(x|z) = N(decode(z), s^2 I): the standard deviation of a pixel on the [0, 1] scale
             (2 s on [-1, 1]). None: a Bernoulli decoder, each pixel is white with a probability
    channels, size, width, bottom, hidden   as of `Autoencoder`
    """

    def __init__(self, latent: int, s: float | None = 0.1, channels: int = 3, size: int = 32, width: int = 32,
                 bottom: int = 16, hidden: int = 128):
        super().__init__()
        if latent < 1 or not (s is None or s > 0) or size % 8 or width % 16 or bottom % 8:
            raise ValueError(f"latent and s must be positive, size and bottom multiples of 8, width of 16; "
                             f"got latent={latent}, s={s}, size={size}, bottom={bottom}, width={width}")
        sizes = {"channels": channels, "size": size, "width": width, "bottom": bottom, "hidden": hidden}
        self.config = {"latent": latent, "s": s, **sizes}
        self.encoder, self.decoder = Encoder(2 * latent, **sizes), Decoder(latent, **sizes)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Pictures (B, C, S, S) in [-1, 1] -> mu, logvar, (B, d) each. ValueError for pictures of another shape."""
        channels, size = self.config["channels"], self.config["size"]
        if x.shape[1:] != (channels, size, size):
            raise ValueError(f"expected pictures (B, {channels}, {size}, {size}); got {tuple(x.shape)}")
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar.clamp(*LOGVAR_RANGE)

    def decode(self, z: Tensor) -> Tensor:
        r"""Codes (B, d) -> the means of p(x|z), pictures (B, C, S, S); clamp to draw them. ValueError for another d."""
        if z.ndim != 2 or z.shape[1] != self.config["latent"]:
            raise ValueError(f"expected codes (B, {self.config['latent']}); got {tuple(z.shape)}")
        y = self.decoder(z)
        return y if self.config["s"] else 2 * torch.sigmoid(y) - 1

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        r"""log p(x|z) of pictures x (B, C, S, S) in [-1, 1] at codes z (..., B, d), in nats -> (..., B)."""
        y = self.decoder(z.flatten(0, -2)).flatten(1).unflatten(0, z.shape[:-1])
        if self.config["s"]:
            return gaussian_log_likelihood(x.flatten(1), y, self.config["s"])
        return bernoulli_log_likelihood(x.flatten(1), y)

    def forward(self, x: Tensor) -> Tensor:
        r"""The picture at the mean code, as one shows it. Training decodes a drawn code: see `elbo_loss`."""
        return self.decode(self.encode(x)[0])


def gaussian_log_likelihood(x: Tensor, y: Tensor, s: float) -> Tensor:
    r"""log N(x; y, s^2 I), the density of pixels on [0, 1]: (B, D) and (..., B, D) in [-1, 1] -> (..., B).

    -|x - y|^2 / (2 s^2) - D/2 log(2 pi s^2), where a difference on [-1, 1] is twice that on [0, 1]. The constant is
    part of it, so a narrow s gives a density above 1.
    """
    squares = ((x - y) / 2).square().sum(-1)
    return -squares / (2 * s**2) - x.shape[-1] / 2 * math.log(2 * math.pi * s**2)


def bernoulli_log_likelihood(x: Tensor, logits: Tensor) -> Tensor:
    r"""log p(x) where each pixel is white with probability sigmoid(logit): (B, D) in [-1, 1], (..., B, D) -> (..., B).

    -1 is black, 1 white. A grey value in between counts as the probability of white: the mean over pictures drawn from
    it, which is no density of grey pictures (Loaiza-Ganem & Cunningham 2019).
    """
    white = (x + 1) / 2
    return (white * logits - F.softplus(logits)).sum(-1)  # white log sigmoid(l) + (1 - white) log sigmoid(-l)


# -- what a trained one knows --------------------------------------------------------------------------------------


def log_weights(model, x: Tensor, k: int) -> Tensor:
    r"""log w = log p(x|z) + log p(z) - log q(z|x) at k draws z ~ q(z|x) of each picture: (B, C, S, S) -> (k, B)."""
    mu, logvar = model.encode(x)
    eps = torch.randn(k, *mu.shape, device=mu.device)
    z = mu + torch.exp(0.5 * logvar) * eps
    # log p(z) - log q(z|x): the constants cancel, and (z - mu) / sigma is eps
    ratio = 0.5 * (eps.square() - z.square() + logvar).sum(-1)
    return model.log_likelihood(x, z) + ratio


@torch.no_grad()
def iw_bound(model, x: Tensor, k: int = 5000, at_once: int = 100) -> Tensor:
    r"""log 1/k sum w of each picture, in nats: (B, C, S, S) -> (B,). k = 1 is the ELBO; it rises to log p(x).

    Burda, Grosse & Salakhutdinov 2016, equation 8. The sum is kept as it grows, so memory holds `at_once` draws of each
    picture and not k. ValueError where one of the two is not positive.
    """
    if k < 1 or at_once < 1:
        raise ValueError(f"k and at_once must be positive; got k={k}, at_once={at_once}")
    total = torch.full((len(x),), -math.inf, device=x.device)
    for begun in range(0, k, at_once):
        total = torch.logaddexp(total, log_weights(model, x, min(at_once, k - begun)).logsumexp(0))
    return total - math.log(k)


def active_units(mu: Tensor, threshold: float = 0.01) -> Tensor:
    r"""Which numbers of the code say something: mu (N, d) of N pictures -> bool (d,).

    Those whose mean varies over pictures, Var_x E[z|x] > 0.01: Burda et al. 2016, section 5.2. ValueError for a
    single picture.
    """
    if len(mu) < 2:
        raise ValueError(f"whether a unit varies takes at least two pictures; got {len(mu)}")
    return mu.var(0) > threshold


# -- between two codes -------------------------------------------------------------------------------------------------


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    r"""Spherical interpolation between codes (..., d): sin((1-t) w)/sin(w) a + sin(t w)/sin(w) b, w their angle.

    Shoemake 1985; for codes, White 2016. Keeps the length where both have it, as draws of N(0, I) nearly do.
    """
    cosine = torch.cosine_similarity(a, b, dim=-1).clamp(-1 + 1e-6, 1 - 1e-6)
    angle = torch.arccos(cosine)[..., None]
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()
