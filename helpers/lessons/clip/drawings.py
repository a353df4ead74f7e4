"""Figures of notebook 11: CLIP with a batch in it, and points on a circle that one query pulls and pushes."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image, ImageDraw

from ...show.diagrams import Diagram, arrow, column, connect, grid, operation, picture, row, vector
from ...show.figures import PALETTE
from ...show.heatmaps import heatmap
from ...show.raster import place, tile
from ...systems.zero_shot import ZeroShot

SIDE, RADIUS = 360, 130  # of the circle's picture, in pixels
ENLARGED = 3  # it is drawn so many times larger, and reduced


@torch.no_grad()
def two_towers(model, images, texts) -> Diagram:
    """Pictures (B, 3, S, S) above, their texts beside them, and the table of their logits' softmax; B of four or so."""
    clip = ZeroShot(model)
    x, y = clip.pictures(images), clip.texts(texts)
    names = [[f"{kind} {i + 1}" for i in range(len(x))] for kind in ("picture", "text")]
    table = picture(heatmap(model.compare(x, y).softmax(1), *names), "each row a softmax", 140)
    above = column(*(picture(each, "", 44) for each in images), gap=6)
    below = column(*(operation(f"{i + 1} · {text}", "words") for i, text in enumerate(texts)), gap=6)
    points = [row(*(vector(each[:10], "", "code", cell=7) for each in part), gap=5) for part in (x, y)]
    lines = grid([above, arrow(length=22), operation("ImageTower", note="reads patches"), arrow(length=22), points[0]],
                 [below, arrow(length=22), operation("TextTower", note="reads tokens"), arrow(length=22), points[1]],
                 gap=(6, 26))
    scale = operation("cosines × logit_scale", "loss")
    right = column(scale, arrow(), table, gap=12)
    both = [connect(part, "right", scale, "left") for part in points]
    return Diagram(row(lines, right, gap=76), *both, title="CLIP",
                   description="Two towers make a point of each picture and of each text. All cosines are scaled, and "
                               "each row and each column of the table should choose its own pair.")


def points_on_circle(angle: float, temperature: float, negatives: int, seed: int = 0):
    """A query at the top, its positive `angle` degrees away, and negatives: where each pulls or pushes, as a picture.

    The disc of a negative grows with its share of the softmax, which is its share of the push. Returns the uint8
    picture, the loss in nats, and the share of the push that the nearest tenth of the negatives does.
    """
    generator = torch.Generator().manual_seed(seed)
    turned = torch.cat([torch.tensor([math.radians(angle)]), 2 * math.pi * torch.rand(negatives, generator=generator)])
    cosines = turned.cos()
    share = (cosines / temperature).softmax(0)
    loss = -share[0].log().item()
    push = share[1:] / share[1:].sum()
    most = push.sort(descending=True).values[: max(1, round(negatives / 10))].sum().item()
    canvas = Image.new("RGB", (SIDE * ENLARGED, SIDE * ENLARGED), "white")
    pen, middle = ImageDraw.Draw(canvas), SIDE * ENLARGED / 2

    def disc(turn, size, colour):
        x, y = middle + RADIUS * ENLARGED * math.sin(turn), middle - RADIUS * ENLARGED * math.cos(turn)
        size *= ENLARGED
        pen.ellipse([x - size, y - size, x + size, y + size], fill=colour, outline="white")

    reach = RADIUS * ENLARGED
    pen.ellipse([middle - reach, middle - reach, middle + reach, middle + reach], outline="#bbbbbb", width=ENLARGED)
    for turn, size in zip(turned[1:].tolist(), push.tolist(), strict=True):
        disc(turn, 3 + 22 * math.sqrt(size), PALETTE["vermilion"])
    disc(turned[0].item(), 9, PALETTE["green"])
    disc(0.0, 9, PALETTE["black"])
    return np.asarray(canvas.resize((SIDE, SIDE), Image.Resampling.BOX)), loss, most


def similarities(model, images, texts, temperature: float | None = None):
    """The table of the softmax of each picture's row over the texts, as a uint8 picture, and the cosines (B, M).

    temperature: what cosines are divided by; None: as the model has learned it.
    """
    clip = ZeroShot(model)
    x, y = clip.pictures(images), clip.texts(texts)
    cosines = x @ y.T
    with torch.no_grad():
        logits = model.compare(x, y) if temperature is None else cosines / temperature
    names = [f"text {i + 1}" for i in range(len(texts))]
    return heatmap(logits.softmax(1), [f"picture {i + 1}" for i in range(len(x))], names), cosines


def beside(images, table: np.ndarray) -> np.ndarray:
    """Pictures (B, 3, S, S) in a column left of a table with a row for each, as one uint8 picture."""
    shown = tile(images, 1, scale=1, gap=2)
    canvas = np.full((max(len(shown) + 20, len(table)), shown.shape[1] + 12 + table.shape[1], 3), 255, np.uint8)
    place(canvas, shown, 20, 0)
    place(canvas, table, 0, shown.shape[1] + 12)
    return canvas
