"""What notebook 05 measures: networks that see few pictures many times, draws from their codes, and the codec."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...data import scenes, sets
from ...data.batches import BATCH, NEW_SCENES_SEED, in_batches
from ...metrics.pca import PCA
from ...metrics.pictures import mse, reconstruct
from ...models.autoencoder import reconstruction_loss
from ...models.codec import rate_distortion_loss
from ...systems.codec import VectorCoder, as_tensor, compress, decompress
from ...training.checkpoints import load
from ..autoencoder.experiments import SCENE_LATENTS
from .file_formats import bytes_for, mosaic, pixel_error, rate_curve

VECTOR_LATENTS, VECTOR_BITS = SCENE_LATENTS[1:], (2, 3, 4, 5, 6, 7, 8)  # of the codes that are written as bytes
OVERFIT_LATENTS, OVERFIT_COUNTS = (2, 8, 64, 256), (200, 1000, 12_000)
SHIPPED_LATENTS, SHIPPED_COUNTS = (2, 64, 256), (200, 12_000)  # of the other networks only figures are kept
OVERFIT_SEEDS = (0, 1, 2)  # 0 is the shipped one's; of the others, again, only the figures
PRICES = {"low": 0.004, "high": 0.0015}  # of one bit a pixel, in mean squared error on [0, 1]
WATCHED = 16  # new pictures on which the error is only noted, at each step


# -- codes of d numbers, written as bytes ---------------------------------------------------------------------------


def vector_coders() -> dict[tuple[int, int], VectorCoder]:
    """{(d, bits): coder} of notebook 02's autoencoders, ranges and frequencies counted on training scenes.

    Fewer than the page has: with 2 or 128 numbers, or 2 or 3 bits, none comes near the target with few bytes.
    """
    train, found = scenes.make_scenes(4000, seed=0)[0], {}
    for d in VECTOR_LATENTS[1:-1]:
        model = load(f"autoencoder-scenes-{d}")[0]
        codes = in_batches(model.encode, train)
        found |= {(d, bits): VectorCoder.fit(model, codes, bits=bits) for bits in VECTOR_BITS[2:]}
    return found


def pca_points(x) -> list[tuple[float, float]]:
    """[(bytes a picture, error)] of PCA, quantised with one step for all components, as is best at high rates."""
    train, found = scenes.make_scenes(4000, seed=0)[0], []
    pca = PCA.fit(train, 128)
    for d in (32, 64, 128):
        part = replace(pca, components=pca.components[:d])
        codes = in_batches(part.encode, train)
        found += [VectorCoder.fit(part, codes, step=step).measure(x) for step in (6, 4, 3, 2, 1.4, 1)]
    return found


# -- few pictures, many times --------------------------------------------------------------------------------------


def training_scenes(count: int) -> Tensor:
    """The `count` scenes that an `overfit-*-count` learns from; the smaller sets begin the larger."""
    return scenes.make_scenes(max(OVERFIT_COUNTS), seed=1)[0][:count]


def same_scenes(count: int):
    """Batches (some of the `count` training scenes, some new ones to watch)."""
    x = training_scenes(count)

    def batches(step):
        new = scenes.draw(scenes.sample_factors(WATCHED, torch.default_generator), torch.default_generator)
        return x[torch.randint(count, (BATCH,))], new

    return batches


def watched_loss(model, batch):
    """The reconstruction loss of the first pictures; their error "train", and "test" of the others, on [0, 1]."""
    seen, new = batch
    loss, parts = reconstruction_loss(model, seen)
    with torch.no_grad():
        test = reconstruction_loss(model, new)[1]["mse"]
    return loss, {"train": parts["mse"], "test": test}


def gaussian_draws(model, x: Tensor, count: int = 2000) -> Tensor:
    """`count` pictures drawn from a Gaussian that is fitted to the codes of x (N, 3, S, S).

    Equal codes give equal draws; torch's generator is left alone.
    """
    codes = in_batches(model.encode, x)
    noise = torch.randn(count, codes.shape[1], generator=torch.Generator().manual_seed(0))
    values, vectors = torch.linalg.eigh(codes.T.cov().reshape(codes.shape[1], -1))  # a root that rank may fail
    z = codes.mean(0) + noise @ (vectors * values.clamp(min=0).sqrt()).T
    return in_batches(model.decode, z).clamp(-1, 1)


def overfit_errors(model, count: int) -> dict[str, float]:
    """The error on its `count` training scenes (2,000 of them at most) and on 1,000 new ones, and their ratio."""
    train, (new, _) = training_scenes(count), scenes.make_scenes(1000, NEW_SCENES_SEED)
    seen, unseen = (mse(x, reconstruct(model, x)).mean().item() for x in (train[:2000], new))
    return {"train": seen, "test": unseen, "gap": unseen / seen}


# -- the codec -----------------------------------------------------------------------------------------------------


def codec_batches(batch: int = 8):
    """Pieces (batch, 3, 64, 64): two by two training emoji, one in eight emoji twice as large, one in eight scenes.

    They are shifted around, so that edges and the seams of mosaics come at every place of the grid. ValueError unless
    batch is a multiple of 8.
    """
    if batch < 8 or batch % 8:
        raise ValueError(f"an eighth of a batch is scenes, so its size is a multiple of 8; got {batch}")
    emoji, part = sets.load_emoji("train").images, batch // 8

    def batches(step):
        small = emoji[torch.randint(len(emoji), (4 * batch,))]
        factors = scenes.sample_factors(4 * part, torch.default_generator)
        small[: 4 * part] = scenes.draw(factors, torch.default_generator)
        x = small.reshape(batch, 2, 2, 3, 32, 32).permute(0, 3, 1, 4, 2, 5).reshape(batch, 3, 64, 64)
        large = F.interpolate(small[4 * part : 8 * part : 4], scale_factor=2, mode="bicubic")
        x[part : 2 * part] = large.clamp(-1, 1)
        x = x.roll(torch.randint(64, (2,)).tolist(), (2, 3))
        return torch.where(torch.rand(batch, 1, 1, 1) < 0.5, x.flip(3), x)

    return batches


def held_out_emoji(count: int = 256) -> Tensor:
    """Emoji of families that no network here has seen, in a fixed random order."""
    x = sets.load_emoji("test").images
    return x[torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:count]]


def bytes_over_codec(picture: np.ndarray, quality: str) -> dict[str, float]:
    """{"JPEG": its bytes over the codec's, at the error of the codec's `quality`, "WEBP": ...}; above 1 ours wins."""
    data = compress(picture, quality)
    error = pixel_error(picture, decompress(data))
    return {kind: bytes_for(error, rate_curve(picture, kind)) / len(data) for kind in ("JPEG", "WEBP")}


def photograph() -> np.ndarray:
    """A piece of a photograph, uint8 (256, 384, 3): Eileen Collins, NASA, public domain, as scikit-image ships it."""
    from skimage.data import astronaut  # not at the top: it takes a while

    return astronaut()[:256, 64:448]


@torch.no_grad()
def evaluate_codec(model) -> dict[str, float]:
    figures = {}
    for name, x in (("emoji", held_out_emoji()), ("scenes", scenes.make_scenes(256, NEW_SCENES_SEED)[0])):
        parts = rate_distortion_loss(model, as_tensor(mosaic(x)), price=0.0)[1]
        figures |= {f"{name}_bytes": parts["bits"].item() * x[0, 0].numel() / 8, f"{name}_mse": parts["mse"].item()}
    return figures
