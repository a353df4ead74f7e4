"""Notebook 09 as a page: every knob of its widget does something at both ends."""

import re
from functools import partial

import pytest
from played import check_knobs, play

from helpers.lessons.ae_vs_vae import experiments as generation


@pytest.fixture(scope="module")
def sweep():
    """The page's widget, with fewer codes and fewer mixtures."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generation, "SWEPT_COMPONENTS", (1, 4, 24))
        patch.setattr(generation, "training_codes", partial(generation.training_codes, n=1000))
        _, [found] = play("09_ae_vs_vae.ipynb")
    return found


def test_every_knob_changes_the_picture_and_not_its_shape(sweep):
    check_knobs(sweep)


def test_the_dice_are_the_same_at_every_move(sweep):
    first, again = sweep.render(**sweep.values()), sweep.render(**sweep.values())
    assert (first[0] == again[0]).all() and first[1] == again[1]


def test_the_meter_counts_the_frames(sweep):
    picture, status = sweep.render(**sweep.values() | {"d": 4})
    valid, nameable = map(int, re.search(r"(\d+) of 16 valid \(green\), (\d+) nameable", status).groups())
    green, blue = ((picture == colour).all(-1).sum() for colour in ((0, 158, 115), (86, 180, 233)))
    frame = 9 * (36**2 - 32**2)  # pixels of one frame at scale 3
    assert (green // frame, blue // frame) == (valid, nameable - valid)
