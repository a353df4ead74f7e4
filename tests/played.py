"""The widgets of a notebook without a browser: cells run as a kernel runs them, and each Sweep they make is kept."""

import contextlib
import io

import nbformat
import pytest
import torch

from helpers import ROOT
from helpers.course import notebook_files
from helpers.show import widgets


def is_widget(cell):
    """Whether a cell is tagged "widget": the cells with a widget are, and those that they need."""
    return notebook_files.tagged(cell, "widget")


def play(notebook, wanted=is_widget, edit=str):
    """(names, sweeps) after the code cells that are `wanted`; edit: source -> source, for a test in less time."""
    names, sweeps = {"display": lambda *things: None}, []

    class Kept(widgets.Sweep):
        def __init__(self, *args, **options):
            super().__init__(*args, **options | {"still": ()})  # nbval draws those
            sweeps.append(self)

    cells = nbformat.read(ROOT / "notebooks" / notebook, as_version=4).cells
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng([]), contextlib.redirect_stdout(io.StringIO()):
        patch.setattr(widgets, "Sweep", Kept)
        for number, cell in enumerate(cells):
            if cell.cell_type == "code" and wanted(cell):
                exec(compile(edit(cell.source), f"{notebook}, cell {number}", "exec"), names)
    return names, sweeps


def positions(knob):
    """The values of a list, or the two ends of a slider."""
    return [value for _, value in knob.options] if hasattr(knob, "options") else [knob.min, knob.max]


def check_knobs(sweep):
    """Every knob, from its first position to its last: the picture keeps its shape and does not stay the same."""
    first = sweep.values()
    shape = sweep.render(**first)[0].shape
    for name, knob in sweep.knobs.items():
        shown = [sweep.render(**first | {name: value})[0] for value in positions(knob)]
        assert {picture.shape for picture in shown} == {shape}, name
        assert (shown[0] != shown[-1]).any(), name
