r"""Pictures <-> a grid of whole numbers: an autoencoder whose code is a small picture of codes from a list.

Notebook 16. Papers: van den Oord et al., "Neural discrete representation learning", NeurIPS 2017, equation 3; Ramesh et
al., "Zero-shot text-to-image generation", ICML 2021, section 2.1, whose first stage this is in small. Between an
encoder that looks at one place and notebook 14's decoder, which sees all of them, stands one of `quantizers`.

B batch · S side of a picture · f pixels along a side are one place · D numbers of a code · K codes
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .kl_autoencoder import Decoder
from .quantizers import FSQ, GumbelQuantizer, Quantized, VectorQuantizer

QUANTIZERS = {"vq": VectorQuantizer, "fsq": FSQ, "gumbel": GumbelQuantizer}
COMMITMENT = 0.25  # van den Oord et al.'s beta: how much the encoder pays for being far from its code
KL_TO_EVEN = 0.01  # how much a nat of the Gumbel quantizer's KL weighs beside the squared error
WRONG, NEIGHBOURS = 0.1, 4  # of the codes that `decoding_loss` shows are others, each one of so many nearest ones


class PlaceEncoder(nn.Module):
    r"""Pictures (B, C, S, S) -> vectors (B, D, S/4, S/4); each is told 12 x 12 pixels, its own 4 x 4 in their middle.

    It looks no further, and normalises nothing over the picture, so that a place where nothing is has the same code in
    every picture: codes that are easy to predict. To fit the places together is left to the decoder, which sees all.
    """

    def __init__(self, dim: int, channels: int, width: int):
        super().__init__()
        self.fold = nn.PixelUnshuffle(2)
        self.near, self.place = nn.Conv2d(4 * channels, width, 3, padding=1), nn.Conv2d(width, 2 * width, 4, 2, 1)
        self.hidden, self.code = nn.Conv2d(2 * width, 2 * width, 1), nn.Conv2d(2 * width, dim, 1)

    def forward(self, x):
        h = F.silu(self.near(self.fold(x)))   # (B, W, S/2, S/2)
        h = F.silu(self.place(h))             # (B, 2W, S/4, S/4)
        return self.code(F.silu(self.hidden(h)))


class VQVAE(nn.Module):
    r"""Pictures (B, 3, S, S) <-> indices (B, S/f, S/f), int64, 0 to K - 1. S is a multiple of f.

    kind       of the quantizer, a row of QUANTIZERS;  quantizer  its sizes, by name
    widths     channels at S/2, ..., S/f, each a multiple of 8
    """

    optimizer = "muon"  # of `training.loop`

    def __init__(self, kind: str = "vq", quantizer: dict | None = None, channels: int = 3, looks: int = 64,
                 widths=(64, 128)):
        super().__init__()
        if kind not in QUANTIZERS:
            raise ValueError(f"no quantizer is called {kind!r}: choose one of {', '.join(QUANTIZERS)}")
        self.config = {"kind": kind, "quantizer": quantizer or {}, "channels": channels, "looks": looks,
                       "widths": list(widths)}
        self.factor = 2 ** len(widths)
        self.quantizer = QUANTIZERS[kind](**(quantizer or {}))
        self.encoder = PlaceEncoder(self.quantizer.dim, channels, looks)
        self.decoder = Decoder(self.quantizer.dim, channels, widths)

    @property
    def codes(self) -> int:
        r"""K."""
        return self.quantizer.codes

    def quantize(self, x: Tensor) -> Quantized:
        r"""Pictures (B, 3, S, S) in [-1, 1] -> codes, their indices, and what the encoder pays."""
        channels, f = self.config["channels"], self.factor
        if x.ndim != 4 or x.shape[1] != channels or x.shape[2] % f or x.shape[3] % f:
            raise ValueError(f"expected pictures (B, {channels}, S, S), S a multiple of {f}; got {tuple(x.shape)}")
        return self.quantizer(self.encoder(x))

    def encode(self, x: Tensor) -> Tensor:
        r"""Pictures (B, 3, S, S) in [-1, 1] -> indices (B, S/f, S/f)."""
        return self.quantize(x).indices

    def decode(self, indices: Tensor) -> Tensor:
        r"""Indices (B, H, W) -> pictures (B, 3, f H, f W); clamp to draw them. ValueError for what is no index."""
        if indices.ndim != 3 or indices.is_floating_point() or not 0 <= indices.min() <= indices.max() < self.codes:
            raise ValueError(f"expected whole numbers from 0 to {self.codes - 1}, (B, H, W); got {indices.dtype} of "
                             f"shape {tuple(indices.shape)}")
        return self.decoder(self.quantizer.lookup(indices))

    def forward(self, x: Tensor) -> Tensor:
        r"""The picture that comes back of x (B, 3, S, S)."""
        return self.decoder(self.quantize(x).codes)


def vqvae_loss(model: VQVAE, x: Tensor, weight: float = COMMITMENT):
    r"""(recon + weight pay, {"recon": ..., "pay": ...}): x (B, 3, S, S) in [-1, 1].

    recon = |x - decode(codes)|^2 summed over the numbers of the picture; pay is the quantizer's, summed over places;
    both averaged over the batch. Van den Oord et al., equation 3, its second term left to moving averages.
    """
    found = model.quantize(x)
    recon = (x - model.decoder(found.codes)).square().flatten(1).sum(1).mean()
    pay = found.loss * found.indices[0].numel()
    return recon + weight * pay, {"recon": recon.detach(), "pay": pay.detach()}


def cooling_loss(model: VQVAE, batch: dict[str, Tensor], weight: float = KL_TO_EVEN):
    r"""`vqvae_loss` of {"images": (B, 3, S, S), "progress": ()} for a Gumbel quantizer, which cools on the way.

    progress  the share of the training that is done, 0 to 1
    """
    model.quantizer.cool(batch["progress"].item())
    return vqvae_loss(model, batch["images"], weight)


def with_wrong(model: VQVAE, found: Quantized, share: float, near: int = NEIGHBOURS) -> Tensor:
    r"""The codes (B, D, H, W), this share of them exchanged for one of the `near` codes that lie nearest to each."""
    indices, device = found.indices, found.indices.device
    book = model.quantizer.lookup(torch.arange(model.codes, device=device)[None, None])[0, :, 0].T     # (K, D)
    neighbours = torch.cdist(book, book).topk(near + 1, largest=False).indices[:, 1:]                  # (K, near)
    others = neighbours[indices, torch.randint(near, indices.shape, device=device)]
    hit = torch.rand(indices.shape, device=device) < share
    return model.quantizer.lookup(torch.where(hit, others, indices))


def decoding_loss(model: VQVAE, x: Tensor, wrong: float = WRONG):
    r"""(recon, {"recon": ...}) for a decoder that learns on while its encoder and codebook, and so codes, stay.

    Of the codes the share `wrong` are neighbours of the right ones: who writes codes one by one errs in that way.
    """
    with torch.no_grad():
        seen = with_wrong(model, model.quantizer.eval()(model.encoder(x)), wrong)  # in training codes would move
    recon = (x - model.decoder(seen)).square().flatten(1).sum(1).mean()
    return recon, {"recon": recon.detach()}
