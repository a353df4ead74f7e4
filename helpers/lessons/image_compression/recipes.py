r"""The weights of notebook 05: autoencoders that see few pictures many times, and the codec at two qualities.

    overfit-256-200     a code of 256 numbers, trained on the same 200 scenes all along
    codec-high          the learned codec where bits are cheap; codec-low, where they are dear

The codes that are quantised there are of notebook 02's autoencoders.
"""

from __future__ import annotations

from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from ...data import scenes, sets
from ...data.batches import NEW_SCENES_SEED
from ...metrics.pictures import mse, reconstruct
from ...models.autoencoder import Autoencoder, reconstruction_loss
from ...models.codec import PRESETS, Codec, rate_distortion_loss
from ...systems.codec import as_tensor
from ...training.recipes import Recipe, any_length
from .file_formats import mosaic

CODES, COUNTS = (2, 8, 64, 256), (200, 1000, 12_000)
SHIPPED = [(code, count) for code in (2, 64, 256) for count in (200, 12_000)]  # of the rest only figures are kept
SEEDS = (0, 1, 2)  # 0 is the shipped one's; of the others, again, only the figures
NARROW = {"width": 32, "bottom": 16, "hidden": 96}  # six of them ship
PRICES = {"low": 0.004, "high": 0.0015}  # of one bit a pixel, in mean squared error on [0, 1]
BATCH, WATCHED = 32, 16  # pictures to learn from, and new ones on which the error is only noted, at each step


# -- few pictures, many times --------------------------------------------------------------------------------------


def training_scenes(count: int) -> Tensor:
    r"""The `count` scenes that an `overfit-*-count` learns from; the smaller sets begin the larger."""
    return scenes.make_scenes(max(COUNTS), seed=1)[0][:count]


def same_scenes(count: int):
    r"""Batches (some of the `count` training scenes, some new ones to watch)."""
    x = training_scenes(count)

    def batches(step):
        new = scenes.draw(scenes.sample_factors(WATCHED, torch.default_generator), torch.default_generator)
        return x[torch.randint(count, (BATCH,))], new

    return batches


def watched_loss(model, batch):
    r"""The reconstruction loss of the first pictures; their error "train", and "test" of the others, on [0, 1]."""
    seen, new = batch
    loss, parts = reconstruction_loss(model, seen)
    with torch.no_grad():
        test = reconstruction_loss(model, new)[1]["mse"]
    return loss, {"train": parts["mse"], "test": test}


@torch.no_grad()
def random_scenes(model, x: Tensor, count: int = 500) -> Tensor:
    r"""`count` pictures drawn from a Gaussian that is fitted to the codes of x (N, 3, S, S). ValueError for one.

    The same for the same codes; torch's generator is left alone.
    """
    if len(x) < 2:
        raise ValueError(f"a Gaussian is fitted to two pictures or more; got {len(x)}")
    codes = torch.cat([model.encode(part) for part in x.split(500)])
    noise = torch.randn(count, codes.shape[1], generator=torch.Generator().manual_seed(0))
    values, vectors = torch.linalg.eigh(codes.T.cov().reshape(codes.shape[1], -1))  # a root that rank may fail
    z = codes.mean(0) + noise @ (vectors * values.clamp(min=0).sqrt()).T
    return torch.cat([model.decode(part).clamp(-1, 1) for part in z.split(500)])


def valid_rate(model, x: Tensor, count: int = 500) -> float:
    r"""The share of `random_scenes` that the parser takes for tiny scenes."""
    return scenes.parse(random_scenes(model, x, count)).valid.float().mean().item()


def errors_of(model, count: int) -> dict[str, float]:
    r"""The error on its `count` training scenes (2,000 of them at most) and on 1,000 new ones, and their ratio."""
    train, (new, _) = training_scenes(count), scenes.make_scenes(1000, NEW_SCENES_SEED)
    seen, unseen = (mse(x, reconstruct(model, x)).mean().item() for x in (train[:2000], new))
    return {"train": seen, "test": unseen, "gap": unseen / seen}


def evaluate_overfit(model, count: int) -> dict[str, float]:
    return {**errors_of(model, count), "valid": valid_rate(model, training_scenes(count))}


# -- the codec -----------------------------------------------------------------------------------------------------


def blocks(batch: int = 8):
    r"""Pieces (batch, 3, 64, 64): two by two training emoji, one in eight emoji twice as large, one in eight scenes.

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
    r"""Emoji of families that no network here has seen, in a fixed random order."""
    x = sets.load_emoji("test").images
    return x[torch.randperm(len(x), generator=torch.Generator().manual_seed(0))[:count]]


def new_scenes(count: int = 256) -> Tensor:
    return scenes.make_scenes(count, NEW_SCENES_SEED)[0]


@torch.no_grad()
def evaluate_codec(model) -> dict[str, float]:
    figures = {}
    for name, x in (("emoji", held_out_emoji()), ("scenes", new_scenes())):
        parts = rate_distortion_loss(model, as_tensor(mosaic(x)), price=0.0)[1]
        figures |= {f"{name}_bytes": parts["bits"].item() * x[0, 0].numel() / 8, f"{name}_mse": parts["mse"].item()}
    return figures


# -- the recipes ---------------------------------------------------------------------------------------------------

PIECES = "pieces of 64x64 pixels of emoji of the training families, one in eight of tiny scenes"


def recipes():
    r"""The recipes of this notebook."""
    for code in CODES:
        for count in COUNTS:
            yield Recipe(
                name=f"overfit-{code}-{count}", build=partial(Autoencoder, code, **NARROW),
                batches=any_length(same_scenes, count), loss=watched_loss,
                evaluate=partial(evaluate_overfit, count=count), steps=1500, lr=4e-3,
                data=f"the same {count:,} tiny scenes all along, batches of 32",
                sizes={"gpu": {"steps": 12_000}},
            )

    for quality, price in PRICES.items():
        yield Recipe(
            name=f"codec-{quality}", build=partial(Codec, **PRESETS["small"]), batches=any_length(blocks),
            loss=partial(rate_distortion_loss, price=price), evaluate=evaluate_codec, steps=6000, lr=4e-3,
            data=f"{PIECES}, batches of 8",
            sizes={"gpu": {"build": partial(Codec, **PRESETS["large"]), "steps": 40_000,
                           "batches": any_length(blocks, 32), "data": f"{PIECES}, batches of 32"}},
        )
