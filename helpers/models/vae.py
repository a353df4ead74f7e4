r"""Variational autoencoders: the code is a distribution, and the loss a bound on the likelihood.

Notebook 08. Papers: Kingma & Welling, "Auto-encoding variational Bayes", 2013; Rezende, Mohamed & Wierstra, 2014.
The encoder says where in code space a picture may lie, as a mean and a standard deviation for each number; a code is
drawn from there and decoded. The loss asks that the drawing is likely under the decoder, and that all these clouds
stay near N(0, I), from which new codes can then be drawn.

B batch · C channels · S side in pixels · d size of the code z · k samples of z for one picture
mu, logvar: mean and log sigma^2 of q(z|x), (B, d). All likelihoods and divergences are in nats.
"""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .autoencoder import Decoder, Encoder

# Named sizes of the convolutional VAE. "tiny" trains on one core in about a minute.
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
    r"""beta * min(1, (step + 1) / steps): the weight of the KL rises along a line (Bowman et al. 2016)."""
    return beta * min(1.0, (step + 1) / max(1, steps))


# -- the models ----------------------------------------------------------------------------------------------------


class VAE(nn.Module):
    r"""Convolutional, with a Gaussian decoder: p(x|z) = N(decode(z), s^2 I). For pictures in colour.

    latent   d
    s        standard deviation of a pixel around the decoder's picture, on the [0, 1] scale (2 s on [-1, 1])
    channels, size, width, bottom, hidden   as of `Autoencoder`, whose encoder (with 2d outputs) and decoder these are
    """

    def __init__(self, latent: int, s: float = 0.1, channels: int = 3, size: int = 32, width: int = 32,
                 bottom: int = 16, hidden: int = 128):  # fmt: skip
        super().__init__()
        if latent < 1 or s <= 0 or size % 8 or width % 16 or bottom % 8:
            raise ValueError(f"latent and s must be positive, size and bottom multiples of 8, width of 16; "
                             f"got latent={latent}, s={s}, size={size}, bottom={bottom}, width={width}")  # fmt: skip
        sizes = {"channels": channels, "size": size, "width": width, "bottom": bottom, "hidden": hidden}
        self.config = {"latent": latent, "s": s, **sizes}
        self.encoder, self.decoder = Encoder(2 * latent, **sizes), Decoder(latent, **sizes)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Pictures (B, C, S, S) in [-1, 1] -> mu, logvar, (B, d) each. ValueError for pictures of another shape."""
        shape = (self.config["channels"], self.config["size"], self.config["size"])
        check_pictures(x, shape)
        mu, logvar = self.encoder(x).chunk(2, dim=1)
        return mu, logvar.clamp(*LOGVAR_RANGE)

    def decode(self, z: Tensor) -> Tensor:
        r"""Codes (B, d) -> the means of p(x|z), pictures (B, C, S, S). Clamp before drawing."""
        return self.decoder(z)

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        r"""log p(x|z) of pictures x (B, C, S, S) in [-1, 1] at codes z (..., B, d) -> (..., B).

        A density over pixels on [0, 1], its constant included: -D/2 log(2 pi s^2), D = C S^2.
        """
        y = self.decode(z.flatten(0, -2)).unflatten(0, z.shape[:-1])
        squares = ((x - y) / 2).square().flatten(-3).sum(-1)
        variance = self.config["s"] ** 2
        return -squares / (2 * variance) - x[0].numel() / 2 * math.log(2 * math.pi * variance)

    def forward(self, x: Tensor) -> Tensor:
        r"""The picture at the mean code, as one shows it. Training decodes a drawn code: see `elbo_loss`."""
        return self.decode(self.encode(x)[0])


class DenseVAE(nn.Module):
    r"""Dense layers, with a Bernoulli decoder: each pixel is white with a probability. For MNIST.

    latent   d
    hidden   units of the encoder's hidden layers; the decoder has them in reverse
    shape    (C, S, S) of a picture
    smooth   SiLU instead of ReLU
    """

    def __init__(self, latent: int = 20, hidden: tuple[int, ...] = (400,), shape: tuple[int, ...] = (1, 28, 28),
                 smooth: bool = False):  # fmt: skip
        super().__init__()
        if latent < 1 or not hidden:
            raise ValueError(f"latent must be positive and hidden name a layer; got latent={latent}, hidden={hidden}")
        self.config = {"latent": latent, "hidden": list(hidden), "shape": list(shape), "smooth": smooth}
        activation, pixels = nn.SiLU if smooth else nn.ReLU, math.prod(shape)
        self.encoder = dense(pixels, *hidden, 2 * latent, activation=activation)
        self.decoder = dense(latent, *reversed(hidden), pixels, activation=activation)

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Pictures (B, C, S, S) in [-1, 1] -> mu, logvar, (B, d) each. ValueError for pictures of another shape."""
        check_pictures(x, tuple(self.config["shape"]))
        mu, logvar = self.encoder((x.flatten(1) + 1) / 2).chunk(2, dim=1)
        return mu, logvar.clamp(*LOGVAR_RANGE)

    def decode(self, z: Tensor) -> Tensor:
        r"""Codes (B, d) -> the means of p(x|z), pictures (B, C, S, S) in [-1, 1]."""
        return (2 * torch.sigmoid(self.decoder(z)) - 1).unflatten(1, self.config["shape"])

    def log_likelihood(self, x: Tensor, z: Tensor) -> Tensor:
        r"""log p(x|z) of pictures x (B, C, S, S) in [-1, 1] at codes z (..., B, d) -> (..., B).

        x = -1 is black, 1 white. A grey value in between counts as the probability of white: the expectation over
        pictures drawn from it, which is no density of grey pictures (Loaiza-Ganem & Cunningham 2019).
        """
        logits, white = self.decoder(z), (x.flatten(1) + 1) / 2
        # log sigmoid(l) white + log sigmoid(-l) (1 - white)
        return torch.einsum("...bp,bp->...b", logits, white) - F.softplus(logits).sum(-1)

    def forward(self, x: Tensor) -> Tensor:
        r"""The picture at the mean code. Training decodes a drawn code: see `elbo_loss`."""
        return self.decode(self.encode(x)[0])


def dense(*sizes: int, activation: type[nn.Module]) -> nn.Sequential:
    r"""Linear maps between layers of these sizes, with an activation after each but the last."""
    layers = [[nn.Linear(a, b), activation()] for a, b in itertools.pairwise(sizes)]
    return nn.Sequential(*list(itertools.chain(*layers))[:-1])


def check_pictures(x: Tensor, shape: tuple[int, ...]) -> None:
    if x.shape[1:] != shape:
        raise ValueError(f"expected pictures (B, {', '.join(map(str, shape))}); got {tuple(x.shape)}")


# -- what a trained one knows --------------------------------------------------------------------------------------


def log_weights(model, x: Tensor, k: int) -> Tensor:
    r"""log w = log p(x|z) + log p(z) - log q(z|x) at k draws z ~ q(z|x) of each picture: (B, C, S, S) -> (k, B)."""
    mu, logvar = model.encode(x)
    eps = torch.randn(k, *mu.shape, device=mu.device)
    z = mu + torch.exp(0.5 * logvar) * eps
    # log p(z) - log q(z|x): the constants cancel, and (z - mu) / sigma is eps
    ratio = 0.5 * (eps.square() - z.square() + logvar).sum(-1)
    return model.log_likelihood(x, z) + ratio


def iwae_loss(model, x: Tensor, k: int = 5):
    r"""(minus the importance-weighted bound of k draws, {"bound": ...}), in nats a picture; k = 1 is the ELBO.

    -log 1/k sum w, averaged over the batch: Burda, Grosse & Salakhutdinov 2016, equation 8.
    """
    loss = -log_mean_exp(log_weights(model, x, k)).mean()
    return loss, {"bound": loss.detach()}


def log_mean_exp(x: Tensor) -> Tensor:
    return x.logsumexp(0) - math.log(len(x))


@torch.no_grad()
def iw_bound(model, x: Tensor, k: int = 5000, at_once: int = 100) -> Tensor:
    r"""log 1/k sum w of each picture, in nats: (B, C, S, S) -> (B,). It rises with k towards log p(x).

    Burda et al. 2016, equation 8. The sum is kept as it grows, so memory holds `at_once` draws of each picture and
    not k. ValueError unless k is a multiple of at_once.
    """
    if k < 1 or k % at_once:
        raise ValueError(f"k must be a positive multiple of at_once={at_once}; got k={k}")
    total = torch.full((len(x),), -math.inf, device=x.device)
    for _ in range(k // at_once):
        total = torch.logaddexp(total, log_weights(model, x, at_once).logsumexp(0))
    return total - math.log(k)


def active_units(mu: Tensor, threshold: float = 0.01) -> Tensor:
    r"""Which numbers of the code say something: mu (N, d) of N pictures -> bool (d,).

    Those whose mean varies over pictures, Var_x E[z|x] > 0.01: Burda et al. 2016, section 5.2.
    """
    return mu.var(0) > threshold
