"""Notebook 08 as a page: every knob of its widgets does something at both ends, and its figures agree."""

import contextlib
import io

import nbformat
import pytest
import torch

from helpers import ROOT, pages, widgets

PATH = ROOT / "notebooks/08_vae.ipynb"


@pytest.fixture(scope="module")
def page():
    """The notebook's names after all of its cells but the exercises, and its sweeps in their order."""
    shown, names = [], {"display": lambda *things: None}

    class Recorded(widgets.Sweep):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs | {"still": ()})
            shown.append(self)

    cells = [cell for cell in nbformat.read(PATH, as_version=4).cells if cell.cell_type == "code"]
    skipped = ("bootstrap", "exercise", "solution")
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng([]), contextlib.redirect_stdout(io.StringIO()):
        patch.setattr(widgets, "Sweep", Recorded)
        for cell in cells:
            if not any(pages.tagged(cell, tag) for tag in skipped):
                exec(compile(cell.source, PATH.name, "exec"), names)
    return names, shown


def ends(knob):
    return (knob.options[0][1], knob.options[-1][1]) if hasattr(knob, "options") else (knob.min, knob.max)


def test_every_knob_changes_the_picture_and_not_its_shape(page):
    _, sweeps = page
    assert len(sweeps) == 3
    for sweep in sweeps:
        first = sweep.values()
        shape = sweep.render(**first)[0].shape
        for name, knob in sweep.knobs.items():
            low, high = (sweep.render(**first | {name: value})[0] for value in ends(knob))
            assert low.shape == high.shape == shape, name
            assert (low != high).any(), name
