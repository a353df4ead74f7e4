"""The pictures of notebook 15's widget: a grid at a chaos, with the judge's verdict on each."""

from __future__ import annotations

import numpy as np

from ...data import scenes
from ...systems.studio import Studio, read_line
from ..text_conditioned_diffusion.faces import judged
from .experiments import unlike

VERDICT_LINES = 3  # under a picture


def chaos_face(studio: Studio, text: str, chaos: int, seed: int) -> tuple[np.ndarray, str]:
    """The grid of a prompt at a chaos, under each picture what the judge reads; and how unlike they are.

    ValueError, a sentence, for a prompt that the studio refuses.
    """
    drawing = studio.draw(read_line(f"/imagine prompt: {text} --seed {seed} --chaos {chaos}"))
    parsed = scenes.parse(drawing.canvases)
    told = [scenes.caption(row) + (f" · {fault}" if fault else "")
            for row, fault in zip(parsed.factors, parsed.words, strict=True)]
    line = f"two pictures of this grid differ in {unlike(parsed.factors):.1f} of six factors"
    return judged(drawing.canvases, told, room=VERDICT_LINES), " · ".join([line, *drawing.notes])
