"""The helper package of the course. Each file is one box of the story:

    file              notebooks   what it holds
    models/           02-17       the boxes of the papers' figures, each with the loss that trains it
      autoencoder     02-07       Hinton & Salakhutdinov 2006; Vincent et al. 2008
    scenes/           all         tiny scenes: pictures whose truth is known, captions, and the parser that scores
    data, downloads   all         emoji, MNIST, Fashion-MNIST, CIFAR-10, Multi30k, Tatoeba; fixed ranges, offline first
    training          all         one loop for every model; runs on a CPU, a GPU or several processes
    recipes, train    all         what is trained on what; `python -m helpers.train NAME`
    checkpoints       all         weights with their config and provenance; the manifest; load_or_train
    metrics, scores   all         every figure that the course quotes, recomputed from the shipped weights
    plotting          all         pictures in a fixed range, curves, error maps
    widgets           all         the sweep: knobs in, a picture and a status line out
    checks            all         the checks of shapes and equations, and one for each exercise
    source            all         show the live source of what a notebook imports
    course, publish   -           the map of the notes; run, clean and stamp the notebooks

Images are float32 in [-1, 1], (B, C, H, W), everywhere. Importing this package imports nothing heavy.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
