"""Pictures of notebook 12's toys: a density that changes with t and paths over it; a cloud that becomes a letter."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageDraw

from ...diffusion.forward import Schedule
from ...models.densities import Mixture
from ...show.figures import PALETTE
from ...show.heatmaps import shade
from ...show.raster import SOFT, draw_text, place
from .toys import (
    Paths,
    at_time,
    follow,
    ink,
    mixture_denoiser,
    off_the_ink,
    to_nearest_point,
    true_quantiles,
    wasserstein,
)

FINER = 2                    # lines are drawn so many times larger, and reduced
HEIGHT, WIDTH = 300, 560     # of the map of p_t, in pixels
BARS = 180                   # width of the histogram beside it
HIGHEST = 2.6                # x runs from -HIGHEST to HIGHEST
MAP_SHADE = 0.55             # the darkest of the map, so that paths can be seen on it
DRAWN, COUNTED = 30, 2000    # paths that are drawn, numbers that the histogram counts
PLANE_SIDE, PLANE_EDGE = 320, 1.7  # of a picture of points: pixels, and the plane from -PLANE_EDGE to PLANE_EDGE
PLANE_POINTS = 400           # of which the first are drawn with their paths


def paths_of_numbers(mixture: Mixture, schedule: Schedule, steps: int, eta: float, seed: int = 0):
    """Paths from noise to a mixture over one number, over its density at every t; a histogram of where they end.

    Returns the uint8 picture and a status line with the distance to the truth. Columns of the map are t, from T on the
    left to 0; each is scaled to its own maximum, since p_0 is far higher than p_T.
    """
    paths = follow(mixture_denoiser(mixture, schedule), schedule, COUNTED, steps, eta, seed)
    canvas = Image.fromarray(density_map(mixture, schedule)).resize((WIDTH * FINER, HEIGHT * FINER))
    pen = ImageDraw.Draw(canvas)
    across = [(1 - t / schedule.last) * (WIDTH * FINER - 1) for t in paths.t]
    for way in paths.x[:, :DRAWN, 0].T:
        pen.line(list(zip(across, level(way).tolist(), strict=True)), fill=PALETTE["vermilion"], width=3, joint="curve")
    left = np.asarray(canvas.resize((WIDTH, HEIGHT), Image.Resampling.BOX))
    right = histogram(paths.x[-1, :, 0], mixture)
    picture = titled([ruler(), left, right], ["x", "from noise, t = T, to numbers, t = 0", "their ends, and the truth"])
    truth = mixture.sample(COUNTED, torch.Generator().manual_seed(seed))
    apart, floor = (wasserstein(x, true_quantiles(mixture, COUNTED)) for x in (paths.x[-1], truth))
    return picture, (f"{steps} steps, η = {eta:g}: {apart:.3f} from the truth (Wasserstein-1); "
                     f"{COUNTED:,} true draws: {floor:.3f}")


def level(x: torch.Tensor) -> torch.Tensor:
    """The heights, in pixels of the enlarged picture, at which numbers are drawn."""
    return (0.5 - x / (2 * HIGHEST)) * HEIGHT * FINER


def density_map(mixture: Mixture, schedule: Schedule) -> np.ndarray:
    """p_t(x) as a uint8 picture (HEIGHT, WIDTH / 2, 3): a column for every other pixel's t, a row for each x."""
    x = torch.linspace(HIGHEST, -HIGHEST, HEIGHT, dtype=torch.float64)[:, None]
    times = torch.linspace(schedule.last, 0, WIDTH // 2).round().long().tolist()
    columns = torch.stack([at_time(mixture, schedule, t).log_density(x) for t in times], 1)      # (HEIGHT, WIDTH / 2)
    return shade(MAP_SHADE * (columns - columns.amax(0)).exp())


def ruler(width: int = 24) -> np.ndarray:
    """The numbers from -2 to 2 at their heights, left of the map."""
    canvas = np.full((HEIGHT, width, 3), 255, np.uint8)
    for number in range(-2, 3):
        word = draw_text(f"{number:g}".replace("-", "−"), ink=SOFT)
        y = round(level(torch.tensor(float(number))).item() / FINER)
        place(canvas, word, y - word.shape[0] // 2, width - 2 - word.shape[1])
    return canvas


def histogram(x: torch.Tensor, mixture: Mixture) -> np.ndarray:
    """Bars to the right for numbers x (n,), on the heights of the map, and the mixture's density as a line."""
    bins = 100
    counts = torch.histc(x.float(), bins, -HIGHEST, HIGHEST) / len(x) * bins / (2 * HIGHEST)      # a density
    middles = (torch.arange(bins).double() + 0.5) / bins * 2 * HIGHEST - HIGHEST
    truth = mixture.log_density(middles[:, None]).exp()
    scale = 0.62 * BARS * FINER / truth.max().item()  # a bar that is longer leaves the picture
    canvas = Image.new("RGB", (BARS * FINER, HEIGHT * FINER), "white")
    pen, half = ImageDraw.Draw(canvas), HEIGHT * FINER / bins / 2
    for y, count in zip(level(middles).tolist(), counts.tolist(), strict=True):
        if count:
            pen.rectangle([0, y - half, count * scale, y + half - 1], fill=PALETTE["orange"])
    pen.line(list(zip((truth * scale).tolist(), level(middles).tolist(), strict=True)), fill=PALETTE["blue"],
             width=2 * FINER)
    return np.asarray(canvas.resize((BARS, HEIGHT), Image.Resampling.BOX))


def titled(pictures: list[np.ndarray], titles: list[str], gap: int = 8) -> np.ndarray:
    """Pictures of one height side by side, each under its title, as one uint8 picture."""
    line, width = 22, sum(each.shape[1] for each in pictures) + gap * (len(pictures) - 1)
    canvas, x = np.full((line + len(pictures[0]), width, 3), 255, np.uint8), 0
    for picture, title in zip(pictures, titles, strict=True):
        place(canvas, draw_text(title, ink=SOFT), 0, x)
        place(canvas, picture, line, x)
        x += picture.shape[1] + gap
    return canvas


# -- points of a letter ----------------------------------------------------------------------------


def paths_of_points(denoisers: dict, schedule: Schedule, known: torch.Tensor, steps: int, eta: float = 0.0,
                    seed: int = 0):
    """What denoisers {title: denoise} make of the same noise, side by side: paths to a letter.

    known: the points (N, 2) that they were made from, circled. Returns the uint8 picture, and a status line with the
    mean distance of each one's ends to the nearest known point and to the letter.
    """
    pictures, lines = [], []
    for title, denoise in denoisers.items():
        paths = follow(denoise, schedule, PLANE_POINTS, steps, eta, seed, size=2)
        pictures.append(paths_in_plane(paths, known))
        to_known, to_letter = to_nearest_point(paths.x[-1], known).mean(), off_the_ink(paths.x[-1]).mean()
        lines.append(f"{title}: {to_known:.3f} to a known point, {to_letter:.3f} to the letter")
    return titled(pictures, list(denoisers)), " · ".join(lines)


def paths_in_plane(paths: Paths, known: torch.Tensor, drawn: int = 60) -> np.ndarray:
    """Paths of points, the first `drawn` as lines, all ends as dots, and circles around known points; uint8."""
    canvas = Image.new("RGB", (PLANE_SIDE * FINER, PLANE_SIDE * FINER), "white")
    pen = ImageDraw.Draw(canvas)

    def discs(points, radius, **style):
        for x, y in pixel(points).tolist():
            pen.ellipse([x - radius, y - radius, x + radius, y + radius], **style)

    centres, half = ink()
    half = half / PLANE_EDGE * PLANE_SIDE * FINER / 2
    for x, y in pixel(centres).tolist():
        pen.rectangle([x - half, y - half, x + half, y + half], fill="#d9e6f0")
    for way in pixel(paths.x[:, :drawn]).transpose(0, 1):
        pen.line(list(map(tuple, way.tolist())), fill="#a0a0a0", width=1)
    discs(known, 6, outline=PALETTE["blue"], width=2)
    discs(paths.x[0, :drawn], 3, fill="#777777")
    discs(paths.x[-1], 3, fill=PALETTE["vermilion"])
    return np.asarray(canvas.resize((PLANE_SIDE, PLANE_SIDE), Image.Resampling.BOX))


def pixel(points: torch.Tensor) -> torch.Tensor:
    """Points (..., 2) of the plane as places in the enlarged picture, y downwards."""
    return (points * torch.tensor([1.0, -1.0]) / PLANE_EDGE + 1) * (PLANE_SIDE * FINER / 2)
