"""What the sweeps of notebook 00b draw: a line and its errors, a map of its loss, a curve with bends, bars, a stamp."""

from __future__ import annotations

import math

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ...show.figures import PALETTE, to_uint8
from ...show.heatmaps import shade
from ...show.raster import SOFT, draw_text, place
from .toys import line_loss

FINENESS = 2  # lines are drawn so many times larger, and reduced
HIGH = 280  # pixels of a board
W_RANGE, B_RANGE = (-1.6, 2.6), (-1.9, 2.1)  # of the map of the loss
NOT_YET = (222, 238, 248)
MODEL, DATA_INK, ERROR = PALETTE["vermilion"], PALETTE["blue"], PALETTE["orange"]


class Board:
    """A window on the plane to draw into: x and y run between the ends given, y upwards."""

    def __init__(self, x_ends: tuple[float, float], y_ends: tuple[float, float], wide: int = HIGH, high: int = HIGH):
        self.x_ends, self.y_ends, self.wide, self.high = x_ends, y_ends, wide, high
        self.canvas = Image.new("RGB", (wide * FINENESS, high * FINENESS), "white")
        self.pen = ImageDraw.Draw(self.canvas)
        self.pen.rectangle([0, 0, wide * FINENESS - 1, high * FINENESS - 1], outline="#bbbbbb", width=FINENESS)

    def at(self, x, y) -> list[tuple[float, float]]:
        """Points as places of the enlarged canvas, cut off far outside of it."""
        (left, right), (low, high) = self.x_ends, self.y_ends
        across = (torch.as_tensor(x).flatten() - left) / (right - left) * self.wide * FINENESS
        down = (high - torch.as_tensor(y).flatten()) / (high - low) * self.high * FINENESS
        return list(zip(across.clamp(-9999, 9999).tolist(), down.clamp(-9999, 9999).tolist(), strict=True))

    def dots(self, x, y, colour: str, radius: float = 3.5) -> None:
        for across, down in self.at(x, y):
            reach = radius * FINENESS
            self.pen.ellipse([across - reach, down - reach, across + reach, down + reach], fill=colour, outline="white")

    def line(self, x, y, colour: str, width: float = 2.5) -> None:
        self.pen.line(self.at(x, y), fill=colour, width=round(width * FINENESS), joint="curve")

    def picture(self) -> np.ndarray:
        """uint8 (high, wide, 3)."""
        return np.asarray(self.canvas.resize((self.wide, self.high), Image.Resampling.BOX))


def under_titles(pictures: list[np.ndarray], titles: list[str], gap: int = 14) -> np.ndarray:
    """Pictures side by side, each under its title; uint8."""
    words = [draw_text(title, ink=SOFT) for title in titles]
    widths = [max(each.shape[1], word.shape[1]) for each, word in zip(pictures, words, strict=True)]
    canvas = np.full((22 + max(map(len, pictures)), sum(widths) + gap * (len(widths) - 1), 3), 255, np.uint8)
    x = 0
    for each, word, width in zip(pictures, words, widths, strict=True):
        place(canvas, word, 0, x)
        place(canvas, each, 22, x)
        x += width + gap
    return canvas


# -- a line ----------------------------------------------------------------------------------------


def line_and_errors(x: Tensor, y: Tensor, w: float, b: float, wide: int = 380) -> np.ndarray:
    """Points (n,), the line w x + b, and upright sticks from the line to each point: its errors."""
    board, ends = Board((-1.75, 1.75), (-2.2, 2.6), wide), torch.tensor([-1.75, 1.75])
    for one, other in zip(x, y, strict=True):
        board.line(torch.stack([one, one]), torch.stack([w * one + b, other]), ERROR, 1.5)
    board.line(ends, w * ends + b, MODEL)
    board.dots(x, y, DATA_INK)
    return board.picture()


def loss_map(x: Tensor, y: Tensor, way: Tensor) -> np.ndarray:
    """The loss for every w (to the right) and b (upwards), dark where it is small, and a walk (k, 2) over it."""
    w = torch.linspace(*W_RANGE, HIGH // 2)[None, :, None]
    b = torch.linspace(*B_RANGE[::-1], HIGH // 2)[:, None, None]
    loss = line_loss(x, y, w, b)                                               # (HIGH / 2, HIGH / 2)
    board = Board(W_RANGE, B_RANGE)
    ground = Image.fromarray(shade(0.75 * (loss.min() / loss) ** 0.35))
    board.canvas.paste(ground.resize(board.canvas.size))
    board.line(way[:, 0], way[:, 1], MODEL, 1.5)
    board.dots(way[:, 0], way[:, 1], MODEL, 3)
    board.dots(way[-1:, 0], way[-1:, 1], PALETTE["black"], 5)
    return board.picture()


def line_on_its_way(x: Tensor, y: Tensor, way: Tensor) -> np.ndarray:
    """The last line of a walk with its errors, and the walk over the map of the loss."""
    w, b = way[-1].tolist()
    return under_titles([line_and_errors(x, y, w, b), loss_map(x, y, way)],
                        ["the line now", "its loss: w to the right, b upwards; dark is small"])


# -- layers ----------------------------------------------------------------------------------------


@torch.no_grad()
def curve_and_units(net, x: Tensor, y: Tensor, wide: int = 460) -> np.ndarray:
    """Points (n, 1), the curve of a net with one hidden layer, and thin: what each of its units adds to it."""
    board, fine = Board((-1.6, 1.6), (-2.2, 2.2), wide), torch.linspace(-1.6, 1.6, 161)[:, None]
    hidden, bend, out = net
    parts = bend(hidden(fine)) * out.weight[0]                                 # (161, units)
    for part in parts.T:
        board.line(fine, part, "#b0b0b0", 1)
    board.dots(x, y, DATA_INK, 3)
    board.line(fine, net(fine), MODEL)
    return board.picture()


# -- scores and probabilities ----------------------------------------------------------------------


def probability_bars(images: Tensor, scores: Tensor, right: int, side: int = 72, high: int = 150) -> np.ndarray:
    """A bar for the softmax of each of K scores over its picture (K, 3, S, S); the right one's is in another colour."""
    shares, gap = scores.softmax(0).tolist(), 40
    pictures = [np.asarray(Image.fromarray(each).resize((side, side), Image.Resampling.NEAREST))
                for each in to_uint8(images)]
    canvas = np.full((22 + high + side + 24, (side + gap) * len(shares), 3), 255, np.uint8)
    for i, (share, each) in enumerate(zip(shares, pictures, strict=True)):
        colour = np.frombuffer(bytes.fromhex((MODEL if i == right else PALETTE["sky"])[1:]), np.uint8)
        x, tall = gap // 2 + i * (side + gap), max(1, round(share * high))
        canvas[22 + high - tall : 22 + high, x : x + side] = colour
        place(canvas, draw_text(f"{share:.1%}"), high - tall, x, box=(22, side))
        place(canvas, each, 24 + high, x)
        score = f"score {scores[i]:.1f}".replace("-", "−")
        place(canvas, draw_text(score, ink=SOFT), 26 + high + side, x, box=(20, side))
    return canvas


# -- a stamp ---------------------------------------------------------------------------------------


def stamped(grey: Tensor, stamp: Tensor, row: int, column: int, scale: int = 9) -> np.ndarray:
    """A stamp (3, 3) on a grey picture (S, S), its corner at (row, column): the nine products, and what came before.

    The result is drawn up to the place where the stamp is, row by row; the rest of it is pale blue.
    """
    side = len(grey)
    result = torch.nn.functional.conv2d(grey[None, None], stamp[None, None])[0, 0]  # (S - 2, S - 2)
    done = torch.arange(result.numel()).view_as(result) <= row * (side - 2) + column
    left = enlarged(grey, scale)
    frame(left, row * scale, column * scale, 3 * scale)
    right = enlarged(result.clamp(-1, 1), scale)
    right[~done.numpy().repeat(scale, 0).repeat(scale, 1)] = NOT_YET
    frame(right, row * scale, column * scale, scale)
    patch = grey[row : row + 3, column : column + 3]
    table = products(patch, stamp, result[row, column].item())
    titles = ["the picture", "picture × stamp, nine times, added", "the result so far"]
    return under_titles([left, table, right], titles)


def enlarged(grey: Tensor, scale: int) -> np.ndarray:
    """A picture (h, w) in [-1, 1] as uint8, each pixel `scale` pixels wide."""
    return to_uint8(grey[None, None])[0].repeat(scale, 0).repeat(scale, 1)


def frame(picture: np.ndarray, y: int, x: int, side: int) -> None:
    """Draw a square frame into a uint8 picture."""
    colour, edge = np.frombuffer(bytes.fromhex(MODEL[1:]), np.uint8), 2
    inner = picture[y + edge : y + side - edge, x + edge : x + side - edge].copy()
    picture[max(0, y - edge) : y + side + edge, max(0, x - edge) : x + side + edge] = colour
    picture[y + edge : y + side - edge, x + edge : x + side - edge] = inner


def products(patch: Tensor, stamp: Tensor, total: float) -> np.ndarray:
    """Nine numbers of a picture, each beside the stamp's number, and their sum."""
    canvas = np.full((22 * 9, 330, 3), 255, np.uint8)
    for i, line in enumerate(zip(patch.tolist(), stamp.tolist(), strict=True)):
        for j, (a, b) in enumerate(zip(*line, strict=True)):
            place(canvas, draw_text(f"{signed(a)} · {signed(b)}"), 22 * (2 + i), 8 + 108 * j)
    place(canvas, draw_text(f"their sum: {signed(total)}"), 22 * 6, 8)
    return canvas


def signed(number: float) -> str:
    """A number of two decimals with its sign; a zero has none."""
    return "0" if math.isclose(number, 0, abs_tol=0.005) else f"{number:+.2f}".replace("-", "−")
