"""The figure of notebook 08: a VAE with a code of two numbers, and the cloud that it makes of a picture."""

from __future__ import annotations

import torch

from ...show.diagrams import Diagram, arrow, cloud, column, grid, link, operation, picture, vector
from .experiments import seeded


@torch.no_grad()
def cloud_of_codes(model, x) -> Diagram:
    """A picture x[:1] becomes a mean and a spread, a draw becomes a picture; the other clouds are of x[1:]. d = 2."""
    mu, logvar = model.encode(x)
    sigma, eps = torch.exp(0.5 * logvar), seeded((8, 2))
    z = mu[:1] + sigma[:1] * eps
    y = model.decode(z[:1]).clamp(-1, 1)
    plane = cloud(mu, sigma, z, "the plane of codes\ndashed: N(0, I)", side=150)
    mean, spread = vector(mu[0], "mean μ", cell=18, limit=3), vector(sigma[0], "spread σ", cell=18, limit=1)
    dice, code = vector(eps[0], "dice ε", "noise", cell=18, limit=3), vector(z[0], "code z\n= μ + σ ⊙ ε", cell=18, limit=3)
    drawing = picture(y[0], "drawing")
    price, error = operation("KL(q(z|x) ‖ N(0, I))", "loss", "stay near 0"), operation("−log p(x|z)", "loss", "draw x well")
    table = grid([None, None, None, None, None, None, dice],
                 [picture(x[0], "picture x"), arrow("encoder"), column(mean, spread, gap=12), arrow(), plane, arrow("draw"),
                  code, arrow("decoder"), drawing],
                 [None, None, None, None, price, None, None, None, error], gap=(4, 20))
    return Diagram(table, link(dice, "bottom", code, "top"), link(plane, "bottom", price, "top"),
                   link(drawing, "bottom", error, "top"), title="A variational autoencoder",
                   description="The encoder gives a mean and a spread: a cloud in the plane of codes. Dice pick a code "
                               "of the cloud, and the decoder draws it. Two losses: clouds near 0, and a likely drawing.")
