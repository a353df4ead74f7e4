"""The figure of notebook 08: a VAE with a code of two numbers, and the cloud that it makes of a picture."""

from __future__ import annotations

import torch

from ...show.diagrams import Diagram, arrow, cloud, column, connect, grid, operation, picture, vector
from .experiments import seeded


@torch.no_grad()
def cloud_of_codes(model, x) -> Diagram:
    """x[:1] becomes a mean and a spread, a draw becomes a picture; the plane has the clouds of all x (N, C, S, S)."""
    mu, logvar = model.encode(x)
    sigma, eps = torch.exp(0.5 * logvar), seeded((24, 2))
    z = mu[:1] + sigma[:1] * eps
    near = cloud(mu[:1], sigma[:1], z, "its cloud, and draws", side=110, middle=mu[0],
                 reach=3.3 * sigma[0].max().item())
    world = cloud(mu, sigma, [], f"the clouds of {len(x)} pictures\ndashed: N(0, I)", side=130,
                  reach=1.1 * mu.abs().max().item())
    mean, spread = vector(mu[0], "mean μ", cell=17, limit=3), vector(sigma[0], "spread σ", cell=17, limit=0.1)
    dice = vector(eps[0], "dice ε", "noise", cell=17, limit=3)
    code = vector(z[0], "z = μ + σ ⊙ ε", cell=17, limit=3)
    encoder, drawing = operation("encoder"), picture(model.decode(z[:1])[0].clamp(-1, 1), "drawing")
    price = operation("KL(q(z|x) ‖ N(0, I))", "loss", "stay near 0")
    error = operation("−log p(x|z)", "loss", "draw x well")
    table = grid([picture(x[0], "picture x"), arrow(length=20), encoder, column(mean, spread, gap=8), near,
                  arrow("draw"), code, arrow("decoder"), drawing],
                 [None, None, None, None, world, None, dice, None, error], [None] * 4 + [price], gap=(12, 24))
    both = [connect(encoder, "right", each, "left") for each in (mean, spread)]
    both += [connect(each, "right", near, "left") for each in (mean, spread)]
    return Diagram(table, *both, connect(dice, "top", code, "bottom"), connect(near, "bottom", world, "top"),
                   connect(world, "bottom", price, "top"), connect(drawing, "bottom", error, "top"),
                   title="A variational autoencoder",
                   description="The encoder gives a mean and a spread: a cloud in the plane of codes. Dice pick a code "
                               "of the cloud, and the decoder draws it. Two losses: clouds near 0, a likely drawing.")
