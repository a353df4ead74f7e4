"""Figures of notebook 00b: a picture as numbers, layers with a bend, and the first network with real data in it."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from ...data import scenes
from ...show.diagrams import Diagram, arrow, column, fan, grid, maps, note, picture, row, vector, weight

SHEET_NAMES = ("red", "green", "blue")


def picture_as_numbers(x, top: int = 14, left: int = 14, side: int = 4) -> Diagram:
    """A picture (3, S, S), its three sheets, and the numbers of a small square in the first of them."""
    sheets = column(*(picture(sheet[None], f"{name}: {len(sheet)} × {len(sheet)}", 72)
                      for name, sheet in zip(SHEET_NAMES, x, strict=True)), gap=8)
    square = x[0, top : top + side, left : left + side]
    table = grid(*([note(f"{value:.2f}".replace("-", "−"), 14) for value in line] for line in square.tolist()),
                 gap=(14, 10))
    root = row(picture(x, "a scene", 130), arrow("three sheets"), sheets, arrow("a corner\nof the red one"), table,
               gap=8)
    return Diagram(root, title="A picture is numbers",
                   description="A picture is three sheets of numbers, for red, green and blue. Of the red sheet "
                               "sixteen numbers are written out.")


@torch.no_grad()
def layers_that_bend(net, x: float) -> Diagram:
    """A net of one hidden layer, Sequential(Linear, activation, Linear), at one number x."""
    hidden, bend, out = net
    before = hidden(torch.tensor([x]))
    after = bend(before)
    cells = [vector([x], "x", "picture", cell=22, limit=2), vector(before, "sums", "hidden", cell=18),
             vector(after, "after ReLU", "hidden", cell=18), vector(out(after), "output", "code", cell=22, limit=2)]
    middle = row(cells[1], arrow("bend"), cells[2], gap=10)
    root = row(cells[0], middle, cells[3], gap=110)
    return Diagram(root, fan(cells[0], cells[1]), fan(cells[2], cells[3]), title="A network of two layers",
                   description="One number meets the weights of eight hidden units. Each sum is bent by ReLU, and the "
                               "bent numbers are added up, each times a weight, to the output.")


@torch.no_grad()
def first_network(model, x) -> Diagram:
    """A `ConvClassifier` on a picture x (1, 3, 32, 32): what each convolution makes of it, scores, probabilities."""
    layers, h, sheets = model.layers, x, []
    for layer in layers:
        h = layer(h)
        if isinstance(layer, torch.nn.ReLU):
            sheets.append(maps(h[0], f"{h.shape[1]} maps\n{h.shape[2]} × {h.shape[3]}"))
    shares = F.softmax(h[0], 0).tolist()
    answers = grid(*([weight(share, 40), note(name)] for name, share in zip(scenes.SHAPES, shares, strict=True)),
                   gap=(6, 8))
    parts = [picture(x[0], "3 sheets\n32 × 32")]
    for each in sheets:
        parts += [arrow("stamps,\nReLU", 20), each]
    root = row(*parts, arrow("dense", 20), vector(h[0], "4 scores", "code", cell=20), arrow("softmax", 20), answers)
    return Diagram(root, title="The first network",
                   description="Three convolutions with ReLU make more and smaller maps of a picture. A dense layer "
                               "makes four scores of them, and the softmax four probabilities, one for each shape.")
