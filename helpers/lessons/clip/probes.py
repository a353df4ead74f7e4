"""What features keep of a picture: a linear probe for each factor."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...data import scenes
from ...data.batches import in_batches

PROBED_SEED, NEW_PROBED_SEED = 2_000_003, 2_000_004
UNNAMED = ("x", "y", "radius")  # in pixels, within a place and a size
PROBED = 2000  # scenes that a probe learns from, and as many that it is judged on


def probed_scenes(n: int = PROBED, seed: int = PROBED_SEED) -> tuple[Tensor, Tensor, Tensor]:
    """n scenes of all pairings (n, 3, 32, 32), their factors (n, 6), and how each is off the middle of place and size.

    The last, (n, 3), has the columns of UNNAMED.
    """
    generator = torch.Generator().manual_seed(seed)
    factors = scenes.sample_factors(n, generator, "all")
    state = generator.get_state()
    images = scenes.draw(factors, generator)
    generator.set_state(state)  # `draw` begins with the places
    objects = factors[:, None, :5]
    off = scenes.drawing.placements(objects, generator) - scenes.drawing.placements(objects)
    return images, factors, off[:, 0]


def linear_probe(x: Tensor, y: Tensor, decay: float = 1e-4, steps: int = 60) -> nn.Linear:
    """Logistic regression of classes y (N,) on features x (N, D), fitted by L-BFGS; features should be standardised."""
    probe = nn.Linear(x.shape[1], int(y.max()) + 1)
    nn.init.zeros_(probe.weight), nn.init.zeros_(probe.bias)
    optimizer = torch.optim.LBFGS(probe.parameters(), max_iter=steps, line_search_fn="strong_wolfe")

    def objective():
        optimizer.zero_grad()
        loss = F.cross_entropy(probe(x), y) + decay * probe.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(objective)
    return probe


def standardised(x: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Both with the mean and the standard deviation of the first taken out of each feature."""
    mean, scale = x.mean(0), x.std(0).clamp(min=1e-6)
    return (x - mean) / scale, (other - mean) / scale


def explained_share(x: Tensor, y: Tensor, x_test: Tensor, y_test: Tensor) -> float:
    """R^2 on the test half of a linear regression with bias: 1 is perfect, 0 the mean's, at least 0."""
    ones = [torch.cat([part, torch.ones(len(part), 1)], 1).double() for part in (x, x_test)]
    ridge = 1e-3 * len(x) * torch.eye(ones[0].shape[1], dtype=torch.float64)
    weights = torch.linalg.solve(ones[0].T @ ones[0] + ridge, ones[0].T @ y.double()[:, None])
    error = (ones[1] @ weights)[:, 0] - y_test.double()
    return max(0.0, 1 - (error.square().mean() / y_test.double().var()).item())


def kept_factors(tower, n: int = PROBED) -> dict[str, float]:
    """For each factor the accuracy of a linear probe on what `tower` makes of new scenes, for each jitter R^2."""
    (images, factors, off), (new, truth, new_off) = probed_scenes(n), probed_scenes(n, NEW_PROBED_SEED)
    x, x_test = standardised(in_batches(tower, images), in_batches(tower, new))
    found = {}
    for i, name in enumerate(scenes.FACTORS):
        probe = linear_probe(x, factors[:, i])
        found[name] = (probe(x_test).argmax(1) == truth[:, i]).float().mean().item()
    return found | {name: explained_share(x, off[:, i], x_test, new_off[:, i]) for i, name in enumerate(UNNAMED)}
