"""The figure of notebook 04: an autoencoder of dense layers, in which every number meets every number."""

from __future__ import annotations

import torch

from ...show.diagrams import Diagram, arrow, fan, picture, row, vector

_SHOWN = (16, 10)  # numbers that are drawn, of a picture's 3,072 and of a hidden layer's


@torch.no_grad()
def dense_autoencoder(model, x) -> Diagram:
    """An `MLPAutoencoder` on a picture x (1, 3, 32, 32): some numbers of each layer."""
    outputs, h = [x.flatten()], x.flatten(1)
    for module in (*model.encoder, *model.decoder):
        h = module(h)
        outputs = [*outputs, h[0]] if isinstance(module, torch.nn.Linear) else [*outputs[:-1], h[0]]
    y, middle = h.view_as(x).clamp(-1, 1), len(outputs) // 2
    strip = slice(x.shape[3] * 13 + 8, x.shape[3] * 13 + 8 + _SHOWN[0])  # of the first channel, through the middle
    layers = [vector(outputs[0][strip], f"{outputs[0].numel():,}\nnumbers", "picture", cell=12)]
    layers += [vector(h[:_SHOWN[1]], f"code z\n{len(h)}" if i == middle else f"hidden\n{len(h)}",
                      "code" if i == middle else "hidden", cell=12) for i, h in enumerate(outputs[1:-1], 1)]
    layers += [vector(outputs[-1][strip], f"{outputs[-1].numel():,}\nnumbers", "picture", cell=12)]
    fans = [fan(a, b) for a, b in zip(layers, layers[1:], strict=False)]
    root = row(picture(x[0], "x"), arrow("list"), row(*layers, gap=26), arrow("picture"), picture(y[0], "drawing"))
    return Diagram(root, *fans, title="An autoencoder of dense layers",
                   description="A picture as a list of numbers goes through hidden layers to a code of a few numbers, "
                               "and through others back to a list. Every number meets every one of the next layer.")
