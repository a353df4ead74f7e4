"""The course as a figure: what leads where."""

from __future__ import annotations

from ...show.diagrams import Diagram, arrow, connect, grid, operation


def course_threads() -> Diagram:
    """Which notebooks meet in Stable Diffusion, and what notebook 01 becomes in both DALL·Es."""
    def notebook(name: str, quantity: str, note: str):
        return operation(name, quantity, note, least=176)

    goal = operation("14 Stable Diffusion", "picture", "15 Midjourney")
    first = [notebook("01 Attention", "attention", "looks back"), notebook("02 Autoencoder", "code", "compresses"),
             notebook("06 Denoising", "noise", "one step"), None]
    last = [notebook("13 Text to image", "attention", "attention reads the prompt"),
            notebook("08 VAE", "code", "the space to draw in"), notebook("12 Diffusion", "noise", "many small steps"),
            notebook("11 CLIP", "words", "encodes the prompt")]
    again = [[notebook("01 Seq2Seq", "words", idea), arrow(), notebook(*made)] for idea, *made in (
        ("pictures for sentences", "16 DALL·E", "picture", "token by token"),
        ("CLIP in the middle", "17 DALL·E 2", "picture", "from an embedding"))]
    rows = [[a, arrow() if a else None, b, None, None] for a, b in zip(first, last, strict=True)]
    rows[1][4] = goal
    sides = ("top", "left", "bottom", "bottom")
    links = [connect(b, "right", goal, side) for b, side in zip(last, sides, strict=True)]
    return Diagram(grid(*rows, *again, gap=(20, 16)), *links, title="The threads of the course",
                   description="Attention, the autoencoder and VAE, denoising and diffusion, and CLIP meet in Stable "
                               "Diffusion. Seq2Seq becomes DALL·E with pictures for sentences, DALL·E 2 with CLIP.")
