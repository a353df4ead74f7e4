"""The course as a figure: what leads where."""

from __future__ import annotations

from ...show.diagrams import Diagram, arrow, grid, link, operation

WIDE = 176  # pixels: a notebook


def course_threads() -> Diagram:
    """Which notebooks meet in Stable Diffusion, and what notebook 01 becomes in both DALL·Es."""
    goal = operation("14 Stable Diffusion", "picture", "15 Midjourney")
    last = [operation("13 Text to image", "attention", "attention reads the prompt", least=WIDE),
            operation("08 VAE", "code", "the space to draw in", least=WIDE),
            operation("12 Diffusion", "noise", "many small steps", least=WIDE),
            operation("11 CLIP", "words", "encodes the prompt", least=WIDE)]
    first = [operation("01 Attention", "attention", "looks back", least=WIDE), operation("02 Autoencoder", "code", "compresses", least=WIDE),
             operation("06 Denoising", "noise", "one step", least=WIDE), None]
    again = [operation("01 Seq2Seq", "words", "pictures as the language", least=WIDE), arrow(),
             operation("16 DALL·E", "picture", least=WIDE)]
    again2 = [operation("01 Seq2Seq", "words", "CLIP in the middle", least=WIDE), arrow(), operation("17 DALL·E 2", "picture", least=WIDE)]
    rows = [[a, arrow() if a else None, b, None, None] for a, b in zip(first, last, strict=True)]
    rows[1][4] = goal
    links = [link(b, "right", goal, meets) for b, meets in zip(last, ("top", "left", "bottom", "bottom"), strict=True)]
    return Diagram(grid(*rows, again, again2, gap=(20, 16)), *links, title="The threads of the course",
                   description="Attention, the autoencoder and VAE, denoising and diffusion, and CLIP meet in Stable "
                               "Diffusion. Seq2Seq becomes DALL·E with pictures for sentences, DALL·E 2 with CLIP.")
