"""The helper package of the course, in rooms. A file imports from its own room and from those below it.

    train       the command: `python -m helpers.train NAME` trains what a recipe describes
    lessons/    one folder a notebook, named as its file: its recipes, experiments, scores and exercises
    systems/    text in, picture or text out: each product a few lines of composition
    course/     for authors: the map of the notes, publishing, checks, scores; and the doctor
    training/   the loop, its progress, the file it continues from, checkpoints, recipes, trials
    diffusion/  noise added and taken away, guidance, and the ideal denoiser
    models/     one shelf, a file a paper: the boxes of its figure, each beside the loss that trains it
    metrics/    how good an answer is, in numbers
    show/       pictures, curves, tables of shades, widgets, live source
    data/       tiny scenes, emoji and other sets, downloads, noise, masks, batches, the manifest

Images are float32 in [-1, 1], (B, C, H, W), everywhere. Importing this package imports nothing heavy.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
