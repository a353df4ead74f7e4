"""A sitting in print: each job's picture under its command, wherever no kernel runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..raster import SOFT, paragraph, place

COLUMN, ACROSS = 230, 4  # pixels of a job, jobs side by side


def still_sheet(jobs: Sequence[Any]) -> np.ndarray:
    """Jobs side by side, `ACROSS` in a row, uint8 (H, W, 3): number and line, the four pictures or the one."""
    panels = []
    for job in jobs:
        picture = job.picture()
        picture = picture[::2, ::2] if len(job.drawing.shown) > 1 else picture
        picture = picture[: COLUMN - 10, : COLUMN - 10]
        paper = np.full((len(picture), COLUMN, 3), 255, np.uint8)
        place(paper, picture, 0, 0)
        panels.append(np.concatenate([paragraph(f"{job.number}: {job.text}", COLUMN, size=11, ink=SOFT), paper]))
    rows = [panels[start : start + ACROSS] for start in range(0, len(panels), ACROSS)]
    return np.concatenate([line_of(row) for row in rows])


def line_of(panels: Sequence[np.ndarray]) -> np.ndarray:
    """Panels side by side on white paper as high as the highest, uint8."""
    paper = np.full((max(len(panel) for panel in panels) + 12, COLUMN * ACROSS + 10 * ACROSS, 3), 255, np.uint8)
    for i, panel in enumerate(panels):
        place(paper, panel, 0, i * (COLUMN + 10))
    return paper
