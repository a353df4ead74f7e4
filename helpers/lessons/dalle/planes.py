r"""The toy of notebook 16's codebooks: vectors and codes on a plane, a codebook that lives or dies, mixtures of codes.

n vectors (n, 2) · K codes (K, 2)
"""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from ...models.quantizers import VectorQuantizer, nearest_code, perplexity
from ...show.figures import PALETTE
from ...show.raster import SOFT, draw_text, place

PLANE = 300  # pixels along a side
PLANE_MIDDLE, PLANE_REACH = (0.8, 0.4), 2.6  # what stands in the middle, and how far it reaches from there
CURES = {"none": ("random", False), "restart": ("random", True), "k-means": ("k-means", False)}
ON_THE_PLANE, VECTORS = 16, 256  # codes and vectors


def on_the_plane() -> Tensor:
    r"""The toy's vectors (256, 2): six heaps, all away from 0 to one side."""
    generator = torch.Generator().manual_seed(3)
    heaps = torch.tensor([[0.6, 1.8], [1.9, 1.9], [2.2, 0.7], [1.2, 0.3], [2.1, -0.8], [0.2, 0.9]])
    chosen = heaps[torch.randint(len(heaps), (VECTORS,), generator=generator)]
    return chosen + 0.18 * torch.randn(VECTORS, 2, generator=generator)


def code_plane(points: Tensor, codes: Tensor, ends: Tensor | None = None, used: Tensor | None = None,
               title: str = "", middle=PLANE_MIDDLE) -> np.ndarray:
    r"""A uint8 picture of vectors (n, 2) as dots and codes (K, 2) as squares.

    ends  (n, 2): a line from each vector to what became of it;  used  (K,) bool: the others are crosses
    """
    fine = 3  # drawn larger, then made smaller: smooth edges
    sheet = Image.new("RGB", (PLANE * fine, PLANE * fine), "white")
    pen = ImageDraw.Draw(sheet)

    def at(point) -> tuple[float, float]:
        share = np.array([1, -1]) * (np.asarray(point) - middle) / PLANE_REACH
        return tuple((PLANE * fine / 2 * (1 + share)).tolist())

    for start, end in zip(points, ends if ends is not None else (), strict=False):
        pen.line([at(start), at(end)], fill="#bbbbbb", width=fine)
    for point in points:
        x, y = at(point)
        pen.ellipse([x - 5, y - 5, x + 5, y + 5], fill=PALETTE["sky"])
    for code, alive in zip(codes, used if used is not None else [True] * len(codes), strict=True):
        x, y = at(code)
        if alive:
            pen.rectangle([x - 12, y - 12, x + 12, y + 12], fill=PALETTE["vermilion"])
        else:
            for lean in (-1, 1):
                pen.line([(x - 12, y - 12 * lean), (x + 12, y + 12 * lean)], fill="#888888", width=4)
    pen.rectangle([0, 0, PLANE * fine - 1, PLANE * fine - 1], outline="#cccccc", width=fine)
    words = draw_text(title, ink=SOFT) if title else np.full((1, 1, 3), 255, np.uint8)
    canvas = np.full((PLANE + 24, PLANE + 12, 3), 255, np.uint8)
    place(canvas, words, 2, 0)
    place(canvas, np.asarray(sheet.resize((PLANE, PLANE), Image.LANCZOS)), 24, 0)
    return canvas


def followed(cure: str, steps: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    r"""The codes (16, 2) after so many steps with `on_the_plane` as every batch, and the codes chosen there (n,)."""
    start, restart = CURES[cure]
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        quantizer = VectorQuantizer(ON_THE_PLANE, 2, decay=0.9, start=start, restart=restart)
        points = on_the_plane()
        if start == "k-means":
            quantizer.begin(points)
        for _ in range(steps):
            quantizer(points.T[None, :, None])
    return quantizer.codebook.clone(), nearest_code(points, quantizer.codebook)


def collapse_face(cure: str, steps: int, seed: int) -> tuple[np.ndarray, str]:
    r"""A codebook at its start and after some steps, beside one another: crosses are codes that no vector takes."""
    points, sides, line = on_the_plane(), [], ""
    for count, title in ((0, "at the start"), (steps, f"after {steps} steps")):
        codes, chosen = followed(cure, count, seed)
        used = torch.zeros(ON_THE_PLANE, dtype=torch.bool)
        used[chosen] = True
        sides.append(code_plane(points, codes, used=used, title=title))
        line = f"{int(used.sum())} of {ON_THE_PLANE} codes in use, perplexity {perplexity(chosen, ON_THE_PLANE):.1f}"
    return np.concatenate(sides, 1), f"{title}: {line}"


def gumbel_face(temperature: float, seed: int) -> tuple[np.ndarray, str]:
    r"""What becomes of 40 vectors: the nearest code (VQ), and a mixture of codes at a temperature (Gumbel).

    The logits are minus the squared distances, so without noise and at temperature 0 both are the same.
    """
    points, codes = on_the_plane()[:40], followed("k-means", 30)[0]
    logits = -torch.cdist(points, codes).square() / 0.1
    noise = -torch.rand(logits.shape, generator=torch.Generator().manual_seed(seed)).log().neg().log()
    soft = ((logits + noise) / temperature).softmax(1)
    snapped = codes[nearest_code(points, codes)]
    sides = [code_plane(points, codes, snapped, title="VQ: the nearest code"),
             code_plane(points, codes, soft @ codes, title=f"Gumbel: temperature {temperature:g}")]
    largest = soft.max(1).values.mean()
    return np.concatenate(sides, 1), f"the largest weight of a mixture is {largest:.2f}, in the mean"
