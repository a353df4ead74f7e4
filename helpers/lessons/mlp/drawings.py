"""The figure of notebook 04: an autoencoder of dense layers, in which every number meets every number."""

from __future__ import annotations

import torch

from ...show.diagrams import Diagram, arrow, fan, picture, row, vector

SHOWN = (14, 9)  # numbers that are drawn, of a picture's 3,072 and of a hidden layer's


@torch.no_grad()
def dense_autoencoder(model, x) -> Diagram:
    """An `MLPAutoencoder` on a picture x (1, 3, 32, 32): its first hidden layer, its code, its last hidden layer."""
    first = next(i for i, layer in enumerate(model.encoder) if isinstance(layer, torch.nn.SiLU)) + 1
    h, z = model.encoder[:first](x.flatten(1))[0], model.encoder(x.flatten(1))
    last = model.decoder[:-1](z)[0]
    y = model.decoder(z).view_as(x).clamp(-1, 1)
    rows = torch.linspace(0, x[0].numel() - 1, SHOWN[0]).long()
    layers = [vector(x.flatten()[rows], f"{x[0].numel():,}\nnumbers", "picture", cell=12),
              vector(h[: SHOWN[1]], f"hidden\n{len(h)}", "hidden", cell=12),
              vector(z[0], f"code z\n{z.shape[1]}", cell=12),
              vector(last[: SHOWN[1]], f"hidden\n{len(last)}", "hidden", cell=12),
              vector(y.flatten()[rows], f"{x[0].numel():,}\nnumbers", "picture", cell=12)]
    fans = [fan(a, b) for a, b in zip(layers, layers[1:], strict=False)]
    return Diagram(row(picture(x[0], "x"), arrow("list"), row(*layers, gap=44), arrow("picture"), picture(y[0], "drawing")),
                   *fans, title="An autoencoder of dense layers",
                   description="A picture as a list of numbers goes through a hidden layer to a code of a few numbers, "
                               "and through another back to a list. Every number of a layer meets every one of the next.")
