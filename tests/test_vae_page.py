"""Notebook 08 as a page: every knob of its widgets does something at both ends, and its figures agree."""

import pytest
from played import check_knobs, play

from helpers import pages

LEFT_OUT = ("bootstrap", "exercise", "solution")


@pytest.fixture(scope="module")
def page():
    """The notebook's names after all of its cells but the exercises, and its sweeps in their order."""
    return play("08_vae.ipynb", lambda cell: not any(pages.tagged(cell, tag) for tag in LEFT_OUT))


def test_every_knob_changes_the_picture_and_not_its_shape(page):
    _, sweeps = page
    assert len(sweeps) == 3
    for sweep in sweeps:
        check_knobs(sweep)
