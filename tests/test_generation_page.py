"""Notebook 09 as a page: every knob of its widget does something at both ends."""

import re
from functools import partial

import nbformat
import pytest
import torch

from helpers import ROOT, pages, widgets
from helpers.recipes import generation

PAGE = ROOT / "notebooks" / "09_ae_vs_vae.ipynb"


@pytest.fixture(scope="module")
def sweep():
    """The page's widget, from the cells tagged "widget" alone, with fewer codes and fewer mixtures."""
    found = []

    class Recorded(widgets.Sweep):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            found.append(self)

    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng([]):
        patch.setattr(widgets, "Sweep", Recorded)
        patch.setattr(generation, "SWEEP", (1, 4, 24))
        patch.setattr(generation, "training_codes", partial(generation.training_codes, n=1000))
        space = {}
        for cell in nbformat.read(PAGE, as_version=4).cells:
            if pages.tagged(cell, "widget"):
                exec(compile(cell.source, "09", "exec"), space)
    return found[0]


def ends(knob):
    return (knob.options[0][1], knob.options[-1][1]) if hasattr(knob, "options") else (knob.min, knob.max)


def test_every_knob_changes_the_picture_and_not_its_shape(sweep):
    first = sweep.values()
    for name, knob in sweep.knobs.items():
        low, high = (sweep.render(**first | {name: value})[0] for value in ends(knob))
        assert low.shape == high.shape and (low != high).any(), name


def test_the_dice_are_the_same_at_every_move(sweep):
    first, again = sweep.render(**sweep.values()), sweep.render(**sweep.values())
    assert (first[0] == again[0]).all() and first[1] == again[1]


def test_the_meter_counts_the_frames(sweep):
    picture, status = sweep.render(**sweep.values() | {"d": 4})
    strict, loose = map(int, re.search(r"(\d+) of 16 valid \(green\), (\d+) by", status).groups())
    green, blue = ((picture == colour).all(-1).sum() for colour in ((0, 158, 115), (86, 180, 233)))
    frame = 9 * (36**2 - 32**2)  # pixels of one frame at scale 3
    assert (green // frame, blue // frame) == (strict, loose - strict)
