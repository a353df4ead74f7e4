"""Figures of notebook 13's toys: guided samples in the plane, on a line and on a tree, as uint8 pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from PIL import Image, ImageDraw

from ...diffusion.forward import Schedule
from ...show.figures import PALETTE
from ...show.raster import INK, SOFT, draw_text, place
from . import toys

OVERSAMPLED = 3  # a drawing is made so many times larger, and reduced
INKS = [PALETTE[name] for name in ("blue", "vermilion", "green", "purple")]  # of classes and of main branches
CLASS_LETTERS = "ABCD"
FAINT = "#cfcfcf"
TALL = 2  # a density of 1 is so many units high


class Plane:
    """A part of the plane as a picture: x from `low` to `high` of x, y upwards, one unit as long in both directions."""

    def __init__(self, low: tuple[float, float], high: tuple[float, float], pixels: float):
        """pixels: of one unit."""
        self.low, self.high, self.unit = low, high, pixels * OVERSAMPLED
        size = [round((b - a) * self.unit / OVERSAMPLED) * OVERSAMPLED for a, b in zip(low, high, strict=True)]
        self.canvas = Image.new("RGB", size, "white")
        self.pen = ImageDraw.Draw(self.canvas)

    def at(self, points) -> list[tuple[float, float]]:
        """Points (n, 2) -> their pixels."""
        x, y = (np.asarray(points, dtype=float).reshape(-1, 2) - (self.low[0], self.high[1])).T * self.unit
        return list(zip(x.tolist(), (-y).tolist(), strict=True))

    def dots(self, points, radius: float, ink: str) -> None:
        radius *= OVERSAMPLED
        for x, y in self.at(points):
            self.pen.ellipse([x - radius, y - radius, x + radius, y + radius], fill=ink)

    def line(self, points, ink: str, width: float = 1) -> None:
        self.pen.line(self.at(points), fill=ink, width=round(width * OVERSAMPLED), joint="curve")

    def circle(self, centre, radius: float, ink: str, width: int = 1) -> None:
        (x, y), radius = self.at(centre)[0], radius * self.unit
        self.pen.ellipse([x - radius, y - radius, x + radius, y + radius], outline=ink, width=width * OVERSAMPLED)

    def picture(self, names: Sequence[tuple[str, tuple[float, float], str]] = ()) -> np.ndarray:
        """uint8 (height, width, 3), with names (text, (x, y), ink) centred at their points."""
        size = [side // OVERSAMPLED for side in self.canvas.size]
        drawn = np.array(self.canvas.resize(size, Image.Resampling.BOX))
        for text, point, ink in names:
            x, y = (round(value / OVERSAMPLED) for value in self.at(point)[0])
            word = draw_text(text, ink=ink)
            place(drawn, word, y - word.shape[0] // 2, x - word.shape[1] // 2)
        return drawn


def _noise(n: int, seed: int) -> torch.Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))


def guided_classes(schedule: Schedule, scale: float, one: int, seed: int = 0, n: int = 300, paths: int = 20,
                   steps: int = 50) -> tuple[np.ndarray, str]:
    """Samples of `toys.three_classes` guided towards class `one`, the way of some of them, and what became of them.

    Circles are at one and at two standard deviations of each class.
    """
    world = toys.three_classes()
    way = toys.guided_path(world.denoiser(schedule), {"one": one}, scale, schedule, _noise(n, seed), steps)
    plane = Plane((-3.6, -2.5), (2.7, 2.7), 72)
    for path in way[:, :paths].unbind(1):
        plane.line(path, FAINT)
    for mean, ink in zip(world.means, INKS, strict=False):
        plane.circle(mean, world.std, ink, 2)
        plane.circle(mean, 2 * world.std, ink)
    plane.dots(way[-1], 2.2, INKS[one] if scale else INK)
    share, spread = toys.kept_and_spread(world, one, way[-1])
    names = [(letter, tuple(2.25 * mean), ink) for letter, mean, ink in zip(CLASS_LETTERS, world.means, INKS,
                                                                            strict=False)]
    return plane.picture(names), (f"s = {scale:g}: {share:.0%} of the samples lie within 2σ of the centre of "
                                  f"{CLASS_LETTERS[one]} (of the class itself: 86%); their spread is "
                                  f"{spread:.2f} of its own")


def guided_density(schedule: Schedule, scale: float, one: int = 2) -> tuple[np.ndarray, str]:
    """What guidance draws on a line beside p(x) p(one | x)^scale, and how far the two are apart."""
    world = toys.three_on_a_line()
    found, claimed = toys.guided_line(world, one, scale, schedule), toys.sharpened(world, one, scale)
    plane = Plane((-4, -0.4), (5, 3.2), 72)
    edges = np.arange(-4, 5.001, 0.1)
    for left, height in zip(edges, TALL * heights(found, edges), strict=False):
        if height > 0.005:
            [(x0, y0), (x1, y1)] = plane.at([(left, height), (left + 0.1, 0)])
            plane.pen.rectangle([x0, y0, x1, y1], fill=PALETTE["sky"])
    for density, ink in ((world.log_density(toys.LINE[:, None]).exp(), FAINT), (claimed, PALETTE["vermilion"])):
        plane.line(torch.stack([toys.LINE, TALL * density], 1), ink, 2)
    plane.line([(-4, 0), (5, 0)], SOFT)
    names = [(str(value), (value, -0.22), SOFT) for value in range(-3, 5)]
    names += [("what guidance draws", (-2.4, 2.9), PALETTE["blue"]),
              ("p(x) p(c|x)^s", (-2.4, 2.6), PALETTE["vermilion"]), ("p(x), all classes", (-2.4, 2.3), SOFT)]
    gap, mean = toys.share_apart(found, claimed), torch.trapezoid(claimed * toys.LINE, toys.LINE).item()
    return plane.picture(names), (f"s = {scale:g}: the two differ in {gap:.0%} of the probability; the mean of what "
                                  f"guidance draws is {found.mean():z.2f}, of p(x) p(c|x)^s {mean:z.2f}")


def heights(samples: torch.Tensor, edges: np.ndarray) -> np.ndarray:
    """The density between neighbouring edges (m,) of evenly likely samples (n, 1), in their order: (m - 1,)."""
    share = (np.arange(len(samples)) + 0.5) / len(samples)
    return np.diff(np.interp(edges, samples[:, 0], share, left=0, right=1)) / np.diff(edges)


def guided_tree(schedule: Schedule, scale: float, branch: int, seed: int = 0, n: int = 200,
                steps: int = 40) -> tuple[np.ndarray, str]:
    """Samples of `toys.branching_tree` guided to one main branch, and how far from the root they are."""
    tree = toys.branching_tree()
    model = toys.tree_denoiser(tree, schedule)
    x = toys.guided_path(model, {"branch": branch}, scale, schedule, _noise(n, seed), steps)[-1]
    plane = Plane((-0.88, -0.88), (0.88, 0.88), 230)
    for number, ink in enumerate(INKS):
        plane.dots(tree.points[tree.branch == number], 1.2, ink if number == branch else FAINT)
    plane.dots(x, 2.4, INK)
    where, way, distance = toys.on_the_tree(tree, x)
    lost = (distance > toys.OFF_THE_TREE).float().mean()
    return plane.picture(), (f"s = {scale:g}: {(where == branch).float().mean():.0%} on the branch; {way.mean():.2f} "
                             f"of the way to a leaf (its points: {tree.way[tree.branch == branch].mean():.2f}); "
                             f"{lost:.0%} are off the tree")
