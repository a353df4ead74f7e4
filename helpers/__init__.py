"""The helper package of the course. Each file is one box of the story:

    file                    notebooks   what it holds
    models/                 02-17       the boxes of the papers' figures, each with the loss that trains it
      layers                01, 07-17   attention, defined once: Bahdanau et al. 2015; Vaswani et al. 2017
      seq2seq, decoding     01, 03      Sutskever et al. 2014, Bahdanau et al. 2015; greedy and beam search
      autoencoder           02, 03, 04  Hinton & Salakhutdinov 2006
      compression           05          Ballé, Laparra & Simoncelli 2017
      vae                   08, 09      Kingma & Welling 2013; Rezende, Mohamed & Wierstra 2014
      mlp                   04          Rumelhart, Hinton & Williams 1986
      skip, denoising       06, 07      U-Net: Ronneberger et al. 2015; Vincent et al. 2008, Miyasawa 1961
      inpainting, mae, vit  07, 10      Pathak et al. 2016; He et al. 2022; pictures as patches
    pipelines               01, 03      text in, something to read or to look at out
    compression             05          pictures as files: a code of d numbers, or the learned codec
      entropy_coding                    numbers to symbols, symbols to bytes: quantisers, range coding
      formats                           JPEG, WebP, AVIF and PNG, measured fairly
    scenes/                 all         tiny scenes: pictures whose truth is known, captions, and the parser
    corruptions, filters    06          noise of a level; the classical denoisers, each at its best
    masks, fillings         07          what is hidden; fillings without learning, and the exact average
    densities               09          densities over codes: N(0, I), a Gaussian, a mixture of them
    toys                    04, 06      points in the plane, of two classes, and what a classifier makes of them
    data, downloads         all         emoji, MNIST, Fashion-MNIST, CIFAR-10, Multi30k, Tatoeba; offline first
    text, text_metrics      01, 03      tokenizers and padding; exact match, BLEU and chrF
    training                all         one loop for every model: a CPU, a GPU or several processes
      progress, snapshots               its bar and history; the file from which it continues
    recipes/, train         all         what is trained on what; `python -m helpers.train NAME`
    trials            03-05, 07-09      the figures of learning rates and seeds that were tried
    checkpoints, manifest   all         weights with their config and provenance; load_or_train; hashes of all data
    metrics, scores/        all         how good a picture is; every figure that the course quotes, computed again
    plotting, pictures      all         pictures in a fixed range, curves, error maps
    heatmaps                01, 03      tables of scores as shades
    attention_maps          01, 03      where a translation looked
    widgets                 all         the sweep: knobs in, a picture and a status line out
    checks, exercises/      all         checks of shapes and equations; one check for each exercise
    source                  all         the live source of what a notebook imports
    doctor, machine         00          what this computer has, and what to do about it
    course, pages, publish  -           the map of the notes; run, clean and stamp the notebooks

Images are float32 in [-1, 1], (B, C, H, W), everywhere. Importing this package imports nothing heavy.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
